"""One clock of an environment: what requesters and memory do with what the channel shows.

Compiled by numba, once for each model of a memory. All engines step it: the model and the verilated
RTL without Python between clocks, the cocotb bench once a clock.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import TYPE_CHECKING

from mcos_hw.link.request import Op
from mcos_sim.compiling import compiled
from mcos_sim.environment import layout as at
from mcos_sim.environment.faults import Fault

if TYPE_CHECKING:
    from mcos_sim.memory.memory import MemoryModel

__all__ = [
    "Step",
    "environment_step",
    "paused",
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
def _fault(e, code, tenant, found):
    if e[at.FAULT] == Fault.NONE:
        e[at.FAULT] = code
        e[at.FAULT_TENANT] = tenant
        e[at.FAULT_FOUND] = found


@compiled
def _block(e, tenant):
    """Place of a tenant's block, or 0."""
    block = e[e[at.BLOCK_OF] + tenant]
    if block == 0:
        _fault(e, Fault.UNKNOWN_TENANT, tenant, 0)
    return block


@compiled
def _request(e, block, index):
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
def _respond(e, block, request_id, clock):
    """Take a response; a step ends with its last one."""
    offered = e[block + at.OFFERED]
    index = offered - 1 - ((offered - 1 - request_id) & e[at.ID_MASK])
    completed = e[block + at.COMPLETED_AT] + (index & e[block + at.KEPT])
    if index < 0 or e[completed] >= 0:
        _fault(e, Fault.UNKNOWN_RESPONSE, e[block + at.TAG], request_id)
        return
    e[completed] = clock
    e[block + at.OUTSTANDING] -= 1
    step = e[_request(e, block, index) + 3]
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
def _advance(e, block, clock):
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
            place = index & e[block + at.KEPT]
            e[offered_at + place] = clock
            e[completed_at + place] = -1
        e[block + at.OFFERED] = end
        e[block + at.OUTSTANDING] += end - first
        e[at.WAITING] |= 1 << e[block + at.TAG]
    if e[block + at.OFFERED] == e[block + at.COUNT]:
        e[block + at.STOPPED] = 1


@compiled
def _count_active(e):
    """Look at every requester: which are done, and when the first of them acts by itself."""
    active = 0
    wake = at.NEVER
    for k in range(e[at.REQUESTERS]):
        block = at.BLOCKS + k * at.BLOCK
        if not e[block + at.STOPPED]:
            wake = min(wake, e[block + at.NEXT_START], e[block + at.UNTIL])
        active += not e[block + at.STOPPED] or e[block + at.OUTSTANDING] != 0
    e[at.WAKE] = wake
    e[at.ACTIVE] = active


@compiled
def _pass_port(e, clock):
    """Hold a response back for as long as a modelled port takes; one leaves in a clock.

    A port hands read data on when all of a request are there, and takes a clock for each beat then;
    write data take a clock for each beat before the request can land.
    """
    ring = e[e[at.ANSWERS] : e[at.ANSWERS] + 3 * at.ANSWERS_LENGTH]
    if e[at.RESPONSE_VALID]:
        tenant, request_id = e[at.RESPONSE_TENANT], e[at.RESPONSE_ID]
        block = _block(e, tenant)
        if block == 0:
            return
        offered = e[block + at.OFFERED]
        index = offered - 1 - ((offered - 1 - request_id) & e[at.ID_MASK])
        row = _request(e, block, max(index, 0))
        if e[row] == Op.WRITE:
            delay = e[at.WRITE_CLOCKS] + e[row + 1]
        else:
            delay = e[at.READ_CLOCKS] + 2 * e[row + 1]
        place = 3 * ((clock + delay) % at.ANSWERS_LENGTH)
        while ring[place]:
            place = (place + 3) % len(ring)
        ring[place] = 1
        ring[place + 1] = tenant
        ring[place + 2] = request_id
        e[at.ANSWERS_HELD] += 1
    place = 3 * (clock % at.ANSWERS_LENGTH)
    e[at.RESPONSE_VALID] = ring[place]
    if ring[place]:
        e[at.RESPONSE_TENANT] = ring[place + 1]
        e[at.RESPONSE_ID] = ring[place + 2]
        ring[place] = 0
        e[at.ANSWERS_HELD] -= 1


