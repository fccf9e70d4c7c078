"""The age guard: a head that has been serviceable for too long goes first."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.channel.select import select_least
from mcos_hw.config import ChannelConfig

__all__ = ["AgeGuard"]


class AgeGuard(wiring.Component):
    """Ages of the heads, and whom to promote.

    A head's age counts the clocks in which it was serviceable. From its tenant's limit on, it is
    over age; the oldest over-age head is promoted, ties to the lowest tag, at most once in
    ``interval`` grants.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.

    Members
    -------
    serviceable : In(tenants)
        Heads that may be granted.
    limits : In(ArrayLayout(clocks_width, tenants))
        Age limits in clocks; 0 switches a tenant's guard off.
    interval : In(8)
        Grants from one promotion to the next, at least.
    grant : In(1)
        A grant is made in this clock.
    grant_tenant : In(tenant_width)
        To whom.
    promote : Out(1)
        ``promote_tenant`` goes before every other head.
    promote_tenant : Out(tenant_width)
        Whom to promote.
    ages : Out(ArrayLayout(clocks_width, tenants))
        Ages of the heads in clocks, saturating.
    """

    serviceable: Signal
    limits: data.View
    interval: Signal
    grant: Signal
    grant_tenant: Signal
    promote: Signal
    promote_tenant: Signal
    ages: data.View

    def __init__(self, config: ChannelConfig) -> None:
        self.config = config
        clocks = data.ArrayLayout(config.clocks_width, config.tenants)
        super().__init__(
            {
                "serviceable": In(config.tenants),
                "limits": In(clocks),
                "interval": In(8),
                "grant": In(1),
                "grant_tenant": In(config.tenant_width),
                "promote": Out(1),
                "promote_tenant": Out(config.tenant_width),
                "ages": Out(clocks),
            }
        )

    def elaborate(self, platform):
        m = Module()
        config = self.config
        oldest = (1 << config.clocks_width) - 1

        over_age = Signal(config.tenants)
        for i in range(config.tenants):
            age, limit = self.ages[i], self.limits[i]
            m.d.comb += over_age[i].eq(self.serviceable[i] & (limit != 0) & (age >= limit))
            with m.If(self.grant & (self.grant_tenant == i)):
                m.d.sync += age.eq(0)
            with m.Elif(self.serviceable[i] & (age != oldest)):
                m.d.sync += age.eq(age + 1)

        youth = [~self.ages[i] for i in range(config.tenants)]
        found, tenant = select_least(m, over_age, youth, name="oldest")
        rested = Signal(8, init=0xFF)
        m.d.comb += [
            self.promote.eq(found & (rested >= self.interval)),
            self.promote_tenant.eq(tenant),
        ]
        with m.If(self.grant):
            with m.If(self.promote):
                m.d.sync += rested.eq(1)
            with m.Elif(rested != 0xFF):
                m.d.sync += rested.eq(rested + 1)
        return m
