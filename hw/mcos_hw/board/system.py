# amaranth: UnusedElaboratable=no
"""All of a board but its pins and its clock: a serial line, channels side by side, lights."""

import dataclasses

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect

from mcos_hw.board.board_registers import BoardRegisters
from mcos_hw.board.frame_server import FrameServer
from mcos_hw.board.lane import Lane
from mcos_hw.board.regions import Regions
from mcos_hw.board.uart import UartReceiver, UartTransmitter
from mcos_hw.config import FabricConfig
from mcos_hw.registers import ArbiterKind

__all__ = [
    "LIGHTS",
    "BoardConfig",
    "BoardSystem",
]


LIGHTS = 8
"""Lights of a board."""

_BYTE_TIMES = 200
"""Bytes that a line is silent for before a request counts as cut: drivers pause within one."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class BoardConfig:
    """Sizes of a board.

    Parameters
    ----------
    fabric : FabricConfig
        Sizes of each lane; a port for each tenant.
    arbiters : tuple[ArbiterKind, ...]
        Arbiter of each lane.
    words : int
        Words of memory of each tenant in each lane, a power of two.
    bit_clocks : int
        Clocks of a bit of the serial line.
    light_clocks : int
        Clocks that a light stays on after what it shows.
    """

    fabric: FabricConfig
    arbiters: tuple[ArbiterKind, ...]
    words: int = 512
    bit_clocks: int
    light_clocks: int

    @property
    def baud(self) -> float:
        """Bits a second of the serial line."""
        return 1000 * self.fabric.channel.clock_khz / self.bit_clocks


class BoardSystem(wiring.Component):
    """Software at a serial line sets up and compares channels that differ in their arbiter.

    Every lane has the same tenants, which ask for the same. Lights 0 to 3 show grants of tenants 0
    to 3, light 4 of any other, all of lane 0; light 5 and 6 a late answer in lane 0 and in any
    other lane; light 7 bytes from the serial line.

    Parameters
    ----------
    config : BoardConfig
        Sizes.

    Members
    -------
    received : In(1)
        The line on which requests come, see :mod:`mcos_hw.registers.frames`.
    sent : Out(1)
        The line on which answers go.
    lights : Out(LIGHTS)
        High where a light is on.
    """

    received: Signal
    sent: Signal
    lights: Signal

    def __init__(self, config: BoardConfig) -> None:
        self.config = config
        self._lanes = [
            Lane(config.fabric, arbiter=arbiter, words=config.words) for arbiter in config.arbiters
        ]
        super().__init__({"received": In(1, init=1), "sent": Out(1, init=1), "lights": Out(LIGHTS)})

    def elaborate(self, platform):
        m = Module()
        config, lanes = self.config, self._lanes
        tenants = config.fabric.channel.tenants
        m.submodules.receiver = receiver = UartReceiver(bit_clocks=config.bit_clocks)
        m.submodules.transmitter = transmitter = UartTransmitter(bit_clocks=config.bit_clocks)
        m.submodules.server = server = FrameServer(
            quiet_clocks=10 * config.bit_clocks * _BYTE_TIMES
        )
        m.submodules.registers = registers = BoardRegisters(lanes=len(lanes), tenants=tenants)
        m.submodules.regions = regions = Regions(
            [len(registers.s_axil.araddr), *(len(lane.s_axil.araddr) for lane in lanes)]
        )
        m.d.comb += [receiver.line.eq(self.received), self.sent.eq(transmitter.line)]
        connect(m, receiver.o, server.i)
        connect(m, server.o, transmitter.i)
        connect(m, server.m_axil, regions.s_axil)
        for k, part in enumerate((registers, *lanes)):
            connect(m, getattr(regions, f"m_axil_{k}"), part.s_axil)
        for k, lane in enumerate(lanes):
            m.submodules[f"lane_{k}"] = lane
            m.d.comb += lane.clear.eq(registers.clear)
            for tenant in range(tenants):
                m.d.comb += [
                    lane.settings[tenant].eq(registers.settings[tenant]),
                    registers.counts[tenants * k + tenant].eq(lane.counts[tenant]),
                ]

        granted = lanes[0].granted
        shown = Cat(
            granted[:4],
            granted[4:].any() if tenants > 4 else Const(0, 1),
            lanes[0].late,
            Cat(lane.late for lane in lanes[1:]).any() if lanes[1:] else Const(0, 1),
            receiver.o.valid,
        )
        for k in range(LIGHTS):
            left = Signal(range(config.light_clocks + 1), name=f"light_{k}")
            m.d.comb += self.lights[k].eq(left != 0)
            with m.If(shown[k]):
                m.d.sync += left.eq(config.light_clocks)
            with m.Elif(left != 0):
                m.d.sync += left.eq(left - 1)
        return m
