"""What software makes of the counts of reuses, once an epoch: a small table of worths."""

import numpy as np

from mcos_sim.compiling import compiled
from mcos_sim.residency.ages import BINS, bin_widths, first_ages
from mcos_sim.residency.layout import CLASSES, OWN_CLASSES, ROWS, TENANTS
from mcos_sim.residency.trust import JUDGED, NEAR
from mcos_sim.residency.worth import ONE_A_TICK, STEPS

__all__ = ["Learner"]


_PRIOR_REUSES = 0.2
"""Reuses in each doubling of age that a row has seen before its first count.

A constant number a doubling makes a table without counts that of LRU: worth falls with age.
"""

_PRIOR_LIVES = 5.0
_TENANT_LIVES = 50.0
"""Lives that a class has seen before its first count, as its tenant's blocks have."""

_CLASS_LIVES = 50.0
"""Lives that a client's class has seen before its first count, as the class of the gates has."""

_MOST_WORTH = 255

_ALIVE = 1e-6


@compiled
def _hazards(reuses, lives, ordinary, weight, alive, ending):
    """Kaplan and Meier's estimate: how many live on at each bin, and how many end in it."""
    left = 1.0
    for k in range(BINS):
        alive[k] = left
        seen = max(lives[k] * left, reuses[k])
        hazard = (reuses[k] + weight * ordinary[k]) / (seen + weight)
        ending[k] = left * hazard
        left = max(left - ending[k], _ALIVE)


@compiled
def _worths(worths, widths, alive, ending):
    """The best hits a tick over all horizons, from each bin on."""
    for k in range(BINS):
        hits = 0.0
        ticks = 0.0
        best = 0.0
        for m in range(k, BINS):
            hits += ending[m]
            ticks += widths[m] * (alive[m] - 0.5 * ending[m])
            if hits > best * ticks:
                best = hits / ticks
        worth = ONE_A_TICK + STEPS * np.log2(max(best, 1e-9))
        worths[k] = int(min(max(worth + 0.5, 0.0), _MOST_WORTH))


@compiled
def _pool(reuses, lives, first, end, step, all_reuses, all_lives):
    """Add the counts of some rows. Returns how many of them have any."""
    used = 0
    for k in range(BINS):
        all_reuses[k] = 0.0
        all_lives[k] = 0.0
    for row in range(first, end, step):
        if lives[row, 0] > 0.0:
            used += 1
            for k in range(BINS):
                all_reuses[k] += reuses[row, k]
                all_lives[k] += lives[row, k]
    return used


@compiled
def _renew(tenant, table, reuses, lives, prior, widths, scratch):
    """Work out a tenant's rows that have counts.

    All of them are estimated together first. A class of the gates begins with that, and a client's
    class within it with the class of the gates: little data changes little.
    """
    alive, ending, all_reuses, all_lives, of_tenant, of_class = scratch
    first = CLASSES * tenant
    end = first + CLASSES
    if _pool(reuses, lives, first, end, 1, all_reuses, all_lives) == 0:
        return
    _hazards(all_reuses, all_lives, prior, _PRIOR_LIVES, alive, ending)
    for k in range(BINS):
        of_tenant[k] = ending[k] / alive[k]
    for own in range(first, first + OWN_CLASSES):
        used = _pool(reuses, lives, own, end, OWN_CLASSES, all_reuses, all_lives)
        if used == 0:
            continue
        _hazards(all_reuses, all_lives, of_tenant, _TENANT_LIVES, alive, ending)
        for k in range(BINS):
            of_class[k] = ending[k] / alive[k]
        for row in range(own, end, OWN_CLASSES):
            if lives[row, 0] > 0.0:
                if used > 1:
                    _hazards(reuses[row], lives[row], of_class, _CLASS_LIVES, alive, ending)
                _worths(table[row], widths, alive, ending)


