"""What a port carries and what it costs in time: beats a clock, and clocks from pin to pin."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from mcos_hw.config import ChannelConfig, FabricConfig, PortConfig
from mcos_policy.ports import TenantRow
from mcos_sim.axi.fabric import fabric_library, open_settings, set_up
from mcos_sim.axi.library import Library
from mcos_sim.axi.session import Manager, Soak
from mcos_sim.axi.settings import MemoryHabits, PortHabits, Region
from mcos_sim.axi.soak import run
from mcos_sim.errors import HardwareError
from mcos_sim.stages import stage

__all__ = [
    "CROSSBARS",
    "DIRECT",
    "LATENESSES",
    "LOADS",
    "PORTS",
    "STEPS",
    "Load",
    "Rates",
    "fabric_of",
    "latencies",
    "measure_port_speeds",
    "rates",
    "stages",
]


LATENESSES = (3, 0)
"""The fastest and the textbook's order."""

PORTS = (1, 2)
"""Ports in front of the channel."""

STEPS = len(LATENESSES) * len(PORTS)
"""Fabrics that are built and measured."""

_TENANTS = 4

_REGION = Region(base=0, size=1 << 18)

_LATENCY = 20
"""Clocks of the memory; what a port can have under way covers them even with bursts of one beat."""

_STEADY = PortHabits(vary=False, unmapped=0, faulty=0, stray=0, stream=True)
"""A requester that never pauses, breaks no rule, and goes through memory from end to end."""

DIRECT = {"ar": 0, "r": 0, "aw": 0, "w": 0, "b": 0}
"""Clocks of a manager that is connected to its memory."""

CROSSBARS: Mapping[str, Mapping[str, Any]] = {
    "AMD AXI Crossbar 2.1": {
        "ar": 2,
        "aw": 2,
        "w": 1,
        "r": [1, 2],
        "b": [1, 2],
        "clocks_between_addresses": 3,
        "source": "PG059, AXI Crossbar: docs.amd.com/r/en-US/pg059-axi-interconnect/AXI-Crossbar",
    },
    "PULP axi_xbar": {
        "ar": 2,
        "aw": 2,
        "source": "pulp-platform/axi, doc/axi_xbar.md: the recommended LatencyMode",
    },
}
"""What public crossbars say of themselves, in clocks. None of them looks whose a burst is, keeps an
order over a memory that has none, or knows how much of the memory anybody has had."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Load:
    """Bursts that a port is kept full with.

    Parameters
    ----------
    length : int
        Transfers of each burst, all as wide as the port.
    writes : int
        Thousandths of the bursts that are writes.
    pacer : bool
        The pacer holds the channel to a memory beat a clock, reads and writes together.
    """

    length: int
    writes: int
    pacer: bool = True


LOADS: Mapping[str, Load] = {
    "reads_16": Load(length=16, writes=0),
    "reads_64": Load(length=64, writes=0),
    "reads_1": Load(length=1, writes=0),
    "writes_16": Load(length=16, writes=1000),
    "writes_64": Load(length=64, writes=1000),
    "writes_1": Load(length=1, writes=1000),
    "both_16": Load(length=16, writes=500),
    "both_64": Load(length=64, writes=500),
    "both_16_unpaced": Load(length=16, writes=500, pacer=False),
    "both_64_unpaced": Load(length=64, writes=500, pacer=False),
}
"""By name. A burst of 64 transfers of 64 B is all that fits between two 4 KB boundaries."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Rates:
    """Beats a clock of R and of W, of the port or of the memory port, whichever is narrower."""

    reads: float
    writes: float


def fabric_of(*, lateness: int, ports: int = 1, data_bytes: int = 64) -> FabricConfig:
    """A fabric whose ports are as wide as its memory port.

    Parameters
    ----------
    lateness : int
        L of its channel.
    ports : int
        How many there are.
    data_bytes : int
        Width of each.
    """
    channel = ChannelConfig(
        tenants=_TENANTS,
        bytes_per_clock=data_bytes,
        beat_bytes=data_bytes,
        lateness=lateness,
        # What is counted and what is judged is not on the way.
        loader_checks=False,
        monitors=False,
    )
    return FabricConfig.around(channel, ports=(PortConfig(data_bytes=data_bytes),) * ports)


def _writes(fabric: FabricConfig, *, pacer: bool) -> list[tuple[int, int]]:
    """Register writes that give each tenant a part of every port's IDs."""
    settings = open_settings(fabric.channel)
    channel = dataclasses.replace(settings.channel, pacer_enable=int(pacer))
    rows = []
    for port, config in enumerate(fabric.ports):
        count = min(fabric.channel.tenants, config.table_rows)
        share = (1 << config.id_width) // count
        rows += [
            TenantRow(port=port, row=tag, tenant=tag, first=tag * share, last=(tag + 1) * share - 1)
            for tag in range(count)
        ]
    return set_up(fabric, rows, dataclasses.replace(settings, channel=channel))


