"""Ports: every grant becomes the command of the request that it was made for, and one answer."""

from mcos_hw.channel.outlet import OUTLET_DEPTH
from mcos_sim.compiling import compiled
from mcos_sim.waves.rules.quantity import Quantity
from mcos_sim.waves.rules.violation import Rule, tell

__all__ = [
    "UNSENT",
    "check_answers",
    "check_commands",
    "check_handshake",
]

_DOUBLE_GRANT = int(Rule.DOUBLE_GRANT)
_LOST_REQUEST = int(Rule.LOST_REQUEST)
_WRONG_COMMAND = int(Rule.WRONG_COMMAND)
_LOST_RESPONSE = int(Rule.LOST_RESPONSE)
_DOUBLE_RESPONSE = int(Rule.DOUBLE_RESPONSE)
_HANDSHAKE = int(Rule.HANDSHAKE)

_OF_ADDRESS = int(Quantity.ADDRESS)
_OF_BEATS = int(Quantity.COMMAND_BEATS)
_OF_CLOCKS = int(Quantity.COMMAND_CLOCKS)
_OF_OP = int(Quantity.COMMAND_OP)
_OF_TENANT = int(Quantity.COMMAND_TENANT)
_OF_GRANTED = int(Quantity.GRANTED_BEATS)
_OF_OFFER = int(Quantity.OFFER)
_OF_OWED = int(Quantity.OWED)
_OF_REQUEST_ID = int(Quantity.REQUEST_ID)
_OF_TAKEN = int(Quantity.TAKEN)
_OF_UNASKED = int(Quantity.UNASKED)
_OF_UNGRANTED = int(Quantity.UNGRANTED)

UNSENT = OUTLET_DEPTH + 1
"""Commands of grants from before a waveform, at most."""

_FAR = 64
"""Requests of a tenant among which a command is looked for."""

_ANSWER_CLOCKS = 4
"""Clocks from a completion to its response, at most."""


@compiled
def check_commands(
    found,
    skipped,
    grants,
    tenant,
    beats,
    queued,
    commands,
    command_tenant,
    command_op,
    command_address,
    command_beats,
    requests,
    request_tenant,
    request_op,
    request_address,
    request_beats,
    places,
    counts,
    of_request,
):
    """Commands follow grants in order, and tenant by tenant the requests in the order they came.

    Parameters
    ----------
    skipped : int
        Commands of grants from before the waveform.
    grants, commands, requests : (events,)
        Rows with such an event.
    places : (tenants, requests)
        Filled with the rows of each tenant's requests.
    counts : (2, tenants)
        Zero; filled with requests of each tenant, and with commands so far, those of requests from
        before the waveform as negative numbers.
    of_request : (clocks,)
        -1; filled with the row of the request that a command is.
    """
    for row in requests:
        i = request_tenant[row]
        places[i, counts[0, i]] = row
        counts[0, i] += 1
    for i in range(counts.shape[1]):
        counts[1, i] = -queued[0, i]
    for n in range(min(skipped, len(commands))):
        counts[1, command_tenant[commands[n]]] -= 1
    for n in range(len(commands)):
        c = commands[n]
        i = command_tenant[c]
        if n >= skipped:
            if n - skipped >= len(grants):
                tell(found, _WRONG_COMMAND, c, i, -1, command_beats[c], 0, _OF_UNGRANTED)
                continue
            k = grants[n - skipped]
            if tenant[k] != i:
                tell(found, _WRONG_COMMAND, c, i, tenant[k], i, tenant[k], _OF_TENANT)
            elif beats[k] != command_beats[c]:
                tell(found, _WRONG_COMMAND, c, i, -1, command_beats[c], beats[k], _OF_GRANTED)
            elif c <= k:
                tell(found, _WRONG_COMMAND, c, i, -1, c - k, 1, _OF_CLOCKS)
        index = counts[1, i]
        counts[1, i] += 1
        if index < 0:
            continue
        if index >= counts[0, i]:
            tell(found, _DOUBLE_GRANT, c, i, -1, command_address[c], 0, _OF_UNASKED)
            continue
        row = places[i, index]
        if (
            request_address[row] == command_address[c]
            and request_op[row] == command_op[c]
            and request_beats[row] == command_beats[c]
        ):
            of_request[c] = row
            continue
        before = places[i, index - 1]
        rule = _WRONG_COMMAND
        if index and request_address[before] == command_address[c]:
            rule = _DOUBLE_GRANT
            counts[1, i] = index
        else:
            # If it is a later one, those before it are lost.
            for later in range(index + 1, min(counts[0, i], index + _FAR)):
                if request_address[places[i, later]] == command_address[c]:
                    rule = _LOST_REQUEST
                    counts[1, i] = later + 1
                    break
        if request_address[row] != command_address[c]:
            tell(found, rule, c, i, -1, command_address[c], request_address[row], _OF_ADDRESS)
        elif request_beats[row] != command_beats[c]:
            tell(found, rule, c, i, -1, command_beats[c], request_beats[row], _OF_BEATS)
        else:
            tell(found, rule, c, i, -1, command_op[c], request_op[row], _OF_OP)


@compiled
def check_answers(
    found,
    completion,
    response,
    response_tenant,
    response_id,
    request,
    request_tenant,
    request_id,
    answered,
):
    """As many responses as completions, each for a request that has none.

    Parameters
    ----------
    answered : (tenants, ids)
        Zero; set while the last request of that id is answered.
    """
    owed = 0
    late = 0
    for k in range(len(completion)):
        if request[k]:
            answered[request_tenant[k], request_id[k]] = 0
        owed += completion[k]
        if response[k]:
            owed -= 1
            i, number = response_tenant[k], response_id[k]
            if answered[i, number]:
                tell(found, _DOUBLE_RESPONSE, k, i, -1, number, 0, _OF_REQUEST_ID)
                owed += 1
            answered[i, number] = 1
        if k >= _ANSWER_CLOCKS and owed < -_ANSWER_CLOCKS:
            tell(found, _DOUBLE_RESPONSE, k, -1, -1, owed, 0, _OF_OWED)
            owed = 0
        late = late + 1 if owed > 0 and not response[k] else 0
        if owed > _ANSWER_CLOCKS or late > _ANSWER_CLOCKS:
            tell(found, _LOST_RESPONSE, k, -1, -1, owed, 0, _OF_OWED)
            owed = 0
            late = 0


@compiled
def check_handshake(found, stays, is_offered, offered, taken, tenant, address):
    """What is offered stays as it is until it is taken, and nothing else is taken.

    Parameters
    ----------
    stays : (clocks,)
        Whether the offer of a clock is that of the clock before.
    is_offered : (clocks,)
        Whether what is taken, if anything is, is what is offered.
    offered, taken : (clocks,)
        Whether a command stands at the port, and whether memory takes one.
    tenant, address : (clocks,)
        Of the offer.
    """
    for k in range(len(offered)):
        if taken[k] and not is_offered[k]:
            tell(found, _HANDSHAKE, k, tenant[k], -1, taken[k], offered[k], _OF_TAKEN)
        if k and offered[k - 1] and not taken[k - 1] and not stays[k]:
            tell(found, _HANDSHAKE, k, tenant[k - 1], -1, address[k], address[k - 1], _OF_OFFER)
