"""One run of the hardware: what is asked, under which image, of which memory, for how long."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mcos_hw.config import CHANNELS, ChannelConfig
from mcos_hw.registers import ArbiterKind, channel_map
from mcos_policy.interleave import Interleave
from mcos_sim.errors import UserError
from mcos_sim.memory.simple import SIMPLE
from mcos_sim.traffic.stream import Stream

if TYPE_CHECKING:
    from mcos_sim.memory.hbm.counts import MemoryCounts
    from mcos_sim.memory.memory import MemoryBehind

__all__ = [
    "FIRST_CLOCK",
    "LIVE_CLOCK",
    "Channel",
    "ChannelResult",
    "Port",
    "RunResult",
    "Scenario",
    "TenantResult",
    "Window",
    "one_port",
]


FIRST_CLOCK = 1024
"""Clock in which requesters begin, counted from reset; by then the image is live on any engine."""

LIVE_CLOCK = FIRST_CLOCK - 16
"""Clock in which the image becomes live where an engine chooses it."""

_WRITE_CLOCKS, _SPARE_WRITES = 4, 10
"""Clocks of a register write on every engine, and writes that there must be time for on top."""


_FABRIC_WORDS = 16
"""Words that an image may have beside those of a channel, if it says the interleave."""


def _most_port_writes(config: ChannelConfig, words: int) -> int:
    """Register writes for AXI ports for which there is time before an image with more words."""
    image = channel_map(config).image_length + words
    return LIVE_CLOCK // _WRITE_CLOCKS - image - _SPARE_WRITES


@dataclasses.dataclass(frozen=True, kw_only=True)
class Window:
    """Clocks whose waveform is written.

    Parameters
    ----------
    path : pathlib.Path
        VCD file.
    first, end : int
        First clock, and the clock after the last.
    focus : int or None
        Clock at which a viewer opens; the first one if None.
    """

    path: Path
    first: int
    end: int
    focus: int | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Port:
    """A port at which requests come in.

    Parameters
    ----------
    name : str
        Unique in a scenario.
    streams : tuple[Stream, ...]
        Requesters that ask at this port.
    """

    name: str
    streams: tuple[Stream, ...]


def one_port(streams: Iterable[Stream]) -> tuple[Port, ...]:
    """The ports of a scenario in which all streams ask at the same port."""
    return (Port(name="port", streams=tuple(streams)),)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Channel:
    """What is behind one channel of the hardware.

    Parameters
    ----------
    memory : MemoryBehind
        The memory at the channel's memory port.
    latency : int
        Clocks that each command needs on top of what the memory itself needs; with the simple
        memory, clocks from a command's last byte to its completion.
    credit : int
        Bytes that the memory port holds, at most.
    """

    memory: MemoryBehind = SIMPLE
    latency: int
    credit: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class Scenario:
    """One run.

    Parameters
    ----------
    name : str
        Names the run's folder.
    arbiter : ArbiterKind
        Which arbiter the hardware is built with.
    config : ChannelConfig
        Sizes of every channel.
    image : tuple[int, ...]
        Words of the image that is loaded and committed first.
    ports : tuple[Port, ...]
        Where the requesters ask. A tag belongs to one stream of one port.
    channels : tuple[Channel, ...]
        What is behind each channel.
    clocks : int
        Clock at which the run ends, if the requesters are not done before.
    seed : int
        Seed of the random pauses.
    contract : str
        Name of the contract that the image is of; empty if it is of none.
    offer_pause, command_pause : float
        Probability that in a clock nothing is offered, or that the memory port is not ready.
    window : Window or None
        Waveform to write.
    keep_requests : bool
        Whether clocks of every request are kept; otherwise those of steps only, for runs of
        hundreds of millions of requests. The cocotb engine keeps them always.
    axi_ports : tuple[tuple[int, ...], ...]
        Tags at each AXI port; see :meth:`behind_axi`. Without any, the requests come in at the
        channel itself, without data. With several channels a tag may be at several ports: its
        stream deals its requests over them.
    spreading : Interleave or None
        How the image spreads addresses over several channels; None if it says nothing, and they
        have the interleave after reset. See :attr:`interleave`.

    Raises
    ------
    ValueError
        If there is no port or no channel, or if two ports have the same name or two streams the
        same tag.
    """

    name: str
    arbiter: ArbiterKind
    config: ChannelConfig
    image: tuple[int, ...]
    ports: tuple[Port, ...]
    channels: tuple[Channel, ...]
    clocks: int
    seed: int
    contract: str = ""
    offer_pause: float = 0.0
    command_pause: float = 0.0
    window: Window | None = None
    keep_requests: bool = True
    axi_ports: tuple[tuple[int, ...], ...] = ()
    spreading: Interleave | None = None

    def __post_init__(self) -> None:
        if not self.ports or not self.channels:
            raise ValueError(
                f"{self.name!r} must have at least one port and one channel, "
                f"not {len(self.ports)} and {len(self.channels)}"
            )
        names = [port.name for port in self.ports]
        if len(set(names)) != len(names):
            raise ValueError(f"ports of {self.name!r} must have different names, not {names}")
        tags = [stream.tag for stream in self.streams]
        if len(set(tags)) != len(tags):
            raise ValueError(f"streams of {self.name!r} must have different tags, not {tags}")

    @property
    def streams(self) -> tuple[Stream, ...]:
        """Streams of all ports, port by port."""
        return tuple(stream for port in self.ports for stream in port.streams)

    @property
    def axi(self) -> bool:
        """Whether requests come in at AXI ports."""
        return bool(self.axi_ports)

    @property
    def channel(self) -> Channel:
        """Each of the channels, which are alike; ``ValueError`` if they are not."""
        if not self._alike:
            raise ValueError(f"channels of {self.name!r} must be alike, not {self.channels}")
        return self.channels[0]

    @property
    def _alike(self) -> bool:
        return all(each == self.channels[0] for each in self.channels)

    @property
    def fabric(self) -> bool:
        """Whether there are several channels, behind AXI ports."""
        return len(self.channels) > 1

    @property
    def interleave(self) -> Interleave:
        """How addresses are spread over the channels."""
        return self.spreading or Interleave.default(
            len(self.channels), self.config.l_max.bit_length() - 1
        )

    def require_runnable(self, engine: str) -> None:
        """Raise :class:`UserError` if no engine runs it.

        Parameters
        ----------
        engine : str
            Name of the engine that is asked to.
        """
        if len(self.ports) > 1 and not self.axi:
            raise UserError(
                f"the {engine} engine runs one port without AXI, not {len(self.ports)}; put all "
                f"streams of {self.name!r} at one port or behind AXI ports"
            )
        if not self.fabric:
            return
        if len(self.channels) not in CHANNELS or not self._alike:
            raise UserError(
                f"the {engine} engine runs {', '.join(map(str, CHANNELS))} channels, all alike, "
                f"not the {len(self.channels)} of {self.name!r}; choose such a number"
            )
        if not self.axi:
            raise UserError(
                f"the {engine} engine runs one channel without AXI, not {len(self.channels)}; put "
                f"the streams of {self.name!r} behind AXI ports"
            )
        if self.window is not None and engine == "cocotb":
            raise UserError(
                f"a waveform of {len(self.channels)} channels must be of the verilated or the "
                "reference engine, not of cocotb; choose one"
            )

    def require_single(self, what: str) -> None:
        """Raise :class:`UserError` if there are several channels.

        Parameters
        ----------
        what : str
            What is of one channel only.
        """
        if self.fabric:
            raise UserError(
                f"{what} must be of one channel, not {len(self.channels)}; run {self.name!r} on one"
            )

    def with_streams(self, streams: Iterable[Stream]) -> Scenario:
        """The same with other streams.

        Each stays at the port that has its tag now. A scenario with one port takes any tag.

        Raises
        ------
        ValueError
            If there are several ports and no stream has the tag.
        """
        port_of = {stream.tag: port.name for port in self.ports for stream in port.streams}
        at_port: dict[str, list[Stream]] = {port.name: [] for port in self.ports}
        for stream in streams:
            if len(self.ports) > 1 and stream.tag not in port_of:
                raise ValueError(
                    f"tag of {stream.name!r} must be that of a stream of {self.name!r}, which has "
                    f"several ports, not {stream.tag}"
                )
            at_port[port_of.get(stream.tag, self.ports[0].name)].append(stream)
        ports = [Port(name=name, streams=tuple(found)) for name, found in at_port.items()]
        return dataclasses.replace(self, ports=tuple(ports))

    def behind_axi(self, ports: Iterable[Iterable[int]]) -> Scenario:
        """The same at AXI ports, with data behind every request.

        Parameters
        ----------
        ports : Iterable[Iterable[int]]
            Tags at each port, also those of no stream.

        Raises
        ------
        ValueError
            If a stream has no port.
        UserError
            If a request leaves its block of ``l_max`` bytes, the channel's beat is not a clock's
            worth, or there are more ports than software has time for before the first request.
        """
        config = self.config
        tags = tuple(tuple(each) for each in ports)
        if config.beat_bytes != config.bytes_per_clock:
            raise UserError(
                f"beat_bytes must be {config.bytes_per_clock} behind AXI ports, a clock's worth, "
                f"not {config.beat_bytes}; write it in [hardware], with max_beats"
            )
        dealt = [tag for each in tags for tag in each]
        if not self.fabric and len(set(dealt)) != len(dealt):
            raise ValueError(f"ports of one channel must have a tag once, not {tags}")
        left = {stream.tag for stream in self.streams}.difference(*tags)
        if left:
            raise ValueError(f"ports must have every tag of {self.name!r}, not lack {sorted(left)}")
        tenants, rows = len(set(dealt)), len(dealt)
        writes = 2 * rows + tenants * len(tags)
        most = _most_port_writes(config, _FABRIC_WORDS if self.spreading else 0)
        if writes > most:
            raise UserError(
                f"{tenants} tenants must have at most {max(1, (most - 2 * rows) // tenants)} AXI "
                f"ports in a simulation, not {len(tags)}, which take {writes} register writes "
                "before the first request; give --ports"
            )
        for stream in self.streams:
            inside = stream.requests["address"] & np.uint64(config.l_max - 1)
            size = stream.requests["beats"].astype(np.uint64) * np.uint64(config.beat_bytes)
            if (inside + size > config.l_max).any():
                raise UserError(
                    f"requests of {stream.name!r} must lie within blocks of {config.l_max} bytes "
                    "behind AXI ports, which would cut others in two; align them"
                )
        return dataclasses.replace(self, axi_ports=tags)

    def with_channel(self, **changes: Any) -> Scenario:
        """The same with other fields of each of its channels."""
        channels = tuple(dataclasses.replace(channel, **changes) for channel in self.channels)
        return dataclasses.replace(self, channels=channels)


@dataclasses.dataclass(frozen=True, kw_only=True)
class TenantResult:
    """What one tenant saw. All arrays are int64 and count clocks since reset.

    Parameters
    ----------
    name, tag : str, int
        Tenant.
    sizes : numpy.ndarray
        Shape (offered,): bytes of each request.
    offered, taken, granted, completed : numpy.ndarray
        Shapes (offered,), (taken,), (granted,), (offered,): clock of each event by position in the
        stream; ``completed`` is -1 for requests still in the hardware at the end.
    classes : numpy.ndarray
        Shape (granted,): :class:`mcos_hw.registers.GrantClass` of each grant.
    step_started, step_ended : numpy.ndarray
        Shape (steps,): ``step_ended`` is -1 for a step still running at the end.
    bytes_granted : int
        Bytes of all grants, also where requests were not kept and their arrays are empty.
    """

    name: str
    tag: int
    sizes: np.ndarray
    offered: np.ndarray
    taken: np.ndarray
    granted: np.ndarray
    classes: np.ndarray
    completed: np.ndarray
    step_started: np.ndarray
    step_ended: np.ndarray
    bytes_granted: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class ChannelResult:
    """What one channel counted.

    Parameters
    ----------
    registers : dict[str, list[int]]
        Words of its monitor's registers after the run, by name.
    memory : MemoryCounts or None
        What an HBM behind it counted.
    """

    registers: dict[str, list[int]]
    memory: MemoryCounts | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunResult:
    """What a run gave.

    Parameters
    ----------
    clocks : int
        Clock at which it ended.
    tenants : tuple[TenantResult, ...]
        In the order of the scenario's streams.
    channels : tuple[ChannelResult, ...]
        In the order of the scenario's channels.
    seconds : float
        Wall time of the simulation.
    """

    clocks: int
    tenants: tuple[TenantResult, ...]
    channels: tuple[ChannelResult, ...]
    seconds: float

    @property
    def memory(self) -> MemoryCounts | None:
        """What the memories behind all channels counted."""
        found = [channel.memory for channel in self.channels if channel.memory is not None]
        return sum(found[1:], found[0]) if found else None

    @property
    def channel(self) -> ChannelResult:
        """What the only channel counted; ``ValueError`` if there are several."""
        if len(self.channels) != 1:
            raise ValueError(f"a result must be of one channel, not {len(self.channels)}")
        return self.channels[0]
