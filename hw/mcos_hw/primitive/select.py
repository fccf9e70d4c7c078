"""Choosing among tenants: by key in a tree, and by a vector with one bit set."""

from collections.abc import Callable, Sequence

from amaranth import *
from amaranth.hdl import Module, Value

__all__ = [
    "at_index",
    "exceeds",
    "modular_less",
    "number",
    "pick",
    "select_least",
    "set_below",
    "spread",
]


def modular_less(left: Value, right: Value) -> Value:
    """Whether ``left`` is before ``right`` on a modular scale.

    This holds while the two are less than half of the range apart.
    """
    width = max(len(left), len(right))
    return (left - right)[width - 1]


def at_index(index: Value, values: Sequence[Value]) -> Value:
    """The value at ``index``, of as many values as it has numbers."""
    if len(values) == 1:
        return values[0]
    pairs = zip(values[::2], values[1::2], strict=True)
    return at_index(index[1:], [Mux(index[0], odd, even) for even, odd in pairs])


def exceeds(left: Value, right: Value) -> Value:
    """Whether ``left`` is over ``right``, in gates: for a few bits they are fewer than a carry."""
    over = Const(0, 1)
    for k in range(len(left)):
        over = (left[k] & ~right[k]) | (~(left[k] ^ right[k]) & over)
    return over


def pick(selected: Value, values: Sequence[Value]) -> Value:
    """The value whose bit of ``selected`` is set; 0 where none is. At most one may be."""
    return _tree([Mux(selected[i], value, 0) for i, value in enumerate(values)])


def spread(bit: Value, width: int) -> Value:
    """A bit, ``width`` times. Simulators do this in one operation, a concatenation bit by bit."""
    return Mux(bit, Const(-1, unsigned(width)), 0)


def number(selected: Value) -> Value:
    """The position of the bit that is set; 0 where none is. At most one may be."""
    return pick(
        selected, [Const(i, (len(selected) - 1).bit_length()) for i in range(len(selected))]
    )


def set_below(selected: Value) -> Value:
    """Bit j is set if any bit below j is set in ``selected``."""
    return Cat(selected[:j].any() if j else Const(0, 1) for j in range(len(selected)))


def _tree(values: list[Value]) -> Value:
    """Disjunction as a balanced tree."""
    if len(values) == 1:
        return values[0]
    half = len(values) // 2
    return _tree(values[:half]) | _tree(values[half:])


def _less(left: Value, right: Value) -> Value:
    return left < right


def select_least(
    m: Module,
    valid: Value,
    keys: Sequence[Value],
    *,
    name: str,
    less: Callable[[Value, Value], Value] = _less,
) -> tuple[Value, Value]:
    """Add a tree that finds the least valid key, ties to the lowest index.

    Parameters
    ----------
    m : Module
        Where the tree is added.
    valid : Value
        One bit a key: whether it takes part.
    keys : Sequence[Value]
        Keys; their number is a power of two.
    name : str
        Prefix of the signals' names.
    less : Callable
        Strict order of two keys.

    Returns
    -------
    tuple[Value, Value]
        Whether any key takes part, and the index of the least.
    """
    level = [(valid[i], keys[i], Const(i, (len(keys) - 1).bit_length())) for i in range(len(keys))]
    depth = 0
    while len(level) > 1:
        depth += 1
        merged = []
        for pair in range(0, len(level), 2):
            (left_valid, left_key, left_index), (right_valid, right_key, right_index) = level[
                pair : pair + 2
            ]
            node = f"{name}_{depth}_{pair // 2}"
            found = Signal(name=f"{node}_valid")
            key = Signal(max(len(left_key), len(right_key)), name=f"{node}_key")
            index = Signal(len(left_index), name=f"{node}_index")
            right_wins = Signal(name=f"{node}_right")
            m.d.comb += [
                found.eq(left_valid | right_valid),
                right_wins.eq(right_valid & (~left_valid | less(right_key, left_key))),
                key.eq(Mux(right_wins, right_key, left_key)),
                index.eq(Mux(right_wins, right_index, left_index)),
            ]
            merged.append((found, key, index))
        level = merged
    return level[0][0], level[0][2]
