"""Devices by name: organisation and timing."""

import dataclasses
from collections.abc import Mapping

from mcos_sim.errors import UserError
from mcos_sim.memory.hbm.constraint import Command

__all__ = [
    "PRESETS",
    "Preset",
    "find_preset",
]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Preset:
    """A device and its speed.

    Parameters
    ----------
    name : str
        What it is called.
    source : str
        Where the numbers come from.
    guesses : tuple[str, ...]
        Parameters that no public source gives; they are the authors'.
    pseudo_channels, stack_ids, bank_groups, banks : int
        Parts of a channel, of each pseudo channel, of each stack id, of each bank group.
    rows, columns : int
        Rows of a bank, bursts of a row.
    burst_bytes : int
        Bytes of a burst.
    clock_ps : float
        Clock of the command bus in picoseconds; a tick is half of it.
    timing : Mapping[str, int]
        Timing parameters in clocks of the command bus, by the names of JEDEC.
    lengths : Mapping[Command, int]
        Ticks that each command is on its bus.
    falling_precharge : bool
        A precharge may also be issued at a falling edge, between two row commands.
    """

    name: str
    source: str
    guesses: tuple[str, ...] = ()
    pseudo_channels: int = 2
    stack_ids: int
    bank_groups: int = 4
    banks: int = 4
    rows: int
    columns: int = 32
    burst_bytes: int = 32
    clock_ps: float
    timing: Mapping[str, int]
    lengths: Mapping[Command, int]
    falling_precharge: bool

    @property
    def all_banks(self) -> int:
        """Banks of the channel."""
        return self.pseudo_channels * self.stack_ids * self.bank_groups * self.banks

    @property
    def bytes(self) -> int:
        """Bytes of the channel."""
        return self.all_banks * self.rows * self.columns * self.burst_bytes

    @property
    def peak_bytes_per_s(self) -> float:
        """Bytes a second that the pseudo channels' data buses carry."""
        seconds = self.timing["nBL"] * self.clock_ps * 1e-12
        return self.pseudo_channels * self.burst_bytes / seconds

    @property
    def refresh_ceiling(self) -> float:
        """Part of the time in which an all-bank refresh does not block: 1 - nRFC / nREFI."""
        return 1 - self.timing["nRFC"] / self.timing["nREFI"]


_HBM3_LENGTHS = {
    Command.ACT: 3,
    Command.PREPB: 1,
    Command.PREAB: 1,
    Command.RD: 2,
    Command.WR: 2,
    Command.REFAB: 1,
    Command.REFPB: 1,
}
"""JESD238A: ACT takes one and a half clocks, a column command a whole one, others half of one."""

_HBM2_LENGTHS = dict.fromkeys(Command, 2)
"""JESD235D: a clock; ACT, which takes two, is counted as in Ramulator."""

_HBM3_TIMING = {
    "nBL": 2,
    "nCL": 20,
    "nRCDRD": 31,
    "nRCDWR": 15,
    "nRP": 26,
    "nRAS": 45,
    "nRC": 72,
    "nWR": 33,
    "nRTP": 9,
    "nCWL": 10,
    "nCCDS": 2,
    "nCCDL": 4,
    "nCCDR": 3,
    "nRRDS": 4,
    "nRRDL": 5,
    "nFAW": 24,
    "nWTRS": 7,
    "nWTRL": 10,
    "nRTW": 20,
    "nPPD": 2,
    "nRFC": 560,
    "nRFCpb": 320,
    "nRREFD": 8,
    "nREFI": 6240,
    "nREFIpb": 195,
}

_HBM3E_PS = 435.0
"""2.3 GHz: 9.2 Gb/s a pin with four bits a clock of the command bus."""


def _scaled(timing: Mapping[str, int], ratio: float, kept: tuple[str, ...]) -> dict[str, int]:
    """The same nanoseconds in shorter clocks, rounded up; ``kept`` are clocks by definition."""
    return {
        name: clocks if name in kept else -int(-clocks * ratio // 1)
        for name, clocks in timing.items()
    }


PRESETS = {
    preset.name: preset
    for preset in (
        Preset(
            name="hbm3",
            source="Ramulator 2.1, HBM3_16Gb_8hi at HBM3_6400Mbps",
            stack_ids=2,
            rows=16384,
            clock_ps=625.0,
            timing=_HBM3_TIMING,
            lengths=_HBM3_LENGTHS,
            falling_precharge=True,
        ),
        Preset(
            name="hbm3e",
            source="hbm3 at 9.2 Gb/s a pin, with the same times in nanoseconds",
            guesses=tuple(name for name in _HBM3_TIMING if name not in ("nBL", "nCCDS")),
            stack_ids=2,
            rows=16384,
            clock_ps=_HBM3E_PS,
            timing=_scaled(_HBM3_TIMING, 625.0 / _HBM3E_PS, ("nBL", "nCCDS", "nPPD")),
            lengths=_HBM3_LENGTHS,
            falling_precharge=True,
        ),
        Preset(
            name="hbm2",
            source="Ramulator 2.1, HBM2_8Gb at HBM2_2000Mbps",
            guesses=("nRTW", "nCCDR", "nPPD"),
            stack_ids=1,
            rows=65536,
            clock_ps=1000.0,
            timing={
                "nBL": 2,
                "nCL": 14,
                "nRCDRD": 14,
                "nRCDWR": 12,
                "nRP": 14,
                "nRAS": 34,
                "nRC": 48,
                "nWR": 16,
                "nRTP": 5,
                "nCWL": 5,
                "nCCDS": 2,
                "nCCDL": 4,
                "nCCDR": 2,
                "nRRDS": 4,
                "nRRDL": 4,
                "nFAW": 15,
                "nWTRS": 6,
                "nWTRL": 8,
                "nRTW": 13,
                "nPPD": 1,
                "nRFC": 350,
                "nRFCpb": 160,
                "nRREFD": 8,
                "nREFI": 3900,
                "nREFIpb": 122,
            },
            lengths=_HBM2_LENGTHS,
            falling_precharge=False,
        ),
    )
}
"""Presets by name."""


def find_preset(name: str) -> Preset:
    """A preset by its name.

    Raises
    ------
    UserError
        If there is none of that name; the text lists those that there are.
    """
    if name not in PRESETS:
        raise UserError(f"a memory must be one of {', '.join(PRESETS)}, not {name!r}")
    return PRESETS[name]
