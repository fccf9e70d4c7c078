"""A controller of an HBM channel: queues, write drain, refresh, and a choice for each command slot.

Work is done per bank, not per request: for each bank and queue it is kept which request hits the
open row first and which one closes it first. A slot looks at the banks that have one, and knows
from what it saw last when the first of them can be ready.
"""

from numba.cpython.unsafe.numbers import trailing_zeros

from mcos_sim.compiling import compiled
from mcos_sim.memory.hbm import layout as at
from mcos_sim.memory.hbm.constraint import Command
from mcos_sim.memory.hbm.device import gate, issue, ready, ready_within, word

__all__ = [
    "FCFS",
    "FRFCFS",
    "FRFCFS_ROWHIT",
    "REFRESH_ALL_BANK",
    "REFRESH_NONE",
    "REFRESH_PER_BANK",
    "accept",
    "has_room",
    "tick",
]


FCFS, FRFCFS, FRFCFS_ROWHIT = range(3)
REFRESH_NONE, REFRESH_ALL_BANK, REFRESH_PER_BANK = range(3)

HIT, MISS, CONFLICT = range(3)
"""Classes of requests: of the row that is open, of a closed bank, of another row."""

_ACT = Command.ACT.value
_PREPB = Command.PREPB.value
_PREAB = Command.PREAB.value
_RD = Command.RD.value
_REFAB = Command.REFAB.value
_REFPB = Command.REFPB.value

_EVERY_BANK = -1


@compiled
def _lowest(banks):
    """The lowest of a set of banks."""
    return trailing_zeros(banks)  # ty: ignore[missing-argument]


@compiled
def _entry(entry):
    return at.ENTRIES + at.ENTRY * entry


@compiled
def _field(m, entry, name):
    """A field of a request."""
    return word(m, at.ENTRIES + at.ENTRY * entry + name)


@compiled
def _set(queue):
    return at.SETS + at.SET * queue


@compiled
def _told(m, entry):
    """Number of the row in which it stands what becomes of a request."""
    mask = m[at.KEEPS]
    return (_field(m, entry, at.ID) & mask) | (entry & ~mask)


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
    e = _entry(entry)
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
    out[at.OUT * _told(m, entry) + at.OUT_ACCEPTED] = m[at.TICK]
    m[at.QUEUED + write] += 1
    q = _set(write)
    place = write * at.BANKS + bank
    if m[at.HEAD + place] < 0:
        m[at.HEAD + place] = entry
        m[q + at.ANY] |= 1 << bank
    else:
        m[_entry(m[at.TAIL + place]) + at.NEXT] = entry
    m[at.TAIL + place] = entry
    settled = m[q + at.OPENS]
    if m[at.SCHEDULER] == FRFCFS_ROWHIT:
        settled |= m[q + at.HITS]
    # Behind a request that opens the row, or hits it and keeps it open, nothing changes.
    if not settled >> bank & 1:
        _look(m, write, bank)


@compiled
def _look(m, queue, bank):
    """Anew: which request of a bank and queue hits, which opens, which closes."""
    bit = 1 << bank
    q = _set(queue)
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
    keeps = m[at.SCHEDULER] == FRFCFS_ROWHIT
    while entry >= 0:
        e = _entry(entry)
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
        if keeps and miss >= 0 and _field(m, hit, at.ACCEPTED) <= _field(m, miss, at.ACCEPTED):
            miss = at.NONE
    if miss >= 0 and not m[at.ACTIVE] & bit:
        m[at.CLOSE + queue * at.BANKS + bank] = miss
        m[q + at.CLOSES] |= bit
        m[q + at.CLOSE_WAKE] = min(m[q + at.CLOSE_WAKE], ready(m, _PREPB, bank))


@compiled
def _look_both(m, bank):
    if m[_set(0) + at.ANY] >> bank & 1:
        _look(m, 0, bank)
    if m[_set(1) + at.ANY] >> bank & 1:
        _look(m, 1, bank)


