"""How far the hints of a tenant are trusted: counters of gates, and what software makes of them."""

from collections.abc import Callable

import numpy as np

from mcos_sim.compiling import compiled
from mcos_sim.residency import layout as at
from mcos_sim.residency.ages import OLDEST, age_bin, first_ages

__all__ = [
    "COLUMNS",
    "JUDGED",
    "KINDS",
    "NEAR",
    "NEVER",
    "NEVER_WRONG",
    "NONE",
    "RIGHT",
    "WRONG",
    "Judge",
    "count_given",
    "count_kept",
]


RIGHT, WRONG, NEVER_WRONG = 0, 1, 2
"""Columns of a tenant: logarithms of how seldom a promised use comes in time, how seldom it does
not, and how seldom a use comes that was denied; in steps of worth."""

COLUMNS = 3

JUDGED = 25
"""Bins of promised distances that are judged, up to 1,019 ticks: ghosts remember no longer."""

NEVER = JUDGED
"""Kind of a hint that denies a next use."""

KINDS = JUDGED + 1
"""Kinds of hints that are counted."""

NONE = 255
"""Kind of no hint, or of one that is not judged."""

NEAR = 1
"""Bins that a use may be off: a quarter of its distance."""

_PRIOR = 8.0
"""Hints that a tenant has given before its first one, half of them right."""

_STEPS = 16
_MOST = 255
"""What fits 8 bits: nobody is trusted wholly."""


@compiled
def count_given(given, row, distance):
    """Count a hint. Returns its kind."""
    if distance == at.NO_HINT:
        return NONE
    if distance == at.NO_USE:
        given[row, NEVER] += 1
        return NEVER
    kind = age_bin(min(distance, OLDEST))
    if kind >= JUDGED:
        return NONE
    given[row, kind] += 1
    return kind


@compiled
def count_kept(kept, row, kind, age):
    """Count that a use came: near its promise, or although it was denied."""
    if kind == NONE:
        return
    if kind == NEVER or abs(age_bin(age) - kind) <= NEAR:
        kept[row, kind] += 1


def _steps(probability: np.ndarray) -> np.ndarray:
    return np.minimum(np.rint(-_STEPS * np.log2(probability)), _MOST)


class Judge:
    """The software that compares hints with what came, once an epoch of a tenant.

    Parameters
    ----------
    tick : int
        Accesses of a tick.
    epoch : int
        Accesses of an epoch of a tenant, at least.

    Attributes
    ----------
    trust : numpy.ndarray
        Shape (ROWS, 3), int64, in 8 bits each: :data:`RIGHT`, :data:`WRONG` and
        :data:`NEVER_WRONG`. By rows, since a lie about a new block is none about one that is used
        all the time.
    given, kept : numpy.ndarray
        Shape (ROWS, KINDS), uint32: the gates' counters of hints by the bin of the promised
        distance, and of uses that came when promised; of the last kind, uses that were denied.
    """

    def __init__(self, *, tick: int, epoch: int) -> None:
        self.trust = np.zeros((at.ROWS, COLUMNS), np.int64)
        self.given = np.zeros((at.ROWS, KINDS), np.uint32)
        self.kept = np.zeros((at.ROWS, KINDS), np.uint32)
        # A promise is due for judgement when twice its distance has passed; a denial at once.
        self._ripens = 2 * tick * first_ages()[:KINDS].astype(np.int64)
        self._ripens[NEVER] = 0
        self._epoch = epoch
        depth = int(self._ripens.max()) // epoch + 2
        self._given = np.zeros((depth, at.ROWS, KINDS), np.uint32)
        self._clocks = np.zeros((depth, at.TENANTS), np.int64)
        self._ended = np.zeros(at.TENANTS, np.int64)
        self._ripe = np.zeros((at.TENANTS, KINDS), np.int64)
        self._next = np.full(at.TENANTS, epoch, np.int64)
        self._due = np.zeros((at.ROWS, KINDS))
        self._came = np.zeros((at.ROWS, KINDS))
        self._install(slice(None), np.zeros((at.ROWS, JUDGED)))

    def renew(self, clocks: np.ndarray, chances: Callable[[slice], np.ndarray]) -> None:
        """End the epoch of each tenant whose time it is.

        Parameters
        ----------
        clocks : numpy.ndarray
            Shape (TENANTS,), int64: accesses of each tenant.
        chances : Callable
            Gives, for some rows, how many blocks are used as near to each promise without one:
            shape (rows, JUDGED).
        """
        depth = len(self._given)
        for tenant in np.flatnonzero(clocks >= self._next).tolist():
            rows = slice(at.CLASSES * tenant, at.CLASSES * (tenant + 1))
            clock, epoch = int(clocks[tenant]), int(self._ended[tenant])
            self._given[epoch % depth, rows] = self.given[rows]
            self._clocks[epoch % depth, tenant] = clock
            for kind in range(KINDS):
                while (then := int(self._ripe[tenant, kind])) <= epoch:
                    if self._clocks[then % depth, tenant] + self._ripens[kind] > clock:
                        break
                    self._due[rows, kind] += self._given[then % depth, rows, kind]
                    self._ripe[tenant, kind] += 1
            self._came[rows] += self.kept[rows]
            self.given[rows] = 0
            self.kept[rows] = 0
            self._ended[tenant] += 1
            self._next[tenant] = clock + self._epoch
            self._install(rows, chances(rows))

    def _install(self, rows: slice, chances: np.ndarray) -> None:
        due = self._due[rows, :JUDGED]
        luck = (due * chances).sum(axis=1)
        due = due.sum(axis=1)
        # What comes true as often for blocks of which nothing is said is no merit of a hint.
        came = np.clip(self._came[rows, :JUDGED].sum(axis=1), luck, due)
        right = (came - luck + _PRIOR / 2) / (due - luck + _PRIOR)
        denied = self._due[rows, NEVER]
        wrong = (np.minimum(self._came[rows, NEVER], denied) + _PRIOR / 2) / (denied + _PRIOR)
        self.trust[rows, RIGHT] = _steps(right)
        self.trust[rows, WRONG] = _steps(1 - right)
        self.trust[rows, NEVER_WRONG] = _steps(wrong)
