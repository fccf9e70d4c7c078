"""The epoch counters: every event counts once, in its epoch, and a latched epoch reads right."""

from amaranth import *
from amaranth.hdl import Assert, Assume, Cover

from mcos_hw.channel.counters import EpochCounters
from mcos_hw.config import ChannelConfig
from tests.formal.property import Harness, Method, Property, implies
from tests.planted import Bug

__all__ = ["PROPERTIES"]


CONFIG = ChannelConfig()
COUNT_WIDTH = 31
"""A number of the proof's own: of the hardware's no proof would see that it is wrong."""


class RowHarness(Harness):
    """Counts the events of any one counter beside the block, in two epochs.

    An event counts three clocks after it happens, so an epoch is complete from its fourth clock
    after the end on, and an epoch may be over before. The totals are wide enough not to overflow.
    """

    def elaborate(self, platform):
        m = Module()
        config = self.config
        counters = EpochCounters(
            depth=config.tenants, amount_width=(config.l_max - 1).bit_length() + 1
        )
        inside = self.prove(m, counters)
        index = self.any_constant(m, config.tenant_width, name="any_index")
        cleared = self.look("cleared", range(2 * counters.depth + 1))

        # The epoch begins at 1 and goes up by one, in any clock; it does not go round.
        epoch = Signal(32, init=1)
        m.d.sync += epoch.eq(counters.epoch)
        m.d.comb += [
            Assume((counters.epoch == epoch) | (counters.epoch == epoch + 1)),
            Assume(~epoch[-1]),
        ]

        # Events on their way, and the totals of both epochs.
        happens = [Signal(name=f"happens_{step}") for step in range(4)]
        amounts = [Signal.like(counters.amount, name=f"amount_{step}") for step in range(4)]
        epochs = [Signal(32, name=f"epoch_{step}") for step in range(4)]
        m.d.comb += [
            happens[0].eq(counters.count & (counters.index == index) & cleared[-1]),
            amounts[0].eq(counters.amount),
            epochs[0].eq(counters.epoch),
        ]
        for step in range(3):
            m.d.sync += [
                happens[step + 1].eq(happens[step]),
                amounts[step + 1].eq(amounts[step]),
                epochs[step + 1].eq(epochs[step]),
            ]
        totals = [Signal(40, name=f"total_{parity}") for parity in range(2)]
        owners = [Signal(32, name=f"owner_{parity}") for parity in range(2)]
        for parity in range(2):
            total, owner = totals[parity], owners[parity]
            with m.If(happens[3] & (epochs[3][0] == parity)):
                m.d.sync += [
                    owner.eq(epochs[3]),
                    total.eq(Mux(owner == epochs[3], total, 0) + amounts[3]),
                ]
            m.d.comb += Assume(~total[-1])

        # The block keeps them in the same way, once cleared.
        for parity in range(2):
            port = inside.submodules.rows.read_port(domain="comb")
            total, owner = totals[parity], owners[parity]
            m.d.comb += port.addr.eq(Cat(index, Const(parity, 1)))
            m.d.comb += self.invariant(
                owner <= epoch,
                implies(
                    cleared > port.addr,
                    (port.data.epoch == owner)
                    & (port.data.word == Cat(total[:COUNT_WIDTH], total[COUNT_WIDTH:].any())),
                ),
                implies(~cleared[-1], (owner == 0) & (total == 0)),
            )

        # What a reader of the epoch before sees.
        ended = Signal(40)
        reads = Signal()
        parity = counters.epoch[0]
        before = Mux(parity, owners[0], owners[1])
        m.d.sync += [
            ended.eq(Mux(before == counters.epoch - 1, Mux(parity, totals[0], totals[1]), 0)),
            reads.eq(counters.read_index == index),
        ]
        overflowed = ended[COUNT_WIDTH:].any()
        m.d.comb += [
            self.invariant(cleared <= 2 * counters.depth),
            Assert(
                implies(reads, counters.read_data == Mux(overflowed, (1 << 32) - 1, ended[:32]))
            ),
            Cover(reads & (counters.read_data == 3 * config.l_max)),
        ]
        return m


PROPERTIES = (
    Property(
        name="counters.epoch_total",
        claim=(
            "Events in any clocks, however close, add up in the epoch they happen in, of one clock "
            "or more. The epoch before reads as its total so far, saturated where it overflowed, "
            "and as 0 until the rows are cleared."
        ),
        block="mcos_hw.channel.counters.EpochCounters",
        config=CONFIG,
        harness=RowHarness,
        method=Method.INDUCTION,
        depth=9,
        bug=Bug(
            module="mcos_hw.channel.counters",
            text="\n                & (events[older].epoch == events[0].epoch)",
            instead="",
        ),
        reach_config=ChannelConfig(tenants=4),
        reach=18,
        skip=11,
        slow=True,
    ),
)
