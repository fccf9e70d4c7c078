"""A fabric between requesters and a memory, with the boundary of a controller without ports."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from mcos_hw.bus.axi4lite import Axi4LiteInterface, Axi4LiteSignature
from mcos_hw.channel.probe import probe_layout
from mcos_hw.config import ChannelConfig, FabricConfig
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
from mcos_sim.ported.ported_fabric import PortedFabric
from mcos_sim.ported.requester import Requester
from mcos_sim.ported.sizes import Ports, fabric_around

__all__ = [
    "PortedController",
    "controller_of",
]


class PortedController(wiring.Component):
    """What :class:`mcos_hw.controller.Controller` is, with AXI and data between its two sides.

    A request becomes a burst at the AXI port of its tenant and, with its data, one at the memory
    port; the model of the memory sees it as a command. All data are compared on both sides.
    Engines drive it as they drive a controller.

    Parameters
    ----------
    fabric : FabricConfig
        Sizes, as :func:`mcos_sim.ported.sizes.fabric_around` makes them.
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
    config: ChannelConfig, arbiter: ArbiterKind, ports: Ports, channels: int = 1
) -> Controller | PortedController | PortedFabric:
    """What an engine runs: a controller, or one or several channels behind AXI ports."""
    if not ports:
        return Controller(config, arbiter=arbiter)
    if channels > 1:
        return PortedFabric(fabric_around(config, ports, channels), arbiter=arbiter)
    return PortedController(fabric_around(config, ports), ports, arbiter=arbiter)
