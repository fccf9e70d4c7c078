# amaranth: UnusedElaboratable=no
"""The board ULX3S with an LFE5U-85F: its sizes, its pins, and its top module."""

import dataclasses
import hashlib
import json
from typing import Any

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.cdc import ResetSynchronizer
from amaranth.lib.wiring import In, Out

from mcos_hw import __version__
from mcos_hw.board.system import LIGHTS, BoardConfig, BoardSystem
from mcos_hw.config import ChannelConfig, FabricConfig, PortConfig
from mcos_hw.registers import ArbiterKind
from mcos_hw.targets.companions import comment
from mcos_hw.targets.ecp5_pll import pll_for
from mcos_hw.targets.verilog import verilog_text

__all__ = [
    "BAUD",
    "DEVICE",
    "INPUT_KHZ",
    "NAMES",
    "PACKAGE",
    "PINS",
    "SPEED_GRADE",
    "TOP",
    "Pin",
    "Ulx3sTop",
    "board_config",
    "constraints",
    "files",
]


TOP = "mcos_ulx3s"
"""Name of the top module."""

NAMES = (f"{TOP}.v", f"{TOP}.lpf", f"{TOP}.json")
"""Names of the files, known before they are made."""

DEVICE, PACKAGE, SPEED_GRADE = "LFE5U-85F", "CABGA381", 6
"""The FPGA on the board."""

INPUT_KHZ = 25_000
"""The oscillator on the board."""

BAUD = 1_000_000
"""Bits a second of the serial line; the USB converter divides 3 MHz."""

_CLOCK_KHZ = 40_000

_LIGHT_SECONDS = 0.05

