"""Channels of RTL under the power governor, with tenants that ask and memories that answer."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect

from mcos_hw.channel.channel import Channel
from mcos_hw.config import FabricConfig
from mcos_hw.control.power import PowerGovernor
from mcos_hw.controller import arbiter_class
from mcos_hw.fabric.held import Held
from mcos_hw.link.contract import contract_readers
from mcos_hw.registers import ArbiterKind
from mcos_policy.settings import Settings

__all__ = [
    "DEMAND_FRACTION",
    "Rig",
]


DEMAND_FRACTION = 8
"""Fraction bits of a demand in bytes per clock."""

_MEMORY_CLOCKS = 20
_SEED = 0xACE1


class Rig(wiring.Component):
    """A fabric's channels from the queues on, with its governor.

    Each tenant asks each channel for its demand, in requests of random lengths; what a channel
    does not take is not asked for again. The image is live from the clock after reset on. Memories
    take a command in every clock and answer in order.

    Parameters
    ----------
    fabric : FabricConfig
        Sizes.
    settings : Settings
        The image, but for its power budget.

    Members
    -------
    demand_<i> : In(16)
        What tenant i asks of each channel, in ``2**-DEMAND_FRACTION`` bytes per clock.
    enable, budget, cap_valid, cap_rate : In
        As :class:`mcos_hw.control.power.PowerGovernor` has them.
    bytes_<i> : Out(48)
        Bytes of tenant i that left for memory since reset.
    closed : Out(tenants)
        Tenants that are held to their guarantees.
    infeasible : Out(1)
        As the governor says.
    """

    enable: Signal
    budget: Signal
    cap_valid: Signal
    cap_rate: Signal
    closed: Signal
    infeasible: Signal

    def __init__(self, fabric: FabricConfig, settings: Settings) -> None:
        self.fabric = fabric
        self.settings = settings
        channel = fabric.channel
        tenants = range(channel.tenants)
        super().__init__(
            {
                **{f"demand_{i}": In(16) for i in tenants},
                "enable": In(1),
                "budget": In(channel.rate_width),
                "cap_valid": In(1),
                "cap_rate": In(channel.rate_width),
                **{f"bytes_{i}": Out(48) for i in tenants},
                "closed": Out(channel.tenants),
                "infeasible": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        fabric, config = self.fabric, self.fabric.channel
        m.submodules.governor = governor = PowerGovernor(fabric)
        self._set_live(m, governor.live)
        rates = Array(Const(each.committed_rate) for each in self.settings.tenants)
        m.d.comb += [
            governor.visited.eq(governor.turn),
            governor.committed_rate.eq(rates[governor.turn]),
            governor.enable.eq(self.enable),
            governor.rate.eq(self.budget),
            governor.cap.valid.eq(self.cap_valid),
            governor.cap.rate.eq(self.cap_rate),
            self.closed.eq(governor.closed),
            self.infeasible.eq(governor.status.infeasible),
        ]
        now = Signal(config.stamp_width)
        m.d.sync += now.eq(now + 1)
        left: list[list[Value]] = [[] for _ in range(config.tenants)]
        for c in range(fabric.channels):
            m.submodules[f"channel_{c}"] = channel = Channel(
                config, arbiter=arbiter_class(config, ArbiterKind.MCOS)(config)
            )
            m.submodules[f"held_{c}"] = held = Held(config)
            self._set_live(m, held.image)
            self._answer_reads(m, held.image_reads)
            connect(m, held.live, channel.live)
            connect(m, channel.contracts, held.contracts)
            m.d.comb += [held.closed.eq(governor.closed), channel.now.eq(now)]
            self._ask(m, channel, now, c)
            command = channel.command
            m.d.comb += [
                command.ready.eq(1),
                governor.beats[c].eq(Mux(command.valid, command.payload.beats, 0)),
            ]
            self._serve(m, channel, c)
            for i in range(config.tenants):
                is_its = command.valid & (command.payload.tenant == i)
                left[i].append(Mux(is_its, command.payload.beats, 0))
        for i, beats in enumerate(left):
            total = getattr(self, f"bytes_{i}")
            m.d.sync += total.eq(total + sum(beats) * config.beat_bytes)
        return m

    def _set_live(self, m: Module, live: Any) -> None:
        """The image, from the clock after reset on."""
        m.d.sync += live.generation.eq(1)
        rows = zip(
            (live.channel, *live.tenants),
            (self.settings.channel, *self.settings.tenants),
            strict=True,
        )
        for row, values in rows:
            m.d.sync += [row[name].eq(getattr(values, name)) for name in row.shape().members]

    def _answer_reads(self, m: Module, reads: Any) -> None:
        """What is read of the image one tenant at a time."""
        for reader, names in contract_readers(self.fabric.channel).items():
            read = getattr(reads, reader)
            for name in names:
                values = Array(Const(getattr(each, name)) for each in self.settings.tenants)
                m.d.comb += read.row[name].eq(values[read.tenant])

    def _ask(self, m: Module, channel: Channel, now: Value, number: int) -> None:
        """Requests of all tenants, one a clock, in turn."""
        config = self.fabric.channel
        request = channel.request
        chance = Signal(16, init=_SEED + number, name=f"chance_{number}")
        m.d.sync += chance.eq(Cat(chance[1:], chance[0] ^ chance[2] ^ chance[3] ^ chance[5]))
        longest = config.l_max << DEMAND_FRACTION
        turn = Signal(config.tenant_width, name=f"turn_{number}")
        beats = Signal(config.beats_width, name=f"beats_{number}")
        m.d.comb += beats.eq(1 + chance[: config.beats_width - 1])
        asks = []
        for i in range(config.tenants):
            demand = getattr(self, f"demand_{i}")
            wanted = Signal(range(4 * longest), name=f"wanted_{number}_{i}")
            asks.append(wanted >= longest)
            taken = request.valid & request.ready[i] & (turn == i)
            size = beats * config.beat_bytes << DEMAND_FRACTION
            grown = Mux(wanted < 2 * longest, wanted + demand, wanted)
            m.d.sync += wanted.eq(grown - Mux(taken, size, 0))
        m.d.sync += turn.eq(turn + 1)
        m.d.comb += [
            request.valid.eq(Array(asks)[turn]),
            request.payload.tenant.eq(turn),
            request.payload.beats.eq(beats),
            request.payload.offered.eq(now),
        ]

    def _serve(self, m: Module, channel: Channel, number: int) -> None:
        """The memory: each command is served so many clocks after it came."""
        stages: Sequence[Signal] = [
            Signal(1 + self.fabric.channel.slot_width, name=f"served_{number}_{k}")
            for k in range(_MEMORY_CLOCKS)
        ]
        command = channel.command
        m.d.sync += stages[0].eq(Cat(command.valid, command.payload.slot))
        m.d.sync += [after.eq(before) for before, after in pairwise(stages)]
        m.d.comb += Cat(channel.completion.valid, channel.completion.payload.slot).eq(stages[-1])
