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
from mcos_hw.control.epoch import EpochTimer
from mcos_hw.control.loader import ImageLoader
from mcos_hw.link.request import (
    Request,
    StructuredStream,
    command_signature,
    completion_signature,
    request_signature,
    response_signature,
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
    now : Out(stamp_width)
        Clocks since reset, modulo: what requesters stamp their requests with.
    request, response, command, completion, probe
        As in :class:`mcos_hw.channel.channel.Channel`.
    """

    s_axil: Axi4LiteInterface
    now: Signal
    request: Request
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
                "request": In(request_signature(config)),
                "response": Out(response_signature(config)),
                "command": Out(command_signature(config)),
                "completion": In(completion_signature(config)),
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
        m.submodules.timer = timer = EpochTimer()
        m.submodules.channel = channel = Channel(config, arbiter=ARBITERS[self.arbiter](config))

        connect(m, flipped(self.request), channel.request)
        connect(m, channel.response, flipped(self.response))
        connect(m, channel.command, flipped(self.command))
        connect(m, flipped(self.completion), channel.completion)
        m.d.comb += self.probe.eq(channel.probe)

        # What a fabric has one of: clock stamp, live configuration, epoch.
        m.d.sync += self.now.eq(self.now + 1)
        m.d.comb += [
            channel.now.eq(self.now),
            channel.live.channel.eq(loader.live.channel),
            channel.live.tenants.eq(loader.live.tenants),
            channel.live.generation.eq(loader.generation),
            timer.length.eq(loader.live.channel.epoch_clocks),
        ]
        connect(m, timer.epoch, channel.epoch)

        # The bank has a member for every WRITE register of whatever map it is given. A clock
        # between the bus and the checksum.
        connect(m, flipped(self.s_axil), bank.s_axil)
        control, image = (getattr(bank, name) for name in ("image_control", "image_data"))
        m.d.sync += [
            loader.begin.eq(control.stb & control.begin),
            loader.commit.eq(control.stb & control.commit),
            loader.word_stb.eq(image.stb),
            loader.word.eq(image.word),
        ]
        status = bank.values.image_status
        m.d.comb += [
            bank.live.eq(loader.live),
            status.state.eq(loader.state),
            status.code.eq(loader.code),
            status.received.eq(loader.received),
            bank.values.generation.commits.eq(loader.generation),
            bank.values.live_label.label.eq(loader.live_label),
            bank.values.live_crc.crc.eq(loader.live_crc),
            bank.values.epoch.epoch.eq(timer.epoch.number - 1),
            bank.values.load.quarter.eq(channel.load),
        ]
        if config.monitors:
            for name in monitor_windows(config):
                connect(m, getattr(bank, name), getattr(channel.readings, name))
            m.d.comb += [
                data.View.as_value(bank.values.busy).eq(channel.readings.busy),
                data.View.as_value(bank.values.stalled).eq(channel.readings.stalled),
            ]
        return m