_OUTSTANDING = (4, 4, 4, 16)
"""Reads, and writes, that each tenant can have under way."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Pin:
    """A pin of the board (emard/ulx3s, doc/constraints/ulx3s_v20.lpf).

    Parameters
    ----------
    port : str
        Port of the top module, a bit of it with its index.
    site : str
        Ball of the package.
    options : str
        Its electrical settings, as Lattice's preferences have them.
    """

    port: str
    site: str
    options: str


_LED_SITES = ("B2", "C2", "C1", "D2", "D1", "E2", "E1", "H3")

PINS = (
    Pin(port="clk_25mhz", site="G2", options="PULLMODE=NONE IO_TYPE=LVCMOS33"),
    Pin(port="ftdi_txd", site="M1", options="PULLMODE=UP IO_TYPE=LVCMOS33"),
    Pin(port="ftdi_rxd", site="L4", options="PULLMODE=UP IO_TYPE=LVCMOS33 DRIVE=4"),
    Pin(port="btn_fire1", site="R1", options="PULLMODE=DOWN IO_TYPE=LVCMOS33"),
    Pin(port="wifi_gpio0", site="L2", options="PULLMODE=NONE IO_TYPE=LVCMOS33 DRIVE=4"),
    *(
        Pin(port=f"led[{k}]", site=site, options="PULLMODE=NONE IO_TYPE=LVCMOS33 DRIVE=4")
        for k, site in enumerate(_LED_SITES)
    ),
)
"""Every port of the top module."""


def board_config(
    arbiters: tuple[ArbiterKind, ...] = (ArbiterKind.MCOS,), *, bit_clocks: int | None = None
) -> BoardConfig:
    """Sizes of the board: four tenants in a compact channel of 8 bytes a clock.

    Parameters
    ----------
    arbiters : tuple[ArbiterKind, ...]
        Arbiter of each lane.
    bit_clocks : int or None
        Clocks of a bit of the serial line; None for those of :data:`BAUD`. A simulation takes
        fewer, and then lights go out sooner, too.
    """
    tenants = len(_OUTSTANDING)
    channel = ChannelConfig(
        tenants=tenants,
        grant_interval=8,
        lateness=0,
        beat_bytes=8,
        max_beats=16,
        bytes_per_clock=8,
        clock_khz=_CLOCK_KHZ,
        id_width=6,
        address_width=32,
        stamp_width=32,
        slots=16,
    )
    port = PortConfig(data_bytes=8, id_width=1, order_width=1, table_rows=2, hazard_rows=4)
    ports = tuple(
        port.with_outstanding(count, max_beats=channel.max_beats) for count in _OUTSTANDING
    )
    light_clocks = round(1000 * _CLOCK_KHZ * _LIGHT_SECONDS)
    return BoardConfig(
        fabric=FabricConfig(channel=channel, ports=ports),
        arbiters=arbiters,
        bit_clocks=1000 * _CLOCK_KHZ // BAUD if bit_clocks is None else bit_clocks,
        light_clocks=light_clocks if bit_clocks is None else 100 * bit_clocks,
    )


class Ulx3sTop(wiring.Component):
    """The pins of the board around :class:`mcos_hw.board.system.BoardSystem`.

    Everything is reset until the clock is steady, and while the button is pressed.

    Parameters
    ----------
    config : BoardConfig
        Sizes; the clock is that of its channel.

    Members
    -------
    clk_25mhz : In(1)
        The oscillator.
    ftdi_txd, ftdi_rxd : In(1), Out(1)
        The serial line, called as the USB converter does: ``ftdi_txd`` comes from it.
    btn_fire1 : In(1)
        Resets everything; high while it is pressed.
    led : Out(8)
        The lights.
    wifi_gpio0 : Out(1)
        Held high, or the other processor of the board starts it again.
    """

    clk_25mhz: Signal
    ftdi_txd: Signal
    ftdi_rxd: Signal
    btn_fire1: Signal
    led: Signal
    wifi_gpio0: Signal

    def __init__(self, config: BoardConfig) -> None:
        self.config = config
        super().__init__(
            {
                "clk_25mhz": In(1),
                "ftdi_txd": In(1, init=1),
                "ftdi_rxd": Out(1, init=1),
                "btn_fire1": In(1),
                "led": Out(LIGHTS),
                "wifi_gpio0": Out(1, init=1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.domains.sync = sync = ClockDomain(local=True)
        pll = pll_for(input_khz=INPUT_KHZ, output_khz=self.config.fabric.channel.clock_khz)
        clock = Signal()
        locked = Signal()
        m.submodules.pll = pll.instance(clock=self.clk_25mhz, output=clock, locked=locked)
        m.submodules.reset = ResetSynchronizer(~locked | self.btn_fire1, domain="sync")
        m.submodules.system = system = BoardSystem(self.config)
        m.d.comb += [
            sync.clk.eq(clock),
            system.received.eq(self.ftdi_txd),
            self.ftdi_rxd.eq(system.sent),
            self.led.eq(system.lights),
            self.wifi_gpio0.eq(1),
        ]
        return m


def constraints(*, margin: float = 1.0) -> str:
    """Pins and clock as Lattice's preferences; with a margin of 1 ``constraints/ulx3s`` has them.

    Parameters
    ----------
    margin : float
        By how much faster the oscillator is said to be than it is; tools derive the clock behind
        the PLL from it.
    """
    head = (
        f"Pins and clock of the board ULX3S with {DEVICE}, speed grade {SPEED_GRADE}, {PACKAGE}.",
        "Generated by MCOS; do not edit. mcos verilog --target ulx3s writes it.",
    )
    lines = [comment(head, "#"), "BLOCK RESETPATHS;", "BLOCK ASYNCPATHS;"]
    lines.append(f'FREQUENCY PORT "clk_25mhz" {margin * INPUT_KHZ / 1000:g} MHZ;')
    for pin in PINS:
        lines.append(f'LOCATE COMP "{pin.port}" SITE "{pin.site}";')
        lines.append(f'IOBUF PORT "{pin.port}" {pin.options};')
    return "\n".join(lines) + "\n"


def files(arbiters: tuple[ArbiterKind, ...], *, regenerate: str) -> dict[str, str]:
    """The files of this target, the same text for the same arguments.

    ``mcos_ulx3s.v`` is the whole design, ``mcos_ulx3s.lpf`` its pins and its clock, and
    ``mcos_ulx3s.json`` its sizes and hashes for programs.

    Parameters
    ----------
    arbiters : tuple[ArbiterKind, ...]
        Arbiter of each lane.
    regenerate : str
        Command that makes these files again.
    """
    config = board_config(arbiters)
    named = ", ".join(each.name.lower() for each in arbiters)
    origin = (
        f"Generated by MCOS {__version__}; do not edit.",
        f"Built for the board ULX3S ({DEVICE}-{SPEED_GRADE}{PACKAGE}) with the arbiter {named}.",
        f"Config hash {config.fabric.hash}.",
        f"Generate it again: {regenerate}",
    )
    texts = {
        f"{TOP}.v": verilog_text(
            Ulx3sTop(config), name=TOP, head=(f"{TOP}: MCOS on a board, Verilog-2005.", *origin)
        ),
        f"{TOP}.lpf": constraints(),
    }
    record: dict[str, Any] = {
        "arbiters": [each.name.lower() for each in arbiters],
        "baud": BAUD,
        "config": dataclasses.asdict(config.fabric)
        | {"memory_protocol": config.fabric.memory_protocol.value},
        "config_hash": config.fabric.hash,
        "device": DEVICE,
        "files": {name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()},
        "package": PACKAGE,
        "regenerate": regenerate,
        "speed_grade": SPEED_GRADE,
        "target": "ulx3s",
        "top": TOP,
        "version": __version__,
    }
    return texts | {f"{TOP}.json": json.dumps(record, indent=2, sort_keys=True) + "\n"}
