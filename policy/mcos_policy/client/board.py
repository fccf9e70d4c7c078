"""Software's side of a board: its channels side by side, and what asks them for memory."""

import dataclasses
from collections.abc import Iterator, Mapping

from mcos_hw.config import ChannelConfig, FabricConfig, PortConfig
from mcos_hw.registers import ArbiterKind, RegisterMap, fabric_map
from mcos_hw.registers.board_map import BOARD_MAGIC, GENERATOR_COUNTS, board_map
from mcos_hw.registers.frames import REGION_WIDTH
from mcos_policy.client.client import Client
from mcos_policy.client.error import ClientError
from mcos_policy.client.framed import FramedTransport, Window
from mcos_policy.client.metrics import Metrics

__all__ = [
    "Board",
    "GeneratorCounts",
    "Pattern",
]


_MOST_LANES = 15


@dataclasses.dataclass(frozen=True, kw_only=True)
class Pattern:
    """How a generator asks; see the registers PACE and GENERATOR of a board.

    Parameters
    ----------
    interval : int
        Clocks from a request to the next; 0 asks whenever the window allows.
    window : int
        Requests under way at most.
    beats : int
        Beats of a request: 1, 2, 4, 8 or 16.
    writes : int
        Quarters of the requests that write, 0 to 4.
    random : bool
        Anywhere in the tenant's memory, not in order.
    """

    interval: int = 0
    window: int = 1
    beats: int = 8
    writes: int = 0
    random: bool = False

    def __post_init__(self) -> None:
        if self.beats not in (1, 2, 4, 8, 16):
            raise ValueError(f"beats must be 1, 2, 4, 8 or 16, not {self.beats!r}")
        for name, most in (("interval", 65_535), ("window", 63), ("writes", 4)):
            value = getattr(self, name)
            if not 0 <= value <= most:
                raise ValueError(f"{name} must be in 0..{most}, not {value!r}")


@dataclasses.dataclass(frozen=True, kw_only=True)
class GeneratorCounts:
    """What a generator counted since its counts were cleared.

    Parameters
    ----------
    answered : int
        Requests that were answered.
    latency_sum, latency_most : int
        Their latencies in clocks, added up modulo 2**32, and the longest.
    wrong : int
        Beats of read data that were wrong, and answers other than OKAY.
    """

    answered: int
    latency_sum: int
    latency_most: int
    wrong: int

    @property
    def latency_mean(self) -> float | None:
        """Mean latency in clocks; None without a request."""
        return self.latency_sum / self.answered if self.answered else None


