"""What a cache sees of a trace: one access after another to the blocks of prompts."""

import dataclasses

import numpy as np

from mcos_sim.compiling import compiled
from mcos_sim.errors import UserError
from mcos_sim.traffic.arrivals import Trace

__all__ = [
    "NO_NEXT",
    "Accesses",
    "accesses_of",
    "next_uses",
]


NO_NEXT = (1 << 31) - 2
"""Position of a next use that does not come."""

_MOST_TENANTS = 16


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
    outputs : numpy.ndarray
        Shape (requests,), int32: tokens that each request generates.
    distinct : int
        Different blocks.
    """

    name: str
    blocks: np.ndarray
    offsets: np.ndarray
    tenants: np.ndarray
    outputs: np.ndarray
    distinct: int

    def __len__(self) -> int:
        return len(self.blocks)

    @property
    def requests(self) -> int:
        """How many requests there are."""
        return len(self.tenants)

    @property
    def tenant_count(self) -> int:
        """Tenants, those without a request included."""
        return int(self.tenants.max(initial=0)) + 1


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
        tenants=np.zeros(len(trace), np.uint8),
        outputs=trace.requests["output_tokens"].astype(np.int32),
        distinct=len(first),
    )


@compiled
def _fill_next_uses(blocks, last, following):
    for j in range(len(blocks) - 1, -1, -1):
        block = blocks[j]
        following[j] = last[block]
        last[block] = j


def next_uses(accesses: Accesses) -> np.ndarray:
    """Position of the next access to the same block, int32; :data:`NO_NEXT` without one."""
    following = np.empty(len(accesses), np.int32)
    last = np.full(accesses.distinct, NO_NEXT, np.int32)
    _fill_next_uses(accesses.blocks, last, following)
    return following
