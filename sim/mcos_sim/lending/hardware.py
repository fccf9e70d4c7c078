"""Channels with requesters, memories and the coordinator: a fabric without ports and data."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from mcos_hw.channel.channel import Channel
from mcos_hw.config import ChannelConfig, FabricConfig
from mcos_hw.controller import arbiter_class
from mcos_hw.fabric.coordinator import Coordinator
from mcos_hw.fabric.in_force import InForce
from mcos_hw.fabric.usage import ChannelUsage
from mcos_hw.link.contract import ContractRead, contract_layout, contract_readers
from mcos_hw.link.live import Live, live_signature
from mcos_hw.link.request import Request, request_signature
from mcos_hw.primitive.select import at_index
from mcos_hw.registers import ArbiterKind, channel_map

__all__ = [
    "LendingTop",
    "Requesters",
]


MEMORY_CLOCKS = 16
"""Clocks in which memory serves a command."""

BACKLOG_BYTES = 1 << 15
"""What a requester keeps of what it could not send; what it wants beyond is never asked for."""


class Requesters(wiring.Component):
    """Offers a channel what its tenants want, in requests of any size.

    A tenant's wish grows by its rate in every clock. The tenants have a clock each in turn, in
    which one offers a request if its wish is as large as the longest one.

    Parameters
    ----------
    config : ChannelConfig
        Sizes of the channel.
    seed : int
        Where the sizes of requests begin.

    Members
    -------
    rates : In(ArrayLayout(rate_width, tenants))
        What each tenant wants, in units of the image's rates.
    now : In(stamp_width)
        The stamp of a request.
    request : Out(Request)
        To the channel.
    """

    rates: data.View
    now: Signal
    request: Request

    def __init__(self, config: ChannelConfig, *, seed: int) -> None:
        self.config = config
        self.seed = seed
        super().__init__(
            {
                "rates": In(data.ArrayLayout(config.rate_width, config.tenants)),
                "now": In(config.stamp_width),
                "request": Out(request_signature(config)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        config, request = self.config, self.request
        fraction, most = config.rate_fraction, BACKLOG_BYTES << config.rate_fraction
        noise = Signal(16, init=self.seed | 1)
        turn = Signal(config.tenant_width)
        m.d.sync += [
            turn.eq(turn + 1),
            noise.eq(Cat(noise[15] ^ noise[13] ^ noise[12] ^ noise[10], noise)),
        ]
        wishes = [Signal(range(most + 1), name=f"wish_{i}") for i in range(config.tenants)]
        beats = Signal(config.beats_width)
        m.d.comb += [
            beats.eq((noise[: config.beats_width - 1] | 1) + 1),
            request.payload.tenant.eq(turn),
            request.payload.beats.eq(Mux(beats > config.max_beats, config.max_beats, beats)),
            request.payload.op.eq(noise[7]),
            request.payload.offered.eq(self.now),
            request.valid.eq(at_index(turn, wishes) >= config.l_max << fraction),
        ]
        for i, wish in enumerate(wishes):
            taken = Signal(name=f"taken_{i}")
            sent = Mux(taken, request.payload.beats * config.beat_bytes << fraction, 0)
            m.d.comb += taken.eq(request.valid & request.ready[i] & (turn == i))
            with m.If(wish > most - (1 << config.rate_width)):
                m.d.sync += wish.eq(wish - sent)
            with m.Else():
                m.d.sync += wish.eq(wish + self.rates[i] - sent)
        return m


class LendingTop(wiring.Component):
    """As many channels as a fabric has, each with requesters and a memory, and the coordinator.

    Parameters
    ----------
    fabric : FabricConfig
        Sizes.

    Members
    -------
    enable, interval : In
        Of the coordinator.
    image : In(Live)
        The live image, the same on all channels.
    contracts : In(ArrayLayout(contract_layout, tenants))
        The rest of it.
    wants : In(ArrayLayout(ArrayLayout(rate_width, tenants), channels))
        What each tenant wants of each channel.
    granted, conforming : Out
        Beats of all grants, and of conforming ones, of each tenant on each channel, 32 bits.
    """

    enable: Signal
    interval: Signal
    image: Live
    contracts: data.View
    wants: data.View
    granted: data.View
    conforming: data.View

    def __init__(self, fabric: FabricConfig) -> None:
        self.fabric = fabric
        config = fabric.channel

        def of_pairs(width: int) -> data.ArrayLayout:
            return data.ArrayLayout(data.ArrayLayout(width, config.tenants), fabric.channels)

        super().__init__(
            {
                "enable": In(1),
                "interval": In(4),
                "image": In(live_signature(channel_map(config))),
                "contracts": In(data.ArrayLayout(contract_layout(config), config.tenants)),
                "wants": In(of_pairs(config.rate_width)),
                "granted": Out(of_pairs(32)),
                "conforming": Out(of_pairs(32)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        fabric, config = self.fabric, self.fabric.channel
        m.submodules.coordinator = coordinator = Coordinator(fabric)
        now = Signal(config.stamp_width)
        m.d.sync += now.eq(now + 1)
        m.d.comb += [
            coordinator.enable.eq(self.enable),
            coordinator.interval.eq(self.interval),
            coordinator.generation.eq(self.image.generation),
        ]
        self._serve(m, coordinator.contract)
        for c in range(fabric.channels):
            m.submodules[f"channel_{c}"] = channel = Channel(
                config,
                arbiter=arbiter_class(config, ArbiterKind.MCOS)(config),
                coordinated=True,
            )
            m.submodules[f"requesters_{c}"] = requesters = Requesters(config, seed=c + 1)
            m.submodules[f"usage_{c}"] = usage = ChannelUsage(fabric)
            m.submodules[f"in_force_{c}"] = in_force = InForce(fabric, c)
            connect(m, flipped(self.image), in_force.image)
            connect(m, coordinator.lent, in_force.lent)
            connect(m, in_force.live, channel.live)
            connect(m, channel.contracts, in_force.contracts)
            connect(m, channel.usage, usage.usage)
            connect(m, coordinator.sightings[c], usage.sighting)
            connect(m, requesters.request, channel.request)
            for reader in contract_readers(config):
                self._serve(m, getattr(in_force.image_reads, reader))
            m.d.comb += [
                requesters.rates.eq(self.wants[c]),
                requesters.now.eq(now),
                channel.now.eq(now),
                coordinator.paced_rates[c].eq(self.image.channel.pacer_rate),
            ]
            self._remember(m, channel)
            self._count(m, c, channel)
        return m

    def _serve(self, m: Module, read: ContractRead) -> None:
        """Settings of the tenant that a reader asks for."""
        row = at_index(read.tenant, [Value.cast(each) for each in self.contracts])
        whole = data.View(contract_layout(self.fabric.channel), row)
        m.d.comb += [read.row[name].eq(whole[name]) for name in read.row.shape().members]

    def _remember(self, m: Module, channel: Channel) -> None:
        """A memory that serves every command in the same time."""
        slots = [Signal(self.fabric.channel.slot_width) for _ in range(MEMORY_CLOCKS)]
        valid = Signal(MEMORY_CLOCKS)
        m.d.comb += [
            channel.command.ready.eq(1),
            channel.completion.valid.eq(valid[-1]),
            channel.completion.payload.slot.eq(slots[-1]),
        ]
        m.d.sync += [
            valid.eq(Cat(channel.command.valid, valid)),
            slots[0].eq(channel.command.payload.slot),
            *(slots[k].eq(slots[k - 1]) for k in range(1, MEMORY_CLOCKS)),
        ]

    def _count(self, m: Module, c: int, channel: Channel) -> None:
        command, charged = channel.command, channel.usage.charged
        for i in range(self.fabric.channel.tenants):
            granted, conforming = Signal(32), Signal(32)
            with m.If(command.valid & (command.payload.tenant == i)):
                m.d.sync += granted.eq(granted + command.payload.beats)
            with m.If(charged.valid & (charged.tenant == i)):
                m.d.sync += conforming.eq(conforming + charged.beats)
            m.d.comb += [self.granted[c][i].eq(granted), self.conforming[c][i].eq(conforming)]