@compiled
def _remove(m, queue, bank, entry):
    """Take a request out of its queue."""
    place = queue * at.BANKS + bank
    following = _field(m, entry, at.NEXT)
    before = m[at.HEAD + place]
    if before == entry:
        m[at.HEAD + place] = following
        if following < 0:
            m[_set(queue) + at.ANY] &= ~(1 << bank)
            m[_set(queue) + at.HITS] &= ~(1 << bank)
            m[_set(queue) + at.OPENS] &= ~(1 << bank)
            m[_set(queue) + at.CLOSES] &= ~(1 << bank)
    else:
        while _field(m, before, at.NEXT) != entry:
            before = _field(m, before, at.NEXT)
        m[_entry(before) + at.NEXT] = following
        if following < 0:
            m[at.TAIL + place] = before
    m[at.QUEUED + queue] -= 1


@compiled
def _log(m, log, command, bank, number):
    """Write a command to the log, if there is room."""
    k = m[at.LOGGED]
    row = at.LOG * k
    if row < len(log):
        log[row] = m[at.TICK]
        log[row + 1] = command
        log[row + 2] = bank
        log[row + 3] = number
    m[at.LOGGED] = k + 1


@compiled
def _start(m, out, entry, kind):
    """The first command of a request tells its class."""
    e = _entry(entry)
    if m[e + at.STARTED] == 0:
        m[e + at.STARTED] = 1
        row = at.OUT * _told(m, entry)
        out[row + at.OUT_FIRST] = m[at.TICK]
        out[row + at.OUT_CLASS] = kind


@compiled
def _column(m, out, log, entry):
    """Read or write a burst."""
    e = _entry(entry)
    now = m[at.TICK]
    bank = m[e + at.BANK_OF]
    write = m[e + at.WRITE]
    number = m[e + at.ID]
    _start(m, out, entry, HIT)
    issue(m, _RD + write, bank, now)
    _log(m, log, _RD + write, bank, number)
    m[at.SERVED] = _told(m, entry)
    out[at.OUT * m[at.SERVED] + at.OUT_COLUMN] = now
    m[at.LEFT] -= 1
    if m[at.ACTIVE] >> bank & 1 and m[at.ACTIVE_ENTRY + bank] == entry:
        m[at.ACTIVE] &= ~(1 << bank)
        m[_set(write) + at.OPENED] &= ~(1 << bank)
        _look_both(m, bank)
    else:
        _remove(m, write, bank, entry)
        _look(m, write, bank)
    m[e + at.NEXT] = m[at.FREE]
    m[at.FREE] = entry


@compiled
def _row_command(m, log, command, bank, number):
    """What every row command does."""
    now = m[at.TICK]
    issue(m, command, bank, now)
    _log(m, log, command, bank, number)
    if now & 1:
        m[at.LAST_COMMAND] = command
        m[at.LAST_BANK] = bank
        m[at.LAST_TICK] = now


@compiled
def _open(m, out, log, entry):
    """Open the row of a request, which leaves its queue and waits for its column command."""
    e = _entry(entry)
    bank = m[e + at.BANK_OF]
    _start(m, out, entry, MISS)
    _row_command(m, log, _ACT, bank, m[e + at.ID])
    _remove(m, m[e + at.WRITE], bank, entry)
    m[at.OPEN] |= 1 << bank
    m[at.OPEN_ROW + bank] = m[e + at.ROW]
    m[at.ACTIVE] |= 1 << bank
    m[at.ACTIVE_ENTRY + bank] = entry
    m[e + at.ORDER] = m[at.SEQUENCE]
    m[at.SEQUENCE] += 1
    q = _set(m[e + at.WRITE])
    m[q + at.OPENED] |= 1 << bank
    m[q + at.OPENED_WAKE] = min(m[q + at.OPENED_WAKE], ready(m, _RD + m[e + at.WRITE], bank))
    _look_both(m, bank)


