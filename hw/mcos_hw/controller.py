"""One channel with its registers and its image loader: the smallest thing one can instantiate."""

from collections.abc import Sequence
from typing import Any

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from mcos_hw.bus.axi4lite import Axi4LiteInterface, Axi4LiteSignature
from mcos_hw.channel.arbiter.base import Arbiter
from mcos_hw.channel.arbiter.baselines import FcfsArbiter, FixedPriorityArbiter, RoundRobinArbiter
from mcos_hw.channel.arbiter.wf2q.compact.arbiter import CompactArbiter
from mcos_hw.channel.arbiter.wf2q.wfq import WfqArbiter
from mcos_hw.channel.channel import Channel
from mcos_hw.channel.probe import probe_layout
from mcos_hw.config import ChannelConfig
from mcos_hw.control.plane import ControlPlane
from mcos_hw.link.readings import monitor_windows
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
    "Controller",
    "arbiter_class",
    "connect_control",
]


_BASELINES: dict[ArbiterKind, type[Arbiter]] = {
    arbiter.kind: arbiter for arbiter in (FcfsArbiter, RoundRobinArbiter, FixedPriorityArbiter)
}


def arbiter_class(config: ChannelConfig, kind: ArbiterKind) -> type[Arbiter]:
    """The class of an arbiter of that kind for a channel of those sizes."""
    if kind in _BASELINES:
        return _BASELINES[kind]
    return CompactArbiter if config.compact else WfqArbiter


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
        m.submodules.control = control = ControlPlane(config, self.registers, arbiter=self.arbiter)
        m.submodules.channel = channel = Channel(
            config, arbiter=arbiter_class(config, self.arbiter)(config)
        )

        connect(m, flipped(self.request), channel.request)
        connect(m, channel.response, flipped(self.response))
        connect(m, channel.command, flipped(self.command))
        connect(m, flipped(self.completion), channel.completion)
        m.d.comb += self.probe.eq(channel.probe)

        connect(m, flipped(self.s_axil), control.s_axil)
        m.d.comb += self.now.eq(control.now)
        connect_control(m, control, channel)
        return m


def connect_control(
    m: Module,
    control: ControlPlane,
    channel: Channel,
    *,
    number: int = 0,
    between: Sequence[Any] = (),
) -> None:
    """Give a channel what a core has one of, and software what the channel counts.

    ``number`` is that of the channel, among as many as ``control`` serves. ``between`` are those
    that change what is in force on the channel, one behind the other: they have the members of
    :class:`mcos_hw.fabric.held.Held`.
    """
    one = control.channels == 1
    live = control.live if one else control.live_channels[number]
    reads = control.of_channel("contracts", number)
    for each in between:
        connect(m, live, each.image)
        connect(m, each.image_reads, reads)
        live, reads = each.live, each.contracts
    connect(m, live, channel.live)
    connect(m, channel.contracts, reads)
    connect(m, control.epoch, channel.epoch)
    m.d.comb += [
        channel.now.eq(control.now),
        control.of_channel("load", number).eq(channel.load),
    ]
    if channel.config.monitors:
        for name in monitor_windows(channel.config):
            connect(m, control.of_channel(name, number), getattr(channel.readings, name))
        if channel.config.compact:
            connect(m, control.of_channel("reading", number), channel.readings.reading)
        m.d.comb += [
            control.of_channel("busy", number).eq(channel.readings.busy),
            control.of_channel("stalled", number).eq(channel.readings.stalled),
        ]
    if not one:
        granted = control.granted[number]
        m.d.comb += [
            granted.valid.eq(channel.probe.channel.granted),
            granted.tenant.eq(channel.probe.channel.tenant),
            granted.beats.eq(channel.probe.channel.beats),
        ]
        if channel.config.monitors:
            m.d.comb += control.late[number].eq(channel.probe.monitor.late)
