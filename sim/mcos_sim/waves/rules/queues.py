"""Queues: what comes in and is granted accounts for every level."""

from mcos_hw.link.classes import NO_CLASS
from mcos_sim.compiling import compiled
from mcos_sim.waves.rules.quantity import Quantity
from mcos_sim.waves.rules.violation import Rule, tell

__all__ = [
    "check_heads",
    "check_queues",
]

_LOST_REQUEST = int(Rule.LOST_REQUEST)
_DOUBLE_GRANT = int(Rule.DOUBLE_GRANT)
_STUCK = int(Rule.STUCK)
_OVERFLOW = int(Rule.OVERFLOW)

_OF_REQUESTS = int(Quantity.REQUESTS)
_OF_SERVICEABLE = int(Quantity.SERVICEABLE)

_NO_CLASS = NO_CLASS

_ENTRY_CLOCKS = 8
"""Clocks from a request's arrival to its head being shown, and some more."""


@compiled
def check_queues(found, granted, tenant, request, request_tenant, queued, present, depth):
    """``queued' = queued + taken - granted``, and a queue that is not empty shows its head.

    Parameters
    ----------
    depth : int
        Requests that a queue has room for.
    """
    for i in range(queued.shape[1]):
        hidden = 0
        for k in range(len(granted) - 1):
            leaves = granted[k] and tenant[k] == i
            expected = queued[k, i] + (request[k] and request_tenant[k] == i) - leaves
            told = queued[k + 1, i]
            if told < expected:
                tell(found, _LOST_REQUEST, k + 1, i, -1, told, expected, _OF_REQUESTS)
            elif told > expected:
                tell(found, _DOUBLE_GRANT, k + 1, i, -1, told, expected, _OF_REQUESTS)
            if told > depth and told > queued[k, i]:
                tell(found, _OVERFLOW, k + 1, i, -1, told, depth, _OF_REQUESTS)
            hidden = hidden + 1 if queued[k, i] and not present[k, i] else 0
            if hidden == _ENTRY_CLOCKS:
                tell(found, _STUCK, k, i, -1, queued[k, i], 0, _OF_REQUESTS)


@compiled
def check_heads(found, present, code, serviceable):
    """A head is serviceable if it has a class."""
    for k in range(len(present)):
        for i in range(present.shape[1]):
            if serviceable[k, i] != (present[k, i] and code[k, i] != _NO_CLASS):
                tell(found, _STUCK, k, i, -1, serviceable[k, i], code[k, i], _OF_SERVICEABLE)