@compiled
def _close(m, log, bank, number):
    """Close a bank's row."""
    _row_command(m, log, _PREPB, bank, number)
    m[at.OPEN] &= ~(1 << bank)
    _look_both(m, bank)


@compiled
def _queue(m):
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
    ours, theirs = _field(m, entry, at.ACCEPTED), _field(m, other, at.ACCEPTED)
    if ours != theirs:
        return ours < theirs
    return _field(m, entry, at.ORDER) < _field(m, other, at.ORDER)


@compiled
def _oldest(m, queue):
    """The oldest request of a queue, or NONE."""
    banks = m[_set(queue) + at.ANY]
    best = at.NONE
    while banks != 0:
        bank = _lowest(banks)
        banks &= banks - 1
        entry = m[at.HEAD + queue * at.BANKS + bank]
        if best < 0 or _field(m, entry, at.ID) < _field(m, best, at.ID):
            best = entry
    return best


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
            bank = _lowest(theirs)
            theirs &= theirs - 1
            when = ready_within(m, command, bank)
            if when > now:
                wake = min(wake, when)
                continue
            entry = word(m, entries + bank)
            born = _field(m, entry, age)
            wake = now if best >= 0 else wake
            if born < oldest or (age == at.ACCEPTED and born == oldest and _older(m, entry, best)):
                oldest = born
                best = entry
    return best, wake


@compiled
def _opened_slot(m):
    """The request whose row was opened for it that reads or writes now, or NONE."""
    read = _opened(m, 0)
    write = _opened(m, 1)
    best = read
    if write >= 0 and (read < 0 or _older(m, write, read)):
        best = write
    if best >= 0 and m[at.SCHEDULER] == FCFS and best != _oldest_opened(m):
        best = at.NONE
    # One that is ready and not chosen may be so in the next slot.
    if read >= 0 and best != read:
        m[_set(0) + at.OPENED_WAKE] = m[at.TICK]
    if write >= 0 and best != write:
        m[_set(1) + at.OPENED_WAKE] = m[at.TICK]
    return best


@compiled
def _opened(m, write):
    """The oldest read, or write, whose row was opened for it and that the device takes now."""
    q = _set(write)
    if m[q + at.OPENED] == 0 or m[at.TICK] < m[q + at.OPENED_WAKE]:
        return at.NONE
    entry, m[q + at.OPENED_WAKE] = _first(
        m, _RD + write, m[q + at.OPENED], at.ACTIVE_ENTRY, at.ACCEPTED
    )
    return entry


@compiled
def _oldest_opened(m):
    banks = m[at.ACTIVE]
    oldest = at.NONE
    while banks != 0:
        entry = word(m, at.ACTIVE_ENTRY + _lowest(banks))
        banks &= banks - 1
        if oldest < 0 or _older(m, entry, oldest):
            oldest = entry
    return oldest


@compiled
def _hit_slot(m, queue):
    """The queued request that hits and is served now, or NONE."""
    now = m[at.TICK]
    q = _set(queue)
    banks = m[q + at.HITS] & ~m[at.BLOCKED]
    if banks == 0 or now < m[q + at.HIT_WAKE]:
        return at.NONE
    if m[at.SCHEDULER] == FCFS:
        entry = _oldest(m, queue)
        bank = _field(m, entry, at.BANK_OF)
        if not banks >> bank & 1 or m[at.HIT + queue * at.BANKS + bank] != entry:
            return at.NONE
        return entry if ready(m, _RD + queue, bank) <= now else at.NONE
    best, wake = _first(m, _RD + queue, banks, at.HIT + queue * at.BANKS, at.ID)
    m[q + at.HIT_WAKE] = min(wake, now) if m[at.BLOCKED] else wake
    return best


