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

    ``owed`` is what memory owes. The limit is any, and may change in any clock; the port sees it a
    clock later.
    """

    def elaborate(self, platform):
        m = Module()
        config = self.config
        credit = PortCredit(config)
        self.prove(m, credit)
        before = self.look("before", signed(config.credit_width + 1))

        credit_limit = credit.live.channel.port_credit
        opened = Signal()
        owed = Signal(config.credit_width + 2)
        limit = Signal(config.credit_width)
        limit_before = Signal(config.credit_width)
        steady = Signal()
        settled = Signal()
        granted = Mux(credit.grant.valid, credit.grant.beats * config.beat_bytes, 0)
        served = Mux(credit.served.valid, credit.served.entry.beats * config.beat_bytes, 0)
        m.d.sync += [
            opened.eq(credit.open_then),
            owed.eq(owed + granted - served),
            Cat(limit, limit_before).eq(Cat(credit_limit, limit)),
            # In the first clocks after reset it is not there yet.
            Cat(steady, settled).eq(Cat(1, steady)),
        ]
        m.d.comb += [
            Assume(credit_limit <= config.slots * config.l_max),
            Assume(credit.grant.beats <= config.max_beats),
            Assume(served <= owed),
            Assume(opened | ~credit.grant.valid),
            self.invariant(
                before == Mux(steady, limit - config.l_max, 0),
                *(each <= config.slots * config.l_max for each in (owed, limit, limit_before)),
                implies(~settled, owed == 0),
                steady | ~(settled | opened),
                implies(opened, owed + config.l_max <= config.slots * config.l_max),
                implies(opened & settled, owed + config.l_max <= limit_before),
            ),
            Assert(credit.in_flight == owed),
            Assert(implies(steady, credit.open_then == (owed + granted + config.l_max <= limit))),
            Assert(implies(credit.grant.valid & settled, owed + granted <= limit_before)),
            Cover((credit.in_flight == limit) & (limit == 2 * config.l_max)),
        ]
        return m


PROPERTIES = (
    Property(
        name="credit.within_limit",
        claim=(
            "Bytes in flight are what is granted and not yet served. The port opens for a clock "
            "exactly when they and a longest request are within the port credit, so no grant takes "
            "them over it."
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