def _run(
    library: Library,
    fabric: FabricConfig,
    habits: PortHabits,
    *,
    pacer: bool = True,
    latency: int = _LATENCY,
    asks: int = 0,
) -> Soak:
    """One port does this, and the others nothing."""
    quiet = PortHabits(vary=False, window=0, lead=0)
    managers = [
        Manager(ids=range(1 << port.id_width), habits=habits if number == asks else quiet)
        for number, port in enumerate(fabric.ports)
    ]
    # It takes an address and a beat of each direction in every clock.
    memory = MemoryHabits(
        memory_vary=False, memory_latency=latency, memory_spread=0, memory_interleave=False
    )
    found = run(
        library,
        managers,
        writes=_writes(fabric, pacer=pacer),
        memory=memory,
        regions=[_REGION],
        seed=1,
    )
    if found.faults:
        raise HardwareError(f"port {asks} must be served without a fault, not {found.first!r}")
    return found


def rates(
    library: Library,
    fabric: FabricConfig,
    load: Load,
    *,
    transfers: int = 40_000,
    latency: int = _LATENCY,
    number: int = 0,
) -> Rates:
    """What a port carries while it always has more bursts to ask for.

    Beginning and end do not count: they are the same in a run of a quarter of the length, which is
    taken off.

    Parameters
    ----------
    library : Library
        The fabric's.
    fabric : FabricConfig
        Sizes.
    load : Load
        What it is kept full with.
    transfers : int
        Of the long run.
    latency : int
        Clocks of the memory.
    number : int
        Which port it is.
    """
    budget = max(4, transfers // load.length)

    def of(count: int) -> Soak:
        habits = dataclasses.replace(
            _STEADY,
            budget=count,
            writes=load.writes,
            window=64,
            length=load.length,
            size=fabric.ports[number].size_limit,
        )
        return _run(library, fabric, habits, pacer=load.pacer, latency=latency, asks=number)

    short, long = of(budget // 4), of(budget)
    clocks = long.clocks - short.clocks
    beats = load.length * max(1, fabric.ports[number].data_bytes // fabric.beat_bytes)
    reads = long.ports[number].reads - short.ports[number].reads
    writes = long.ports[number].writes - short.ports[number].writes
    return Rates(reads=reads * beats / clocks, writes=writes * beats / clocks)


def latencies(library: Library, fabric: FabricConfig) -> dict[str, int]:
    """Clocks of a burst of one transfer and one memory beat through an empty fabric.

    Each is from the clock in which a channel is first valid at the one side to that in which it is
    at the other: AR, AW and W from port to memory, R and B back. AW and W of a write come together.
    """
    size = min(fabric.ports[0].size_limit, fabric.beat_bytes.bit_length() - 1)
    found = {}
    for writes in (0, 1000):
        habits = dataclasses.replace(_STEADY, budget=1, writes=writes, lead=0, length=1, size=size)
        soak = _run(library, fabric, habits)
        port, memory = soak.ports[0].first_valid, soak.memory_first_valid
        for channel in ("aw", "w", "b") if writes else ("ar", "r"):
            way = memory[channel] - port[channel]
            found[channel] = -way if channel in ("b", "r") else way
    return found


def stages(fabric: FabricConfig) -> dict[str, dict[str, int]]:
    """Clocks that each stage adds to a channel of AXI, by its name; their sum is the latency."""
    merge = {"LandingMerge": 1} if len(fabric.ports) > 1 else {}
    inside = {"Channel": 4 if fabric.channel.lateness else 2}
    address = {"AddressIn": 1, "Fragmenter": 1}
    landed = {"Landing": 1, **merge, **inside, "AxiOut": 1}
    return {
        "ar": {**address, "HazardTable": 1, **landed},
        "aw": {**address, "WriteSide": 3, **landed},
        "w": {**address, "WriteSide": 3, **landed, "AxiOut": 4},
        "r": {"AxiOut": 1, "ResponseOrder": 2, "ReturnBank": 2, "Unpacker": 1},
        "b": {"AxiOut": 1, "ResponseOrder": 2, "WriteSide": 2},
    }


def measure_port_speeds(
    *, scale: float = 1.0, on_step: Callable[[], None] = lambda: None
) -> dict[str, Any]:
    """Beats a clock and latencies at L = 3 and 0, of one port and of two.

    Parameters
    ----------
    scale : float
        Length of the runs; 1 is 40,000 transfers each.
    on_step : Callable
        Called after each of :data:`STEPS`.

    Returns
    -------
    dict[str, Any]
        ``fabrics[]``, each with ``lateness``, ``ports``, ``config_hash``, ``latency_clocks`` and
        ``stages`` of each channel of AXI, and, where there is one port, ``beats_per_clock`` of each
        load with ``reads`` and ``writes``; ``direct`` and ``crossbars`` to hold them against.
    """
    found = []
    for lateness in LATENESSES:
        for ports in PORTS:
            fabric = fabric_of(lateness=lateness, ports=ports)
            with stage(f"ports: {ports}, L = {lateness}"):
                library = fabric_library(fabric)
                row = {
                    "config_hash": fabric.hash,
                    "lateness": lateness,
                    "latency_clocks": latencies(library, fabric),
                    "ports": ports,
                    "stages": stages(fabric),
                }
                if ports == 1:
                    row["beats_per_clock"] = {
                        name: _rounded(rates(library, fabric, load, transfers=_length(scale)))
                        for name, load in LOADS.items()
                    }
            found.append(row)
            on_step()
    return {"crossbars": CROSSBARS, "direct": DIRECT, "fabrics": found}


def _length(scale: float) -> int:
    return max(4_000, round(40_000 * scale))


def _rounded(rate: Rates) -> dict[str, float]:
    return {name: round(value, 4) for name, value in dataclasses.asdict(rate).items()}
