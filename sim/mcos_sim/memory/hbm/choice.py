"""Which request the next command serves.

A slot looks at the banks that have a candidate, asks the device which of them are ready and the
scheduler which of those may go. From what it saw last it knows when the first can be ready.
"""

from mcos_sim.compiling import compiled
from mcos_sim.memory.hbm import layout as at
from mcos_sim.memory.hbm.commands import CONFLICT, closable, close_row, open_row, start
from mcos_sim.memory.hbm.constraint import Command
from mcos_sim.memory.hbm.device import gate, ready, ready_within, word
from mcos_sim.memory.hbm.queues import field, lowest, queue_place
from mcos_sim.memory.hbm.scheduler import age_of_opened, only_opened, only_queued

__all__ = [
    "close_unused",
    "hit_slot",
    "opened_slot",
    "row_slot",
    "served_queue",
    "unused",
]


_ACT = Command.ACT.value
_PREPB = Command.PREPB.value
_RD = Command.RD.value


@compiled
def served_queue(m):
    """The queue that is served: writes while they are drained or nothing is read."""
    reads, writes = m[at.QUEUED], m[at.QUEUED + 1]
    if m[at.WRITING]:
        if writes < m[at.DRAIN_TO] and reads != 0:
            m[at.WRITING] = 0
    elif writes > m[at.DRAIN_FROM] or reads == 0:
        m[at.WRITING] = 1
    return m[at.WRITING]


@compiled
def _older(m, entry, other):
    """Whether a request was taken before another one, or stands before it if both are as old."""
    ours, theirs = field(m, entry, at.ACCEPTED), field(m, other, at.ACCEPTED)
    if ours != theirs:
        return ours < theirs
    return field(m, entry, at.ORDER) < field(m, other, at.ORDER)


@compiled
def _first(m, command, banks, entries, age):
    """Of the requests of some banks the oldest that a command may serve now, or NONE.

    ``age`` is the field that tells which is older; of those that were accepted in one tick it is
    the one that stands first. Also a tick before which no other one of them can be served.
    """
    now = m[at.TICK]
    wake = at.NEVER
    best = at.NONE
    oldest = at.NEVER
    for k in range(m[at.PSEUDO_CHANNEL_COUNT]):
        theirs = banks & m[at.PSEUDO_CHANNEL_BANKS + k]
        if theirs == 0:
            continue
        from_tick = gate(m, command, k)
        if from_tick > now:
            wake = min(wake, from_tick)
            continue
        while theirs != 0:
            bank = lowest(theirs)
            theirs &= theirs - 1
            when = ready_within(m, command, bank)
            if when > now:
                wake = min(wake, when)
                continue
            entry = word(m, entries + bank)
            born = field(m, entry, age)
            wake = now if best >= 0 else wake
            if born < oldest or (age == at.ACCEPTED and born == oldest and _older(m, entry, best)):
                oldest = born
                best = entry
    return best, wake


@compiled
def _earlier(m, entry, other, age):
    """Whether a request goes before another one, by the field that tells which is older."""
    if age == at.ACCEPTED:
        return _older(m, entry, other)
    return field(m, entry, age) < field(m, other, age)


@compiled
def opened_slot(m):
    """The request whose row was opened for it that reads or writes now, or NONE."""
    age = age_of_opened(m)
    read = _opened(m, 0, age)
    write = _opened(m, 1, age)
    best = read
    if write >= 0 and (read < 0 or _earlier(m, write, read, age)):
        best = write
    only = only_opened(m)
    if only >= 0 and best != only:
        best = at.NONE
    # One that is ready and not chosen may be so in the next slot.
    if read >= 0 and best != read:
        m[queue_place(0) + at.OPENED_WAKE] = m[at.TICK]
    if write >= 0 and best != write:
        m[queue_place(1) + at.OPENED_WAKE] = m[at.TICK]
    return best


@compiled
def _opened(m, write, age):
    """The first read, or write, by age whose row was opened for it and that the device takes."""
    q = queue_place(write)
    if m[q + at.OPENED] == 0 or m[at.TICK] < m[q + at.OPENED_WAKE]:
        return at.NONE
    entry, m[q + at.OPENED_WAKE] = _first(m, _RD + write, m[q + at.OPENED], at.ACTIVE_ENTRY, age)
    return entry


@compiled
def hit_slot(m, queue):
    """The queued request that hits and is served now, or NONE."""
    now = m[at.TICK]
    q = queue_place(queue)
    banks = m[q + at.HITS] & ~m[at.BLOCKED]
    if banks == 0 or now < m[q + at.HIT_WAKE]:
        return at.NONE
    only = only_queued(m, queue)
    if only >= 0:
        bank = field(m, only, at.BANK_OF)
        if not banks >> bank & 1 or m[at.HIT + queue * at.BANKS + bank] != only:
            return at.NONE
        return only if ready(m, _RD + queue, bank) <= now else at.NONE
    best, wake = _first(m, _RD + queue, banks, at.HIT + queue * at.BANKS, at.ID)
    m[q + at.HIT_WAKE] = min(wake, now) if m[at.BLOCKED] else wake
    return best


@compiled
def row_slot(m, out, log, queue):
    """Open or close a row for the oldest queued request that the device lets; whether one is."""
    now = m[at.TICK]
    q = queue_place(queue)
    opens = m[q + at.OPENS] & ~m[at.BLOCKED]
    closes = m[q + at.CLOSES] & ~m[at.BLOCKED]
    if opens == 0 and closes == 0:
        return False
    opening = at.NONE
    best = at.NONE
    only = only_queued(m, queue)
    if now & 1 and opens != 0 and now >= m[q + at.OPEN_WAKE]:
        opening, wake = _first(m, _ACT, opens, at.HEAD + queue * at.BANKS, at.ID)
        m[q + at.OPEN_WAKE] = min(wake, now) if m[at.BLOCKED] or only >= 0 else wake
        best = opening
    if closes != 0 and now >= m[q + at.CLOSE_WAKE]:
        now_closable = closes & closable(m)
        closing, wake = _first(m, _PREPB, now_closable, at.CLOSE + queue * at.BANKS, at.ID)
        if closing >= 0 and (best < 0 or _older(m, closing, best)):
            best = closing
        if closing >= 0 or now_closable != closes:
            wake = now
        m[q + at.CLOSE_WAKE] = min(wake, now) if m[at.BLOCKED] else wake
    if best < 0 or (only >= 0 and best != only):
        return False
    if best == opening:
        open_row(m, out, log, best)
        return True
    # What could have been opened may be so in the next slot.
    m[q + at.OPEN_WAKE] = min(m[q + at.OPEN_WAKE], now)
    start(m, out, best, CONFLICT)
    close_row(m, log, field(m, best, at.BANK_OF), field(m, best, at.ID))
    return True


@compiled
def unused(m):
    """Banks that a closed-page policy closes: open, and nobody who waits hits them."""
    if not m[at.CLOSED_PAGE]:
        return 0
    return m[at.OPEN] & ~(m[at.ACTIVE] | m[queue_place(0) + at.HITS] | m[queue_place(1) + at.HITS])


@compiled
def close_unused(m, log):
    """Close a bank that nobody needs."""
    banks = unused(m) & ~m[at.BLOCKED] & closable(m)
    while banks != 0:
        bank = lowest(banks)
        banks &= banks - 1
        if ready(m, _PREPB, bank) <= m[at.TICK]:
            close_row(m, log, bank, at.NONE)
            return
