"""Clocks in which lines are high, of many lines at once, gathered until each is visited."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.primitive.select import at_index

__all__ = [
    "MOST_CLOCKS",
    "GatheredClocks",
]


_LOW_BITS, _HIGH_BITS = 4, 3

MOST_CLOCKS = (1 << _LOW_BITS + _HIGH_BITS) - 1
"""What a line can gather."""


def _following(state: Value) -> Value:
    """The next state of a shift register that goes through all states, 0 first.

    It takes a gate, where an adder takes one for each bit.
    """
    zeros = ~state[:-1].any()
    return Cat(state[-1] ^ state[-2] ^ zeros, state[:-1])


def _order(width: int) -> list[int]:
    """States of :func:`_following` from 0 on."""
    states = [0]
    ones = (1 << width) - 1
    while len(states) < 1 << width:
        last = states[-1]
        zeros = last & ones >> 1 == 0
        bit = last >> width - 1 & 1 ^ last >> width - 2 & 1 ^ zeros
        states.append((last << 1 | bit) & ones)
    return states


def _number(state: Value) -> Value:
    """How many steps a state is from 0."""
    numbers = {each: number for number, each in enumerate(_order(len(state)))}
    return at_index(state, [Const(numbers[each], len(state)) for each in range(1 << len(state))])


class GatheredClocks(wiring.Component):
    """Counts for each line the clocks in which it is high, for somebody who visits one in turn.

    A visit takes what its line has gathered. It must come before the line has gathered more than
    :data:`MOST_CLOCKS`. When an epoch ends, what all lines have gathered in it is put aside, and
    the visits of ``aside`` take that, line by line; another end of an epoch puts new amounts in its
    place.

    Parameters
    ----------
    lines : int
        How many.

    Members
    -------
    high : In(lines)
        Lines that are high in this clock.
    latch : In(1)
        This clock is the last one of its epoch. In the next one no line must be visited.
    turn : In(lines)
        The bit of the line that ``clocks`` are of.
    place : In(range(lines))
        Its number.
    visits : In(1)
        What the line has gathered up to the clock before is taken. In this clock it begins again.
    of_asides : In(1)
        Which clocks of the line are to be told: those put aside, or those gathered since.
    clocks : Out
        How many.
    """

    high: Signal
    latch: Signal
    turn: Signal
    place: Signal
    visits: Signal
    of_asides: Signal
    clocks: Signal

    def __init__(self, *, lines: int) -> None:
        self.lines = lines
        super().__init__(
            {
                "high": In(lines),
                "latch": In(1),
                "turn": In(lines),
                "place": In(range(lines)),
                "visits": In(1),
                "of_asides": In(1),
                "clocks": Out(_LOW_BITS + _HIGH_BITS),
            }
        )

    def elaborate(self, platform):
        m = Module()
        # An amount is put aside in the clock after the epoch's last one, when that one is in it.
        latched = Signal()
        m.d.sync += latched.eq(self.latch)
        last_low = _order(_LOW_BITS)[-1]
        told = []
        for i in range(self.lines):
            low = Signal(_LOW_BITS, name=f"low_{i}")
            high = Signal(_HIGH_BITS, name=f"high_{i}")
            aside = Signal(_LOW_BITS + _HIGH_BITS, name=f"aside_{i}")
            with m.If(self.high[i]):
                m.d.sync += low.eq(_following(low))
                with m.If(low == last_low):
                    m.d.sync += high.eq(_following(high))
            with m.If(latched | (self.visits & self.turn[i])):
                m.d.sync += [low.eq(self.high[i]), high.eq(0)]
            with m.If(latched):
                m.d.sync += aside.eq(Cat(low, high))
            told.append(Mux(self.of_asides, aside, Cat(low, high)))

        state = Signal(_LOW_BITS + _HIGH_BITS)
        none = [Const(0)] * ((1 << len(self.place)) - self.lines)
        m.d.comb += [
            state.eq(at_index(self.place, told + none)),
            self.clocks.eq(Cat(_number(state[:_LOW_BITS]), _number(state[_LOW_BITS:]))),
        ]
        return m
