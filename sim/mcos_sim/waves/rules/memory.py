"""What memory owes: slots, bytes in flight, and whom its completions answer."""

from mcos_sim.compiling import compiled
from mcos_sim.waves.rules.quantity import Quantity
from mcos_sim.waves.rules.violation import Rule, tell

__all__ = [
    "check_credit",
    "check_memory",
]

_CREDIT = int(Rule.CREDIT)
_NO_CREDIT = int(Rule.NO_CREDIT)
_IN_FLIGHT = int(Rule.IN_FLIGHT)
_SLOT = int(Rule.SLOT)
_WRONG_RESPONSE = int(Rule.WRONG_RESPONSE)

_OF_ANSWERED = int(Quantity.ANSWERED_TENANT)
_OF_IN_FLIGHT = int(Quantity.IN_FLIGHT)
_OF_REQUEST_ID = int(Quantity.REQUEST_ID)
_OF_SLOT = int(Quantity.SLOT)
_OF_SLOTS = int(Quantity.SLOTS)

_COMMIT_CLOCKS = 4
"""Clocks after a commit in which the credit of the image before may still be felt."""


@compiled
def check_credit(found, in_flight, granted, tenant, sizes, longest, credits, image):
    """A grant needs credit for a longest request, whatever memory returned a clock ago.

    Parameters
    ----------
    sizes : (n,)
        Bytes that are granted in each clock.
    longest : int
        Bytes of a longest request.
    """
    for k in range(1, len(in_flight)):
        limit = max(credits[image[k]], credits[image[max(k - _COMMIT_CLOCKS, 0)]])
        if in_flight[k] > limit and in_flight[k] > in_flight[k - 1]:
            tell(found, _CREDIT, k, -1, -1, in_flight[k], limit, _OF_IN_FLIGHT)
        owed = in_flight[k - 1] + sizes[k - 1]
        if granted[k] and owed > limit - longest:
            tell(found, _NO_CREDIT, k, tenant[k], -1, owed, limit - longest, _OF_IN_FLIGHT)


@compiled
def check_memory(
    found,
    in_flight,
    sizes,
    granted,
    longest,
    beat,
    command,
    command_slot,
    command_tenant,
    command_beats,
    command_id,
    completion,
    completion_slot,
    response,
    response_tenant,
    response_id,
    slots,
):
    """Bytes in flight and slots by commands and completions, those from before left out.

    A response comes a clock after its completion, and frees slot and bytes in that clock.

    Parameters
    ----------
    sizes : (n,)
        Bytes that are granted in each clock.
    longest, beat : int
        Bytes of a longest request, and of a beat.
    command_id : (n,)
        Id of the request that a command is; -1 where it is not known.
    slots : (slots, 4)
        Zero; filled with whether a slot is taken, and tenant, beats and id of what took it.
    """
    # At least so many requests are granted and not served: what is in flight at the beginning.
    out = (in_flight[0] + longest - 1) // longest
    is_known, tenant, size, number = False, 0, 0, 0
    for k in range(len(in_flight)):
        served = k > 0 and completion[k - 1]
        if served and is_known and response[k]:
            if response_tenant[k] != tenant:
                i = response_tenant[k]
                tell(found, _WRONG_RESPONSE, k, i, tenant, response_id[k], number, _OF_ANSWERED)
            elif number >= 0 and response_id[k] != number:
                tell(found, _WRONG_RESPONSE, k, tenant, -1, response_id[k], number, _OF_REQUEST_ID)
        if 0 < k < len(in_flight) - 1 and (is_known or not served):
            expected = in_flight[k] + sizes[k] - (size if served else 0)
            if in_flight[k + 1] != expected:
                tell(found, _IN_FLIGHT, k + 1, -1, -1, in_flight[k + 1], expected, _OF_IN_FLIGHT)
        out += granted[k]
        if granted[k] and out > len(slots):
            tell(found, _SLOT, k, -1, -1, out, len(slots), _OF_SLOTS)
        # In the first clock the completion is not shown, but its response is.
        if served or (k == 0 and response[0]):
            out = max(out - 1, 0)
        if command[k]:
            slot = command_slot[k]
            if slots[slot, 0]:
                tell(found, _SLOT, k, command_tenant[k], slots[slot, 1], slot, -1, _OF_SLOT)
            slots[slot, 0] = 1
            slots[slot, 1] = command_tenant[k]
            slots[slot, 2] = command_beats[k] * beat
            slots[slot, 3] = command_id[k]
        if completion[k]:
            slot = completion_slot[k]
            is_known = slots[slot, 0] == 1
            tenant, size, number = slots[slot, 1], slots[slot, 2], slots[slot, 3]
            slots[slot, 0] = 0
