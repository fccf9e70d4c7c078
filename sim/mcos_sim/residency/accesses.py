"""What a cache sees of a trace: one access after another to the blocks of prompts."""

import dataclasses

import numpy as np

from mcos_sim.compiling import compiled
from mcos_sim.conversations.generate import KINDS, converse
from mcos_sim.errors import UserError
from mcos_sim.traffic.arrivals import Trace

__all__ = [
    "NO_NEXT",
    "Accesses",
    "accesses_of",
    "alone",
    "conversations",
    "dealt",
    "flooded",
    "generated",
    "next_uses",
]


NO_NEXT = (1 << 31) - 2
"""Position of a next use that does not come."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Accesses:
    """Accesses in their order: the blocks of a request one behind the other, as in its prompt.

    Parameters
    ----------
    name : str
        What they are of.
    blocks : numpy.ndarray
        Shape (accesses,), int32: which block, numbered from 0 by first appearance.
    offsets : numpy.ndarray
        Shape (requests + 1,), int64: request i has the accesses ``offsets[i]`` up to
        ``offsets[i + 1]``.
    tenants : numpy.ndarray
        Shape (requests,), uint8: the tenant of each request, below 16.
    distinct : int
        One more than the largest number of a block.
    names : tuple[str, ...]
        Tenants by their numbers.
    outputs : numpy.ndarray or None
        Shape (requests,), int64: tokens that each request generates; None where nobody knows.
    """

    name: str
    blocks: np.ndarray
    offsets: np.ndarray
    tenants: np.ndarray
    distinct: int
    names: tuple[str, ...] = ("all",)
    outputs: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.blocks)

    def head(self, count: int) -> "Accesses":
        """The first ``count`` requests."""
        return dataclasses.replace(
            self,
            blocks=self.blocks[: self.offsets[count]],
            offsets=self.offsets[: count + 1],
            tenants=self.tenants[:count],
            outputs=None if self.outputs is None else self.outputs[:count],
        )

    @property
    def requests(self) -> int:
        """How many requests there are."""
        return len(self.tenants)


def flooded(accesses: Accesses, *, blocks: int) -> Accesses:
    """The same accesses with one more tenant, which floods the cache.

    Parameters
    ----------
    accesses : Accesses
        The accesses of the others.
    blocks : int
        Blocks that the flooding tenant asks for after each request of the others, each once.
    """
    lengths = np.diff(accesses.offsets)
    both = np.column_stack([lengths, np.full(len(lengths), blocks)]).ravel()
    offsets = np.concatenate([[0], np.cumsum(both)]).astype(np.int64)
    flood = len(accesses.names)
    tenants = np.column_stack([accesses.tenants, np.full(len(lengths), flood, np.uint8)]).ravel()
    others = np.repeat(np.arange(2 * len(lengths)) % 2 == 0, both)
    mixed = np.empty(offsets[-1], np.int32)
    mixed[others] = accesses.blocks
    added = blocks * len(lengths)
    mixed[~others] = accesses.distinct + np.arange(added, dtype=np.int32)
    return Accesses(
        name=accesses.name,
        blocks=mixed,
        offsets=offsets,
        tenants=tenants,
        distinct=accesses.distinct + added,
        names=(*accesses.names, "flood"),
    )


def alone(accesses: Accesses, tenant: int) -> Accesses:
    """The accesses of one tenant only."""
    own = accesses.tenants == tenant
    lengths = np.diff(accesses.offsets)
    return dataclasses.replace(
        accesses,
        blocks=accesses.blocks[np.repeat(own, lengths)],
        offsets=np.concatenate([[0], np.cumsum(lengths[own])]).astype(np.int64),
        tenants=accesses.tenants[own],
        outputs=None if accesses.outputs is None else accesses.outputs[own],
    )


def accesses_of(trace: Trace) -> Accesses:
    """The accesses of a trace with prefix blocks.

    Raises
    ------
    UserError
        If the trace has no blocks.
    """
    if not len(trace.block_ids):
        raise UserError(
            f"{trace.source}: a trace must name prefix blocks (hash_ids) to be cached; "
            f"this one is of the format {trace.format} and names none"
        )
    _, first, inverse = np.unique(trace.block_ids, return_index=True, return_inverse=True)
    order = np.empty(len(first), np.int32)
    order[np.argsort(first, kind="stable")] = np.arange(len(first), dtype=np.int32)
    return Accesses(
        name=trace.source,
        blocks=order[inverse],
        offsets=trace.block_offsets,
        tenants=np.zeros(len(trace), np.uint8) if trace.tenants is None else trace.tenants,
        distinct=len(first),
        names=trace.tenant_names or ("all",),
        outputs=trace.requests["output_tokens"],
    )


@compiled
def _fill_next_uses(blocks, last, following):
    for j in range(len(blocks) - 1, -1, -1):
        block = blocks[j]
        following[j] = last[block]
        last[block] = j


def generated(name: str, *, requests: int, seed: int) -> Accesses:
    """Generated conversations, without a file between.

    Parameters
    ----------
    name : str
        One of :data:`mcos_sim.conversations.generate.KINDS`.
    requests : int
        Requests.
    seed : int
        Seed of everything random in them.
    """
    made = converse(KINDS[name], requests=requests, seed=seed)
    return Accesses(
        name=name,
        blocks=made.blocks,
        offsets=made.offsets,
        tenants=made.tenants,
        distinct=made.distinct,
        names=tuple(f"tenant-{number}" for number in range(KINDS[name].tenants)),
    )


def next_uses(accesses: Accesses) -> np.ndarray:
    """Position of the next access to the same block, int32; :data:`NO_NEXT` without one."""
    following = np.empty(len(accesses), np.int32)
    last = np.full(accesses.distinct, NO_NEXT, np.int32)
    _fill_next_uses(accesses.blocks, last, following)
    return following


@compiled
def _fill_conversations(blocks, offsets, newest, turns, begun):
    """Follow each request to the one it continues."""
    for request in range(len(offsets) - 1):
        first = offsets[request]
        before = -1
        for j in range(offsets[request + 1] - 1, first, -1):
            before = newest[blocks[j]]
            if before >= 0:
                break
        turns[request] = 1 if before < 0 else turns[before] + 1
        begun[request] = request if before < 0 else begun[before]
        for j in range(first + 1, offsets[request + 1]):
            newest[blocks[j]] = request


def conversations(accesses: Accesses) -> tuple[np.ndarray, np.ndarray]:
    """Which turn of its conversation each request is, from 1, and which request began it; int32.

    A request continues the latest one that had the last of its blocks that is known. The first
    block of a prompt, which most conversations share, does not count.
    """
    turns = np.empty(accesses.requests, np.int32)
    begun = np.empty(accesses.requests, np.int32)
    newest = np.full(accesses.distinct, -1, np.int32)
    _fill_conversations(accesses.blocks, accesses.offsets, newest, turns, begun)
    return turns, begun


def dealt(accesses: Accesses, count: int) -> Accesses:
    """The same accesses, with conversations dealt to so many tenants in the order they begin."""
    begun = conversations(accesses)[1]
    _, places = np.unique(begun, return_inverse=True)
    return dataclasses.replace(
        accesses,
        tenants=(places % count).astype(np.uint8),
        names=tuple(f"tenant-{number}" for number in range(count)),
    )
