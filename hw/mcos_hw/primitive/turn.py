"""Taking turns: the next one of those that ask."""

from amaranth import *
from amaranth.hdl import Module, Value

__all__ = ["next_turn"]


def next_turn(m: Module, last: Value, asks: Value, *, name: str) -> Signal:
    """Add a choice among those that ask: the first one after ``last``, round about.

    Whoever keeps asking is chosen before anybody is for the second time, if ``last`` is who was
    chosen before.

    Parameters
    ----------
    m : Module
        Where it is added.
    last : Value
        Who had the last turn; one that asks and had it comes last.
    asks : Value
        A bit for each.
    name : str
        Name of the signal.

    Returns
    -------
    Signal
        Whose turn it is; 0 if nobody asks.
    """
    count = len(asks)
    chosen = Signal(range(max(2, count)), name=name)
    with m.Switch(last):
        for k in range(count):
            with m.Case(k):
                # The last assignment holds.
                for step in range(count, 0, -1):
                    following = (k + step) % count
                    with m.If(asks[following]):
                        m.d.comb += chosen.eq(following)
    return chosen
