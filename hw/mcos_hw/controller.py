"""One channel with its registers and its image loader: the smallest thing one can instantiate."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from mcos_hw.bus.axi4lite import Axi4LiteInterface, Axi4LiteSignature
from mcos_hw.channel.arbiter.base import Arbiter
from mcos_hw.channel.arbiter.baselines import FcfsArbiter, FixedPriorityArbiter, RoundRobinArbiter
from mcos_hw.channel.arbiter.wf2q.wfq import WfqArbiter
from mcos_hw.channel.channel import Channel
from mcos_hw.channel.monitor import monitor_windows
from mcos_hw.channel.probe import probe_layout
from mcos_hw.config import ChannelConfig
from mcos_hw.control.bank import RegisterBank, identification
from mcos_hw.control.loader import ImageLoader
from mcos_hw.link.request import (
    StructuredStream,
    command_layout,
    completion_layout,
    request_layout,
    response_layout,
    structured_stream,
)
from mcos_hw.registers import ArbiterKind, channel_map

__all__ = [
    "ARBITERS",
    "Controller",
]


ARBITERS: dict[ArbiterKind, type[Arbiter]] = {
    arbiter.kind: arbiter
    for arbiter in (WfqArbiter, FcfsArbiter, RoundRobinArbiter, FixedPriorityArbiter)
}
"""The arbiters a controller can be built with."""


class Controller(wiring.Component):
    """A channel that software configures and reads over AXI4-Lite.

    At reset no image is live: no tenant is enabled and no request is taken.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.
    arbiter : ArbiterKind
        Who chooses the grants.

    Members
    -------
    s_axil : In(Axi4LiteSignature)
        Registers, see :func:`mcos_hw.registers.channel_map`.
    now, request, request_valid, request_ready, response, command, completion, probe
        As in :class:`mcos_hw.channel.channel.Channel`.
    """

    s_axil: Axi4LiteInterface
    now: Signal
    request: data.View
    request_valid: Signal
    request_ready: Signal
    response: StructuredStream
    command: StructuredStream
    completion: StructuredStream
    probe: data.View

    def __init__(self, config: ChannelConfig, *, arbiter: ArbiterKind = ArbiterKind.MCOS) -> None:
        self.config = config
        self.arbiter = arbiter
        self.registers = channel_map(config)
        super().__init__(
            {
                "s_axil": In(Axi4LiteSignature(self.registers.address_width)),
                "now": Out(config.stamp_width),
                "request": In(request_layout(config)),
                "request_valid": In(1),
                "request_ready": Out(config.tenants),
                "response": Out(structured_stream(response_layout(config), always_ready=True)),
                "command": Out(structured_stream(command_layout(config))),
                "completion": In(structured_stream(completion_layout(config), always_ready=True)),
                "probe": Out(probe_layout(config)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        config = self.config
        m.submodules.bank = bank = RegisterBank(
            self.registers, constants=identification(self.registers, arbiter=self.arbiter)
        )
        m.submodules.loader = loader = ImageLoader(config, self.registers)
        m.submodules.channel = channel = Channel(config, arbiter=ARBITERS[self.arbiter](config))

        # The bank has a member for every WRITE register of whatever map it is given.
        control, image = (getattr(bank, name) for name in ("image_control", "image_data"))

        connect(m, flipped(self.s_axil), bank.s_axil)
        connect(m, channel.response, flipped(self.response))
        connect(m, channel.command, flipped(self.command))
        connect(m, flipped(self.completion), channel.completion)
        m.d.comb += [
            self.now.eq(channel.now),
            channel.request.eq(self.request),
            channel.request_valid.eq(self.request_valid),
            self.request_ready.eq(channel.request_ready),
            self.probe.eq(channel.probe),
            channel.live.eq(loader.live),
            bank.live.eq(loader.live),
        ]
        # A clock between the bus and the checksum.
        m.d.sync += [
            loader.begin.eq(control.stb & control.begin),
            loader.commit.eq(control.stb & control.commit),
            loader.word_stb.eq(image.stb),
            loader.word.eq(image.word),
        ]
        for name in monitor_windows(config):
            connect(m, getattr(bank, name), getattr(channel, name))

        status = bank.values.image_status
        m.d.comb += [
            status.state.eq(loader.state),
            status.code.eq(loader.code),
            status.received.eq(loader.received),
            bank.values.generation.commits.eq(loader.generation),
            bank.values.live_label.label.eq(loader.live_label),
            bank.values.live_crc.crc.eq(loader.live_crc),
            bank.values.epoch.epoch.eq(channel.epoch),
            data.View.as_value(bank.values.busy).eq(channel.busy_clocks),
            data.View.as_value(bank.values.stalled).eq(channel.stalled_clocks),
            bank.values.load.quarter.eq(channel.load),
        ]
        return m
