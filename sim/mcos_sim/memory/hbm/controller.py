"""A controller of an HBM channel, tick by tick: refreshes, a column slot, a row slot."""

from mcos_sim.compiling import compiled
from mcos_sim.memory.hbm import layout as at
from mcos_sim.memory.hbm.choice import (
    close_unused,
    hit_slot,
    opened_slot,
    row_slot,
    served_queue,
    unused,
)
from mcos_sim.memory.hbm.commands import read_or_write
from mcos_sim.memory.hbm.queues import queue_place
from mcos_sim.memory.hbm.refresh import plan_refresh, refresh_slot

__all__ = [
    "tick",
]


@compiled
def tick(m, out, log):
    """One tick: refreshes that are due, a column slot at the rising edge, a row slot.

    Returns the next tick in which something may happen by itself.
    """
    now = m[at.TICK] + 1
    m[at.TICK] = now
    plan_refresh(m)
    waits = m[at.REFRESHES] != 0
    blocks = waits and m[at.REFRESH_BLOCKS] != 0
    if now & 1:
        entry = opened_slot(m) if m[at.ACTIVE] else at.NONE
        if entry < 0 and not blocks:
            entry = hit_slot(m, served_queue(m))
        if entry >= 0:
            read_or_write(m, out, log, entry)
    if (
        not (waits and refresh_slot(m, log))
        and not blocks
        and not row_slot(m, out, log, served_queue(m))
        and m[at.CLOSED_PAGE]
    ):
        close_unused(m, log)
    return now + 1 if waits or unused(m) else _wake(m)


@compiled
def _wake(m):
    """The next tick in which a slot may be used or a refresh is due, without new requests."""
    wake = m[at.REFRESH_DUE]
    for queue in range(2):
        q = queue_place(queue)
        if m[q + at.OPENED]:
            wake = min(wake, m[q + at.OPENED_WAKE] | 1)
        if m[q + at.ANY]:
            if m[q + at.HITS]:
                wake = min(wake, m[q + at.HIT_WAKE] | 1)
            if m[q + at.OPENS]:
                wake = min(wake, m[q + at.OPEN_WAKE] | 1)
            if m[q + at.CLOSES]:
                wake = min(wake, m[q + at.CLOSE_WAKE])
    return max(wake, m[at.TICK] + 1)
