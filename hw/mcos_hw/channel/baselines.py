"""The arbiters that MCOS is compared with: FCFS, round robin and fixed priority.

They sit in the same shell, with the same queues, pacer and port credit. They know no contracts.
"""

from amaranth import *

from mcos_hw.channel.arbiter import Arbiter
from mcos_hw.channel.select import modular_less, select_least
from mcos_hw.registers import ArbiterKind

__all__ = [
    "FcfsArbiter",
    "FixedPriorityArbiter",
    "RoundRobinArbiter",
]


class FcfsArbiter(Arbiter):
    """First come, first served, by the clock in which a request was first offered.

    The stamp is taken before any back-pressure, and a tenant's requests arrive in the order of
    their stamps, so the least stamp among the heads is the least of all that have been accepted.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.

    Members
    -------
    See :func:`mcos_hw.channel.arbiter.arbiter_signature`.
    """

    kind = ArbiterKind.FCFS
    enforces_contracts = False

    def elaborate(self, platform):
        m = Module()
        serviceable = Cat(head.serviceable for head in self.heads)
        stamps = [head.offered for head in self.heads]
        found, tenant = select_least(m, serviceable, stamps, name="first", less=modular_less)
        m.d.comb += [
            self.candidates.eq(serviceable),
            self.grant.eq(self.open & found),
            self.grant_tenant.eq(tenant),
        ]
        return m


def _next_in_turn(m, serviceable, last, *, name):
    """The lowest serviceable tag after ``last``, wrapping around."""
    tags = [Const(i, len(last)) for i in range(len(serviceable))]
    after = Cat(Const(0, 1), (serviceable[i] & (last < i) for i in range(1, len(serviceable))))
    found_after, tenant_after = select_least(m, after, tags, name=f"{name}_after")
    found, tenant = select_least(m, serviceable, tags, name=f"{name}_any")
    return found, Mux(found_after, tenant_after, tenant)


class RoundRobinArbiter(Arbiter):
    """One request of each tenant in turn.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.

    Members
    -------
    See :func:`mcos_hw.channel.arbiter.arbiter_signature`.
    """

    kind = ArbiterKind.ROUND_ROBIN
    enforces_contracts = False

    def elaborate(self, platform):
        m = Module()
        serviceable = Cat(head.serviceable for head in self.heads)
        last = Signal(self.config.tenant_width)
        found, tenant = _next_in_turn(m, serviceable, last, name="turn")
        m.d.comb += [
            self.candidates.eq(serviceable),
            self.grant.eq(self.open & found),
            self.grant_tenant.eq(tenant),
        ]
        with m.If(self.grant):
            m.d.sync += last.eq(tenant)
        return m


class FixedPriorityArbiter(Arbiter):
    """The highest priority first, round robin among equals.

    The form of CUDA stream priorities if they reached the memory controller; a busy tenant of
    high priority starves every lower one.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.

    Members
    -------
    See :func:`mcos_hw.channel.arbiter.arbiter_signature`.
    """

    kind = ArbiterKind.FIXED_PRIORITY
    enforces_contracts = False

    def elaborate(self, platform):
        m = Module()
        tenants = range(self.config.tenants)
        serviceable = Cat(head.serviceable for head in self.heads)
        priorities = [self.live.tenants[i].priority for i in tenants]
        _, best = select_least(m, serviceable, priorities, name="best")
        best_priority = Signal(4)
        m.d.comb += best_priority.eq(self.live.tenants[best].priority)
        for i in tenants:
            m.d.comb += self.candidates[i].eq(serviceable[i] & (priorities[i] == best_priority))
        last = Signal(self.config.tenant_width)
        found, tenant = _next_in_turn(m, self.candidates, last, name="turn")
        m.d.comb += [
            self.grant.eq(self.open & found),
            self.grant_tenant.eq(tenant),
        ]
        with m.If(self.grant):
            m.d.sync += last.eq(tenant)
        return m
