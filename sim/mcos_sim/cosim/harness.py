"""The design under test with its ports packed, so that a clock costs a test bench few accesses."""

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
from mcos_sim.ported.ported import controller_of
from mcos_sim.ported.sizes import Ports

__all__ = [
    "Harness",
    "observed_layout",
    "stimulus_layout",
]


def stimulus_layout(config: ChannelConfig) -> data.StructLayout:
    """Everything that requesters and memory drive in a clock."""
    return data.StructLayout(
        {
            "request_valid": 1,
            "request": request_layout(config),
            "command_ready": 1,
            "completion_valid": 1,
            "completion": completion_layout(config),
        }
    )


def observed_layout(config: ChannelConfig) -> data.StructLayout:
    """Everything that requesters and memory see in a clock, and whether a grant is made in it."""
    return data.StructLayout(
        {
            "request_ready": config.tenants,
            "granted": 1,
            "granted_tenant": config.tenant_width,
            "granted_class": 2,
            "command_valid": 1,
            "response_valid": 1,
            "command": command_layout(config),
            "response": response_layout(config),
        }
    )


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
        super().__init__(
            {
                "s_axil": In(Axi4LiteSignature(self.controller.registers.address_width)),
                "stimulus": In(stimulus_layout(config).size),
                "observed": Out(observed_layout(config).size),
                "now": Out(config.stamp_width),
                "probe": Out(probe_layout(config).size),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.controller = controller = self.controller
        connect(m, flipped(self.s_axil), controller.s_axil)
        stimulus = data.View(stimulus_layout(self.config), self.stimulus)
        observed = data.View(observed_layout(self.config), self.observed)
        m.d.comb += [
            controller.request.valid.eq(stimulus.request_valid),
            controller.request.payload.eq(stimulus.request),
            controller.command.ready.eq(stimulus.command_ready),
            controller.completion.valid.eq(stimulus.completion_valid),
            controller.completion.payload.eq(stimulus.completion),
            observed.request_ready.eq(controller.request.ready),
            observed.granted.eq(controller.probe.channel.granted),
            observed.granted_tenant.eq(controller.probe.channel.tenant),
            observed.granted_class.eq(controller.probe.channel.granted_class),
            observed.command_valid.eq(controller.command.valid),
            observed.command.eq(controller.command.payload),
            observed.response_valid.eq(controller.response.valid),
            observed.response.eq(controller.response.payload),
            self.now.eq(controller.now),
            self.probe.eq(controller.probe),
        ]
        return m
