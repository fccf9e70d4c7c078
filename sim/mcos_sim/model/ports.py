"""What the channel shows its requesters and its memory, and what it does with their answers."""

from mcos_hw.registers import COLOUR_BITS
from mcos_sim.compiling import compiled
from mcos_sim.environment import layout as env
from mcos_sim.model import layout as at
from mcos_sim.model import live, tags

__all__ = [
    "load",
    "move_outlet",
    "move_slots",
    "open_then",
    "show",
    "take",
]

_COLOUR_BITS = COLOUR_BITS
_ALL_COLOURS = (1 << (1 << COLOUR_BITS)) - 1


@compiled
def _slot(s):
    """The slot that the command of this clock takes: a new one, or the one free for longest."""
    if s[at.UNUSED_SLOT] < s[at.SLOTS]:
        return s[at.UNUSED_SLOT]
    return s[at.SLOT_FREE + at.SLOT_ROW * (s[at.FIRST_FREE] & s[at.SLOTS] - 1)]


@compiled
def show(s, e):
    """What this clock shows."""
    e[env.READY] = s[at.READY]
    e[env.GRANTED] = s[at.GRANT]
    e[env.GRANTED_CLASS] = s[at.GRANT_CLASS]
    waits = s[at.OUTLET_COUNT] > 0
    e[env.COMMAND_VALID] = waits or s[at.LEFT] != at.NOBODY
    if waits:
        e[env.COMMAND_SLOT] = s[at.OUTLET_SLOT]
        e[env.COMMAND_TENANT] = s[at.OUTLET_TENANT]
        e[env.COMMAND_OP] = s[at.OUTLET_OP]
        e[env.COMMAND_ADDRESS] = s[at.OUTLET_ADDRESS]
        e[env.COMMAND_BEATS] = s[at.OUTLET_BEATS]
    elif s[at.LEFT] != at.NOBODY:
        e[env.COMMAND_SLOT] = _slot(s)
        e[env.COMMAND_TENANT] = s[at.LEFT]
        e[env.COMMAND_OP] = s[at.LEFT_OP]
        e[env.COMMAND_ADDRESS] = s[at.LEFT_ADDRESS]
        e[env.COMMAND_BEATS] = s[at.LEFT_BEATS]
    e[env.RESPONSE_VALID] = s[at.SERVED]
    e[env.RESPONSE_TENANT] = s[at.SERVED_TENANT]
    e[env.RESPONSE_ID] = s[at.SERVED_ID]


@compiled
def open_then(s):
    """Whether interval, pacer, port credit, slots and outlet take a grant in the next clock."""
    grant = s[at.GRANT] != at.NOBODY
    size = s[at.GRANT_BEATS] * s[at.BEAT_BYTES] if grant else 0
    debt = s[at.DEBT] - 2 * s[live.PACER_RATE] + (size << s[at.RATE_FRACTION])
    return (
        (not grant or s[at.GRANT_INTERVAL] == 1)
        and s[at.CLOCK] + 1 >= s[at.NEXT_GRANT]
        and (not s[live.PACER_ENABLE] or debt < 0)
        and s[at.CREDIT_BEFORE] - s[at.IN_FLIGHT] - size >= 0
        and s[at.FREE_SLOTS] > grant
        and s[at.OUTLET_COUNT] + (s[at.LEFT] != at.NOBODY) + grant < at.OUTLET_DEPTH
    )


@compiled
def load(s):
    """Quarters of the port credit in flight; 0 before the first image, which brings credit."""
    quarters, limit = 4 * s[at.IN_FLIGHT], s[live.PORT_CREDIT]
    if quarters == 0:
        return 0
    return (quarters >= limit) + (quarters >= 2 * limit) + (quarters >= 3 * limit)


@compiled
def move_outlet(s, ready):
    """Commands move up if memory takes one; the one of this clock waits behind the others."""
    count = s[at.OUTLET_COUNT]
    arrives = s[at.LEFT] != at.NOBODY
    if ready and count:
        count -= 1
        for place in range(at.OUTLET, at.OUTLET + at.OUTLET_ROW * count):
            s[place] = s[place + at.OUTLET_ROW]
    elif ready:
        arrives = False
    if arrives:
        row = at.OUTLET_ROW * count
        s[at.OUTLET_SLOT + row] = _slot(s)
        s[at.OUTLET_TENANT + row] = s[at.LEFT]
        s[at.OUTLET_OP + row] = s[at.LEFT_OP]
        s[at.OUTLET_ADDRESS + row] = s[at.LEFT_ADDRESS]
        s[at.OUTLET_BEATS + row] = s[at.LEFT_BEATS]
        count += 1
    s[at.OUTLET_COUNT] = count


@compiled
def move_slots(s, completes, slot):
    """A command takes its slot; a served one gives its own back; memory completes ``slot``."""
    mask = s[at.SLOTS] - 1
    if s[at.LEFT] != at.NOBODY:
        row = at.SLOT_ROW * _slot(s)
        s[at.SLOT_TENANT + row] = s[at.LEFT]
        s[at.SLOT_ID + row] = s[at.LEFT_ID]
        s[at.SLOT_BEATS + row] = s[at.LEFT_BEATS]
        s[at.SLOT_OFFERED + row] = s[at.LEFT_OFFERED]
        if s[at.UNUSED_SLOT] < s[at.SLOTS]:
            s[at.UNUSED_SLOT] += 1
        else:
            s[at.FIRST_FREE] += 1
    if s[at.SERVED]:
        s[at.SLOT_FREE + at.SLOT_ROW * (s[at.LAST_FREE] & mask)] = s[at.SERVED_SLOT]
        s[at.LAST_FREE] += 1
    s[at.FREE_SLOTS] += s[at.SERVED] - (s[at.GRANT] != at.NOBODY)
    s[at.SERVED] = completes
    if completes:
        row = at.SLOT_ROW * slot
        s[at.SERVED_SLOT] = slot
        s[at.SERVED_TENANT] = s[at.SLOT_TENANT + row]
        s[at.SERVED_ID] = s[at.SLOT_ID + row]
        s[at.SERVED_BEATS] = s[at.SLOT_BEATS + row]
        s[at.SERVED_OFFERED] = s[at.SLOT_OFFERED + row]


@compiled
def _outside(s, i, address):
    """Whether an address has a colour that tenant ``i`` has not."""
    if s[live.COLOURS + i] == _ALL_COLOURS:
        return 0
    colour = 0
    for k in range(_COLOUR_BITS):
        colour |= (address >> s[live.COLOUR_BIT_0 + k] & 1) << k
    return s[live.COLOURS + i] >> colour & 1 ^ 1


@compiled
def take(s, e):
    """Store the request that is taken in this clock; its tenant, or NOBODY."""
    i = e[env.REQUEST_TENANT]
    if not e[env.REQUEST_VALID] or not s[at.READY] >> i & 1:
        return at.NOBODY
    row = at.ROWS * i + s[at.TAIL + i]
    s[at.QUEUE_BEATS + row] = e[env.REQUEST_BEATS]
    s[at.QUEUE_OFFERED + row] = e[env.REQUEST_OFFERED]
    s[at.QUEUE_ID + row] = e[env.REQUEST_ID]
    s[at.QUEUE_OP + row] = e[env.REQUEST_OP]
    s[at.QUEUE_ADDRESS + row] = e[env.REQUEST_ADDRESS]
    s[at.QUEUE_OUTSIDE + row] = _outside(s, i, e[env.REQUEST_ADDRESS])
    s[at.QUEUE_COST + row] = tags.cost(s, tags.price(s, i, e[env.REQUEST_BEATS]))
    return i
