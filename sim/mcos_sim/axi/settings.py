"""What a compiled AXI run is told and what it tells, with defaults: one list for Python and C++."""

import dataclasses
import enum
from collections.abc import Mapping

__all__ = [
    "CHANNELS",
    "ENUMERATIONS",
    "FaultSort",
    "MemoryHabits",
    "PortHabits",
    "Region",
]


class FaultSort(enum.Enum):
    """What can go wrong."""

    LOST = "lost"
    """A burst that was never answered."""
    DUPLICATED = "duplicated"
    """An answer to a burst that waits for none."""
    CORRUPTED = "corrupted"
    """Data that nobody wrote there, or a wrong response."""
    MISORDERED = "misordered"
    """Data that were right before a write, or a read, that is done."""
    DEADLOCK = "deadlocks"
    """Nothing moves while something is under way."""
    PROTOCOL = "protocol"
    """A rule of AXI is broken: :class:`mcos_sim.axi.rules.Rule`."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class PortHabits:
    """How the manager of a port behaves. Chances are in thousandths.

    Parameters
    ----------
    budget : int
        Bursts that it asks for; 0 is without end, until the ports that have an end are done.
    writes : int
        Chance that a burst is a write.
    window : int
        Bursts of each direction that it has under way at most.
    lead : int
        Bursts of which data may come before the address.
    stall_aw, stall_w, stall_b, stall_ar, stall_r : int
        Chance of a pause, each clock, on a channel.
    vary : bool
        Takes other pauses, windows, leads and addresses for a while, again and again, from none to
        heavy ones, instead of those given.
    unmapped, faulty : int
        Chance of an ID of no tenant, and of a burst that breaks a rule.
    stray : int
        Chance of strobes outside a transfer's bytes.
    period : int
        Clocks from one burst to the next; 0 is as fast as it can.
    length, size : int
        Transfers, and log2 of a transfer's bytes, of every burst, all of them INCR and aligned;
        length 0 is a mixture of all that AXI has.
    stream : bool
        Bursts of a ``length`` follow one another in a region, instead of beginning anywhere.
    favourite, favours : int
        Chance that a burst of a ``length`` is one of a channel, and which one; else it is of any.
    hold_period, hold_clocks : int
        Of so many clocks it takes no read data in the first so many.
    regions : int
        Bit i: it goes to region i.
    hot : int
        Bytes at the beginning of a region where most bursts begin, some of the time.
    """

    budget: int = 0
    writes: int = 500
    window: int = 32
    lead: int = 2
    stall_aw: int = 0
    stall_w: int = 0
    stall_b: int = 0
    stall_ar: int = 0
    stall_r: int = 0
    vary: bool = True
    unmapped: int = 20
    faulty: int = 20
    stray: int = 20
    period: int = 0
    length: int = 0
    size: int = 0
    stream: bool = False
    favourite: int = 0
    favours: int = 0
    hold_period: int = 0
    hold_clocks: int = 0
    regions: int = -1
    hot: int = 768


@dataclasses.dataclass(frozen=True, kw_only=True)
class MemoryHabits:
    """How the memory behaves. Chances are in thousandths.

    Parameters
    ----------
    stall_aw, stall_w, stall_b, stall_ar, stall_r : int
        Chance of a pause, each clock, on a channel.
    vary : bool
        Takes other pauses for a while, again and again, instead of those given.
    latency : int
        Clocks from the moment in which a burst takes effect to its answer, at least.
    spread : int
        Clocks that a random delay before that moment, and one after it, may take.
    interleave : bool
        Mixes transfers of different reads.
    shuffle : bool
        Answers any burst that is due, else the oldest one.
    capacity : int
        Bursts of each direction that it takes at a time.
    """

    memory_stall_aw: int = 0
    memory_stall_w: int = 0
    memory_stall_b: int = 0
    memory_stall_ar: int = 0
    memory_stall_r: int = 0
    memory_vary: bool = True
    memory_latency: int = 4
    memory_spread: int = 24
    memory_interleave: bool = True
    memory_shuffle: bool = True
    memory_capacity: int = 48


@dataclasses.dataclass(frozen=True, kw_only=True)
class Region:
    """Memory that bursts go to.

    Parameters
    ----------
    base : int
        Address of its first byte, a multiple of 4 KB.
    size : int
        Bytes, a multiple of 4 KB.
    errors : bool
        Memory answers some of its beats with SLVERR.
    """

    base: int
    size: int = 4096
    errors: bool = False

    def __post_init__(self) -> None:
        for name in ("base", "size"):
            if getattr(self, name) % 4096:
                raise ValueError(f"{name} must be a multiple of 4096, not {getattr(self, name)!r}")


def _names(habits: type[PortHabits] | type[MemoryHabits]) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(habits))


CHANNELS = ("aw", "w", "b", "ar", "r")
"""AXI's channels, in the order in which they are told about."""

ENUMERATIONS: Mapping[str, tuple[str, ...]] = {
    "all": ("region_count", "seed", "patience", "most_faults", "grain"),
    "port_settings": _names(PortHabits),
    "memory_settings": _names(MemoryHabits),
    "results": (
        *(f"{sort.name.lower()}_count" for sort in FaultSort),
        "clock",
        "first_clock",
        "drained",
        "outstanding",
    ),
    "port_results": (
        "done",
        "reads",
        "read_clocks",
        "worst_read",
        "writes_done",
        "write_clocks",
        "worst_write",
        "bytes_read",
        "bytes_written",
        "unmapped_done",
        "faulty_done",
        "refused_done",
        *(f"first_{channel}" for channel in CHANNELS),
    ),
    "memory_results": (
        "read_bursts",
        "write_bursts",
        "read_beats",
        "write_beats",
        *(f"memory_{channel}" for channel in CHANNELS),
    ),
}
"""Places in the arrays between Python and C++, by array: ``kWindow`` is the place of ``window``."""