@compiled
def _closable(m):
    """Banks that may be closed in this tick: at a falling edge it pairs with the row command."""
    if m[at.TICK] & 1:
        return _EVERY_BANK
    if not m[at.FALLING_PRECHARGE]:
        return 0
    last = m[at.LAST_COMMAND]
    length = m[at.ACT_LENGTH] if last == _ACT else 1
    if m[at.TICK] != m[at.LAST_TICK] + length:
        return _EVERY_BANK
    if last in (_PREAB, _REFAB):
        pseudo_channel = m[at.LAST_BANK] >> m[at.PSEUDO_CHANNEL_SHIFT]
        return ~word(m, at.PSEUDO_CHANNEL_BANKS + pseudo_channel)
    return ~(1 << m[at.LAST_BANK])


@compiled
def _row_slot(m, out, log, queue):
    """Open or close a row for the oldest queued request that the device lets; whether one is."""
    now = m[at.TICK]
    q = _set(queue)
    opens = m[q + at.OPENS] & ~m[at.BLOCKED]
    closes = m[q + at.CLOSES] & ~m[at.BLOCKED]
    if opens == 0 and closes == 0:
        return False
    opening = at.NONE
    best = at.NONE
    only = _oldest(m, queue) if m[at.SCHEDULER] == FCFS else at.NONE
    if now & 1 and opens != 0 and now >= m[q + at.OPEN_WAKE]:
        opening, wake = _first(m, _ACT, opens, at.HEAD + queue * at.BANKS, at.ID)
        m[q + at.OPEN_WAKE] = min(wake, now) if m[at.BLOCKED] or only >= 0 else wake
        best = opening
    if closes != 0 and now >= m[q + at.CLOSE_WAKE]:
        now_closable = closes & _closable(m)
        closing, wake = _first(m, _PREPB, now_closable, at.CLOSE + queue * at.BANKS, at.ID)
        if closing >= 0 and (best < 0 or _older(m, closing, best)):
            best = closing
        if closing >= 0 or now_closable != closes:
            wake = now
        m[q + at.CLOSE_WAKE] = min(wake, now) if m[at.BLOCKED] else wake
    if best < 0 or (only >= 0 and best != only):
        return False
    if best == opening:
        _open(m, out, log, best)
        return True
    # What could have been opened may be so in the next slot.
    m[q + at.OPEN_WAKE] = min(m[q + at.OPEN_WAKE], now)
    _start(m, out, best, CONFLICT)
    _close(m, log, _field(m, best, at.BANK_OF), _field(m, best, at.ID))
    return True


@compiled
def _unused(m):
    """Banks that a closed-page policy closes: open, and nobody who waits hits them."""
    if not m[at.CLOSED_PAGE]:
        return 0
    return m[at.OPEN] & ~(m[at.ACTIVE] | m[_set(0) + at.HITS] | m[_set(1) + at.HITS])


@compiled
def _close_unused(m, log):
    """Close a bank that nobody needs."""
    banks = _unused(m) & ~m[at.BLOCKED] & _closable(m)
    while banks != 0:
        bank = _lowest(banks)
        banks &= banks - 1
        if ready(m, _PREPB, bank) <= m[at.TICK]:
            _close(m, log, bank, at.NONE)
            return


@compiled
def _plan_refresh(m):
    """Queue the refreshes that are due in this tick."""
    if m[at.TICK] != m[at.REFRESH_DUE]:
        return
    if m[at.REFRESH] == REFRESH_ALL_BANK:
        for k in range(m[at.PSEUDO_CHANNEL_COUNT]):
            _wait_refresh(m, _REFAB, k << m[at.PSEUDO_CHANNEL_SHIFT])
        m[at.REFRESH_DUE] += m[at.REFRESH_INTERVAL]
        return
    # One pseudo channel a tick.
    k = m[at.REFRESH_TURN]
    _wait_refresh(m, _REFPB, (k << m[at.PSEUDO_CHANNEL_SHIFT]) + m[at.REFRESH_ADDRESS])
    m[at.REFRESH_TURN] = k + 1
    m[at.REFRESH_DUE] += 1
    if k + 1 == m[at.PSEUDO_CHANNEL_COUNT]:
        around = m[at.STACK_ID_COUNT] << at.STACK_ID_SHIFT
        m[at.REFRESH_ADDRESS] = (m[at.REFRESH_ADDRESS] + 1) % around
        m[at.REFRESH_TURN] = 0
        m[at.REFRESH_DUE] += m[at.REFRESH_INTERVAL] - m[at.PSEUDO_CHANNEL_COUNT]


