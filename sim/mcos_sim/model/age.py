"""The age guard: one head a clock is visited, in three steps."""

from mcos_sim.compiling import compiled
from mcos_sim.model import layout as at
from mcos_sim.model import live

__all__ = [
    "DRAIN_AGE",
    "follow_image",
    "guard_age",
    "rest",
]


DRAIN_AGE = 1024
"""Age in clocks at which a head of a disabled tenant goes first; see docs/channel.md. Not imported,
so that a comparison sees the hardware's."""


@compiled
def follow_image(s, i):
    """Take the age limit of tenant ``i`` from a new image."""
    s[at.GUARD_LIMIT + i] = s[live.AGE_LIMIT + i] if s[live.ENABLE + i] else DRAIN_AGE


@compiled
def guard_age(s, tenants, serviceable):
    """One clock; ``serviceable`` says it of the head of the tenant whose turn it is."""
    granted = s[at.GRANT]
    promoted = granted != at.NOBODY and s[at.PROMOTED]
    turn = s[at.CLOCK] & tenants - 1
    rounds = s[at.ROUNDS + turn]

    compared, age = s[at.COMPARED], s[at.COMPARED_AGE]
    oldest = s[at.OLDEST]
    if (
        compared != at.NOBODY
        and s[at.COMPARED_OVER]
        and (oldest == at.NOBODY or age > s[at.OLDEST_FOUND_AGE])
    ):
        oldest = compared
        s[at.OLDEST_FOUND_AGE] = age
    if oldest == granted:
        oldest = at.NOBODY
    promote = s[at.PROMOTE]
    if promote == granted or (promote == compared and not s[at.COMPARED_READY]):
        promote = at.NOBODY
    if turn == 1 and s[at.CLOCK] > 1:
        if s[at.DUE] and not promoted and s[at.PROMOTE] == at.NOBODY:
            promote = oldest
        oldest = at.NOBODY
    s[at.OLDEST] = oldest
    s[at.PROMOTE] = promote

    s[at.DUE] = s[at.RESTED] >= s[live.PROMOTION_INTERVAL] and not promoted
    if granted != at.NOBODY:
        s[at.RESTED] = 1 if promoted else min(s[at.RESTED] + 1, 255)
        s[at.ROUNDS + granted] = 0
    if compared != at.NOBODY and compared != granted:
        s[at.ROUNDS + compared] = age

    visited_age = s[at.VISITED_AGE]
    ready = s[at.VISITED_READY]
    s[at.COMPARED] = s[at.VISITED] if s[at.VISITED] != granted else at.NOBODY
    s[at.COMPARED_AGE] = min(visited_age + ready, s[at.OLDEST_AGE])
    s[at.COMPARED_OVER] = ready and s[at.VISITED_GUARDED] and visited_age >= s[at.VISITED_LIMIT]
    s[at.COMPARED_READY] = ready

    limit = s[at.GUARD_LIMIT + turn]
    s[at.VISITED] = turn if turn != granted else at.NOBODY
    s[at.VISITED_AGE] = rounds
    s[at.VISITED_LIMIT] = limit >> s[at.ROUND_BITS]
    s[at.VISITED_GUARDED] = limit != 0
    s[at.VISITED_READY] = serviceable


@compiled
def rest(s, tenants):
    """The state to go on with after clocks in which no head was there."""
    clock = s[at.CLOCK]
    for place, age, since in ((at.VISITED, at.VISITED_AGE, 1), (at.COMPARED, at.COMPARED_AGE, 2)):
        turn = (clock - since) % tenants
        s[place] = turn
        s[age] = s[at.ROUNDS + turn]
    s[at.VISITED_LIMIT] = s[at.GUARD_LIMIT + s[at.VISITED]] >> s[at.ROUND_BITS]
    s[at.VISITED_GUARDED] = s[at.GUARD_LIMIT + s[at.VISITED]] != 0
    s[at.VISITED_READY] = 0
    s[at.COMPARED_OVER] = 0
    s[at.COMPARED_READY] = 0
    s[at.DUE] = s[at.RESTED] >= s[live.PROMOTION_INTERVAL]
