"""Generated conversations of several tenants: short sessions, or agents with long shared prefixes.

Every tenant has so many conversations open at a time. Each request takes one of them at random and
continues it, or begins another one in its place once it has had all its turns. A prompt is the
prefix that a kind of conversation shares, what the conversation has said so far, and a last block
that is not full and never comes again.
"""

import dataclasses

import numpy as np

from mcos_sim.compiling import compiled

__all__ = [
    "KINDS",
    "Conversations",
    "Kind",
    "converse",
]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Kind:
    """Statistics of generated conversations; ranges include both ends and are drawn evenly.

    Parameters
    ----------
    tenants : int
        Tenants; tenant i sends half as many requests as tenant i - 1.
    open : int
        Conversations of a tenant at a time.
    prefixes : int
        Prefixes of a tenant that conversations share.
    prefix_blocks : tuple[int, int]
        Blocks of such a prefix.
    turns : float
        Mean number of turns; at least 1, geometric.
    first_blocks, more_blocks : tuple[int, int]
        Full blocks of the first turn, and that each further turn adds.
    requests_per_second : float
        Mean arrival rate of all tenants together.
    output_median : float
        Generated tokens, log-normal.
    """

    tenants: int
    open: int
    prefixes: int
    prefix_blocks: tuple[int, int]
    turns: float
    first_blocks: tuple[int, int]
    more_blocks: tuple[int, int]
    requests_per_second: float
    output_median: float


KINDS = {
    "sessions": Kind(
        tenants=4,
        open=200,
        prefixes=1,
        prefix_blocks=(1, 4),
        turns=2.5,
        first_blocks=(0, 7),
        more_blocks=(0, 3),
        requests_per_second=8.0,
        output_median=200,
    ),
    "agents": Kind(
        tenants=4,
        open=60,
        prefixes=12,
        prefix_blocks=(10, 60),
        turns=12.0,
        first_blocks=(1, 8),
        more_blocks=(1, 5),
        requests_per_second=4.0,
        output_median=60,
    ),
}
"""Kinds of conversations by name."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Conversations:
    """Requests of generated conversations.

    Parameters
    ----------
    blocks : numpy.ndarray
        Shape (accesses,), int32: blocks of all prompts one behind the other.
    offsets : numpy.ndarray
        Shape (requests + 1,), int64: request i has the blocks ``offsets[i]`` up to
        ``offsets[i + 1]``.
    tenants : numpy.ndarray
        Shape (requests,), uint8.
    distinct : int
        One more than the largest block.
    """

    blocks: np.ndarray
    offsets: np.ndarray
    tenants: np.ndarray
    distinct: int


_TENANTS, _OPEN, _PREFIXES, _ENDS, _FIRST, _FIRST_SPAN, _MORE, _MORE_SPAN, _SETTINGS = range(9)
"""Places of what is drawn from."""

_BASE, _TURN, _TURNS, _FULL, _ALL, _PREFIX, _SLOT = range(7)
"""Places of an open conversation: its first block, the turns it had and will have, the full blocks
it has and will have, and its prefix."""

_RANGE = 1 << 32


@compiled
def _next(value):
    """Xorshift (Marsaglia 2003)."""
    value ^= (value << 13) & 0xFFFFFFFF
    value ^= value >> 17
    return value ^ ((value << 5) & 0xFFFFFFFF)


@compiled
def _draw(random, below):
    """A number below another one."""
    random[0] = _next(random[0])
    return (random[0] * below) >> 32


@compiled
def _growth(settings, base, turn):
    """Full blocks that a turn after the first adds; known before the turn comes."""
    mixed = _next(_next(((base + 1) * 2654435761 + turn * 40503) & 0xFFFFFFFF | 1))
    return settings[_MORE] + ((mixed * settings[_MORE_SPAN]) >> 32)


@compiled
def _begin(settings, random, slots, at, base):
    """Begin a conversation whose blocks have numbers one behind the other.

    Returns how many they are: the full ones, and a last one of each turn.
    """
    count = 1
    while _draw(random, _RANGE) >= settings[_ENDS]:
        count += 1
    full = settings[_FIRST] + _draw(random, settings[_FIRST_SPAN])
    slots[at, _BASE] = base
    slots[at, _TURN] = 0
    slots[at, _TURNS] = count
    slots[at, _FULL] = full
    for turn in range(1, count):
        full += _growth(settings, base, turn)
    slots[at, _ALL] = full
    # Prefixes of low numbers are liked most.
    slots[at, _PREFIX] = _draw(random, 1 + _draw(random, settings[_PREFIXES]))
    return full + count


@compiled
def _converse(settings, random, firsts, slots, offsets, tenants, blocks):
    """Fill the offsets and tenants, and the blocks if there is room. Returns one more than the
    largest block."""
    used = firsts[len(firsts) - 1]
    filled = 0
    for request in range(len(tenants)):
        tenant = 0
        while tenant < settings[_TENANTS] - 1 and _draw(random, 2):
            tenant += 1
        at = tenant * settings[_OPEN] + _draw(random, settings[_OPEN])
        if slots[at, _TURN] == slots[at, _TURNS]:
            used += _begin(settings, random, slots, at, used)
        else:
            slots[at, _FULL] += _growth(settings, slots[at, _BASE], slots[at, _TURN])
        prefix = tenant * settings[_PREFIXES] + slots[at, _PREFIX]
        shared = firsts[prefix + 1] - firsts[prefix]
        full = slots[at, _FULL]
        tenants[request] = tenant
        offsets[request] = filled
        if len(blocks):
            for k in range(shared):
                blocks[filled + k] = firsts[prefix] + k
            for k in range(full):
                blocks[filled + shared + k] = slots[at, _BASE] + k
            last = slots[at, _BASE] + slots[at, _ALL] + slots[at, _TURN]
            blocks[filled + shared + full] = last
        filled += shared + full + 1
        slots[at, _TURN] += 1
    offsets[len(tenants)] = filled
    return used


def converse(kind: Kind, *, requests: int, seed: int) -> Conversations:
    """Generate conversations; the same arguments give the same ones.

    Parameters
    ----------
    kind : Kind
        Their statistics.
    requests : int
        Requests, 1 or more.
    seed : int
        Seed of everything random in them, 0 or more.
    """
    rng = np.random.default_rng(seed)
    count = kind.tenants * kind.prefixes
    low, high = kind.prefix_blocks
    firsts = np.cumsum([0, *rng.integers(low, high, count, endpoint=True)], dtype=np.int64)
    settings = np.zeros(_SETTINGS, np.int64)
    settings[[_TENANTS, _OPEN, _PREFIXES]] = kind.tenants, kind.open, kind.prefixes
    settings[_ENDS] = round(_RANGE / kind.turns)
    for place, (least, most) in ((_FIRST, kind.first_blocks), (_MORE, kind.more_blocks)):
        settings[place], settings[place + 1] = least, most - least + 1
    begun = int(rng.integers(1, _RANGE))
    offsets = np.empty(requests + 1, np.int64)
    tenants = np.empty(requests, np.uint8)
    blocks = np.empty(0, np.int32)
    distinct = 0
    for _ in range(2):
        random = np.array([begun], np.int64)
        slots = np.zeros((kind.tenants * kind.open, _SLOT), np.int64)
        distinct = _converse(settings, random, firsts, slots, offsets, tenants, blocks)
        # Now it is known how many there are.
        blocks = np.empty(offsets[-1], np.int32) if not len(blocks) else blocks
    return Conversations(blocks=blocks, offsets=offsets, tenants=tenants, distinct=int(distinct))
