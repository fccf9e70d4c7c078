"""A memory of a fixed latency that passes any number of bytes: a link in its simplest form."""

import dataclasses
import sys

import numpy as np

from mcos_sim.compiling import compiled

FAR = 1 << 48

LATENCY, FIRST, LAST, MASK, RING = range(5)


@compiled
def takes(p):
    return True


@compiled
def accept(p, slot, tenant, write, address, size, clock):
    row = RING + 2 * (p[LAST] & p[MASK])
    p[row] = clock + p[LATENCY]
    p[row + 1] = slot
    p[LAST] += 1


@compiled
def serve(p, clock):
    if quiet_until(p, 0) > clock:
        return -1
    slot = p[RING + 2 * (p[FIRST] & p[MASK]) + 1]
    p[FIRST] += 1
    return slot


@compiled
def quiet_until(p, clock):
    if p[FIRST] == p[LAST]:
        return FAR
    return max(clock, p[RING + 2 * (p[FIRST] & p[MASK])])


@dataclasses.dataclass(frozen=True)
class Distant:
    """The memory as a scenario declares it."""

    @property
    def model(self):
        return sys.modules[__name__]

    def state(self, config, *, latency, first_clock):
        p = np.zeros(RING + 2 * config.slots, dtype=np.int64)
        p[LATENCY] = latency
        p[MASK] = config.slots - 1
        return p

    def counts(self, state, config):
        return None