@compiled
def _learn(tenant, clock, reused, started, reuses, lives, begun, clocks, epoch, ripe, first, keep):
    """Add a tenant's counts of an epoch, and clear them.

    A life is exposed to a bin once it began long enough ago. So reuses of an age are compared with
    lives that could have reached it, not with those that began since.
    """
    depth = len(clocks)
    place = epoch % depth
    clocks[place, tenant] = clock
    for row in range(CLASSES * tenant, CLASSES * (tenant + 1)):
        begun[place, row] = started[row]
        started[row] = 0
        for k in range(BINS):
            reuses[row, k] = keep * reuses[row, k] + reused[row, k]
            lives[row, k] *= keep
            reused[row, k] = 0
    for k in range(BINS):
        while ripe[tenant, k] <= epoch:
            then = ripe[tenant, k] % depth
            if clocks[then, tenant] + first[k] > clock:
                break
            ripe[tenant, k] += 1
            for row in range(CLASSES * tenant, CLASSES * (tenant + 1)):
                lives[row, k] += begun[then, row]


class Learner:
    """The software beside the gates: reads their counters and installs a table, once an epoch.

    Each tenant has epochs of its own, by its own clock, and rows of its own: what a tenant does
    teaches nothing about another one.

    Parameters
    ----------
    tick : int
        Accesses of a tick.
    epoch : int
        Accesses of an epoch of a tenant, at least.
    keep : float
        Part of all earlier counts that an epoch leaves; 1 forgets nothing.

    Attributes
    ----------
    table : numpy.ndarray
        Shape (ROWS, BINS), uint8: worth of a block by its row and the bin of its age.
    reused : numpy.ndarray
        Shape (ROWS, BINS), uint32: the gates' counters of reuses since the last epoch.
    started : numpy.ndarray
        Shape (ROWS,), uint32: and of accesses, each of which begins a life of its row.
    """

    def __init__(self, *, tick: int, epoch: int, keep: float) -> None:
        self.reused = np.zeros((ROWS, BINS), np.uint32)
        self.started = np.zeros(ROWS, np.uint32)
        self._epoch = epoch
        self._keep = keep
        self._reuses = np.zeros((ROWS, BINS))
        self._lives = np.zeros((ROWS, BINS))
        ages = first_ages()[:-1]
        self._first = ages.astype(np.int64) * tick
        self._widths = bin_widths().astype(np.float64)
        depth = int(self._first[-1]) // epoch + 2
        self._begun = np.zeros((depth, ROWS), np.int32)
        self._clocks = np.zeros((depth, TENANTS), np.int64)
        self._ended = np.zeros(TENANTS, np.int64)
        self._ripe = np.zeros((TENANTS, BINS), np.int64)
        self._next = np.full(TENANTS, epoch, np.int64)
        self._scratch = tuple(np.empty(BINS) for _ in range(6))
        self._prior = _PRIOR_REUSES * self._widths / (ages + 1)
        nothing = np.zeros(BINS)
        _hazards(nothing, nothing, self._prior, _PRIOR_LIVES, *self._scratch[:2])
        self.table = np.zeros((ROWS, BINS), np.uint8)
        _worths(self.table[0], self._widths, *self._scratch[:2])
        self.table[1:] = self.table[0]

    def chances(self, rows: slice) -> np.ndarray:
        """Part of the lives of some rows that end near each age; shape (rows, JUDGED)."""
        ended = np.cumsum(self._reuses[rows], axis=1)
        kinds = np.arange(JUDGED)
        near = ended[:, kinds + NEAR]
        before = kinds - NEAR - 1
        near = near - np.where(before >= 0, ended[:, np.maximum(before, 0)], 0)
        return np.minimum(near / np.maximum(self._lives[rows, :JUDGED], 1), 1)

    def renew(self, clocks: np.ndarray) -> None:
        """End the epoch of each tenant whose time it is.

        Parameters
        ----------
        clocks : numpy.ndarray
            Shape (TENANTS,), int64: accesses of each tenant.
        """
        for tenant in np.flatnonzero(clocks >= self._next).tolist():
            clock = int(clocks[tenant])
            _learn(
                tenant,
                clock,
                self.reused,
                self.started,
                self._reuses,
                self._lives,
                self._begun,
                self._clocks,
                int(self._ended[tenant]),
                self._ripe,
                self._first,
                self._keep,
            )
            self._ended[tenant] += 1
            self._next[tenant] = clock + self._epoch
            _renew(
                tenant,
                self.table,
                self._reuses,
                self._lives,
                self._prior,
                self._widths,
                self._scratch,
            )
