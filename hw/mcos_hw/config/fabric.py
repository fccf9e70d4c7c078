"""Sizes of a fabric: its channels, the ports in front of them, and the memory port behind each."""

import dataclasses
import enum
import hashlib
import json
from collections.abc import Mapping

from mcos_hw.config.channel import ChannelConfig, require_range

__all__ = [
    "CHANNELS",
    "COORDINATOR_INTERVAL",
    "COORDINATOR_INTERVALS",
    "GRAINS",
    "MASK_WIDTH",
    "PORT_POWERS_OF_TWO",
    "PORT_RANGES",
    "FabricConfig",
    "MemoryProtocol",
    "PortConfig",
]


CHANNELS = (1, 2, 4, 8, 16, 32)
"""Numbers of channels that a fabric can have."""

COORDINATOR_INTERVALS = range(6, 16)
"""Log2 of the clocks after which the coordinator may look at all channels again."""

COORDINATOR_INTERVAL = 10
"""Which of them it is if nobody says otherwise: 1,024 clocks."""

GRAINS = 8
"""Grains of the interleave that an image can choose: ``l_max`` times a power of two, 1 to 128."""

MASK_WIDTH = 32
"""Bits of a mask of the interleave: bit k stands for bit ``block_width + k`` of an address."""

PORT_RANGES: Mapping[str, tuple[int, int]] = {
    "data_bytes": (8, 64),
    "id_width": (1, 16),
    "order_width": (0, 8),
    "reads": (4, 512),
    "read_units": (16, 4096),
    "writes": (4, 512),
    "write_units": (16, 4096),
    "table_rows": (1, 32),
    "hazard_rows": (4, 65536),
    "landing": (2, 256),
}
"""Least and largest value of each size of a port; some depend on another one as well."""

PORT_POWERS_OF_TWO = (
    "data_bytes",
    "reads",
    "read_units",
    "writes",
    "write_units",
    "table_rows",
    "hazard_rows",
    "landing",
)
"""Sizes of a port that are a power of two."""


class MemoryProtocol(enum.Enum):
    """What the memory port speaks."""

    AXI4 = "axi4"
    AXI3 = "axi3"


