"""The simple memory clock by clock: a ring of commands in the order in which they complete."""

from mcos_sim.compiling import compiled

__all__ = [
    "accept",
    "quiet_until",
    "serve",
    "takes",
]


FAR = 1 << 48
"""A clock that never comes."""

# The state: single values, then the ring.
RATE = 0
"""Bytes a clock."""
LATENCY = 1
PASSED = 2
"""Clock, times the rate, at which the last byte accepted so far has passed."""
FIRST = 3
"""Commands that have completed; likewise those that were accepted."""
LAST = 4
MASK = 5
RING = 6

# A command in the ring.
RING_ROW = 2
DUE = 0
"""Clock in which it completes."""
SLOT = 1


@compiled
def takes(p):
    """It always takes a command."""
    return True


@compiled
def accept(p, slot, tenant, write, address, size, clock):
    """Take a command that crosses the port in a clock; only its size counts."""
    rate = p[RATE]
    passed = max(p[PASSED], clock * rate) + size
    row = RING + RING_ROW * (p[LAST] & p[MASK])
    p[row + DUE] = -(-passed // rate) + p[LATENCY]
    p[row + SLOT] = slot
    p[PASSED] = passed
    p[LAST] += 1


@compiled
def serve(p, clock):
    """The slot that completes in a clock, or -1; one at most."""
    if p[FIRST] == p[LAST]:
        return -1
    row = RING + RING_ROW * (p[FIRST] & p[MASK])
    if p[row + DUE] > clock:
        return -1
    p[FIRST] += 1
    return p[row + SLOT]


@compiled
def quiet_until(p, clock):
    """The first clock from ``clock`` on in which a command completes."""
    if p[FIRST] == p[LAST]:
        return FAR
    return max(clock, p[RING + RING_ROW * (p[FIRST] & p[MASK]) + DUE])
