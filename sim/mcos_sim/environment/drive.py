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
from mcos_sim.environment.memory_port import memory_port
from mcos_sim.environment.requesters import (
    advance,
    block_of,
    count_active,
    fault,
    paused,
    position,
    request_row,
    respond,
)

if TYPE_CHECKING:
    from mcos_sim.memory.memory import MemoryModel

__all__ = [
    "Step",
    "environment_step",
]


@compiled
def _pass_port(e, clock):
    """Hold a response back for as long as a modelled port takes; one leaves in a clock.

    A port hands read data on when all of a request are there, and takes a clock for each beat then;
    write data take a clock for each beat before the request can land.
    """
    ring = e[e[at.ANSWERS] : e[at.ANSWERS] + 3 * at.ANSWERS_LENGTH]
    if e[at.RESPONSE_VALID]:
        tenant, request_id = e[at.RESPONSE_TENANT], e[at.RESPONSE_ID]
        block = block_of(e, tenant)
        if block == 0:
            return
        row = request_row(e, block, max(position(e, block, request_id), 0))
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
        block = block_of(e, e[at.RESPONSE_TENANT])
        if block:
            respond(e, block, e[at.RESPONSE_ID], clock)
            advance(e, block, clock)
            if e[block + at.STOPPED]:
                count_active(e)
            else:
                e[at.WAKE] = min(e[at.WAKE], e[block + at.NEXT_START])
    if clock >= e[at.WAKE]:
        for k in range(e[at.REQUESTERS]):
            advance(e, at.BLOCKS + k * at.BLOCK, clock)
        count_active(e)
    e[at.DONE] = e[at.ACTIVE] == 0


@compiled
def _watch(e, clock):
    """Check the grant of the clock, and a command that is new at the port."""
    tenant = e[at.GRANTED]
    if tenant >= 0:
        block = block_of(e, tenant)
        if block:
            grants = e[block + at.GRANTS]
            if grants >= e[block + at.TAKEN]:
                fault(e, Fault.GRANT_OF_NOTHING, tenant, grants)
                return
            place = grants & e[block + at.KEPT]
            e[e[block + at.GRANTED_AT] + place] = clock
            e[e[block + at.CLASS_OF] + place] = e[at.GRANTED_CLASS]
            e[block + at.GRANTS] = grants + 1
            e[block + at.GRANTED_BYTES] += e[request_row(e, block, grants) + 1] * e[at.BEAT_BYTES]
    if e[at.COMMAND_VALID] and e[at.PORT_BYTES] == 0:
        tenant = e[at.COMMAND_TENANT]
        block = block_of(e, tenant)
        if not block:
            return
        index = e[block + at.COMMANDS]
        if index >= e[block + at.GRANTS]:
            fault(e, Fault.COMMAND_OF_NOTHING, tenant, index)
            return
        row = request_row(e, block, index)
        if not e[at.REORDERED] and (
            e[at.COMMAND_OP] != e[row]
            or e[at.COMMAND_BEATS] != e[row + 1]
            or e[at.COMMAND_ADDRESS] != e[row + 2]
        ):
            fault(e, Fault.WRONG_COMMAND, tenant, index)
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
    row = request_row(e, chosen, index)
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
    serve_port = memory_port(memory)
    memory_quiet_until = memory.quiet_until

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
        serve_port(e, 0, clock)
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
