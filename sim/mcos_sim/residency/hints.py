"""What a client says about the blocks of an access, truly or not."""

import dataclasses

import numpy as np

from mcos_sim.residency.accesses import NO_NEXT, Accesses, conversations, next_uses
from mcos_sim.residency.layout import NO_HINT, NO_USE
from mcos_sim.residency.names import Hints

__all__ = [
    "LIE",
    "SHORT_ANSWER",
    "WRONG",
    "Told",
    "told",
]


WRONG = 0.2
"""Part of the hints that is wrong in hints that are partly wrong."""

LIE = 64
"""Accesses until the next use that a liar promises for every block."""


SHORT_ANSWER = 150
"""Tokens below which an answer is short: a tool's call, or a choice."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Told:
    """Hints of all accesses.

    Parameters
    ----------
    distances : numpy.ndarray or None
        Shape (accesses,), int32: accesses until the next use, ``NO_USE`` or ``NO_HINT``.
    classes : numpy.ndarray or None
        Shape (accesses,), uint8: what kind of block a client takes it for, below
        ``CLIENT_CLASSES``.
    """

    distances: np.ndarray | None = None
    classes: np.ndarray | None = None


def exact(accesses: Accesses) -> np.ndarray:
    """Accesses until the next use of each block, or ``NO_USE``; int32.

    Those of the tenant that says so are counted: it does not know when others come.
    """
    following = next_uses(accesses)
    used = following != NO_NEXT
    following = np.where(used, following, 0)
    tenants = np.repeat(accesses.tenants, np.diff(accesses.offsets))
    distances = np.full(len(accesses), NO_USE, np.int32)
    for tenant in np.unique(tenants):
        clock = np.cumsum(tenants == tenant, dtype=np.int32)
        own = used & (tenants == tenant)
        distances[own] = clock[following[own]] - clock[own]
    return distances


def told(
    accesses: Accesses, hints: Hints, *, seed: int = 1, liars: frozenset[int] | None = None
) -> Told:
    """The hints of a kind.

    Parameters
    ----------
    accesses : Accesses
        The accesses.
    hints : Hints
        Which kind.
    seed : int
        Seed of what is wrong.
    liars : frozenset[int] or None
        Tenants that lie, of the kind that lies; None for all. The others say nothing.
    """
    if hints is Hints.NONE:
        return Told()
    if hints is Hints.SERVING:
        return Told(classes=_client_classes(accesses))
    if hints is Hints.LYING:
        distances = np.full(len(accesses), LIE, np.int32)
        if liars is not None:
            honest = ~np.isin(accesses.tenants, list(liars))
            distances[np.repeat(honest, np.diff(accesses.offsets))] = NO_HINT
        return Told(distances=distances)
    distances = exact(accesses)
    if hints is not Hints.EXACT:
        rng = np.random.default_rng(seed)
        wrong = np.flatnonzero(rng.random(len(distances)) < WRONG)
        distances[wrong] = _spoilt(distances, wrong, hints, rng)
    return Told(distances=distances)


def _spoilt(
    distances: np.ndarray, wrong: np.ndarray, hints: Hints, rng: np.random.Generator
) -> np.ndarray:
    """What stands for the hints at some positions."""
    if hints is Hints.MISSING:
        return np.full(len(wrong), NO_HINT, np.int32)
    if hints is Hints.SWAPPED:
        return distances[rng.permutation(wrong)]
    # Noise: a distance is off by a factor, and a denied use is promised at some distance.
    true = distances[wrong]
    finite = distances[distances != NO_USE]
    if not len(finite):
        return true
    promised = np.where(true == NO_USE, rng.choice(finite, len(wrong)), true)
    factors = 2.0 ** rng.normal(0, 3, len(wrong))
    return np.clip(promised * factors, 1, NO_USE - 1).astype(np.int32)


def _client_classes(accesses: Accesses) -> np.ndarray:
    """By the turn of the conversation, first or later, and by the answer, long or short.

    A serving system knows the answer's length when the request ends; until then its blocks are in
    use and nobody evicts them.
    """
    turns, _ = conversations(accesses)
    found = 2 * np.minimum(turns - 1, 1)
    if accesses.outputs is not None:
        found = found + (accesses.outputs < SHORT_ANSWER)
    return np.repeat(found.astype(np.uint8), np.diff(accesses.offsets))
