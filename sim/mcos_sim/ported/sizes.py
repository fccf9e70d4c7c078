"""Sizes of the AXI ports that scenarios have in front of their channels."""

import dataclasses
from collections.abc import Iterable

from mcos_hw.config import PORT_RANGES, RANGES, ChannelConfig, FabricConfig, PortConfig

__all__ = [
    "FABRIC_PORT_CLOCKS",
    "ID_WIDTH",
    "MOST_PORTS",
    "PORT_CLOCKS",
    "Ports",
    "bank_units",
    "dealt",
    "fabric_around",
    "queue_depth_behind",
]


ID_WIDTH = 10
"""Bits of an AXI ID: the tag, and a number among the tenant's bursts of one direction."""

PORT_CLOCKS = (12, 14)
"""Clocks that a read, and a write, take longer behind a port, beside those of their beats.

A read takes two more for each beat: one from memory, and one to the requester when all are there.
A write takes one for each beat. The reference model adds them; a test holds them against the RTL.
"""

FABRIC_PORT_CLOCKS = (13, 15)
"""The same in front of several channels, whose answers a port gathers in a clock."""

_ENTRIES, _UNITS = 128, 512
"""Bursts and memory beats of each direction that a port has room for: what a channel passes in
twice the time that a memory and the way there take. A channel that can have less under way at its
memory has ports of as many."""

_PLACES = 8
"""Places that a tenant has in each of several channels, at each port, if queues are so deep. With
two, three decoders alone used 65 % of eight channels: a port waits for a busy channel with all that
is behind."""

Ports = tuple[tuple[int, ...], ...]
"""Tags at each AXI port; an empty one stands for no AXI."""


MOST_PORTS = 16
"""AXI ports of a fabric."""


def dealt(tags: Iterable[int], ports: int | None, *, channels: int = 1, own: bool = False) -> Ports:
    """Tags at each AXI port.

    In front of one channel each tag has one port, and None gives each a port of its own. In front
    of several, every tag is at every port, and None gives as many ports as channels. With ``own``
    tags are dealt over the ports, and one may have several; None then gives as many as there are
    tags, or channels if these are more, as a port carries what a channel does.
    """
    ordered = tuple(sorted(tags))
    as_channels = min(channels, MOST_PORTS)
    if channels > 1 and not own:
        return (ordered,) * (ports or as_channels)
    count = ports or (max(len(ordered), as_channels) if own else len(ordered))
    if count <= len(ordered):
        return tuple(ordered[k::count] for k in range(count))
    return tuple((ordered[k % len(ordered)],) for k in range(count if own else len(ordered)))


def bank_units(config: ChannelConfig, ports: Ports, channels: int) -> int:
    """Beats of each direction that a port has room for in front of each channel."""
    return fabric_around(config, ports, channels).ports[0].read_units // channels


def fabric_around(config: ChannelConfig, ports: Ports, channels: int = 1) -> FabricConfig:
    """The fabric of channels with ports for groups of tags.

    Parameters
    ----------
    config : ChannelConfig
        Sizes of each channel.
    ports : Ports
        Tags of each port.
    channels : int
        How many channels.

    Raises
    ------
    ValueError
        If the channel's beat is not a clock's worth, or sizes do not fit each other.
    """
    rows = max(len(tags) for tags in ports)
    entries = min(_ENTRIES, config.slots)
    # Of each of several channels a port keeps four of the longest requests under way at least.
    units = max(_UNITS, 4 * config.max_beats * channels)
    port = PortConfig(
        data_bytes=config.beat_bytes,
        id_width=ID_WIDTH,
        order_width=min(ID_WIDTH, PORT_RANGES["order_width"][1]),
        reads=entries,
        read_units=units,
        writes=entries,
        write_units=units,
        stamped=True,
        table_rows=1 << (rows - 1).bit_length(),
    )
    if channels > 1:
        # Every place of every tenant may be in use at the same time.
        most = config.tenants * -(-config.queue_depth // len(ports))
        fitting = 1 << (most - 1).bit_length()
        landing = max(PortConfig.landing, min(PORT_RANGES["landing"][1], fitting))
        port = dataclasses.replace(port, landing=landing)
    return FabricConfig(channel=config, channels=channels, ports=(port,) * len(ports))


def queue_depth_behind(ports: int) -> int:
    """Requests of a tenant that each of several channels holds behind so many ports."""
    wanted = 1 << (_PLACES * ports - 1).bit_length()
    return max(ChannelConfig.queue_depth, min(RANGES["queue_depth"][1], wanted))
