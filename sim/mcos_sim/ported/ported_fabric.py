"""Several channels between requesters and memories, with a lane for each port and each channel."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from mcos_hw.bus.axi4lite import Axi4LiteInterface, Axi4LiteSignature
from mcos_hw.channel.probe import probe_layout
from mcos_hw.config import ChannelConfig, FabricConfig
from mcos_hw.fabric.fabric import Fabric, memory_name, port_name, probe_name
from mcos_hw.link.interleave import interleave_layout, interleave_of
from mcos_hw.link.request import (
    command_layout,
    command_signature,
    completion_layout,
    completion_signature,
    request_layout,
    request_signature,
    response_layout,
    response_signature,
)
from mcos_hw.registers import ArbiterKind
from mcos_sim.building.fabric import emit_fabric_once
from mcos_sim.building.once import emit_once
from mcos_sim.ported.memory_side import MemorySide
from mcos_sim.ported.requester import Requester

__all__ = [
    "PortedFabric",
    "crossing_layout",
    "crossing_name",
    "given_layout",
]


def given_layout(config: ChannelConfig) -> data.StructLayout:
    """What a channel inside a fabric is given in a clock: all that decides its next one."""
    return data.StructLayout(
        {
            "request_valid": 1,
            "request": request_layout(config),
            "command_ready": 1,
            "completion_valid": 1,
            "completion": completion_layout(config),
        }
    )


def crossing_layout(config: ChannelConfig) -> data.StructLayout:
    """What crosses the boundary of a channel inside a fabric in a clock.

    What it is given decides its next clock: requests, ``command_ready`` and completions.
    ``request_ready`` is that of the request's tenant.
    """
    return data.StructLayout(
        {
            "request_valid": 1,
            "request_ready": 1,
            "request": request_layout(config),
            "command_valid": 1,
            "command_ready": 1,
            "command": command_layout(config),
            "completion_valid": 1,
            "completion": completion_layout(config),
            "response_valid": 1,
            "response": response_layout(config),
        }
    )


def crossing_name(channel: int) -> str:
    """The member that shows what crosses the boundary of a channel."""
    return f"probe_crossing_{channel:02}"


class _ShownFabric(Fabric):
    """A fabric that shows what crosses the boundaries of its channels, in :attr:`crossing`.

    And its live interleave, in :attr:`interleave`.
    """

    def __init__(self, fabric: FabricConfig, *, arbiter: ArbiterKind) -> None:
        super().__init__(fabric, arbiter=arbiter)
        layout = crossing_layout(fabric.channel)
        self.crossing = [
            data.View(layout, Signal(layout, name=crossing_name(c))) for c in range(fabric.channels)
        ]
        spread = interleave_layout(fabric)
        self.interleave = data.View(spread, Signal(spread, name="live_interleave"))

    def elaborate(self, platform):
        m = super().elaborate(platform)
        live = m.submodules.control.live_fabric
        m.d.comb += self.interleave.eq(interleave_of(self.fabric, live))
        for c, crossing in enumerate(self.crossing):
            channel = getattr(m.submodules, f"channel_{c}")
            request = channel.request
            m.d.comb += [
                crossing.request_valid.eq(request.valid),
                crossing.request_ready.eq(request.ready.bit_select(request.payload.tenant, 1)),
                crossing.request.eq(request.payload),
                crossing.command_valid.eq(channel.command.valid),
                crossing.command_ready.eq(channel.command.ready),
                crossing.command.eq(channel.command.payload),
                crossing.completion_valid.eq(channel.completion.valid),
                crossing.completion.eq(channel.completion.payload),
                crossing.response_valid.eq(channel.response.valid),
                crossing.response.eq(channel.response.payload),
            ]
        emit_fabric_once(m, self.fabric)
        return m


class PortedFabric(wiring.Component):
    """What :class:`mcos_sim.ported.ported.PortedController` is, of several channels.

    Each port takes requests, and gives responses, in a lane of its own, and so does each channel
    with its commands and completions.

    Parameters
    ----------
    fabric : FabricConfig
        Sizes, as :func:`mcos_sim.ported.sizes.fabric_around` makes them.
    arbiter : ArbiterKind
        Who chooses the grants.

    Members
    -------
    s_axil : In(Axi4LiteSignature)
        Registers, see :func:`mcos_hw.registers.fabric_map`.
    now : Out(stamp_width)
        Clocks since reset, modulo.
    request_<p> : In(Request), response_<p> : Out(stream of response_layout, always ready)
        Port p, two digits.
    command_<c> : Out(stream of command_layout), completion_<c> : In(stream of completion_layout)
        The memory of channel c, two digits.
    probe_<c> : Out(probe_layout)
        State and choice of channel c.
    probe_crossing_<c> : Out(crossing_layout)
        What crosses the boundary of channel c.
    """

    s_axil: Axi4LiteInterface
    now: Signal

    def __init__(self, fabric: FabricConfig, *, arbiter: ArbiterKind = ArbiterKind.MCOS) -> None:
        self.config = config = fabric.channel
        self.fabric = fabric
        self.core = _ShownFabric(fabric, arbiter=arbiter)
        self.registers = self.core.registers
        super().__init__(
            {
                "s_axil": In(Axi4LiteSignature(self.registers.address_width)),
                "now": Out(config.stamp_width),
                **{
                    f"request_{p:02}": In(request_signature(config))
                    for p in range(len(fabric.ports))
                },
                **{
                    f"response_{p:02}": Out(response_signature(config))
                    for p in range(len(fabric.ports))
                },
                **{
                    f"command_{c:02}": Out(command_signature(config))
                    for c in range(fabric.channels)
                },
                **{
                    f"completion_{c:02}": In(completion_signature(config))
                    for c in range(fabric.channels)
                },
                **{
                    probe_name(fabric, c): Out(probe_layout(config)) for c in range(fabric.channels)
                },
                **{crossing_name(c): Out(crossing_layout(config)) for c in range(fabric.channels)},
            }
        )

    def elaborate(self, platform):
        m = Module()
        fabric, core = self.fabric, self.core
        m.submodules.fabric = core
        connect(m, flipped(self.s_axil), core.s_axil)
        m.d.comb += self.now.eq(core.now)
        for c in range(fabric.channels):
            m.submodules[f"memory_{c}"] = behind = MemorySide(fabric)
            connect(m, getattr(core, memory_name(c)), behind.s_axi)
            connect(m, behind.command, flipped(getattr(self, f"command_{c:02}")))
            connect(m, flipped(getattr(self, f"completion_{c:02}")), behind.completion)
            probe = probe_name(fabric, c)
            m.d.comb += [
                behind.channel.eq(c),
                behind.interleave.eq(core.interleave),
                getattr(self, probe).eq(getattr(core, probe)),
                getattr(self, crossing_name(c)).eq(core.crossing[c]),
            ]
        for p in range(len(fabric.ports)):
            m.submodules[f"requester_{p}"] = requester = Requester(fabric, p)
            connect(m, requester.m_axi, getattr(core, port_name(fabric, p)))
            connect(m, flipped(getattr(self, f"request_{p:02}")), requester.request)
            response = getattr(self, f"response_{p:02}")
            m.d.comb += [
                response.valid.eq(requester.responses.valid),
                response.payload.eq(requester.responses.payload),
                requester.responses.ready.eq(1),
            ]
        emit_once(m, "mcos_memory", [f"memory_{c}" for c in range(fabric.channels)])
        emit_once(m, "mcos_requester", [f"requester_{p}" for p in range(len(fabric.ports))])
        return m
