"""An HBM channel as the memory behind an MCOS channel: what it is, its state, what it counted."""

from __future__ import annotations

import dataclasses
import math
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from mcos_sim.memory.hbm import layout as device
from mcos_sim.memory.hbm import port as at
from mcos_sim.memory.hbm.constraint import Command
from mcos_sim.memory.hbm.counts import MemoryCounts
from mcos_sim.memory.hbm.mapping import Field, Mapping, bank_steps, default_mapping
from mcos_sim.memory.hbm.policy import Policy
from mcos_sim.memory.hbm.preset import Preset
from mcos_sim.memory.hbm.serve_requests import started

if TYPE_CHECKING:
    from mcos_hw.config import ChannelConfig
    from mcos_sim.memory.memory import MemoryModel

__all__ = [
    "Hbm",
    "memory_array",
    "memory_counts",
]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Hbm:
    """A memory of HBM behind a channel.

    Parameters
    ----------
    preset : Preset
        Device.
    policy : Policy
        Its controller.
    mapping : Mapping or None
        Where addresses are; :func:`mcos_sim.memory.hbm.mapping.default_mapping` if None.
    """

    preset: Preset
    policy: Policy = dataclasses.field(default_factory=Policy)
    mapping: Mapping | None = None

    @property
    def used_mapping(self) -> Mapping:
        """Where addresses are."""
        return self.mapping or default_mapping(self.preset)

    def peak_bytes_per_clock(self, clock_ps: float) -> float:
        """Bytes that the device's data buses carry in a clock of a channel."""
        return self.preset.peak_bytes_per_s * clock_ps * 1e-12

    @property
    def conflict_ps(self) -> float:
        """Picoseconds from a read to its data where another row was open: tRP, tRCD, CL."""
        timing = self.preset.timing
        return (timing["nRP"] + timing["nRCDRD"] + timing["nCL"]) * self.preset.clock_ps

    @property
    def model(self) -> MemoryModel:
        """What it does in a clock."""
        return at

    def state(self, config: ChannelConfig, *, latency: int, first_clock: int) -> np.ndarray:
        """Its state in the first clock; see :func:`memory_array`."""
        return memory_array(
            self,
            clock_ps=config.clock_ps,
            first_clock=first_clock,
            latency=latency,
            slots=config.slots,
            tenants=config.tenants,
        )

    def counts(self, state: np.ndarray, config: ChannelConfig) -> MemoryCounts:
        """What its state has counted."""
        return memory_counts(state, config.tenants)


def memory_array(
    hbm: Hbm, *, clock_ps: float, first_clock: int, latency: int, slots: int, tenants: int
) -> np.ndarray:
    """The state of a memory that begins in ``first_clock``, for :mod:`mcos_sim.memory.hbm.port`.

    Parameters
    ----------
    hbm : Hbm
        The memory.
    clock_ps : float
        Clock of the channel in picoseconds.
    first_clock : int
        Clock before which nothing happens; refresh counts from there.
    latency : int
        Clocks from the device's completion to the answer.
    slots : int
        Commands that it may hold, a power of two.
    tenants : int
        Tenants of the channel.

    Raises
    ------
    ValueError
        If the device's organisation is none that the state has room for.
    """
    p = np.zeros(at.HEADER, dtype=np.int64)
    ticks = Fraction(2 * clock_ps / hbm.preset.clock_ps).limit_denominator(1000)
    p[at.TICKS], p[at.TICKS_OVER] = ticks.numerator, ticks.denominator
    p[at.LATENCY] = latency
    p[at.BURST_BYTES] = hbm.preset.burst_bytes
    p[at.SLOT_MASK] = slots - 1
    steps = {Field.ROW: 1, **bank_steps(hbm.preset)}
    p[at.FIELDS] = len(hbm.used_mapping.fields)
    for k, (field, bits) in enumerate(hbm.used_mapping.fields):
        row = at.FIELD_ROWS + at.FIELD_ROW * k
        p[row + at.FIELD_BITS] = bits
        if field in steps:
            place = at.FIELD_OF_ROW if field is Field.ROW else at.FIELD_OF_BANK
            p[row + place] = steps[field]
            steps[field] <<= bits
    state = started(hbm.preset, hbm.policy)
    state[device.KEEPS] = 0
    # A whole clock of the command bus.
    first_tick = 2 * math.ceil(first_clock * ticks / 2)
    state[device.TICK] = first_tick - 1
    state[device.REFRESH_DUE] = min(state[device.REFRESH_DUE] + first_tick, at.FAR)
    p[at.UNTIL] = state[device.REFRESH_DUE]
    parts = [p, state]
    for name, size in (
        (at.ROWS, device.OUT * device.ENTRY_PLACES),
        (at.SLOT_OF, device.ENTRY_PLACES),
        (at.SLOTS, at.SLOT_ROW * slots),
        (at.DONE, 2 * 2 * slots),
        (at.COUNTS, at.COUNT_ROW * tenants),
    ):
        p[name] = sum(len(part) for part in parts)
        parts.append(np.zeros(size, dtype=np.int64))
    return np.concatenate(parts)


def memory_counts(p: np.ndarray, tenants: int) -> MemoryCounts:
    """What a memory's array has counted."""
    rows = p[p[at.COUNTS] :][: at.COUNT_ROW * tenants].reshape(tenants, at.COUNT_ROW).copy()
    issued = p[at.HEADER + device.ISSUED :]
    return MemoryCounts(
        classes=rows[:, at.COUNT_CLASS : at.COUNT_CLASS + 3],
        reads=rows[:, at.COUNT_READ],
        writes=rows[:, at.COUNT_WRITE],
        commands={command: int(issued[command]) for command in Command},
        burst_bytes=int(p[at.BURST_BYTES]),
    )
