"""One engine for all policies: accesses in, hits out."""

import dataclasses
import functools
from collections.abc import Callable, Mapping

import numpy as np

from mcos_sim.compiling import compiled
from mcos_sim.residency import layout as at
from mcos_sim.residency import setup as of
from mcos_sim.residency.accesses import Accesses
from mcos_sim.residency.calendar import next_use_access
from mcos_sim.residency.hints import Told
from mcos_sim.residency.lists import fifo_access, lru_access
from mcos_sim.residency.names import HINTED, Policy
from mcos_sim.residency.optimum import optimum
from mcos_sim.residency.s3fifo import s3fifo_access
from mcos_sim.residency.table import Learner
from mcos_sim.residency.trust import Judge
from mcos_sim.residency.worth import STEPS, worth_access

__all__ = [
    "AT_ARRIVAL",
    "FINER",
    "HIT",
    "Outcome",
    "Setting",
    "replay",
]


_LRU, _FIFO, _S3_FIFO, _NEXT_USE, _WORTH = range(5)

_CODES = {
    Policy.LRU: _LRU,
    Policy.FIFO: _FIFO,
    Policy.S3_FIFO: _S3_FIFO,
    Policy.DENSITY: _WORTH,
    Policy.NEXT_USE: _NEXT_USE,
    Policy.COMBINED: _WORTH,
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
        Classes of blocks in the table: 1, 2, 4, 5 or 8.
    ghosts : float
        Blocks that left and are still known, in parts of the frames.
    most_ghosts : int
        And of all frames together, at most.
    refuses : bool
        Whether a newcomer that is worth less than all samples is refused.
    suffix_steps : int
        Steps of worth, 16 to a factor of two, that a block loses with each doubling of its position
        in its prompt, so that ends of prompts leave before beginnings.
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
    classes: int = 5
    ghosts: float = 8.0
    most_ghosts: int = 16384
    refuses: bool = True
    suffix_steps: int = 0
    ticks: int = 16
    epoch: int | None = None
    keep: float = 0.999
    seed: int = 1

    def ghosts_of(self, frames: int) -> int:
        """Ghosts of a cache."""
        return min(int(self.ghosts * frames), self.most_ghosts)

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
        return float(self._counts[:, _HITS].sum() / len(self.marks))

    @property
    def prefix_hit_rate(self) -> float:
        """Blocks that need not be computed again, of all.

        They were resident when their request arrived, and so were all blocks before them in its
        prompt.
        """
        return float(self._counts[:, _PREFIXES].sum() / len(self.marks))

    def tenant_rates(self) -> dict[int, float]:
        """Hit rate of each tenant that has accesses."""
        return {
            tenant: float(hits / count)
            for tenant, (count, hits, _) in enumerate(self._counts.tolist())
            if count
        }

    @functools.cached_property
    def _counts(self) -> np.ndarray:
        counts = np.zeros((at.TENANTS, 3), np.int64)
        _count(self.accesses.offsets, self.accesses.tenants, self.marks, counts)
        return counts


_ALL, _HITS, _PREFIXES = range(3)


@compiled
def _count(offsets, tenants, marks, counts):
    """Count accesses, hits and blocks of resident prefixes of each tenant."""
    for request in range(len(tenants)):
        tenant = tenants[request]
        whole = True
        for j in range(offsets[request], offsets[request + 1]):
            whole = whole and marks[j] & AT_ARRIVAL != 0
            counts[tenant, _ALL] += 1
            counts[tenant, _HITS] += marks[j] & HIT
            if whole:
                counts[tenant, _PREFIXES] += 1


FINER = 3
"""Doublings by which promised uses are told apart better than ages."""

_RECENT = 0.9
"""Part of earlier accesses that an epoch leaves when parts of tenants are worked out."""

_LEAST_PART = 2.0**-12


@compiled
def _run(
    policy,
    first,
    end,
    ids,
    offsets,
    tenants,
    distances,
    clients,
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
    classed = len(clients) > 0
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
            elif policy == _NEXT_USE:
                distance = distances[j] if hinted else at.NO_HINT
                state[at.CLOCK + tenant] += 1
                if distance >= 0 and distance != at.NO_USE:
                    # A client counts its own accesses, the calendar those of all.
                    distance = distance * (j + 1) // state[at.CLOCK + tenant]
                hit = next_use_access(state, blocks, frames, links, j, block, distance)
            else:
                distance = distances[j] if hinted else at.NO_HINT
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
                    block,
                    tenant,
                    j - offsets[request],
                    1 if j == last else 0,
                    np.int64(clients[j]) if classed else 0,
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
    hints: Told | None = None,
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
    hints : Told or None
        What clients say; only for policies that look at hints.
    quotas : Mapping[int, int] or None
        Frames that only the blocks of a tenant use, by tenant; policies by worth keep to them, the
        others know none.
    priorities : Mapping[int, int] or None
        0 is the highest; each step halves the worth of a tenant's blocks in the shared frames.
    on_progress : Callable or None
        Called with accesses done since the last call.

    Raises
    ------
    ValueError
        If there is no frame, or the quotas are more than the frames.
    """
    if frames < 1:
        raise ValueError(f"frames must be 1 or more, not {frames!r}")
    if quotas and sum(quotas.values()) > frames:
        raise ValueError(
            f"quotas must be at most the {frames} frames together, not {sum(quotas.values())}"
        )
    if policy is Policy.OPTIMUM:
        marks = optimum(accesses, frames)
        if on_progress is not None:
            on_progress(len(accesses))
        return Outcome(accesses=accesses, marks=marks)
    setting = setting or Setting()
    shift = setting.tick_shift(frames)
    said = hints if hints is not None and policy in HINTED else Told()
    distances = np.empty(0, np.int32) if said.distances is None else said.distances
    clients = np.empty(0, np.uint8) if said.classes is None else said.classes
    settings = np.zeros(of.SETTINGS, np.int64)
    settings[of.SAMPLES] = setting.samples
    settings[of.CLASSES] = setting.classes
    settings[of.GHOSTS] = 256 * setting.ghosts_of(frames) // frames
    settings[of.REFUSES] = setting.refuses
    settings[of.HINTED] = said.distances is not None
    settings[of.TICK_SHIFT] = shift
    settings[of.SUFFIX_STEPS] = setting.suffix_steps
    settings[of.DUE_SHIFT] = max(0, shift - FINER)
    epoch = setting.epoch or max(1024, frames >> 4)
    learner = Learner(tick=1 << shift, epoch=epoch, keep=setting.keep)
    judge = Judge(tick=1 << shift, epoch=epoch)
    worth = _CODES[policy] == _WORTH
    state = _state(frames, setting.seed, quotas if worth and quotas else {})
    shares = _Shares()
    lowered = np.zeros(at.TENANTS, np.int64)
    for tenant, priority in (priorities or {}).items():
        lowered[tenant] = STEPS * priority
    blocks = np.zeros(accesses.distinct, at.BLOCK)
    blocks["frame"] = at.NOWHERE
    blocks["gone"] = at.LONG_GONE
    held = np.zeros(frames, at.FRAME)
    links = np.zeros((frames, 2), np.int32)
    marks = np.zeros(len(accesses), np.uint8)
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
            distances,
            clients,
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
        if worth:
            clocks = state[at.CLOCK : at.CLOCK + at.TENANTS]
            learner.renew(clocks)
            if settings[of.HINTED]:
                judge.renew(clocks, learner.chances)
            shares.renew(clocks)
            state[at.BIAS : at.BIAS + at.TENANTS] = shares.steps - lowered
        reached = int(accesses.offsets[end])
        if on_progress is not None:
            on_progress(reached - done)
        first, done = end, reached
    return Outcome(accesses=accesses, marks=marks)


def _state(frames: int, seed: int, quotas: Mapping[int, int]) -> np.ndarray:
    """The state of an empty cache."""
    state = np.zeros(at.STATE, np.int64)
    sizes = [quotas.get(tenant, 0) for tenant in range(at.TENANTS)]
    sizes.append(frames - sum(sizes))
    state[at.SIZE : at.SIZE + at.REGIONS] = sizes
    state[at.BASE : at.BASE + at.REGIONS] = np.cumsum([0, *sizes[:-1]])
    # A generator of this kind must not begin at 0.
    state[at.RANDOM] = (seed * 0x9E3779B1 + 0x7F4A7C15) & 0xFFFFFFFF or 1
    state[at.HEAD : at.COUNT] = at.NOWHERE
    return state


class _Shares:
    """Each tenant's part of all accesses, as software has it: what a tick of its clock is worth."""

    def __init__(self) -> None:
        self._before = np.zeros(at.TENANTS, np.int64)
        self._recent = np.zeros(at.TENANTS)
        self.steps = np.zeros(at.TENANTS, np.int64)

    def renew(self, clocks: np.ndarray) -> None:
        """End an epoch."""
        self._recent = _RECENT * self._recent + (clocks - self._before)
        self._before = clocks.copy()
        parts = np.maximum(self._recent / self._recent.sum(), _LEAST_PART)
        self.steps = np.rint(STEPS * np.log2(parts)).astype(np.int64)
