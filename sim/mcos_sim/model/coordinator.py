"""The coordinator's rule in compiled Python: the second opinion on the hardware.

docs/coordinator.md has the rule and its reasons.
"""

import numpy as np

from mcos_sim.compiling import compiled

__all__ = [
    "decide",
    "walk",
]


MARGIN_SHIFT = 7
"""A lender keeps 2**-7 of its base rate beside what it uses; see docs/coordinator.md. Not imported
from the hardware, so that a comparison sees the hardware's."""

USE_SHIFT = 5
"""A lender keeps 2**-5 of what it uses beside that."""

NO_LIMIT = 1 << 40
"""What a channel wants whose tenant waits for tokens: more than there is."""

STEPS = 4
"""Steps in which the rate of a tenant finds its place: a share for each channel that wants some,
the rest for those, what is left goes home, and where home is full anywhere else."""


def walk(base, depth, limits, used, level, short, *, sizes, turn):
    """One walk of the coordinator, from arrays as :func:`decide` has them.

    Returns
    -------
    array of int64, (channels, tenants)
        Rates in force.
    """
    rates = np.zeros(used.shape, dtype=np.int64)
    scratch = np.zeros((len(limits) + 1, len(base) + 1), dtype=np.int64)
    placed = decide(base, depth, limits, used, level, short, sizes, turn, rates, scratch)
    return rates if placed else np.broadcast_to(base, used.shape).copy()


@compiled
def decide(base, depth, limits, used, level, short, sizes, turn, rates, scratch):
    """Rates in force from what the channels saw, by one walk.

    Parameters
    ----------
    base : array of int64, (tenants,)
        Committed rate of each tenant on a channel by the image, in 2**-rate_fraction bytes/clock.
    depth : array of int64, (tenants,)
        Depth of each committed bucket in bytes.
    limits : array of int64, (channels,)
        Admissible sum of rates of each channel.
    used : array of int64, (channels, tenants)
        Beats that were granted as conforming since the pair was visited last.
    level : array of int64, (channels, tenants)
        Whole bytes in the committed bucket, 0 where it owes.
    short : array of int64, (channels, tenants)
        Whether a head lacked committed tokens since the pair was visited last.
    sizes : tuple of int
        Log2 of the interval in clocks, log2 of the bytes of a beat, rate_fraction, and l_max.
    turn : int
        Number of the walk: which tenant and which channel come first.
    rates : array of int64, (channels, tenants)
        Filled with the rates in force.
    scratch : array of int64, (channels + 1, tenants + 1)
        Room for what the walk keeps: what each pair wants, the rest of each channel's limit in the
        last column, and what each tenant has to lend in the last row.

    Returns
    -------
    bool
        Whether all rate found a place. If not, the rates of the image are in force.
    """
    interval, beat_bits, fraction, l_max = sizes
    channels, tenants = rates.shape
    pool, room = channels, tenants
    for c in range(channels):
        scratch[c, room] = limits[c]
    for i in range(tenants):
        reserve = base[i] >> (fraction - 1 - interval)
        scratch[pool, i] = 0
        for c in range(channels):
            rested = level[c, i] >= reserve or level[c, i] + l_max >= depth[i]
            use = used[c, i] << (beat_bits + fraction - interval)
            demand = use + (use >> USE_SHIFT) + (base[i] >> MARGIN_SHIFT)
            if base[i] == 0:
                demand = 0
            elif not rested:
                demand = NO_LIMIT if short[c, i] else max(demand, base[i])
            keep = min(demand, base[i])
            rates[c, i] = keep
            scratch[c, i] = demand - keep
            scratch[pool, i] += base[i] - keep
            scratch[c, room] -= keep
    placed = True
    for j in range(tenants):
        i = (turn + j) % tenants
        asking = 0
        for c in range(channels):
            asking += scratch[c, i] > 0
        share = scratch[pool, i]
        while asking > 1:
            asking = (asking + 1) // 2
            share >>= 1
        for step in range(STEPS):
            for k in range(channels):
                c = (turn + k) % channels
                given = min(scratch[c, room], scratch[pool, i])
                if step == 0:
                    given = min(given, share)
                if step < 2:
                    given = min(given, scratch[c, i])
                elif step == 2:
                    given = min(given, max(base[i] - rates[c, i], 0))
                rates[c, i] += given
                if step < 2:
                    scratch[c, i] -= given
                scratch[c, room] -= given
                scratch[pool, i] -= given
        placed &= scratch[pool, i] == 0
    return placed
