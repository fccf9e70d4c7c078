"""The monitor's registers as software would read them from the model."""

import numpy as np

from mcos_hw.config import ChannelConfig
from mcos_hw.registers.monitor import counter_registers, monitor_registers
from mcos_sim.model import layout as at

__all__ = [
    "read_monitor",
]


_COUNT_BITS = 31
"""Bits of a count, by docs/channel.md; not imported, so that a comparison sees the hardware's."""


def read_monitor(s: np.ndarray, config: ChannelConfig) -> dict[str, list[int]]:
    """Words of the monitor's registers by name: those of the latched epoch, and the present load.

    Raises
    ------
    KeyError
        If the register map has a register of the monitor that is none of the model's.
    """
    registers = {register.name: register for register in monitor_registers(config)}
    words = {}
    for register in counter_registers(config):
        place = at.COUNTER[register.name] + at.LATCHED
        counts = s[place : place + register.count]
        words[register.name] = np.where(counts >> _COUNT_BITS, 0xFFFF_FFFF, counts).tolist()
    words |= {"EPOCH": [int(s[at.EPOCH]) - 1], "LOAD": [int(s[at.LOAD])]}
    if queue := registers.get("QUEUE"):
        words["QUEUE"] = [
            queue.pack(now=int(s[at.COUNT + i]), peak=int(s[at.LATCHED_PEAK + i]))
            for i in range(config.tenants)
        ]
    return {name: words[name] for name in registers}
