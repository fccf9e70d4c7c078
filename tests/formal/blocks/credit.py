"""Port credit: bytes in flight are counted right and stay within the limit."""

from amaranth import *
from amaranth.hdl import Assert, Assume, Cover

from mcos_hw.channel.credit import PortCredit
from mcos_hw.config import ChannelConfig
from tests.formal.property import Harness, Method, Property, implies
from tests.planted import Bug

__all__ = ["PROPERTIES"]


CONFIG = ChannelConfig()


class CreditHarness(Harness):
    """Grants in any clock in which they are allowed; memory serves what it owes in any order.

    ``owed`` is what memory owes.
    """

    def elaborate(self, platform):
        m = Module()
        config = self.config
        credit = PortCredit(config)
        self.prove(m, credit)
        limit = self.any_constant(m, config.credit_width, name="any_limit")
        before = self.look("before", signed(config.credit_width + 1))

        opened = Signal()
        owed = Signal(config.credit_width + 2)
        steady = Signal()
        granted = Mux(credit.grant, credit.beats * config.beat_bytes, 0)
        served = Mux(credit.served, credit.served_beats * config.beat_bytes, 0)
        m.d.sync += [
            opened.eq(credit.open_then),
            owed.eq(owed + granted - served),
            # After a clock the limit has gone through its register.
            steady.eq(1),
        ]
        m.d.comb += [
            Assume(credit.limit == limit),
            Assume(limit >= config.l_max),
            Assume(limit <= config.slots * config.l_max),
            Assume(credit.beats <= config.max_beats),
            Assume(served <= owed),
            Assume(opened | ~credit.grant),
            self.invariant(
                before == Mux(steady, limit - config.l_max, 0),
                implies(opened, credit.in_flight <= limit - config.l_max),
            ),
            Assert(credit.in_flight == owed),
            Assert(credit.in_flight <= limit),
            Cover((credit.in_flight == limit) & (limit == 2 * config.l_max)),
        ]
        return m


PROPERTIES = (
    Property(
        name="credit.within_limit",
        claim=(
            "Bytes in flight are what is granted and not yet served, and never more than the port "
            "credit, while that does not change."
        ),
        block="mcos_hw.channel.credit.PortCredit",
        config=CONFIG,
        harness=CreditHarness,
        method=Method.INDUCTION,
        depth=1,
        bug=Bug(
            module="mcos_hw.channel.credit",
            text="before - self.in_flight - granted",
            instead="before - self.in_flight",
        ),
        reach=8,
    ),
)
