"""Guarantees of a fabric whose tenants favour some channels, as a fluid of rates.

The quick look at the coordinator's rule: buckets, classes and shares as docs/channel.md has them,
in steps of some clocks, without requests, queues or an arbiter. Seconds instead of hours, for what
takes hundreds of intervals.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np

from mcos_hw.config import ADMISSIBLE_SHARE, ChannelConfig
from mcos_sim.compiling import compiled
from mcos_sim.model.coordinator import decide

__all__ = [
    "Flow",
    "Lending",
    "hot_channels",
]


STEP = 16
"""Clocks of a step of the fluid."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Flow:
    """What a tenant has and asks for.

    Parameters
    ----------
    guarantee : float
        Its committed rate on a channel by the image, as a share of the channel.
    peak : float
        Its peak rate likewise.
    demand : array of float, (intervals, channels)
        What it asks for in each interval, as a share of a channel.
    patience : float
        Intervals of its guarantee that it keeps under way; what it cannot send beyond is lost.
    """

    guarantee: float
    peak: float
    demand: np.ndarray
    patience: float = 4.0


def hot_channels(
    intervals: int, channels: int, hot: Sequence[int], *, every: int = 0, total: float
) -> np.ndarray:
    """Demand of a tenant whose ``total`` goes to the channels ``hot``, which move every so many
    intervals.
    """
    demand = np.zeros((intervals, channels))
    for k in range(intervals):
        moved = [(c + k // every if every else c) % channels for c in hot]
        demand[k, moved] = total / len(hot)
    return demand


@dataclasses.dataclass(frozen=True, kw_only=True)
class Lending:
    """A fabric in which rates are lent, or not.

    Parameters
    ----------
    channels : int
        How many channels.
    config : ChannelConfig
        Sizes of each.
    interval : int
        Log2 of the clocks of an interval.
    burst_intervals : float
        Depth of the buckets: the rate over so many intervals.
    lends : bool
        Whether there is a coordinator.
    """

    channels: int
    config: ChannelConfig = dataclasses.field(default_factory=lambda: ChannelConfig(tenants=4))
    interval: int = 10
    burst_intervals: float = 2.0
    lends: bool = True

    def served(self, flows: list[Flow]) -> tuple[np.ndarray, np.ndarray]:
        """Run the flows.

        Returns
        -------
        tuple of array, array
            Shares of a channel that each tenant got in each interval, (intervals, channels,
            tenants): of any class, and of the conforming one alone.
        """
        config = self.config
        tenants = config.tenants
        rate = config.bytes_per_clock << config.rate_fraction
        base = np.array([int(each.guarantee * rate) for each in flows], dtype=np.int64)
        peak = np.array([each.peak for each in flows]) * config.bytes_per_clock
        clocks = 1 << self.interval
        least = config.l_max * (base > 0)
        depth = np.maximum(least, (base * self.burst_intervals * clocks) / (1 << 16))
        demand = np.stack([each.demand for each in flows], axis=2) * config.bytes_per_clock
        patience = np.array([each.patience * each.guarantee for each in flows])
        limits = np.full(self.channels, int(ADMISSIBLE_SHARE * rate), dtype=np.int64)
        shape = (len(demand), self.channels, tenants)
        total, conforming = np.zeros(shape), np.zeros(shape)
        _run(
            base,
            depth.astype(np.int64),
            peak,
            patience * config.bytes_per_clock * clocks,
            demand,
            limits,
            (self.interval, 5, config.rate_fraction, config.l_max),
            float(config.bytes_per_clock),
            self.lends,
            total,
            conforming,
            np.zeros((7, self.channels, tenants)),
            np.zeros((4, self.channels, tenants), dtype=np.int64),
            np.zeros((self.channels + 1, tenants + 1), dtype=np.int64),
        )
        whole = config.bytes_per_clock * clocks
        return total / whole, conforming / whole


@compiled
def _fill(asked, weights, got, room):
    """Give to each what it asks for, in proportion to the weights where the room is too small.

    Returns what is left of the room.
    """
    tenants = len(asked)
    for i in range(tenants):
        got[i] = 0.0
    for _ in range(tenants):
        total = 0.0
        for i in range(tenants):
            if asked[i] - got[i] > 1e-9:
                total += weights[i]
        if total <= 0 or room <= 1e-9:
            break
        level = room / total
        for i in range(tenants):
            if asked[i] - got[i] > 1e-9:
                level = min(level, (asked[i] - got[i]) / weights[i])
        for i in range(tenants):
            if asked[i] - got[i] > 1e-9:
                got[i] += level * weights[i]
                room -= level * weights[i]
    return room


@compiled
def _run(
    base,
    depth,
    peak,
    patience,
    demand,
    limits,
    sizes,
    capacity,
    lends,
    total,
    conforming,
    state,
    ints,
    scratch,
):
    intervals, channels, tenants = demand.shape
    steps = (1 << sizes[0]) // STEP
    unit = 1.0 / (1 << sizes[2])
    backlog, tokens, peaks, most, used = state[0], state[1], state[2], state[3], state[4]
    weights, asked, got = state[5, 0], state[5, 1], state[6, 0]
    rates, short, beats, level = ints[0], ints[1], ints[2], ints[3]
    for i in range(tenants):
        weights[i] = base[i] * unit + 1e-3
        for c in range(channels):
            rates[c, i] = base[i]
            tokens[c, i] = depth[i]
            most[c, i] = depth[i] * max(1.0, peak[i] / max(base[i] * unit, 1e-9))
            peaks[c, i] = most[c, i]
    for k in range(intervals):
        for _ in range(steps):
            for c in range(channels):
                room = capacity * STEP
                for i in range(tenants):
                    backlog[c, i] = min(backlog[c, i] + demand[k, c, i] * STEP, patience[i])
                for grade in range(3):
                    for i in range(tenants):
                        limit = tokens[c, i] if grade == 0 else peaks[c, i]
                        if grade == 2:
                            limit = backlog[c, i]
                        asked[i] = min(backlog[c, i], max(limit, 0.0))
                    room = _fill(asked, weights, got, room)
                    for i in range(tenants):
                        backlog[c, i] -= got[i]
                        total[k, c, i] += got[i]
                        if grade == 0:
                            tokens[c, i] -= got[i]
                            conforming[k, c, i] += got[i]
                            used[c, i] += got[i]
                        if grade < 2:
                            peaks[c, i] -= got[i]
                        if grade == 0 and backlog[c, i] > tokens[c, i]:
                            short[c, i] = 1
                for i in range(tenants):
                    rate = rates[c, i] * unit
                    tokens[c, i] = min(tokens[c, i] + rate * STEP, depth[i])
                    peaks[c, i] = min(peaks[c, i] + max(rate, peak[i]) * STEP, most[c, i])
        for c in range(channels):
            for i in range(tenants):
                beats[c, i] = int(used[c, i]) >> sizes[1]
                level[c, i] = int(max(tokens[c, i], 0.0))
                used[c, i] = 0.0
        placed = lends and decide(
            base, depth, limits, beats, level, short, sizes, k, rates, scratch
        )
        for c in range(channels):
            for i in range(tenants):
                short[c, i] = 0
                if not placed:
                    rates[c, i] = base[i]