@dataclasses.dataclass(frozen=True, kw_only=True)
class PortConfig:
    """Sizes of one AXI4 subordinate port.

    Parameters
    ----------
    data_bytes : int
        Bytes of the data bus, 8 to 64; a power of two.
    id_width : int
        Bits of an AXI ID.
    order_width : int
        IDs that are equal in this many low bits share one order. It costs a row of tables for each
        of their values, and more order than AXI asks for between the IDs that share.
    reads, writes : int
        Fragments of reads, and of writes, that the port can have under way; powers of two.
    read_units, write_units : int
        Memory beats that its return banks, and its write banks, hold; powers of two. There is a
        bank of each kind for each channel, and they share the beats evenly.
    table_rows : int
        Rows of its tenant table; a power of two.
    hazard_rows : int
        Values of the hash by which blocks of outstanding fragments of one order are told apart; a
        power of two. Blocks that share one wait for one another if they touch the same beats. It
        costs its logarithm in bits of each fragment: with 12 fragments of one order outstanding, at
        random addresses, the next one waits in vain once in 80 times at 1024 values.
    landing : int
        Fragments that wait in front of each of several channels for their turn among the ports, at
        most; a power of two. In front of a single channel two wait.
    stamped : bool
        Requesters say themselves when they first wanted a burst, in AxUSER: those that queue what
        the port cannot take yet, in front of an arbiter by age. Else the port notes it.
    inner : bool
        An engine inside uses the port, without AXI; only ``reads``, ``writes``, ``order_width``
        and ``hazard_rows`` count.

    Raises
    ------
    TypeError
        If a size is not an integer, or a switch not a bool.
    ValueError
        If a size is out of its range or not a power of two where one is needed.
    """

    data_bytes: int = 64
    id_width: int = 6
    order_width: int = 6
    reads: int = 64
    read_units: int = 256
    writes: int = 64
    write_units: int = 128
    table_rows: int = 8
    hazard_rows: int = 1024
    landing: int = 16
    stamped: bool = False
    inner: bool = False

    def __post_init__(self) -> None:
        for name in ("stamped", "inner"):
            if not isinstance(getattr(self, name), bool):
                raise TypeError(f"{name} must be a bool, not {getattr(self, name)!r}")
        for name, (low, high) in PORT_RANGES.items():
            require_range(name, getattr(self, name), low, high)
        for name in PORT_POWERS_OF_TWO:
            value = getattr(self, name)
            if value & (value - 1):
                raise ValueError(f"{name} must be a power of two, not {value!r}")

    def with_outstanding(self, count: int, *, max_beats: int) -> "PortConfig":
        """The same with so many reads and writes under way, and banks that hold four and two beats
        of each, as by default, and the longest request of ``max_beats``.

        Raises
        ------
        ValueError
            If a port cannot have so many.
        """
        least = max(PORT_RANGES["read_units"][0], max_beats)
        return dataclasses.replace(
            self,
            reads=count,
            writes=count,
            read_units=max(least, count * PortConfig.read_units // PortConfig.reads),
            write_units=max(least, count * PortConfig.write_units // PortConfig.writes),
        )

    @property
    def order_bits(self) -> int:
        """Low bits of an ID that name its order."""
        return min(self.id_width, self.order_width)

    @property
    def size_limit(self) -> int:
        """Largest AxSIZE: log2 of ``data_bytes``."""
        return self.data_bytes.bit_length() - 1


@dataclasses.dataclass(frozen=True, kw_only=True)
class FabricConfig:
    """Sizes of channels with ports in front of them.

    A beat of the memory port is a clock's worth of the channel: ``channel.beat_bytes`` equals
    ``channel.bytes_per_clock``. :meth:`around` makes such a channel from any other.

    Parameters
    ----------
    channel : ChannelConfig
        Sizes of each channel.
    channels : int
        How many channels, one of :data:`CHANNELS`. Addresses are interleaved over them.
    ports : tuple[PortConfig, ...]
        Sizes of each port, 1 to 16 of them.
    memory_protocol : MemoryProtocol
        What the memory port speaks.
    power : bool
        Whether there is a power governor, with a broadcast cap as an input.

    Raises
    ------
    TypeError
        If ``power`` is not a bool.
    ValueError
        If a beat is not a clock's worth, a request longer than 4 KB or shorter than a port's
        transfer, ``channel.id_width`` too small to name every fragment, a bank too small for
        the longest request, or addresses too short to be interleaved.
    """

    channel: ChannelConfig
    channels: int = 1
    ports: tuple[PortConfig, ...] = (PortConfig(),)
    memory_protocol: MemoryProtocol = MemoryProtocol.AXI4
    power: bool = False

    def __post_init__(self) -> None:
        channel = self.channel
        if not isinstance(self.power, bool):
            raise TypeError(f"power must be a bool, not {self.power!r}")
        if self.channels not in CHANNELS or isinstance(self.channels, bool):
            raise ValueError(
                f"channels must be one of {', '.join(map(str, CHANNELS))}, not {self.channels!r}"
            )
        if not 1 <= len(self.ports) <= 16:
            raise ValueError(f"ports must be 1 to 16, not {len(self.ports)}")
        if channel.beat_bytes != channel.bytes_per_clock:
            raise ValueError(
                "beat_bytes must equal bytes_per_clock in a fabric, "
                f"{channel.bytes_per_clock}, not {channel.beat_bytes}"
            )
        if channel.l_max > 4096:
            raise ValueError(f"l_max must be at most 4096 bytes, not {channel.l_max}")
        if channel.id_width < self.port_width + self.entry_width:
            raise ValueError(
                f"id_width must be at least {self.port_width + self.entry_width}, to name every "
                f"fragment of every port, not {channel.id_width}"
            )
        least = self.block_width + GRAINS - 1 + self.channel_width
        if self.channels > 1 and channel.address_width < least:
            raise ValueError(
                f"address_width must be at least {least}, to interleave {self.channels} channels, "
                f"not {channel.address_width}"
            )
        for k, port in enumerate(self.ports):
            if port.data_bytes > channel.l_max:
                raise ValueError(
                    f"data_bytes of port {k} must be at most l_max, {channel.l_max}, "
                    f"not {port.data_bytes}"
                )
            for name in ("read_units", "write_units"):
                if getattr(port, name) < channel.max_beats * self.channels:
                    raise ValueError(
                        f"{name} of port {k} must be at least max_beats of each channel, "
                        f"{channel.max_beats * self.channels}, not {getattr(port, name)}"
                    )

    @classmethod
    def around(
        cls,
        channel: ChannelConfig,
        *,
        channels: int = 1,
        ports: tuple[PortConfig, ...] = (PortConfig(),),
        memory_protocol: MemoryProtocol = MemoryProtocol.AXI4,
    ) -> "FabricConfig":
        """The fabric of a channel whose beat becomes a clock's worth, with ids wide enough.

        The longest request keeps its bytes as far as 16 beats of the new size hold them.

        Raises
        ------
        ValueError
            If ``bytes_per_clock`` is no size that a beat can have.
        """
        rate = channel.bytes_per_clock
        beats = max(2, channel.l_max // rate)
        entries = max(max(port.reads, port.writes) for port in ports)
        named = (len(ports) - 1).bit_length() + (entries - 1).bit_length()
        fitted = dataclasses.replace(
            channel, beat_bytes=rate, max_beats=min(16, beats), id_width=max(named, 1)
        )
        return cls(channel=fitted, channels=channels, ports=ports, memory_protocol=memory_protocol)

    @property
    def port_width(self) -> int:
        """Bits of a port's number."""
        return (len(self.ports) - 1).bit_length()

    @property
    def channel_width(self) -> int:
        """Bits of a channel's number."""
        return (self.channels - 1).bit_length()

    @property
    def entry_width(self) -> int:
        """Bits of the number of a fragment within its port and direction."""
        return (max(max(port.reads, port.writes) for port in self.ports) - 1).bit_length()

    @property
    def beat_bytes(self) -> int:
        """Bytes of a memory beat."""
        return self.channel.beat_bytes

    @property
    def block_width(self) -> int:
        """Bits of a byte's place in a block of ``l_max`` bytes; no fragment leaves its block."""
        return self.channel.l_max.bit_length() - 1

    @property
    def transfers_width(self) -> int:
        """Bits that hold the transfers of a fragment: 1 to 256."""
        return 9

    @property
    def hash(self) -> str:
        """Twelve hexadecimal digits that name this configuration in every result file."""
        fields = dataclasses.asdict(self) | {"memory_protocol": self.memory_protocol.value}
        text = json.dumps(fields, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:12]