class Board:
    """A board behind a line. Every lane is a core, with a client of its own.

    Parameters
    ----------
    transport : FramedTransport
        The way to it.
    config : ChannelConfig or None
        The sizes that its channels must have; None takes what their registers tell.
    names : Mapping[int, str] or None
        Name of each tenant by tag.

    Raises
    ------
    ClientError
        If nothing answers, something else does, or the board has other sizes.
    """

    def __init__(
        self,
        transport: FramedTransport,
        config: ChannelConfig | None = None,
        *,
        names: Mapping[int, str] | None = None,
    ) -> None:
        self.transport = transport
        self._registers = board_map(1, 4)
        magic = self._read("BOARD")
        if magic != BOARD_MAGIC:
            raise ClientError(
                f"register BOARD must read {BOARD_MAGIC:#010x}, which spells MBRD",
                f"{magic:#010x}",
                "load a bitstream of make build TARGET=ulx3s",
            )
        shape = self._registers["BOARD_SHAPE"].unpack(self._read("BOARD_SHAPE"))
        lanes, tenants = shape["lanes"], shape["tenants"]
        if not 1 <= lanes <= _MOST_LANES or tenants not in (4, 8, 16):
            raise ClientError(
                "register BOARD_SHAPE must tell a possible board",
                f"{lanes} lanes of {tenants} tenants",
                "use the software that the board was built with",
            )
        self._registers = board_map(lanes, tenants)
        self.tenants = tenants
        self.lanes: tuple[Client, ...] = tuple(
            Client(Window(transport, _base(k)), config, names=names) for k in range(lanes)
        )

    @property
    def arbiters(self) -> tuple[ArbiterKind, ...]:
        """Who chooses the grants of each lane."""
        return tuple(lane.core.arbiter for lane in self.lanes)

    def map_ports(self) -> None:
        """Say in every lane that port k is tenant k's, with a place for each request of its queue.

        Raises
        ------
        ClientError
            If the device does not take it.
        """
        for lane in self.lanes:
            config = lane.core.config
            registers = _fabric_registers(config)

            def write(name: str, lane: Client = lane, registers=registers, **fields: int) -> None:
                register = registers[name]
                lane.transport.write32(register.offset, register.pack(**fields))

            write("PORT_IDS", first=0, last=0)
            for tenant in range(self.tenants):
                write("PORT_ROW", used=1, tenant=tenant, row=0, port=tenant)
                for other in range(self.tenants):
                    places = config.queue_depth if other == tenant else 0
                    write("PORT_PLACES", places=places, tenant=other, port=tenant)
        self.transport.flush()

    def generate(self, tenant: int, pattern: Pattern | None) -> None:
        """Let a tenant ask in every lane; None stops it."""
        asks = pattern or Pattern()
        self._write("PACE", interval=asks.interval, window=asks.window)
        self._write(
            "GENERATOR",
            tenant=tenant,
            on=pattern is not None,
            random=asks.random,
            beats_log2=asks.beats.bit_length() - 1,
            writes=asks.writes,
        )
        self.transport.flush()

    def clear(self) -> None:
        """Set what the generators count to zero."""
        self._write("CLEAR", counts=1)
        self.transport.flush()

    def counts(self) -> tuple[tuple[GeneratorCounts, ...], ...]:
        """What the generators of each lane counted, by lane and tenant."""
        columns = {
            name.lower(): self.transport.read_words(
                self._registers[name].offset, len(self.lanes) * self.tenants
            )
            for name in GENERATOR_COUNTS
        }
        flat = [
            GeneratorCounts(**{name: words[k] for name, words in columns.items()})
            for k in range(len(self.lanes) * self.tenants)
        ]
        return tuple(
            tuple(flat[self.tenants * k : self.tenants * (k + 1)]) for k in range(len(self.lanes))
        )

    def metrics(self, lane: int) -> Metrics:
        """What a lane's core counted in the epoch that ended last, read in few frames.

        Raises
        ------
        ClientError
            As :meth:`mcos_policy.client.Client.metrics`.
        """
        base = _base(lane)

        def ahead() -> None:
            self.transport.forget()
            for first, words in _counted(self.lanes[lane].registers):
                self.transport.fetch(base + first, words)

        try:
            return self.lanes[lane].metrics(ahead)
        finally:
            self.transport.forget()

    def _read(self, name: str) -> int:
        return self.transport.read32(self._registers[name].offset)

    def _write(self, name: str, **fields: int) -> None:
        register = self._registers[name]
        self.transport.write32(register.offset, register.pack(**fields))


def _base(lane: int) -> int:
    """Where a lane's registers begin."""
    return (1 + lane) << REGION_WIDTH


def _fabric_registers(config: ChannelConfig) -> RegisterMap:
    """Registers of the ports, which stand where they do for every number of ports."""
    port = PortConfig(data_bytes=config.beat_bytes)
    return fabric_map(FabricConfig.around(config, ports=(port,)))


def _counted(registers: RegisterMap) -> Iterator[tuple[int, int]]:
    """Registers that metrics are read from: first byte and words of each, the epoch's first."""
    for register in registers.registers:
        if register.offset >= registers["EPOCH"].offset:
            yield register.offset, register.count
