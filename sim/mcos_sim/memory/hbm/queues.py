"""Requests that wait: a list for each bank and queue, and which of it hits, opens or closes a row.

Work is done per bank, not per request: for each bank and queue it is kept which request hits the
open row first and which one closes it first.
"""

from numba.cpython.unsafe.numbers import trailing_zeros

from mcos_sim.compiling import compiled
from mcos_sim.memory.hbm import layout as at
from mcos_sim.memory.hbm.constraint import Command
from mcos_sim.memory.hbm.device import ready, word

__all__ = [
    "accept",
    "entry_place",
    "field",
    "has_room",
    "look",
    "look_both",
    "lowest",
    "queue_place",
    "remove",
    "told",
]


_ACT = Command.ACT.value
_PREPB = Command.PREPB.value
_RD = Command.RD.value


@compiled
def lowest(banks):
    """The lowest of a set of banks."""
    return trailing_zeros(banks)  # ty: ignore[missing-argument]


@compiled
def entry_place(entry):
    return at.ENTRIES + at.ENTRY * entry


@compiled
def field(m, entry, name):
    """A field of a request."""
    return word(m, at.ENTRIES + at.ENTRY * entry + name)


@compiled
def queue_place(queue):
    return at.SETS + at.SET * queue


@compiled
def told(m, entry):
    """Number of the row in which it stands what becomes of a request."""
    mask = m[at.KEEPS]
    return (field(m, entry, at.ID) & mask) | (entry & ~mask)


@compiled
def has_room(m, write):
    """Whether a queue takes a request."""
    return m[at.QUEUED + write] < m[at.CAPACITY]


@compiled
def accept(m, out, bank, row, write):
    """Take a request into its queue at the end of the present tick.

    Requests are numbered as they are taken; ``out`` gets a row of each, in which it stands what
    becomes of it.
    """
    entry = m[at.FREE]
    e = entry_place(entry)
    m[at.FREE] = m[e + at.NEXT]
    number = m[at.NEXT_ID]
    m[at.NEXT_ID] = number + 1
    m[e + at.ID] = number
    m[e + at.ACCEPTED] = m[at.TICK]
    m[e + at.ROW] = row
    m[e + at.BANK_OF] = bank
    m[e + at.WRITE] = write
    m[e + at.NEXT] = at.NONE
    m[e + at.ORDER] = number
    m[e + at.STARTED] = 0
    out[at.OUT * told(m, entry) + at.OUT_ACCEPTED] = m[at.TICK]
    m[at.QUEUED + write] += 1
    q = queue_place(write)
    place = write * at.BANKS + bank
    if m[at.HEAD + place] < 0:
        m[at.HEAD + place] = entry
        m[q + at.ANY] |= 1 << bank
    else:
        m[entry_place(m[at.TAIL + place]) + at.NEXT] = entry
    m[at.TAIL + place] = entry
    settled = m[q + at.OPENS]
    if m[at.KEEPS_HITS]:
        settled |= m[q + at.HITS]
    # Behind a request that opens the row, or hits it and keeps it open, nothing changes.
    if not settled >> bank & 1:
        look(m, write, bank)


@compiled
def look(m, queue, bank):
    """Anew: which request of a bank and queue hits, which opens, which closes."""
    bit = 1 << bank
    q = queue_place(queue)
    m[q + at.HITS] &= ~bit
    m[q + at.OPENS] &= ~bit
    m[q + at.CLOSES] &= ~bit
    entry = m[at.HEAD + queue * at.BANKS + bank]
    if entry < 0:
        return
    if not m[at.OPEN] & bit:
        m[q + at.OPENS] |= bit
        m[q + at.OPEN_WAKE] = min(m[q + at.OPEN_WAKE], ready(m, _ACT, bank))
        return
    row = m[at.OPEN_ROW + bank]
    hit = at.NONE
    miss = at.NONE
    keeps = m[at.KEEPS_HITS] != 0
    while entry >= 0:
        e = entry_place(entry)
        if m[e + at.ROW] == row:
            hit = hit if hit >= 0 else entry
            if miss >= 0 or keeps:
                break
        elif miss < 0:
            miss = entry
            if hit >= 0:
                break
        entry = m[e + at.NEXT]
    if hit >= 0:
        m[at.HIT + queue * at.BANKS + bank] = hit
        m[q + at.HITS] |= bit
        m[q + at.HIT_WAKE] = min(m[q + at.HIT_WAKE], ready(m, _RD + queue, bank))
        # Those that came in the same tick count as equally old.
        if keeps and miss >= 0 and field(m, hit, at.ACCEPTED) <= field(m, miss, at.ACCEPTED):
            miss = at.NONE
    if miss >= 0 and not m[at.ACTIVE] & bit:
        m[at.CLOSE + queue * at.BANKS + bank] = miss
        m[q + at.CLOSES] |= bit
        m[q + at.CLOSE_WAKE] = min(m[q + at.CLOSE_WAKE], ready(m, _PREPB, bank))


@compiled
def look_both(m, bank):
    if m[queue_place(0) + at.ANY] >> bank & 1:
        look(m, 0, bank)
    if m[queue_place(1) + at.ANY] >> bank & 1:
        look(m, 1, bank)


@compiled
def remove(m, queue, bank, entry):
    """Take a request out of its queue."""
    place = queue * at.BANKS + bank
    following = field(m, entry, at.NEXT)
    before = m[at.HEAD + place]
    if before == entry:
        m[at.HEAD + place] = following
        if following < 0:
            m[queue_place(queue) + at.ANY] &= ~(1 << bank)
            m[queue_place(queue) + at.HITS] &= ~(1 << bank)
            m[queue_place(queue) + at.OPENS] &= ~(1 << bank)
            m[queue_place(queue) + at.CLOSES] &= ~(1 << bank)
    else:
        while field(m, before, at.NEXT) != entry:
            before = field(m, before, at.NEXT)
        m[entry_place(before) + at.NEXT] = following
        if following < 0:
            m[at.TAIL + place] = before
    m[at.QUEUED + queue] -= 1
