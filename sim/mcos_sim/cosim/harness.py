"""The design under test with its ports packed, so that a clock costs a test bench few accesses."""

from typing import Any

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from mcos_hw.bus.axi4lite import Axi4LiteInterface, Axi4LiteSignature
from mcos_hw.channel.probe import probe_layout
from mcos_hw.config import ChannelConfig
from mcos_hw.link.request import (
    command_layout,
    completion_layout,
    request_layout,
    response_layout,
)
from mcos_hw.registers import ArbiterKind
from mcos_sim.ported.lanes import Lanes, lanes_of
from mcos_sim.ported.ported import controller_of
from mcos_sim.ported.ported_fabric import PortedFabric
from mcos_sim.ported.sizes import Ports

__all__ = [
    "Harness",
    "observed_layout",
    "stimulus_layout",
]


_ONE = Lanes()


def stimulus_layout(config: ChannelConfig, lanes: Lanes = _ONE) -> data.StructLayout:
    """Everything that requesters and memories drive in a clock."""
    fields: dict[str, Any] = {}
    for k in lanes.of_ports:
        fields |= {f"request_valid{k}": 1, f"request{k}": request_layout(config)}
    for k in lanes.of_channels:
        fields |= {
            f"command_ready{k}": 1,
            f"completion_valid{k}": 1,
            f"completion{k}": completion_layout(config),
        }
    return data.StructLayout(fields)


def observed_layout(config: ChannelConfig, lanes: Lanes = _ONE) -> data.StructLayout:
    """Everything that requesters and memories see in a clock, and which grants are made in it."""
    fields: dict[str, Any] = {}
    for k in lanes.of_ports:
        fields |= {
            f"request_ready{k}": config.tenants,
            f"response_valid{k}": 1,
            f"response{k}": response_layout(config),
        }
    for k in lanes.of_channels:
        fields |= {
            f"granted{k}": 1,
            f"granted_tenant{k}": config.tenant_width,
            f"granted_class{k}": 2,
            f"command_valid{k}": 1,
            f"command{k}": command_layout(config),
        }
    return data.StructLayout(fields)


class Harness(wiring.Component):
    """A controller whose requests, commands, completions and responses are two vectors.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.
    arbiter : ArbiterKind
        Which arbiter the controller is built with.
    ports : Ports
        Tags at each AXI port in front of it; none without AXI.
    channels : int
        How many channels there are; several have no probe here.

    Members
    -------
    s_axil : In(Axi4LiteSignature)
        Registers.
    stimulus : In
        Packed :func:`stimulus_layout`.
    observed : Out
        Packed :func:`observed_layout`.
    now : Out(stamp_width)
        The channel's clock stamp.
    probe : Out
        Packed :func:`mcos_hw.channel.probe.probe_layout`.
    """

    s_axil: Axi4LiteInterface
    stimulus: Signal
    observed: Signal
    now: Signal
    probe: Signal

    def __init__(
        self,
        config: ChannelConfig,
        *,
        arbiter: ArbiterKind,
        ports: Ports = (),
        channels: int = 1,
    ) -> None:
        self.controller = controller_of(config, arbiter, ports, channels)
        self.config = config
        self.lanes = lanes = lanes_of(ports, channels)
        super().__init__(
            {
                "s_axil": In(Axi4LiteSignature(self.controller.registers.address_width)),
                "stimulus": In(stimulus_layout(config, lanes).size),
                "observed": Out(observed_layout(config, lanes).size),
                "now": Out(config.stamp_width),
                **({"probe": Out(probe_layout(config).size)} if channels == 1 else {}),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.controller = controller = self.controller
        connect(m, flipped(self.s_axil), controller.s_axil)
        lanes = self.lanes
        stimulus = data.View(stimulus_layout(self.config, lanes), self.stimulus)
        observed = data.View(observed_layout(self.config, lanes), self.observed)
        m.d.comb += self.now.eq(controller.now)
        for k in lanes.of_ports:
            request, response = (
                getattr(controller, f"{name}{k}") for name in ("request", "response")
            )
            m.d.comb += [
                request.valid.eq(stimulus[f"request_valid{k}"]),
                request.payload.eq(stimulus[f"request{k}"]),
                observed[f"request_ready{k}"].eq(request.ready),
                observed[f"response_valid{k}"].eq(response.valid),
                observed[f"response{k}"].eq(response.payload),
            ]
        for k in lanes.of_channels:
            command, completion, probe = (
                getattr(controller, f"{name}{k}") for name in ("command", "completion", "probe")
            )
            m.d.comb += [
                command.ready.eq(stimulus[f"command_ready{k}"]),
                completion.valid.eq(stimulus[f"completion_valid{k}"]),
                completion.payload.eq(stimulus[f"completion{k}"]),
                observed[f"granted{k}"].eq(probe.channel.granted),
                observed[f"granted_tenant{k}"].eq(probe.channel.tenant),
                observed[f"granted_class{k}"].eq(probe.channel.granted_class),
                observed[f"command_valid{k}"].eq(command.valid),
                observed[f"command{k}"].eq(command.payload),
            ]
        if not isinstance(controller, PortedFabric):
            m.d.comb += self.probe.eq(controller.probe)
        return m
