"""One engine for all policies: accesses in, hits out."""

import dataclasses
from collections.abc import Callable, Mapping

import numpy as np

from mcos_sim.compiling import compiled
from mcos_sim.residency import layout as at
from mcos_sim.residency import setup as of
from mcos_sim.residency.accesses import Accesses
from mcos_sim.residency.lists import fifo_access, lru_access
from mcos_sim.residency.names import HINTED, Policy
from mcos_sim.residency.optimum import optimum
from mcos_sim.residency.s3fifo import s3fifo_access
from mcos_sim.residency.table import Learner
from mcos_sim.residency.trust import Judge
from mcos_sim.residency.worth import worth_access

__all__ = [
    "AT_ARRIVAL",
    "HIT",
    "Outcome",
    "Setting",
    "replay",
]


_LRU, _FIFO, _S3_FIFO, _WORTH = range(4)

_CODES = {
    Policy.LRU: _LRU,
    Policy.FIFO: _FIFO,
    Policy.S3_FIFO: _S3_FIFO,
    Policy.DENSITY: _WORTH,
}

HIT, AT_ARRIVAL = 1, 2
"""Marks of an access: the block was resident at its own access; when its request arrived."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Setting:
    """What gates are built or set to.

    Parameters
    ----------
    samples : int
        Frames that an eviction looks at.
    classes : int
        Classes of blocks in the table: 1, 2, 4 or 8.
    ghosts : float
        Blocks that left and are still known, in parts of the frames.
    refuses : bool
        Whether a newcomer that is worth less than all samples is refused.
    ticks : int
        Ticks in which as many accesses come as there are frames; about.
    epoch : int or None
        Accesses between two tables; None takes a sixteenth of the frames and at least 1,024.
    keep : float
        Part of earlier counts that an epoch leaves.
    seed : int
        Seed of the samples.
    """

    samples: int = 16
    classes: int = 4
    ghosts: float = 8.0
    refuses: bool = True
    ticks: int = 64
    epoch: int | None = None
    keep: float = 1.0
    seed: int = 1

    def tick_shift(self, frames: int) -> int:
        """A tick is two to this power accesses."""
        return max(0, (frames // self.ticks).bit_length() - 1)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Outcome:
    """Which accesses hit.

    Parameters
    ----------
    accesses : Accesses
        Of what.
    marks : numpy.ndarray
        Shape (accesses,), uint8: bit 0 if the block was resident at its access, bit 1 if it was
        when its request arrived.
    """

    accesses: Accesses
    marks: np.ndarray

    @property
    def hit_rate(self) -> float:
        """Accesses that hit, of all; first ones, which nobody can hit, included."""
        return float(np.count_nonzero(self.marks & HIT) / len(self.marks))

    @property
    def prefix_hit_rate(self) -> float:
        """Blocks that need not be computed again, of all.

        They were resident when their request arrived, and so were all blocks before them in its
        prompt.
        """
        missing = np.append(np.flatnonzero((self.marks & AT_ARRIVAL) == 0), len(self.marks))
        starts, ends = self.accesses.offsets[:-1], self.accesses.offsets[1:]
        first = missing[np.searchsorted(missing, starts)]
        return float(np.sum(np.minimum(first, ends) - starts) / len(self.marks))

    def tenant_rates(self) -> dict[int, float]:
        """Hit rate of each tenant that has accesses."""
        tenants = np.repeat(self.accesses.tenants, np.diff(self.accesses.offsets))
        accesses = np.bincount(tenants)
        hits = np.bincount(tenants, weights=self.marks & HIT)
        return {
            tenant: float(hits[tenant] / count) for tenant, count in enumerate(accesses) if count
        }


@compiled
def _run(
    policy,
    first,
    end,
    ids,
    offsets,
    tenants,
    distances,
    settings,
    state,
    blocks,
    frames,
    links,
    table,
    trust,
    reused,
    started,
    given,
    kept,
    marks,
):
    hinted = len(distances) > 0
    for request in range(first, end):
        last = offsets[request + 1] - 1
        tenant = np.int64(tenants[request])
        for j in range(offsets[request], last + 1):
            if blocks[ids[j]].frame != at.NOWHERE:
                marks[j] = AT_ARRIVAL
        for j in range(offsets[request], last + 1):
            block = ids[j]
            if policy == _LRU:
                hit = lru_access(state, blocks, frames, links, block)
            elif policy == _FIFO:
                hit = fifo_access(state, blocks, frames, links, block)
            elif policy == _S3_FIFO:
                hit = s3fifo_access(state, blocks, frames, links, block)
            else:
                distance = distances[j] if hinted else at.NO_HINT
                if distance >= 0 and distance != at.NO_USE:
                    distance >>= settings[of.TICK_SHIFT]
                hit = worth_access(
                    settings,
                    state,
                    blocks,
                    frames,
                    table,
                    trust,
                    reused,
                    started,
                    given,
                    kept,
                    j >> settings[of.TICK_SHIFT],
                    block,
                    tenant,
                    1 if j == last else 0,
                    distance,
                )
            if hit:
                marks[j] |= HIT


def replay(
    accesses: Accesses,
    policy: Policy,
    frames: int,
    *,
    setting: Setting | None = None,
    distances: np.ndarray | None = None,
    quotas: Mapping[int, int] | None = None,
    priorities: Mapping[int, int] | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> Outcome:
    """Run accesses through a cache.

    Parameters
    ----------
    accesses : Accesses
        The accesses.
    policy : Policy
        Who leaves.
    frames : int
        Blocks that the cache holds, 1 or more.
    setting : Setting or None
        Of the gates.
    distances : numpy.ndarray or None
        Hints, shape (accesses,), int32: promised accesses until the next use,
        :data:`~mcos_sim.residency.layout.NO_USE` or
        :data:`~mcos_sim.residency.layout.NO_HINT`.
    quotas : Mapping[int, int] or None
        Frames that only the blocks of a tenant use, by tenant.
    priorities : Mapping[int, int] or None
        0 is the highest; each step halves the worth of a tenant's blocks in the shared frames.
    on_progress : Callable or None
        Called with accesses done since the last call.
    """
    if policy is Policy.OPTIMUM:
        return Outcome(accesses=accesses, marks=optimum(accesses, frames))
    setting = setting or Setting()
    shift = setting.tick_shift(frames)
    settings = np.zeros(of.SETTINGS, np.int64)
    settings[of.SAMPLES] = setting.samples
    settings[of.CLASSES] = setting.classes
    settings[of.GHOSTS] = int(setting.ghosts * frames)
    settings[of.REFUSES] = setting.refuses
    settings[of.HINTED] = policy in HINTED
    settings[of.TICK_SHIFT] = shift
    epoch = setting.epoch or max(1024, frames >> 4)
    learner = Learner(tick=1 << shift, epoch=epoch, keep=setting.keep)
    judge = Judge(tick=1 << shift, epoch=epoch)
    state = _state(frames, setting.seed, quotas or {}, priorities or {})
    blocks = np.zeros(accesses.distinct, at.BLOCK)
    blocks["frame"] = at.NOWHERE
    blocks["gone"] = at.LONG_GONE
    held = np.zeros(frames, at.FRAME)
    links = np.zeros((frames, 2), np.int32)
    marks = np.zeros(len(accesses), np.uint8)
    promised = np.empty(0, np.int32) if distances is None else distances
    first = 0
    done = 0
    while first < accesses.requests:
        # An epoch ends with the request in which its last access is.
        end = int(np.searchsorted(accesses.offsets, done + epoch, side="left"))
        end = min(max(end, first + 1), accesses.requests)
        _run(
            _CODES[policy],
            first,
            end,
            accesses.blocks,
            accesses.offsets,
            accesses.tenants,
            promised,
            settings,
            state,
            blocks,
            held,
            links,
            learner.table,
            judge.trust,
            learner.reused,
            learner.started,
            judge.given,
            judge.kept,
            marks,
        )
        if _CODES[policy] == _WORTH:
            learner.renew()
            if settings[of.HINTED]:
                judge.renew()
        reached = int(accesses.offsets[end])
        if on_progress is not None:
            on_progress(reached - done)
        first, done = end, reached
    return Outcome(accesses=accesses, marks=marks)


def _state(
    frames: int, seed: int, quotas: Mapping[int, int], priorities: Mapping[int, int]
) -> np.ndarray:
    """The state of an empty cache."""
    state = np.zeros(at.STATE, np.int64)
    sizes = [quotas.get(tenant, 0) for tenant in range(at.TENANTS)]
    sizes.append(frames - sum(sizes))
    state[at.SIZE : at.SIZE + at.REGIONS] = sizes
    state[at.BASE : at.BASE + at.REGIONS] = np.cumsum([0, *sizes[:-1]])
    for tenant, priority in priorities.items():
        state[at.BIAS + tenant] = -_PRIORITY_STEP * priority
    # A generator of this kind must not begin at 0.
    state[at.RANDOM] = (seed * 0x9E3779B1 + 0x7F4A7C15) & 0xFFFFFFFF or 1
    state[at.HEAD : at.HEAD + 3] = at.NOWHERE
    state[at.TAIL : at.TAIL + 3] = at.NOWHERE
    return state


_PRIORITY_STEP = 16
