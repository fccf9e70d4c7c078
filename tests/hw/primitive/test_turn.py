"""Whose turn it is, against counting round."""

import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.primitive.turn import next_turn
from tests.hw.channel.bench import simulate


class Turns(wiring.Component):
    def __init__(self, count):
        number = range(max(2, count))
        super().__init__({"last": In(number), "asks": In(count), "turn": Out(number)})

    def elaborate(self, platform):
        m = Module()
        m.d.comb += self.turn.eq(next_turn(m, self.last, self.asks, name="chosen"))
        return m


def following(last, asks, count):
    """The first that asks after ``last``, round about; 0 if nobody does."""
    round_about = [(last + step) % count for step in range(1, count + 1)]
    return next((k for k in round_about if asks >> k & 1), 0)


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8])
def test_the_next_one_that_asks(count):
    async def testbench(bench):
        for last in range(count):
            for asks in range(1 << count):
                bench.set(last=last, asks=asks)
                assert bench.get("turn") == following(last, asks, count), (last, bin(asks))

    simulate(Turns(count), testbench)
