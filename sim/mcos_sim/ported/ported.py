"""A fabric between requesters and a memory, with the boundary of a controller without ports."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from mcos_hw.bus.axi4lite import Axi4LiteInterface, Axi4LiteSignature
from mcos_hw.channel.probe import probe_layout
from mcos_hw.config import PORT_RANGES, ChannelConfig, FabricConfig, PortConfig
from mcos_hw.controller import Controller
from mcos_hw.fabric.fabric import Fabric, port_name
from mcos_hw.link.request import (
    Request,
    StructuredStream,
    command_signature,
    completion_signature,
    request_signature,
    response_signature,
)
from mcos_hw.primitive.turn import next_turn
from mcos_hw.registers import ArbiterKind
from mcos_sim.ported.memory_side import MemorySide
from mcos_sim.ported.requester import ID_WIDTH, Requester

__all__ = [
    "PORT_CLOCKS",
    "PortedController",
    "Ports",
    "controller_of",
    "fabric_around",
]


PORT_CLOCKS = (12, 14)
"""Clocks that a read, and a write, take longer behind a port, beside those of their beats.

A read takes two more for each beat: one from memory, and one to the requester when all are there.
A write takes one for each beat. The reference model adds them; a test holds them against the RTL.
"""

_ENTRIES, _UNITS = 128, 512
"""Bursts and memory beats of each direction that a port has room for: what a channel passes in
twice the time that a memory and the way there take. A channel that can have less under way at its
memory has ports of as many."""

Ports = tuple[tuple[int, ...], ...]
"""Tags at each AXI port; an empty one stands for no AXI."""


def fabric_around(config: ChannelConfig, ports: Ports) -> FabricConfig:
    """The fabric of a channel with ports for groups of tags.

    Parameters
    ----------
    config : ChannelConfig
        Sizes of the channel.
    ports : Ports
        Tags of each port.

    Raises
    ------
    ValueError
        If the channel's beat is not a clock's worth.
    """
    rows = max(len(tags) for tags in ports)
    entries = min(_ENTRIES, config.slots)
    port = PortConfig(
        data_bytes=config.beat_bytes,
        id_width=ID_WIDTH,
        order_width=min(ID_WIDTH, PORT_RANGES["order_width"][1]),
        reads=entries,
        read_units=_UNITS,
        writes=entries,
        write_units=_UNITS,
        stamped=True,
        table_rows=1 << (rows - 1).bit_length(),
    )
    return FabricConfig(channel=config, ports=(port,) * len(ports))


class PortedController(wiring.Component):
    """What :class:`mcos_hw.controller.Controller` is, with AXI and data between its two sides.

    A request becomes a burst at the AXI port of its tenant and, with its data, one at the memory
    port; the model of the memory sees it as a command. All data are compared on both sides.
    Engines drive it as they drive a controller.

    Parameters
    ----------
    fabric : FabricConfig
        Sizes, as :func:`fabric_around` makes them.
    ports : Ports
        Tags of each port.
    arbiter : ArbiterKind
        Who chooses the grants.

    Members
    -------
    s_axil : In(Axi4LiteSignature)
        Registers, see :func:`mcos_hw.registers.fabric_map`.
    now, request, response, command, completion, probe
        As in :class:`mcos_hw.controller.Controller`.
    """

    s_axil: Axi4LiteInterface
    now: Signal
    request: Request
    response: StructuredStream
    command: StructuredStream
    completion: StructuredStream
    probe: data.View

    def __init__(
        self,
        fabric: FabricConfig,
        ports: Ports,
        *,
        arbiter: ArbiterKind = ArbiterKind.MCOS,
    ) -> None:
        self.config = config = fabric.channel
        self.ports = ports
        self.fabric = Fabric(fabric, arbiter=arbiter)
        self.registers = self.fabric.registers
        super().__init__(
            {
                "s_axil": In(Axi4LiteSignature(self.registers.address_width)),
                "now": Out(config.stamp_width),
                "request": In(request_signature(config)),
                "response": Out(response_signature(config)),
                "command": Out(command_signature(config)),
                "completion": In(completion_signature(config)),
                "probe": Out(probe_layout(config)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        fabric = self.fabric.fabric
        m.submodules.fabric = core = self.fabric
        m.submodules.memory = behind = MemorySide(fabric)
        connect(m, flipped(self.s_axil), core.s_axil)
        connect(m, core.m00_axi, behind.s_axi)
        connect(m, behind.command, flipped(self.command))
        connect(m, flipped(self.completion), behind.completion)
        m.d.comb += [self.now.eq(core.now), self.probe.eq(core.probe)]

        requesters = [Requester(fabric, k) for k in range(len(self.ports))]
        ready = 0
        for k, (requester, tags) in enumerate(zip(requesters, self.ports, strict=True)):
            m.submodules[f"requester_{k}"] = requester
            connect(m, requester.m_axi, getattr(core, port_name(fabric, k)))
            mask = sum(1 << tag for tag in tags)
            mine = Const(mask, self.config.tenants).bit_select(self.request.payload.tenant, 1)
            m.d.comb += [
                requester.request.valid.eq(self.request.valid & mine),
                requester.request.payload.eq(self.request.payload),
            ]
            ready = ready | (requester.request.ready & mask)
        m.d.comb += self.request.ready.eq(ready)

        # Ports answer in turn: a channel's requesters take one response a clock.
        last = Signal(range(max(2, len(requesters))))
        answer = Cat(each.responses.valid for each in requesters)
        turn = next_turn(m, last, answer, name="turn")
        m.d.comb += self.response.valid.eq(answer.any())
        for k, requester in enumerate(requesters):
            with m.If(answer[k] & (turn == k)):
                m.d.comb += [
                    self.response.payload.eq(requester.responses.payload),
                    requester.responses.ready.eq(1),
                ]
                m.d.sync += last.eq(k)
        return m


def controller_of(
    config: ChannelConfig, arbiter: ArbiterKind, ports: Ports
) -> Controller | PortedController:
    """What an engine runs: a controller, behind AXI ports if there are any."""
    if not ports:
        return Controller(config, arbiter=arbiter)
    return PortedController(fabric_around(config, ports), ports, arbiter=arbiter)
