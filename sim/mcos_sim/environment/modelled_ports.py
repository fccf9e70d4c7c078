"""The ports of a fabric that is only modelled: what they hold, and how long they take.

A port takes one request a clock. Its bus for read data, and that for write data, passes a beat a
clock. It has a bank of each direction for each channel. A request holds its beats there from the
clock in which the port takes it to the clock of its answer. A request waits while its bank has no
room, or its tenant's queue in the channel has none; all that its tenant asks at the port after it
waits behind it. In each clock a channel takes a request from one port; each port is first in turn.
"""

from mcos_hw.link.request import Op
from mcos_sim.compiling import compiled
from mcos_sim.environment import layout as at
from mcos_sim.environment.requesters import block_of, paused, position, request_row
from mcos_sim.environment.ways import pass_way

__all__ = [
    "hand_on",
    "pass_back",
]


@compiled
def _hold(e, lane, op, channel, beats):
    """Beats more, or less, in a bank of a port."""
    e[e[lane + at.BANKS] + op * e[at.CHANNELS] + channel] += beats


@compiled
def _answer(e, lane, clock):
    """Put the response of a channel into the row of its port, at the clock of its last beat."""
    tenant, request_id = e[lane + at.RESPONSE_TENANT], e[lane + at.RESPONSE_ID]
    block = block_of(e, tenant)
    if block == 0:
        return
    index = max(position(e, block, request_id), 0)
    row = request_row(e, block, index)
    port = at.LANE * e[e[block + at.PORT_OF] + index % e[block + at.ROUND_REQUESTS]]
    beats = e[row + 1]
    if e[row] == Op.WRITE:
        ends = clock + e[at.WRITE_CLOCKS] + beats
    else:
        ends = max(clock + e[at.READ_CLOCKS] + beats, e[port + at.READ_FREE]) + beats
        e[port + at.READ_FREE] = ends
    length = e[at.FABRIC_ANSWERS]
    answers = e[port + at.ANSWERS]
    place = ends % length
    while e[answers + 3 * place]:
        place = (place + 1) % length
    e[answers + 3 * place] = 1
    e[answers + 3 * place + 1] = tenant
    e[answers + 3 * place + 2] = request_id
    e[port + at.ANSWERS_HELD] += 1


@compiled
def pass_back(e, clock):
    """Take the response of each channel; show the one that leaves each port in this clock."""
    for lane in range(0, at.LANE * e[at.CHANNELS], at.LANE):
        if e[lane + at.RESPONSE_VALID]:
            _answer(e, lane, clock)
            e[lane + at.RESPONSE_VALID] = 0
    for lane in range(0, at.LANE * e[at.AXI_PORTS], at.LANE):
        row = e[lane + at.ANSWERS] + 3 * (clock % e[at.FABRIC_ANSWERS])
        e[lane + at.RESPONSE_VALID] = e[row]
        if e[row]:
            tenant, request_id = e[row + 1], e[row + 2]
            e[lane + at.RESPONSE_TENANT] = tenant
            e[lane + at.RESPONSE_ID] = request_id
            e[row] = 0
            e[lane + at.ANSWERS_HELD] -= 1
            block = block_of(e, tenant)
            index = max(position(e, block, request_id), 0) % e[block + at.ROUND_REQUESTS]
            asked = request_row(e, block, index)
            _hold(e, lane, e[asked], e[e[block + at.CHANNEL_OF] + index], -e[asked + 1])


@compiled
def _room(e, lane, clock, block, index):
    """Lane of the channel that takes a request in this clock, or -1."""
    row = request_row(e, block, index)
    channel = e[e[block + at.CHANNEL_OF] + index % e[block + at.ROUND_REQUESTS]]
    held = e[e[lane + at.BANKS] + e[row] * e[at.CHANNELS] + channel]
    ready = at.LANE * channel
    if (
        e[ready + at.REQUEST_VALID]
        or not e[ready + at.READY] >> e[block + at.TAG] & 1
        or held + e[row + 1] > e[at.BANK_BEATS]
        or (e[row] == Op.WRITE and clock < e[lane + at.WRITE_FREE])
    ):
        return -1
    return ready


@compiled
def _hand_on_of(e, lane, clock):
    """Of all requests of a port that a channel takes in this clock, hand on the one offered first.

    Its address in the row is that within its channel.
    """
    number = lane // at.LANE
    chosen, taker = 0, 0
    first = at.NEVER
    for k in range(e[at.REQUESTERS]):
        block = e[at.FIRST_BLOCK] + k * at.BLOCK
        index = e[e[block + at.PORT_WAYS] + at.WAY * number + at.WAY_NEXT]
        if index < e[block + at.OFFERED]:
            offered = e[e[block + at.OFFERED_AT] + (index & e[block + at.KEPT])]
            if offered < first:
                ready = _room(e, lane, clock, block, index)
                if ready >= 0:
                    first = offered
                    chosen = block
                    taker = ready
    if not chosen or paused(e[at.SEED] + lane, clock, e[at.OFFER_PAUSE]):
        return
    way = e[chosen + at.PORT_WAYS] + at.WAY * number
    index = e[way + at.WAY_NEXT]
    e[chosen + at.TAKEN] += 1
    e[e[chosen + at.TAKEN_AT] + (index & e[chosen + at.KEPT])] = clock
    pass_way(e, chosen, way)
    row = request_row(e, chosen, index)
    _hold(e, lane, e[row], taker // at.LANE, e[row + 1])
    if e[row] == Op.WRITE:
        e[lane + at.WRITE_FREE] = clock + e[row + 1]
    e[taker + at.REQUEST_VALID] = 1
    e[taker + at.REQUEST_TENANT] = e[chosen + at.TAG]
    e[taker + at.REQUEST_ID] = index & e[at.ID_MASK]
    e[taker + at.REQUEST_OP] = e[row]
    e[taker + at.REQUEST_BEATS] = e[row + 1]
    e[taker + at.REQUEST_ADDRESS] = e[row + 2]
    e[taker + at.REQUEST_OFFERED] = first - e[chosen + at.STAMP_AGE]


@compiled
def hand_on(e, clock):
    """Hand the next request of each port to its channel."""
    for lane in range(0, at.LANE * e[at.CHANNELS], at.LANE):
        e[lane + at.REQUEST_VALID] = 0
    ports = e[at.AXI_PORTS]
    for k in range(ports):
        _hand_on_of(e, at.LANE * ((clock + k) % ports), clock)
