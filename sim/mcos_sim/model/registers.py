"""The monitor's registers as software would read them from the model."""

import numpy as np

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import GRANT_KINDS, LATENCY_BINS, channel_map
from mcos_sim.model import layout as at

__all__ = [
    "monitor_registers",
]


_COUNT_BITS = 31
"""Bits of a count, by docs/channel.md; not imported, so that a comparison sees the hardware's."""


def monitor_registers(s: np.ndarray, config: ChannelConfig) -> dict[str, list[int]]:
    """Words of the latched epoch by register name."""
    tenants = config.tenants

    def counted(place: int, length: int) -> list[int]:
        words = s[place : place + length]
        return np.where(words >> _COUNT_BITS, 0xFFFF_FFFF, words).tolist()

    def latched(place: int, each: int) -> list[int]:
        return counted(place + at.LATCHED, tenants * each)

    queue = channel_map(config)["QUEUE"]
    return {
        "EPOCH": [int(s[at.EPOCH]) - 1],
        "BUSY": counted(at.LATCHED_BUSY, 1),
        "STALLED": counted(at.LATCHED_STALLED, 1),
        "LOAD": [int(s[at.LOAD])],
        "QUEUE": [
            queue.pack(now=int(s[at.COUNT + i]), peak=int(s[at.LATCHED_PEAK + i]))
            for i in range(tenants)
        ],
        "HELD": counted(at.LATCHED_HELD, tenants),
        "PROMOTIONS": latched(at.PROMOTIONS, 1),
        "RESPONSES": latched(at.RESPONSES, 1),
        "SLO_VIOLATIONS": latched(at.SLO_VIOLATIONS, 1),
        "COLOUR_FAULTS": latched(at.COLOUR_FAULTS, 1),
        "GRANT_REQUESTS": latched(at.GRANT_REQUESTS, GRANT_KINDS),
        "GRANT_BYTES": latched(at.GRANT_BYTES, GRANT_KINDS),
        "LATENCY": latched(at.LATENCY, LATENCY_BINS),
    }
