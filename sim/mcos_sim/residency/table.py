"""What software makes of the counts of reuses, once an epoch: a small table of worths."""

import numpy as np

from mcos_sim.compiling import compiled
from mcos_sim.residency.ages import BINS, bin_widths, first_ages
from mcos_sim.residency.layout import TENANTS
from mcos_sim.residency.worth import MOST_CLASSES, ONE_A_TICK, STEPS

__all__ = [
    "ROWS",
    "Learner",
]


ROWS = TENANTS * MOST_CLASSES
"""Rows of the table: a tenant's classes side by side."""

_PRIOR_REUSES = 0.2
"""Reuses in each doubling of age that a row has seen before its first count.

A constant number a doubling makes a table without counts that of LRU: worth falls with age.
"""

_PRIOR_LIVES = 1.0

_MOST_WORTH = 255

_ALIVE = 1e-6


@compiled
def _renew(table, reuses, lives, first, widths, alive, ending):
    """Row by row: hazards of each bin, then the best hits a tick over all horizons.

    A row without counts keeps its worths.
    """
    for row in range(len(table)):
        if lives[row, 0] <= 0.0 and table[row, 0]:
            continue
        left = 1.0
        for k in range(BINS):
            alive[k] = left
            prior = _PRIOR_REUSES * widths[k] / (first[k] + 1.0)
            seen = max(lives[row, k] * left, reuses[row, k])
            hazard = (reuses[row, k] + prior) / (seen + _PRIOR_LIVES + prior)
            ending[k] = left * hazard
            left = max(left - ending[k], _ALIVE)
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
            table[row, k] = int(min(max(worth + 0.5, 0.0), _MOST_WORTH))


@compiled
def _learn(reused, started, reuses, lives, history, epoch, lags, keep):
    """Add an epoch's counts, and clear them.

    A life is exposed to a bin once it began long enough ago. So reuses of an age are compared with
    lives that could have reached it, not with those that began since.
    """
    rows, bins = reused.shape
    depth = len(history)
    for row in range(rows):
        begun = history[(epoch - 1) % depth, row] + started[row]
        history[epoch % depth, row] = begun
        started[row] = 0
        if begun == 0:
            continue
        for k in range(bins):
            then = epoch - lags[k]
            if then >= 1:
                grown = history[then % depth, row] - history[(then - 1) % depth, row]
                lives[row, k] = keep * lives[row, k] + grown
            reuses[row, k] = keep * reuses[row, k] + reused[row, k]
            reused[row, k] = 0


class Learner:
    """The software beside the gates: reads their counters and installs a table, once an epoch.

    Parameters
    ----------
    tick : int
        Accesses of a tick.
    epoch : int
        Accesses of an epoch.
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

    def __init__(self, *, tick: int, epoch: int, keep: float = 1.0) -> None:
        self.table = np.zeros((ROWS, BINS), np.uint8)
        self.reused = np.zeros((ROWS, BINS), np.uint32)
        self.started = np.zeros(ROWS, np.uint32)
        self._reuses = np.zeros((ROWS, BINS))
        self._lives = np.zeros((ROWS, BINS))
        self._first = first_ages()[:-1].astype(np.float64)
        self._widths = bin_widths().astype(np.float64)
        self._lags = np.ceil(self._first * tick / epoch).astype(np.int64)
        self._history = np.zeros((int(self._lags[-1]) + 2, ROWS), np.int64)
        self._epoch = 0
        self._keep = keep
        self._alive = np.empty(BINS)
        self._ending = np.empty(BINS)
        self._install()

    def renew(self) -> None:
        """End an epoch."""
        self._epoch += 1
        _learn(
            self.reused,
            self.started,
            self._reuses,
            self._lives,
            self._history,
            self._epoch,
            self._lags,
            self._keep,
        )
        self._install()

    def _install(self) -> None:
        _renew(
            self.table,
            self._reuses,
            self._lives,
            self._first,
            self._widths,
            self._alive,
            self._ending,
        )
