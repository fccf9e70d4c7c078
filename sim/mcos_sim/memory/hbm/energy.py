"""Energy of what an HBM channel did, by tenant."""

import dataclasses

import numpy as np

from mcos_sim.memory.hbm.constraint import Command
from mcos_sim.memory.hbm.counts import MemoryCounts

__all__ = [
    "ESSAY_PJ_PER_BYTE",
    "HBM2_ENERGY",
    "Energy",
    "EnergyParameters",
    "energy_of",
]


ESSAY_PJ_PER_BYTE = 23.0
"""The essay's 0.023 W per GB/s, everything included (docs/origins.md)."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class EnergyParameters:
    """What commands and time cost.

    Parameters
    ----------
    source : str
        Where the numbers come from.
    activate_pj : float
        An activation with its precharge.
    read_pj_per_byte, write_pj_per_byte : float
        Array and data bus, above standby.
    refresh_pj : float
        Refresh of all banks of a pseudo channel.
    refresh_bank_pj : float
        Refresh of one bank.
    standby_mw : float
        The channel with a row open, all the time.
    """

    source: str
    activate_pj: float
    read_pj_per_byte: float
    write_pj_per_byte: float
    refresh_pj: float
    refresh_bank_pj: float
    standby_mw: float


HBM2_ENERGY = EnergyParameters(
    source="DRAMsim3, configs/HBM2_8Gb_x128.ini through InitPowerParams, at 1 ns a clock",
    activate_pj=828.0,
    read_pj_per_byte=804.0 / 64,
    write_pj_per_byte=1068.0 / 64,
    # Of a channel there; a pseudo channel has half of its banks.
    refresh_pj=60_840.0 / 2,
    # Published as less than nothing (IDD5PB below IDD3N): a sixteenth of all banks instead.
    refresh_bank_pj=60_840.0 / 2 / 16,
    standby_mw=66.0,
)
"""The only public set for a device with pseudo channels; it serves HBM3 too, which has none."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Energy:
    """Energy of a run, in pJ.

    Parameters
    ----------
    activate, read, write : numpy.ndarray
        Shape (tenants,): of each tenant. Activations are dealt out by the requests that did not
        hit: which of two waiting requests of one row opened it is not kept.
    refresh, background : float
        Of the channel.
    bytes : int
        Bytes moved.
    """

    activate: np.ndarray
    read: np.ndarray
    write: np.ndarray
    refresh: float
    background: float
    bytes: int

    @property
    def tenants(self) -> np.ndarray:
        """Shape (tenants,): what each tenant's commands took."""
        return self.activate + self.read + self.write

    @property
    def total(self) -> float:
        """All of it."""
        return float(self.tenants.sum()) + self.refresh + self.background

    @property
    def pj_per_byte(self) -> float:
        """All of it over the bytes moved."""
        return self.total / max(self.bytes, 1)


def energy_of(
    counts: MemoryCounts, *, seconds: float, parameters: EnergyParameters = HBM2_ENERGY
) -> Energy:
    """The energy of a run.

    Parameters
    ----------
    counts : MemoryCounts
        What was done.
    seconds : float
        How long it took.
    parameters : EnergyParameters
        What commands and time cost.
    """
    opening = counts.classes[:, 1:].sum(axis=1)
    activations = counts.commands[Command.ACT] * opening / max(int(opening.sum()), 1)
    size = counts.burst_bytes
    return Energy(
        activate=activations * parameters.activate_pj,
        read=counts.reads * size * parameters.read_pj_per_byte,
        write=counts.writes * size * parameters.write_pj_per_byte,
        refresh=counts.commands[Command.REFAB] * parameters.refresh_pj
        + counts.commands[Command.REFPB] * parameters.refresh_bank_pj,
        background=parameters.standby_mw * 1e-3 * seconds * 1e12,
        bytes=size * counts.bursts,
    )