@compiled
def _ask(e, clock):
    """Requesters: take the response of the clock, start steps, say whether all is done."""
    if e[at.READ_CLOCKS]:
        _pass_port(e, clock)
    if e[at.RESPONSE_VALID]:
        block = _block(e, e[at.RESPONSE_TENANT])
        if block:
            _respond(e, block, e[at.RESPONSE_ID], clock)
            _advance(e, block, clock)
            if e[block + at.STOPPED]:
                _count_active(e)
            else:
                e[at.WAKE] = min(e[at.WAKE], e[block + at.NEXT_START])
    if clock >= e[at.WAKE]:
        for k in range(e[at.REQUESTERS]):
            _advance(e, at.BLOCKS + k * at.BLOCK, clock)
        _count_active(e)
    e[at.DONE] = e[at.ACTIVE] == 0


@compiled
def _watch(e, clock):
    """Check the grant of the clock, and a command that is new at the port."""
    tenant = e[at.GRANTED]
    if tenant >= 0:
        block = _block(e, tenant)
        if block:
            grants = e[block + at.GRANTS]
            if grants >= e[block + at.TAKEN]:
                _fault(e, Fault.GRANT_OF_NOTHING, tenant, grants)
                return
            place = grants & e[block + at.KEPT]
            e[e[block + at.GRANTED_AT] + place] = clock
            e[e[block + at.CLASS_OF] + place] = e[at.GRANTED_CLASS]
            e[block + at.GRANTS] = grants + 1
            e[block + at.GRANTED_BYTES] += e[_request(e, block, grants) + 1] * e[at.BEAT_BYTES]
    if e[at.COMMAND_VALID] and e[at.PORT_BYTES] == 0:
        tenant = e[at.COMMAND_TENANT]
        block = _block(e, tenant)
        if not block:
            return
        index = e[block + at.COMMANDS]
        if index >= e[block + at.GRANTS]:
            _fault(e, Fault.COMMAND_OF_NOTHING, tenant, index)
            return
        row = _request(e, block, index)
        if not e[at.REORDERED] and (
            e[at.COMMAND_OP] != e[row]
            or e[at.COMMAND_BEATS] != e[row + 1]
            or e[at.COMMAND_ADDRESS] != e[row + 2]
        ):
            _fault(e, Fault.WRONG_COMMAND, tenant, index)
        e[block + at.COMMANDS] = index + 1
        e[at.PORT_BYTES] = e[at.COMMAND_BEATS] * e[at.BEAT_BYTES]
        e[at.PORT_SLOT] = e[at.COMMAND_SLOT]


@compiled
def _offer(e, clock):
    """Ingress: of all requests that can be taken, the one offered first."""
    e[at.REQUEST_VALID] = 0
    takes = e[at.WAITING] & e[at.READY]
    if not takes:
        return
    chosen = 0
    first = at.NEVER
    for k in range(e[at.REQUESTERS]):
        block = at.BLOCKS + k * at.BLOCK
        if takes >> e[block + at.TAG] & 1:
            offered = e[e[block + at.OFFERED_AT] + (e[block + at.TAKEN] & e[block + at.KEPT])]
            if offered < first:
                first = offered
                chosen = block
    if paused(e[at.SEED], clock, e[at.OFFER_PAUSE]):
        return
    index = e[chosen + at.TAKEN]
    e[chosen + at.TAKEN] = index + 1
    e[e[chosen + at.TAKEN_AT] + (index & e[chosen + at.KEPT])] = clock
    if index + 1 == e[chosen + at.OFFERED]:
        e[at.WAITING] &= ~(1 << e[chosen + at.TAG])
    row = _request(e, chosen, index)
    e[at.REQUEST_VALID] = 1
    e[at.REQUEST_TENANT] = e[chosen + at.TAG]
    e[at.REQUEST_ID] = index & e[at.ID_MASK]
    e[at.REQUEST_OP] = e[row]
    e[at.REQUEST_BEATS] = e[row + 1]
    e[at.REQUEST_ADDRESS] = e[row + 2]
    e[at.REQUEST_OFFERED] = first - e[chosen + at.STAMP_AGE]


