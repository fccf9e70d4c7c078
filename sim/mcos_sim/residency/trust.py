"""How far the hints of a tenant are trusted: counters of gates, and what software makes of them."""

import numpy as np

from mcos_sim.compiling import compiled
from mcos_sim.residency import layout as at
from mcos_sim.residency.ages import OLDEST, age_bin, first_ages

__all__ = [
    "COLUMNS",
    "KINDS",
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

JUDGED = 33
"""Bins of promised distances that are judged, up to 1,019 ticks: ghosts remember no longer."""

NEVER = JUDGED
"""Kind of a hint that denies a next use."""

KINDS = JUDGED + 1
"""Kinds of hints that are counted."""

NONE = 255
"""Kind of no hint, or of one that is not judged."""

_NEAR = 4
"""Bins that a use may be off: a factor of two."""

_PRIOR = 8.0
"""Hints that a tenant has given before its first one, half of them right."""

_STEPS = 16
_MOST = 128
"""Distrust of eight doublings at most: nobody is trusted wholly."""


@compiled
def count_given(given, tenant, distance):
    """Count a hint. Returns its kind."""
    if distance == at.NO_HINT:
        return NONE
    if distance == at.NO_USE:
        given[tenant, NEVER] += 1
        return NEVER
    kind = age_bin(min(distance, OLDEST))
    if kind >= JUDGED:
        return NONE
    given[tenant, kind] += 1
    return kind


@compiled
def count_kept(kept, tenant, kind, age):
    """Count that a use came: near its promise, or although it was denied."""
    if kind == NONE:
        return
    if kind == NEVER or abs(age_bin(age) - kind) <= _NEAR:
        kept[tenant, kind] += 1


def _steps(probability: np.ndarray) -> np.ndarray:
    return np.minimum(np.rint(-_STEPS * np.log2(probability)), _MOST)


class Judge:
    """The software that compares hints with what came: once an epoch it installs a row a tenant.

    Parameters
    ----------
    tick : int
        Accesses of a tick.
    epoch : int
        Accesses of an epoch.

    Attributes
    ----------
    trust : numpy.ndarray
        Shape (TENANTS, 3), int64, in 8 bits each: :data:`RIGHT`, :data:`WRONG` and
        :data:`NEVER_WRONG`.
    given, kept : numpy.ndarray
        Shape (TENANTS, KINDS), uint32: the gates' counters of hints by the bin of the promised
        distance, and of uses that came when promised; of the last kind, uses that were denied.
    """

    def __init__(self, *, tick: int, epoch: int) -> None:
        self.trust = np.zeros((at.TENANTS, COLUMNS), np.int64)
        self.given = np.zeros((at.TENANTS, KINDS), np.uint32)
        self.kept = np.zeros((at.TENANTS, KINDS), np.uint32)
        # A promise is due for judgement when twice its distance has passed.
        first = first_ages()[:KINDS].astype(np.float64)
        first[NEVER] = 0
        self._lags = np.ceil(2 * first * tick / epoch).astype(np.int64)
        self._history = np.zeros((int(self._lags.max()) + 2, at.TENANTS, KINDS), np.uint32)
        self._due = np.zeros((at.TENANTS, KINDS))
        self._came = np.zeros((at.TENANTS, KINDS))
        self._epoch = 0
        self._install()

    def renew(self) -> None:
        """End an epoch."""
        depth = len(self._history)
        self._history[self._epoch % depth] = self.given
        for kind in range(KINDS):
            then = self._epoch - self._lags[kind]
            if then >= 0:
                self._due[:, kind] += self._history[then % depth, :, kind]
        self._came += self.kept
        self.given[:] = 0
        self.kept[:] = 0
        self._epoch += 1
        self._install()

    def _install(self) -> None:
        due = self._due[:, :JUDGED].sum(axis=1)
        came = np.minimum(self._came[:, :JUDGED].sum(axis=1), due)
        right = (came + _PRIOR / 2) / (due + _PRIOR)
        denied = self._due[:, NEVER]
        wrong = (np.minimum(self._came[:, NEVER], denied) + _PRIOR / 2) / (denied + _PRIOR)
        self.trust[:, RIGHT] = _steps(right)
        self.trust[:, WRONG] = _steps(1 - right)
        self.trust[:, NEVER_WRONG] = _steps(wrong)
