"""Commands that serve a request: a column command, and those that open and close its row."""

from mcos_sim.compiling import compiled
from mcos_sim.memory.hbm import layout as at
from mcos_sim.memory.hbm.constraint import Command
from mcos_sim.memory.hbm.device import issue, ready, word
from mcos_sim.memory.hbm.queues import entry_place, look, look_both, queue_place, remove, told

__all__ = [
    "CONFLICT",
    "closable",
    "close_row",
    "open_row",
    "read_or_write",
    "row_command",
    "start",
]


HIT, MISS, CONFLICT = range(3)
"""Classes of requests: of the row that is open, of a closed bank, of another row."""

_ACT = Command.ACT.value
_PREPB = Command.PREPB.value
_PREAB = Command.PREAB.value
_RD = Command.RD.value
_REFAB = Command.REFAB.value

_EVERY_BANK = -1


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
def start(m, out, entry, kind):
    """The first command of a request tells its class."""
    e = entry_place(entry)
    if m[e + at.STARTED] == 0:
        m[e + at.STARTED] = 1
        row = at.OUT * told(m, entry)
        out[row + at.OUT_FIRST] = m[at.TICK]
        out[row + at.OUT_CLASS] = kind


@compiled
def read_or_write(m, out, log, entry):
    """Read or write a burst."""
    e = entry_place(entry)
    now = m[at.TICK]
    bank = m[e + at.BANK_OF]
    write = m[e + at.WRITE]
    number = m[e + at.ID]
    start(m, out, entry, HIT)
    issue(m, _RD + write, bank, now)
    _log(m, log, _RD + write, bank, number)
    m[at.SERVED] = told(m, entry)
    out[at.OUT * m[at.SERVED] + at.OUT_COLUMN] = now
    m[at.LEFT] -= 1
    if m[at.ACTIVE] >> bank & 1 and m[at.ACTIVE_ENTRY + bank] == entry:
        m[at.ACTIVE] &= ~(1 << bank)
        m[queue_place(write) + at.OPENED] &= ~(1 << bank)
        look_both(m, bank)
    else:
        remove(m, write, bank, entry)
        look(m, write, bank)
    m[e + at.NEXT] = m[at.FREE]
    m[at.FREE] = entry


@compiled
def row_command(m, log, command, bank, number):
    """What every row command does."""
    now = m[at.TICK]
    issue(m, command, bank, now)
    _log(m, log, command, bank, number)
    if now & 1:
        m[at.LAST_COMMAND] = command
        m[at.LAST_BANK] = bank
        m[at.LAST_TICK] = now


@compiled
def open_row(m, out, log, entry):
    """Open the row of a request, which leaves its queue and waits for its column command."""
    e = entry_place(entry)
    bank = m[e + at.BANK_OF]
    start(m, out, entry, MISS)
    row_command(m, log, _ACT, bank, m[e + at.ID])
    remove(m, m[e + at.WRITE], bank, entry)
    m[at.OPEN] |= 1 << bank
    m[at.OPEN_ROW + bank] = m[e + at.ROW]
    m[at.ACTIVE] |= 1 << bank
    m[at.ACTIVE_ENTRY + bank] = entry
    m[e + at.ORDER] = m[at.SEQUENCE]
    m[at.SEQUENCE] += 1
    q = queue_place(m[e + at.WRITE])
    m[q + at.OPENED] |= 1 << bank
    m[q + at.OPENED_WAKE] = min(m[q + at.OPENED_WAKE], ready(m, _RD + m[e + at.WRITE], bank))
    look_both(m, bank)


@compiled
def close_row(m, log, bank, number):
    """Close a bank's row."""
    row_command(m, log, _PREPB, bank, number)
    m[at.OPEN] &= ~(1 << bank)
    look_both(m, bank)


@compiled
def closable(m):
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