@dataclasses.dataclass(frozen=True)
class Step:
    """The functions of an environment with a certain memory; both are compiled.

    Parameters
    ----------
    drive : Callable
        ``drive(e)``: one clock. It reads what the channel shows, and writes what the channel is
        driven with and takes at the edge that ends the clock. Once ``DONE`` or ``FAULT`` is set
        nothing moves any more, and nothing is driven.
    quiet_until : Callable
        ``quiet_until(e)``: the first clock from the next one on in which the environment may do
        anything by itself. It is right while the channel shows nothing and nothing is offered. With
        random pauses, or if something is offered, it is the next clock.
    """

    drive: Callable
    quiet_until: Callable


@functools.cache
def environment_step(memory: MemoryModel) -> Step:
    """What an environment does in a clock, compiled around a model of the memory.

    Parameters
    ----------
    memory : MemoryModel
        The model; numba calls its functions directly and inlines them.
    """
    serve, takes, accept = memory.serve, memory.takes, memory.accept
    memory_quiet_until = memory.quiet_until

    @compiled
    def serve_port(e, clock):
        """Run the memory, then give it the command at the port if it takes one."""
        p = e[e[at.MEMORY] : e[at.MEMORY_END]]
        slot = serve(p, clock)
        e[at.COMMAND_READY] = takes(p) and not paused(e[at.SEED] + 1, clock, e[at.COMMAND_PAUSE])
        sizes = e[at.MEMORY_SIZES]
        size = e[at.PORT_BYTES]
        if e[at.COMMAND_READY] and size:
            e[at.MEMORY_HELD] += size
            if e[at.MEMORY_HELD] > e[at.MEMORY_CREDIT]:
                _fault(e, Fault.PORT_OVERFULL, e[at.COMMAND_TENANT], e[at.MEMORY_HELD])
            write = e[at.COMMAND_OP] == Op.WRITE
            accept(
                p, e[at.PORT_SLOT], e[at.COMMAND_TENANT], write, e[at.COMMAND_ADDRESS], size, clock
            )
            e[sizes + e[at.PORT_SLOT]] = size
            e[at.PORT_BYTES] = 0
        e[at.COMPLETION_VALID] = slot >= 0
        if slot >= 0:
            e[at.COMPLETION_SLOT] = slot
            e[at.MEMORY_HELD] -= e[sizes + slot]

    @compiled
    def drive(e):
        clock = e[at.CLOCK]
        _ask(e, clock)
        if e[at.DONE] or e[at.FAULT]:
            e[at.REQUEST_VALID] = 0
            e[at.COMMAND_READY] = 0
            e[at.COMPLETION_VALID] = 0
            return
        _watch(e, clock)
        serve_port(e, clock)
        _offer(e, clock)
        e[at.CLOCK] = clock + 1

    @compiled
    def quiet_until(e):
        clock = e[at.CLOCK]
        if e[at.OFFER_PAUSE] or e[at.COMMAND_PAUSE] or e[at.PORT_BYTES] or e[at.WAITING]:
            return clock
        if e[at.ANSWERS_HELD]:
            return clock
        p = e[e[at.MEMORY] : e[at.MEMORY_END]]
        return max(clock, min(e[at.WAKE], memory_quiet_until(p, clock)))

    return Step(drive=drive, quiet_until=quiet_until)
