"""What a scheduler adds to the choice among requests that the device takes.

A scheduler is a row of :data:`RULES`. The choice and the queues ask it by the functions of this
module and the places ``IN_ORDER`` and ``KEEPS_HITS``, and by nothing else.
"""

import dataclasses

from mcos_sim.compiling import compiled
from mcos_sim.memory.hbm import layout as at
from mcos_sim.memory.hbm.device import word
from mcos_sim.memory.hbm.policy import Scheduler
from mcos_sim.memory.hbm.queues import field, lowest, queue_place

__all__ = [
    "RULES",
    "Rules",
    "age_of_opened",
    "only_opened",
    "only_queued",
]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Rules:
    """A scheduler.

    Parameters
    ----------
    in_order : bool
        Only the first request of a buffer may go. Otherwise the oldest that the device takes goes.
    keeps_hits : bool
        No row is closed while an older request of the buffer hits it.
    """

    in_order: bool = False
    keeps_hits: bool = False


RULES = {
    Scheduler.FCFS: Rules(in_order=True),
    Scheduler.FRFCFS: Rules(),
    Scheduler.FRFCFS_ROWHIT: Rules(keeps_hits=True),
}


@compiled
def only_queued(m, queue):
    """The only request of a queue that may start, or NONE if any of them may."""
    if m[at.IN_ORDER]:
        return _oldest(m, queue)
    return at.NONE


@compiled
def only_opened(m):
    """The only request that may go of those whose rows are opened, or NONE if any of them may."""
    if m[at.IN_ORDER]:
        return _opened_first(m)
    return at.NONE


@compiled
def age_of_opened(m):
    """The field that tells which of the requests whose rows are opened is older.

    In order means the order in which their rows were opened.
    """
    if m[at.IN_ORDER]:
        return at.ORDER
    return at.ACCEPTED


@compiled
def _oldest(m, queue):
    """The oldest request of a queue, or NONE."""
    banks = m[queue_place(queue) + at.ANY]
    best = at.NONE
    while banks != 0:
        bank = lowest(banks)
        banks &= banks - 1
        entry = m[at.HEAD + queue * at.BANKS + bank]
        if best < 0 or field(m, entry, at.ID) < field(m, best, at.ID):
            best = entry
    return best


@compiled
def _opened_first(m):
    """The request whose row was opened first."""
    banks = m[at.ACTIVE]
    first = at.NONE
    while banks != 0:
        entry = word(m, at.ACTIVE_ENTRY + lowest(banks))
        banks &= banks - 1
        if first < 0 or field(m, entry, at.ORDER) < field(m, first, at.ORDER):
            first = entry
    return first
