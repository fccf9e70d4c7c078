"""What a fabric of P ports and N channels carries, and what it costs in time."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mcos_hw.config import ChannelConfig, FabricConfig, PortConfig
from mcos_policy.interleave import Interleave
from mcos_policy.ports import credit_writes, even_rows, shared_credits
from mcos_sim.axi.fabric import fabric_library, open_settings, set_up
from mcos_sim.axi.library import Library
from mcos_sim.axi.session import Manager
from mcos_sim.axi.settings import MemoryHabits, PortHabits, Region
from mcos_sim.axi.soak import run
from mcos_sim.axi.steady import ENDLESS, Steady, steady
from mcos_sim.errors import HardwareError
from mcos_sim.stages import stage

__all__ = [
    "DEPTHS",
    "PATTERNS",
    "ROUND_TRIP",
    "WARM",
    "Pattern",
    "added_latency",
    "fabric_of",
    "measure_fabric_speeds",
    "one_id",
    "pattern_rates",
]


DEPTHS = (16, 64)
"""Fragments that the queue of each (port, channel) holds, and that of each tenant in a channel."""

ROUND_TRIP = 144
"""Clocks of a read from ARVALID to its R, where one ID is measured."""

_LATENCY = 20
"""Clocks of the memory where ports are measured together."""

_REGION = Region(base=0, size=1 << 22)

_WIDE_REGION = Region(base=0, size=1 << 26)
"""Where one ID reads: a read waits for an earlier one of its ID and its bytes, and random reads of
a smaller region meet more often."""

WARM = 3_000
"""Clocks in which queues fill, before any count."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Pattern:
    """Where the reads of a port go: to a channel of its own, or of all, so often; else anywhere.

    Parameters
    ----------
    favours : int
        Thousandths that go to the favourite channel.
    shared : bool
        Channel 0 is everybody's favourite; else port p has channel p.
    """

    favours: int = 0
    shared: bool = False

    def favourite(self, port: int, channels: int) -> int:
        """The channel that a port favours."""
        return 0 if self.shared else port % channels

    def limit(self, ports: int, channels: int) -> float:
        """Grants a clock a channel that it allows, if every port is as wide as a channel.

        The busiest channel takes one a clock. A port asks for one a clock, and one that waits for
        the busiest channel asks for nothing else.
        """
        share = self.favours / 1000
        load = ports * (share if self.shared else share / channels) + ports * (1 - share) / channels
        return min(ports / channels, ports / channels / load)


PATTERNS: Mapping[str, Pattern] = {
    "uniform": Pattern(),
    "skewed": Pattern(favours=500),
    "hot_spot": Pattern(favours=200, shared=True),
}
"""By name."""