@compiled
def _wait_refresh(m, command, bank):
    place = (m[at.REFRESH_FIRST] + m[at.REFRESHES]) % at.REFRESH_PLACES
    m[at.REFRESH_RING + place] = command * at.BANKS + bank
    m[at.REFRESHES] += 1
    _block(m)


@compiled
def _waiting_refresh(m, k):
    """Command, bank and set of banks of a refresh that waits; 0 waits longest."""
    command, bank = divmod(
        m[at.REFRESH_RING + (m[at.REFRESH_FIRST] + k) % at.REFRESH_PLACES], at.BANKS
    )
    if command == _REFAB:
        pseudo_channel = bank >> m[at.PSEUDO_CHANNEL_SHIFT]
        return command, bank, word(m, at.PSEUDO_CHANNEL_BANKS + pseudo_channel)
    return command, bank, 1 << bank


@compiled
def _block(m):
    """Banks that no queued request may use until they are refreshed."""
    m[at.BLOCKED] = 0
    for k in range(m[at.REFRESHES]):
        _, _, banks = _waiting_refresh(m, k)
        m[at.BLOCKED] |= banks


@compiled
def _refresh_slot(m, log):
    """Issue what the refresh needs that waits longest; whether a command is issued."""
    now = m[at.TICK]
    command, bank, banks = _waiting_refresh(m, 0)
    if m[at.OPEN] & banks:
        closing = _PREAB if command == _REFAB else _PREPB
        if (m[at.ACTIVE] | ~_closable(m)) & banks:
            return False
        if ready(m, closing, bank) > now:
            return False
        _row_command(m, log, closing, bank, at.NONE)
        m[at.OPEN] &= ~banks
        while banks != 0:
            _look_both(m, _lowest(banks))
            banks &= banks - 1
        return True
    if not now & 1 or ready(m, command, bank) > now:
        return False
    _row_command(m, log, command, bank, at.NONE)
    m[at.REFRESH_FIRST] = (m[at.REFRESH_FIRST] + 1) % at.REFRESH_PLACES
    m[at.REFRESHES] -= 1
    _block(m)
    for queue in range(2):
        q = _set(queue)
        for wake in (at.HIT_WAKE, at.OPEN_WAKE, at.CLOSE_WAKE):
            m[q + wake] = min(m[q + wake], now)
    return True


@compiled
def tick(m, out, log):
    """One tick: refreshes that are due, a column slot at the rising edge, a row slot.

    Returns the next tick in which something may happen by itself.
    """
    now = m[at.TICK] + 1
    m[at.TICK] = now
    _plan_refresh(m)
    waits = m[at.REFRESHES] != 0
    blocks = waits and m[at.REFRESH_BLOCKS] != 0
    if now & 1:
        entry = _opened_slot(m) if m[at.ACTIVE] else at.NONE
        if entry < 0 and not blocks:
            entry = _hit_slot(m, _queue(m))
        if entry >= 0:
            _column(m, out, log, entry)
    if (
        not (waits and _refresh_slot(m, log))
        and not blocks
        and not _row_slot(m, out, log, _queue(m))
        and m[at.CLOSED_PAGE]
    ):
        _close_unused(m, log)
    return now + 1 if waits or _unused(m) else _wake(m)


@compiled
def _wake(m):
    """The next tick in which a slot may be used or a refresh is due, without new requests."""
    wake = m[at.REFRESH_DUE]
    for queue in range(2):
        q = _set(queue)
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
