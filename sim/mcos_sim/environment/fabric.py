"""One clock of an environment around a fabric: requesters at P ports, memories behind N channels.

The RTL shows each port and each channel in a lane of its own. The ports of the reference are only
modelled: :mod:`mcos_sim.environment.modelled_ports` brings requests to its channels and answers to
its requesters.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from mcos_sim.compiling import compiled
from mcos_sim.environment import layout as at
from mcos_sim.environment.drive import Step
from mcos_sim.environment.faults import Fault
from mcos_sim.environment.memory_port import memory_port
from mcos_sim.environment.modelled_ports import hand_on, pass_back
from mcos_sim.environment.requesters import (
    advance,
    block_of,
    count_active,
    fault,
    paused,
    request_row,
    respond,
)
from mcos_sim.environment.ways import pass_way

if TYPE_CHECKING:
    from mcos_sim.memory.memory import MemoryModel

__all__ = [
    "fabric_step",
    "modelled_fabric_step",
]


@compiled
def _ask(e, clock):
    """Requesters: take the response of each port, start steps, say whether all is done."""
    stopped = False
    for lane in range(0, at.LANE * e[at.AXI_PORTS], at.LANE):
        if e[lane + at.RESPONSE_VALID]:
            block = block_of(e, e[lane + at.RESPONSE_TENANT])
            if block:
                respond(e, block, e[lane + at.RESPONSE_ID], clock)
                advance(e, block, clock)
                stopped |= e[block + at.STOPPED] != 0
                e[at.WAKE] = min(e[at.WAKE], e[block + at.NEXT_START])
    if clock >= e[at.WAKE]:
        for k in range(e[at.REQUESTERS]):
            advance(e, e[at.FIRST_BLOCK] + k * at.BLOCK, clock)
        stopped = True
    if stopped:
        count_active(e)
    e[at.DONE] = e[at.ACTIVE] == 0


@compiled
def _watch(e, lane, clock):
    """Check the grant of a channel, and a command that is new at its memory port.

    Requests of several ports may pass in any order: a grant counts as that of the tenant's next
    request in the channel.
    """
    tenant = e[lane + at.GRANTED]
    number = lane // at.LANE
    if tenant >= 0:
        block = block_of(e, tenant)
        if block:
            way = e[block + at.CHANNEL_WAYS] + at.WAY * number
            index = e[way + at.WAY_NEXT]
            if index >= e[block + at.OFFERED]:
                fault(e, Fault.GRANT_OF_NOTHING, tenant, e[way + at.WAY_PASSED])
                return
            place = index & e[block + at.KEPT]
            e[e[block + at.GRANTED_AT] + place] = clock
            e[e[block + at.CLASS_OF] + place] = e[lane + at.GRANTED_CLASS]
            e[block + at.GRANTS] += 1
            e[block + at.GRANTED_BYTES] += e[request_row(e, block, index) + 1] * e[at.BEAT_BYTES]
            pass_way(e, block, way)
    if e[lane + at.COMMAND_VALID] and e[lane + at.PORT_BYTES] == 0:
        tenant = e[lane + at.COMMAND_TENANT]
        block = block_of(e, tenant)
        if not block:
            return
        way = e[block + at.CHANNEL_WAYS] + at.WAY * number
        if e[way + at.WAY_COMMANDS] >= e[way + at.WAY_PASSED]:
            fault(e, Fault.COMMAND_OF_NOTHING, tenant, e[way + at.WAY_COMMANDS])
            return
        e[way + at.WAY_COMMANDS] += 1
        e[lane + at.PORT_BYTES] = e[lane + at.COMMAND_BEATS] * e[at.BEAT_BYTES]
        e[lane + at.PORT_SLOT] = e[lane + at.COMMAND_SLOT]


@compiled
def _offer(e, lane, clock):
    """Ingress of a port: of all requests that it can take, the one offered first."""
    e[lane + at.REQUEST_VALID] = 0
    ready = e[lane + at.READY]
    if not ready:
        return
    number = lane // at.LANE
    chosen = 0
    first = at.NEVER
    for k in range(e[at.REQUESTERS]):
        block = e[at.FIRST_BLOCK] + k * at.BLOCK
        index = e[e[block + at.PORT_WAYS] + at.WAY * number + at.WAY_NEXT]
        if index < e[block + at.OFFERED] and ready >> e[block + at.TAG] & 1:
            offered = e[e[block + at.OFFERED_AT] + (index & e[block + at.KEPT])]
            if offered < first:
                first = offered
                chosen = block
    if not chosen or paused(e[at.SEED] + lane, clock, e[at.OFFER_PAUSE]):
        return
    way = e[chosen + at.PORT_WAYS] + at.WAY * number
    index = e[way + at.WAY_NEXT]
    e[chosen + at.TAKEN] += 1
    e[e[chosen + at.TAKEN_AT] + (index & e[chosen + at.KEPT])] = clock
    pass_way(e, chosen, way)
    row = request_row(e, chosen, index)
    e[lane + at.REQUEST_VALID] = 1
    e[lane + at.REQUEST_TENANT] = e[chosen + at.TAG]
    e[lane + at.REQUEST_ID] = index & e[at.ID_MASK]
    e[lane + at.REQUEST_OP] = e[row]
    e[lane + at.REQUEST_BEATS] = e[row + 1]
    e[lane + at.REQUEST_ADDRESS] = e[row + 2]
    e[lane + at.REQUEST_OFFERED] = first - e[chosen + at.STAMP_AGE]


@compiled
def _rest(e):
    """Nothing is driven any more."""
    for lane in range(0, at.LANE * max(e[at.AXI_PORTS], e[at.CHANNELS]), at.LANE):
        e[lane + at.REQUEST_VALID] = 0
        e[lane + at.COMMAND_READY] = 0
        e[lane + at.COMPLETION_VALID] = 0


@functools.cache
def fabric_step(memory: MemoryModel) -> Step:
    """What an environment does in a clock around the RTL of a fabric.

    Parameters
    ----------
    memory : MemoryModel
        The model of the memory behind each channel.
    """
    serve_port = memory_port(memory)

    @compiled
    def drive(e):
        clock = e[at.CLOCK]
        _ask(e, clock)
        if not e[at.DONE] and not e[at.FAULT]:
            for lane in range(0, at.LANE * e[at.CHANNELS], at.LANE):
                _watch(e, lane, clock)
                serve_port(e, lane, clock)
            for lane in range(0, at.LANE * e[at.AXI_PORTS], at.LANE):
                _offer(e, lane, clock)
            e[at.CLOCK] = clock + 1
        else:
            _rest(e)

    @compiled
    def quiet_until(e):
        return e[at.CLOCK]

    return Step(drive=drive, quiet_until=quiet_until)


@functools.cache
def modelled_fabric_step(memory: MemoryModel) -> Step:
    """What an environment does in a clock around the reference model of a fabric.

    Parameters
    ----------
    memory : MemoryModel
        The model of the memory behind each channel.
    """
    serve_port = memory_port(memory)
    memory_quiet_until = memory.quiet_until

    @compiled
    def drive(e):
        clock = e[at.CLOCK]
        pass_back(e, clock)
        _ask(e, clock)
        if not e[at.DONE] and not e[at.FAULT]:
            for lane in range(0, at.LANE * e[at.CHANNELS], at.LANE):
                _watch(e, lane, clock)
                serve_port(e, lane, clock)
            hand_on(e, clock)
            e[at.CLOCK] = clock + 1
        else:
            _rest(e)

    @compiled
    def quiet_until(e):
        clock = e[at.CLOCK]
        if e[at.OFFER_PAUSE] or e[at.COMMAND_PAUSE]:
            return clock
        for k in range(e[at.REQUESTERS]):
            block = e[at.FIRST_BLOCK] + k * at.BLOCK
            if e[block + at.TAKEN] != e[block + at.OFFERED]:
                return clock
        for lane in range(0, at.LANE * e[at.AXI_PORTS], at.LANE):
            if e[lane + at.ANSWERS_HELD]:
                return clock
        until = e[at.WAKE]
        for lane in range(0, at.LANE * e[at.CHANNELS], at.LANE):
            if e[lane + at.PORT_BYTES]:
                return clock
            p = e[e[lane + at.MEMORY] : e[lane + at.MEMORY_END]]
            until = min(until, memory_quiet_until(p, clock))
        return max(clock, until)

    return Step(drive=drive, quiet_until=quiet_until)