def fabric_of(
    *, ports: int, channels: int, depth: int, lateness: int = 3, beat_bytes: int = 64
) -> FabricConfig:
    """A fabric whose ports are as wide as its memory ports, and have enough of all under way.

    Parameters
    ----------
    ports, channels : int
        How many.
    depth : int
        See :data:`DEPTHS`.
    lateness : int
        L of its channels.
    beat_bytes : int
        Bytes of a beat, of ports and memory.
    """
    # One ID has a round trip of beats under way, not quite evenly over the channels.
    beats = ROUND_TRIP + 16
    channel = ChannelConfig(
        tenants=max(4, ports),
        queue_depth=depth,
        bytes_per_clock=beat_bytes,
        beat_bytes=beat_bytes,
        max_beats=8,
        slots=max(64, _power(2 * beats // channels)),
        lateness=lateness,
        # What is counted and what is judged is not on the way.
        loader_checks=False,
        monitors=False,
    )
    # In front of a channel, in its queue, and under way behind it; and enough for one ID.
    each = depth + 8
    reads = min(512, _power(max(each * channels, beats)))
    port = PortConfig(
        data_bytes=beat_bytes,
        id_width=8,
        order_width=8,
        reads=reads,
        read_units=min(4096, max(4 * depth * channels, _power(2 * beats))),
        writes=16,
        write_units=16 * channels,
        table_rows=1,
        hazard_rows=65536,
        landing=depth,
    )
    return FabricConfig.around(channel, channels=channels, ports=(port,) * ports)


def _power(least: int) -> int:
    """The power of two that is at least that."""
    return 1 << (least - 1).bit_length()


def _spread(fabric: FabricConfig) -> Interleave:
    return Interleave.default(fabric.channels, fabric.block_width)


def _writes(fabric: FabricConfig) -> list[tuple[int, int]]:
    """Register writes after which each port is a tenant with all of its queue; where there are
    fewer tenants, ports share one."""
    tenants = fabric.channel.tenants
    rows = even_rows(fabric, {port: [port % tenants] for port in range(len(fabric.ports))})
    return [
        *credit_writes(fabric, shared_credits(fabric, rows)),
        *set_up(fabric, rows, open_settings(fabric.channel)),
    ]


def _asks(fabric: FabricConfig, **more: Any) -> PortHabits:
    """A requester that breaks no rule and asks for one beat after another."""
    return PortHabits(
        vary=False,
        unmapped=0,
        faulty=0,
        stray=0,
        writes=more.pop("writes", 0),
        length=1,
        size=fabric.beat_bytes.bit_length() - 1,
        **more,
    )


def _memory(latency: int) -> MemoryHabits:
    """Takes an address and gives a beat in every clock."""
    return MemoryHabits(
        memory_vary=False,
        memory_latency=latency,
        memory_spread=0,
        memory_interleave=False,
        memory_shuffle=False,
        memory_capacity=1 << 12,
    )


def pattern_rates(
    library: Library, fabric: FabricConfig, pattern: Pattern, *, clocks: int
) -> Steady:
    """What goes through while each port asks for one-beat reads at random addresses.

    Parameters
    ----------
    library : Library
        The fabric's.
    fabric : FabricConfig
        Sizes.
    pattern : Pattern
        Where they go.
    clocks : int
        Clocks that count.
    """
    managers = [
        Manager(
            ids=range(1 << port.id_width),
            habits=_asks(
                fabric,
                budget=ENDLESS,
                window=2 * port.reads,
                favourite=pattern.favourite(number, fabric.channels),
                favours=pattern.favours,
            ),
        )
        for number, port in enumerate(fabric.ports)
    ]
    return steady(
        library,
        managers,
        writes=_writes(fabric),
        memory=_memory(_LATENCY),
        regions=[_REGION],
        interleave=_spread(fabric),
        seed=1,
        warm=WARM,
        clocks=clocks,
    )


def _alone(fabric: FabricConfig, habits: PortHabits, ids: Sequence[int]) -> list[Manager]:
    """Port 0 asks, the others do not."""
    quiet = PortHabits(vary=False, window=0, lead=0)
    return [
        Manager(ids=ids if number == 0 else [0], habits=habits if number == 0 else quiet)
        for number in range(len(fabric.ports))
    ]


def _one_burst(
    library: Library, fabric: FabricConfig, *, latency: int, writes: int = 0
) -> dict[str, dict[str, int]]:
    """First valid clocks of a single burst, at the port and at the memory."""
    habits = _asks(fabric, budget=1, writes=writes, lead=0, stream=True)
    found = run(
        library,
        _alone(fabric, habits, [0]),
        writes=_writes(fabric),
        memory=_memory(latency),
        regions=[_REGION],
        interleave=_spread(fabric),
        seed=1,
    )
    if found.faults:
        raise HardwareError(f"a burst alone must be served without a fault, not {found.first!r}")
    return {
        "port": dict(found.ports[0].first_valid),
        "memory": dict(found.memory_first_valid),
    }


def added_latency(library: Library, fabric: FabricConfig) -> dict[str, int]:
    """Clocks of a burst of one beat through an empty fabric, by channel of AXI.

    AR, AW and W from port to memory, R and B back, each from first valid to first valid.
    """
    found = {}
    for writes in (0, 1000):
        clocks = _one_burst(library, fabric, latency=_LATENCY, writes=writes)
        for channel in ("aw", "w", "b") if writes else ("ar", "r"):
            way = clocks["memory"][channel] - clocks["port"][channel]
            found[channel] = -way if channel in ("b", "r") else way
    return found


def one_id(
    library: Library,
    fabric: FabricConfig,
    *,
    stream: bool,
    clocks: int,
    round_trip: int = ROUND_TRIP,
) -> float:
    """Beats a clock of a port that asks for one-beat reads of one ID, all channels in its way.

    Parameters
    ----------
    library : Library
        The fabric's.
    fabric : FabricConfig
        Sizes.
    stream : bool
        It goes through memory from end to end; else anywhere.
    clocks : int
        Clocks that count.
    round_trip : int
        Clocks of a read alone, from ARVALID to R; what the fabric leaves of it is the memory's.
    """
    alone = _one_burst(library, fabric, latency=_LATENCY)["port"]
    latency = _LATENCY + round_trip - (alone["r"] - alone["ar"])
    habits = _asks(fabric, budget=ENDLESS, window=2 * fabric.ports[0].reads, stream=stream)
    found = steady(
        library,
        _alone(fabric, habits, [0]),
        writes=_writes(fabric),
        memory=_memory(latency),
        regions=[_WIDE_REGION],
        interleave=_spread(fabric),
        seed=1,
        warm=WARM,
        clocks=clocks,
    )
    return found.answers[0]


def measure_fabric_speeds(
    *,
    ports: int = 8,
    channels: int = 8,
    clocks: int = 20_000,
    on_step: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """Grants a clock a channel, beats a clock of one ID, and latencies.

    Parameters
    ----------
    ports, channels : int
        Sizes of the fabric.
    clocks : int
        Clocks that count, of each run.
    on_step : Callable
        Called after each of :data:`DEPTHS`.

    Returns
    -------
    dict[str, Any]
        ``uniform_grants_per_clock`` with the first of :data:`DEPTHS`,
        ``uniform_deep_grants_per_clock`` with the second, ``one_id_beats_per_clock``,
        ``added_latency_clocks`` of AR without those of the channel, ``latency_clocks`` from pin
        to pin by channel of AXI, ``patterns`` of each depth with ``grants_per_clock``, ``limit``
        and ``busiest``, and ``port_beats_per_clock`` beside ``fabric_beats_per_clock``: what
        ports, and channels, can carry at most. A limit is that of the busiest channel.
    """
    found: dict[str, Any] = {
        "channels": channels,
        "clocks": clocks,
        "depths": {},
        "fabric_beats_per_clock": channels,
        "port_beats_per_clock": ports,
        "ports": ports,
        "round_trip_clocks": ROUND_TRIP,
    }
    for depth in DEPTHS:
        fabric = fabric_of(ports=ports, channels=channels, depth=depth)
        with stage(f"fabric of {ports} ports and {channels} channels, queues of {depth}"):
            library = fabric_library(fabric)
            rows = {}
            for name, pattern in PATTERNS.items():
                rates = pattern_rates(library, fabric, pattern, clocks=clocks)
                rows[name] = {
                    "busiest": round(max(rates.grants), 4),
                    "grants_per_clock": round(rates.grants_per_channel, 4),
                    "latency_clocks": round(rates.latency, 1),
                    "limit": round(pattern.limit(ports, channels), 4),
                }
            found["depths"][depth] = {"config_hash": fabric.hash, "patterns": rows}
            if depth == DEPTHS[0]:
                alone = {
                    name: round(one_id(library, fabric, stream=stream, clocks=clocks), 4)
                    for name, stream in (("end_to_end", True), ("anywhere", False))
                }
                latency = added_latency(library, fabric)
                of_channel = 4 if fabric.channel.lateness else 2
                found |= {
                    "added_latency_clocks": latency["ar"] - of_channel,
                    "latency_clocks": latency,
                    "one_id": alone,
                    "one_id_beats_per_clock": min(alone.values()),
                }
        on_step()
    shallow, deep = (found["depths"][depth]["patterns"]["uniform"] for depth in DEPTHS)
    return found | {
        "uniform_deep_grants_per_clock": deep["grants_per_clock"],
        "uniform_grants_per_clock": shallow["grants_per_clock"],
    }
