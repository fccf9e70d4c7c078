# amaranth: UnusedElaboratable=no
"""The epochs of several channels: all end at one edge, and each count is of the epoch it says."""

from collections import Counter

import pytest
from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from mcos_hw.bus.axi4lite import Axi4LiteSignature, Response
from mcos_hw.channel.channel import Channel
from mcos_hw.channel.probe import probe_layout
from mcos_hw.config import ChannelConfig, FabricConfig
from mcos_hw.control.plane import ControlPlane
from mcos_hw.controller import arbiter_class, connect_control
from mcos_hw.registers import GRANT_KINDS, ArbiterKind, fabric_map
from mcos_hw.registers.image import ImageCode, ImageState
from mcos_policy.image import encode
from mcos_policy.settings import ChannelSettings, Settings, TenantSettings
from tests.hw.channel.bench import simulate
from tests.hw.control.software import Software

CHANNELS = 2
EPOCH = 211
"""Clocks of an epoch: long enough to read a few counters, and no multiple of any pattern."""

BUILDS = pytest.mark.parametrize(
    ("options", "tenant"),
    [({}, 1), ({"lateness": 0, "grant_interval": 4}, 2)],
    ids=["line rate", "compact"],
)


class Channels(wiring.Component):
    """Two channels with one control plane. Requests of all tenants, other ones for each channel."""

    def __init__(self, fabric):
        self.fabric = fabric
        self.registers = fabric_map(fabric)
        super().__init__(
            {
                "s_axil": In(Axi4LiteSignature(self.registers.address_width)),
                "irq": Out(1),
                "probe": Out(probe_layout(fabric.channel)).array(CHANNELS),
                "latch": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        config = self.fabric.channel
        constants = {"PORTS": self.registers["PORTS"].reset}
        m.submodules.control = control = ControlPlane(
            config, self.registers, arbiter=ArbiterKind.MCOS, constants=constants
        )
        connect(m, flipped(self.s_axil), control.s_axil)
        m.d.comb += [self.irq.eq(control.irq), self.latch.eq(control.epoch.latch)]
        for c in range(CHANNELS):
            channel = Channel(config, arbiter=arbiter_class(config, ArbiterKind.MCOS)(config))
            m.submodules[f"channel_{c}"] = channel
            connect_control(m, control, channel, number=c)
            m.d.comb += self.probe[c].eq(channel.probe)

            turn = Signal(16, name=f"turn_{c}")
            request = channel.request
            m.d.sync += turn.eq(turn + 1 + 2 * c)
            m.d.comb += [
                request.valid.eq(turn[2:4] != 3),
                request.payload.tenant.eq(turn),
                request.payload.beats.eq(1 + turn[4]),
                request.payload.offered.eq(control.now),
                channel.command.ready.eq(1),
            ]
            m.d.sync += [
                channel.completion.valid.eq(channel.command.valid),
                channel.completion.payload.slot.eq(channel.command.payload.slot),
            ]
        return m


def settings(config):
    full = config.bytes_per_clock << config.rate_fraction
    tenant = TenantSettings(
        enable=1,
        work_conserving=1,
        committed_rate=full // 8,
        committed_depth=4096,
        peak_rate=full // 2,
        peak_depth=8192,
        inverse_weight=1 << config.reciprocal_fraction,
        latency_slo=40,
        colours=1,
    )
    channel = ChannelSettings(
        pacer_enable=1,
        pacer_rate=full,
        port_credit=16 * config.l_max,
        inverse_total_weight=(1 << config.total_reciprocal_fraction) // config.tenants,
        promotion_interval=16,
        epoch_clocks=EPOCH,
        colour_bit_0=13,
    )
    return Settings(channel=channel, tenants=(tenant,) * config.tenants)


class Watcher:
    """Counts what the probes show, by the number of the epoch to which it belongs."""

    def __init__(self, bench):
        self.bench = bench
        self.number = 1
        self.granted = [Counter() for _ in range(CHANNELS)]
        self.responses = [Counter() for _ in range(CHANNELS)]
        self._before = [None] * CHANNELS

    async def tick(self, clocks=1):
        for _ in range(clocks):
            for c in range(CHANNELS):
                probe = self.bench.component.probe[c]
                get = self.bench.context.get
                # A grant counts in the clock after it.
                if self._before[c] is not None:
                    tenant, beats = self._before[c]
                    self.granted[c][self.number, tenant] += beats
                self._before[c] = None
                if get(probe.channel.granted):
                    self._before[c] = get(probe.channel.tenant), get(probe.channel.beats)
                if get(probe.monitor.responded):
                    self.responses[c][self.number, get(probe.monitor.tenant)] += 1
                assert get(probe.monitor.epoch) == self.number - 1
            self.number += self.bench.get("latch")
            await self.bench.tick()


@BUILDS
def test_all_channels_latch_at_one_edge_and_counters_are_of_the_epoch_that_is_told(options, tenant):
    channel = ChannelConfig(tenants=4, queue_depth=8, slots=16, **options)
    fabric = FabricConfig.around(channel, channels=CHANNELS)
    config = fabric.channel
    component = Channels(fabric)
    registers, pages = component.registers, component.registers.file

    async def testbench(bench):
        software = Software(bench, registers)
        image = encode(config, registers, settings(config), 1)
        assert await software.load(image.words) == (ImageState.STAGED, ImageCode.NONE)
        # Until its rows are cleared after the reset, a monitor counts nothing.
        await bench.tick(150)
        watcher = Watcher(bench)
        software.tick = watcher.tick
        await software.commit()
        before = watcher.number
        while watcher.number == before:
            await watcher.tick()
        epoch = await software.read("EPOCH")
        found = []
        for c in range(CHANNELS):
            address = pages.of("GRANT_BYTES", c).offset + 4 * GRANT_KINDS * tenant
            words = [await software.at(address + 4 * kind) for kind in range(GRANT_KINDS // 2)]
            assert all(response == Response.OKAY for response, _ in words)
            _, responses = await software.at(pages.of("RESPONSES", c).offset + 4 * tenant)
            found.append((sum(word for _, word in words), responses))
        assert await software.read("EPOCH") == epoch == before, "an epoch is too short"
        for c in range(CHANNELS):
            granted = watcher.granted[c][epoch, tenant] * config.beat_bytes
            assert granted
            assert found[c] == (granted, watcher.responses[c][epoch, tenant])
        assert watcher.granted[0] != watcher.granted[1]

    simulate(component, testbench)
