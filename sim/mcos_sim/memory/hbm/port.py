"""An HBM channel behind the memory port of an MCOS channel: commands in, completions out.

A command is split into bursts in the order of their addresses, which enter the device's queues as
these have room; the port takes the next command once the last burst of this one is in. A read is
done when its last data has come, a write with its last write command, and each is answered a fixed
latency later. So what waits for the device waits in its queues and at the port: the credit of the
port decides how much that is.

One flat array of int64: the layout of this module, the device behind it.
"""

from mcos_sim.compiling import compiled
from mcos_sim.memory.hbm import layout as device
from mcos_sim.memory.hbm import queues
from mcos_sim.memory.hbm.controller import tick

__all__ = [
    "accept",
    "quiet_until",
    "serve",
    "takes",
]


FAR = 1 << 48
"""A tick that never comes, and can still be multiplied."""


# The port.
TICKS = 0
"""Ticks a clock, as a fraction; likewise the next one."""
TICKS_OVER = 1
LATENCY = 2
"""Clocks from the device to the answer."""
UNTIL = 3
"""Next tick in which the device may do anything by itself."""
LEFT = 4
"""Bursts of the command being split that have not entered; likewise the next ones."""
SLOT = 5
WRITE = 6
BURST = 7
"""Address of the next of them, in bursts."""
BURST_BYTES = 8
FIELDS = 9
"""Fields of an address."""
FIRST = 10
"""Reads, and writes, that were answered; likewise those that the device is done with."""
LAST = 12
ROWS = 14
"""Place of what becomes of the bursts that the device holds; likewise the next ones."""
SLOT_OF = 15
SLOTS = 16
DONE = 17
COUNTS = 18
SLOT_MASK = 19

# A field of an address, from the lowest bit up.
FIELD_ROWS = 24
FIELD_ROW = 4
FIELD_PLACES = 12
FIELD_BITS = 0
FIELD_OF_BANK = 1
"""Factor by which it counts in the number of a bank, and of a row."""
FIELD_OF_ROW = 2

HEADER = FIELD_ROWS + FIELD_ROW * FIELD_PLACES

# A slot's command.
SLOT_ROW = 4
SLOT_LEFT = 0
SLOT_TENANT = 1
SLOT_WRITE = 2

# What was counted of a tenant.
COUNT_ROW = 8
COUNT_CLASS = 0
"""Bursts by class: row hit, closed bank, conflict."""
COUNT_READ = 3
COUNT_WRITE = 4


@compiled
def takes(p):
    """Whether the port takes a command."""
    return p[LEFT] == 0


@compiled
def accept(p, slot, tenant, write, address, size, clock):
    """Take a command in the clock that was run; its bursts enter from the next one on."""
    p[BURST] = address // p[BURST_BYTES]
    p[LEFT] = (address + size - 1) // p[BURST_BYTES] - p[BURST] + 1
    p[SLOT] = slot
    p[WRITE] = write
    row = p[SLOTS] + SLOT_ROW * slot
    p[row + SLOT_LEFT] = p[LEFT]
    p[row + SLOT_TENANT] = tenant
    p[row + SLOT_WRITE] = write


@compiled
def _enter(p, m, out):
    """The next burst enters the device's queue."""
    bank = 0
    row = 0
    rest = p[BURST]
    for k in range(p[FIELDS]):
        field = FIELD_ROWS + FIELD_ROW * k
        bits = p[field + FIELD_BITS]
        value = rest & ((1 << bits) - 1)
        bank += value * p[field + FIELD_OF_BANK]
        row += value * p[field + FIELD_OF_ROW]
        rest >>= bits
    p[p[SLOT_OF] + m[device.FREE]] = p[SLOT]
    queues.accept(m, out, bank, row, p[WRITE])
    p[BURST] += 1
    p[LEFT] -= 1


@compiled
def _done(p, write, number):
    """Place of clock and slot of a read's, or a write's, answer, by their number."""
    return p[DONE] + 2 * (write * (p[SLOT_MASK] + 1) + (number & p[SLOT_MASK]))


@compiled
def _burst_done(p, m, out):
    """Count the burst that was read or written last; with the last one its command is done."""
    entry = m[device.SERVED]
    slot = p[p[SLOT_OF] + entry]
    row = p[SLOTS] + SLOT_ROW * slot
    write = p[row + SLOT_WRITE]
    counts = p[COUNTS] + COUNT_ROW * p[row + SLOT_TENANT]
    p[counts + COUNT_CLASS + out[device.OUT * entry + device.OUT_CLASS]] += 1
    p[counts + COUNT_READ + write] += 1
    p[row + SLOT_LEFT] -= 1
    if p[row + SLOT_LEFT] == 0:
        done = m[device.TICK] + 1
        if write == 0:
            done += m[device.READ_LATENCY]
        # The clock in whose end the tick falls is over then.
        clock = (done * p[TICKS_OVER] + p[TICKS] - 1) // p[TICKS]
        place = _done(p, write, p[LAST + write])
        p[place] = clock + p[LATENCY]
        p[place + 1] = slot
        p[LAST + write] += 1


@compiled
def _tick_of(p, clock):
    """First tick of a clock."""
    return (clock * p[TICKS] + p[TICKS_OVER] - 1) // p[TICKS_OVER]


@compiled
def _next_answer(p, write):
    """Clock in which the first read, or write, that the device is done with is answered."""
    if p[FIRST + write] == p[LAST + write]:
        return FAR
    return p[_done(p, write, p[FIRST + write])]


@compiled
def serve(p, clock):
    """Run the ticks of a clock; the slot that is answered in it, or -1."""
    m = p[HEADER : HEADER + device.LENGTH]
    out = p[p[ROWS] : p[ROWS] + device.OUT * device.ENTRY_PLACES]
    end = _tick_of(p, clock + 1)
    if p[LEFT] or p[UNTIL] < end:
        m[device.TICK] = _tick_of(p, clock) - 1
        while True:
            while p[LEFT] and queues.has_room(m, p[WRITE]):
                _enter(p, m, out)
                p[UNTIL] = m[device.TICK] + 1
            if p[UNTIL] >= end:
                break
            m[device.TICK] = max(p[UNTIL] - 1, m[device.TICK])
            left = m[device.LEFT]
            p[UNTIL] = min(tick(m, out, p[:0]), FAR)
            if m[device.LEFT] != left:
                _burst_done(p, m, out)
    read, written = _next_answer(p, 0), _next_answer(p, 1)
    if min(read, written) > clock:
        return -1
    write = 1 if written < read else 0
    slot = p[_done(p, write, p[FIRST + write]) + 1]
    p[FIRST + write] += 1
    return slot


@compiled
def quiet_until(p, clock):
    """The first clock from ``clock`` on in which the memory may do anything by itself."""
    if p[LEFT]:
        return clock
    until = p[UNTIL] * p[TICKS_OVER] // p[TICKS]
    return max(clock, min(until, _next_answer(p, 0), _next_answer(p, 1)))
