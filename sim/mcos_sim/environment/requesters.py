"""What a requester does: it starts steps, offers what its window admits, takes responses."""

from mcos_sim.compiling import compiled
from mcos_sim.environment import layout as at
from mcos_sim.environment.faults import Fault

__all__ = [
    "advance",
    "block_of",
    "count_active",
    "fault",
    "paused",
    "position",
    "request_row",
    "respond",
]


_MIX = -0x40A7B892E31B1A47
"""Multiplier of SplitMix64's first step (Steele, Lea, Flood, OOPSLA 2014), as a signed number."""

_MIX_AGAIN = -0x6B2FB64DECCEEE15
_GOLDEN = -0x61C8864680B583EB


@compiled
def _shifted(value, bits):
    """A logical shift to the right of a signed word."""
    return (value >> bits) & ((1 << (64 - bits)) - 1)


@compiled
def paused(seed, clock, probability):
    """Whether a pause falls on a clock: SplitMix64 of seed and clock, against 2**-32 steps."""
    if probability == 0:
        return False
    word = (clock + 1) * _GOLDEN + seed * _MIX
    word = (word ^ _shifted(word, 30)) * _MIX
    word = (word ^ _shifted(word, 27)) * _MIX_AGAIN
    return _shifted(word ^ _shifted(word, 31), 32) < probability


@compiled
def fault(e, code, tenant, found):
    if e[at.FAULT] == Fault.NONE:
        e[at.FAULT] = code
        e[at.FAULT_TENANT] = tenant
        e[at.FAULT_FOUND] = found


@compiled
def block_of(e, tenant):
    """Place of a tenant's block, or 0."""
    block = e[e[at.BLOCK_OF] + tenant]
    if block == 0:
        fault(e, Fault.UNKNOWN_TENANT, tenant, 0)
    return block


@compiled
def request_row(e, block, index):
    """Place of a request's row; a stream may be asked for more than once."""
    if index >= e[block + at.ROUND_REQUESTS]:
        index %= e[block + at.ROUND_REQUESTS]
    return e[block + at.REQUEST_ROWS] + at.REQUEST_ROW * index


@compiled
def _step(e, block, step):
    """Place of a step's row, likewise."""
    if step >= e[block + at.ROUND_STEPS]:
        step %= e[block + at.ROUND_STEPS]
    return e[block + at.STEP_ROWS] + at.STEP_ROW * step


@compiled
def position(e, block, request_id):
    """Position of an outstanding request in its stream; negative for an id never given."""
    offered = e[block + at.OFFERED]
    return offered - 1 - ((offered - 1 - request_id) & e[at.ID_MASK])


@compiled
def respond(e, block, request_id, clock):
    """Take a response; a step ends with its last one."""
    index = position(e, block, request_id)
    completed = e[block + at.COMPLETED_AT] + (index & e[block + at.KEPT])
    if index < 0 or e[completed] >= 0:
        fault(e, Fault.UNKNOWN_RESPONSE, e[block + at.TAG], request_id)
        return
    e[completed] = clock
    e[block + at.OUTSTANDING] -= 1
    step = e[request_row(e, block, index) + 3]
    row = e[block + at.STEP_ROWS] + at.STEP_ROW * step
    if index >= e[block + at.ROUND_REQUESTS]:
        step += index // e[block + at.ROUND_REQUESTS] * e[block + at.ROUND_STEPS]
    e[row + 4] -= 1
    if e[row + 4] == 0:
        e[e[block + at.STEP_ENDED] + step] = clock
        following = e[block + at.NEXT_STEP]
        if e[block + at.CLOSED] and step + 1 == following and following < e[block + at.STEPS]:
            after = _step(e, block, following)
            e[block + at.NEXT_START] = max(e[after + 2], clock + e[after + 3])


@compiled
def advance(e, block, clock):
    """Start the steps that are due and offer what the window admits."""
    if e[block + at.STOPPED]:
        return
    if clock >= e[block + at.UNTIL]:
        e[block + at.STOPPED] = 1
        return
    while clock >= e[block + at.NEXT_START]:
        step = e[block + at.NEXT_STEP]
        row = _step(e, block, step)
        e[row + 4] = e[row + 1]
        e[block + at.END] += e[row + 1]
        e[e[block + at.STEP_STARTED] + step] = clock
        e[block + at.NEXT_STEP] = step + 1
        e[block + at.NEXT_START] = at.NEVER
        if not e[block + at.CLOSED] and step + 1 < e[block + at.STEPS]:
            e[block + at.NEXT_START] = max(e[_step(e, block, step + 1) + 2], clock)
    first = e[block + at.OFFERED]
    end = min(e[block + at.END], first + e[block + at.WINDOW] - e[block + at.OUTSTANDING])
    if end > first:
        offered_at, completed_at = e[block + at.OFFERED_AT], e[block + at.COMPLETED_AT]
        for index in range(first, end):
            # An id is given again when its request was answered; others may have overtaken it.
            before = index - e[at.ID_MASK] - 1
            if before >= 0 and e[completed_at + (before & e[block + at.KEPT])] < 0:
                end = index
                break
            place = index & e[block + at.KEPT]
            e[offered_at + place] = clock
            e[completed_at + place] = -1
        e[block + at.OFFERED] = end
        e[block + at.OUTSTANDING] += end - first
        if end > first:
            e[at.WAITING] |= 1 << e[block + at.TAG]
    if e[block + at.OFFERED] == e[block + at.COUNT]:
        e[block + at.STOPPED] = 1


@compiled
def count_active(e):
    """Look at every requester: which are done, and when the first of them acts by itself."""
    active = 0
    wake = at.NEVER
    for k in range(e[at.REQUESTERS]):
        block = e[at.FIRST_BLOCK] + k * at.BLOCK
        if not e[block + at.STOPPED]:
            wake = min(wake, e[block + at.NEXT_START], e[block + at.UNTIL])
        active += not e[block + at.STOPPED] or e[block + at.OUTSTANDING] != 0
    e[at.WAKE] = wake
    e[at.ACTIVE] = active
