# amaranth: UnusedElaboratable=no
"""Registers of several channels, over the bus: each page shows its own channel."""

import pytest
from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from mcos_hw.bus.axi4lite import Axi4LiteSignature, Response
from mcos_hw.config import ChannelConfig, FabricConfig
from mcos_hw.control.channel_pages import ChannelPages
from mcos_hw.control.plane import ControlPlane
from mcos_hw.link.readings import delayed_registers, monitor_windows, page_clocks
from mcos_hw.registers import Access, ArbiterKind, Field, RegisterFile, fabric_map
from mcos_hw.registers.builder import Builder
from tests.hw.channel.bench import simulate
from tests.hw.control.software import Software

BUILDS = pytest.mark.parametrize(
    ("options", "channels"),
    [
        ({"tenants": 4}, 2),
        ({"tenants": 4, "monitors": False}, 8),
        ({"tenants": 4, "lateness": 0, "grant_interval": 4}, 4),
    ],
    ids=["line rate", "no monitors", "compact"],
)


def shown(channel, place, index, mask):
    """A word that no other register of any channel shows."""
    return (channel << 24 | place << 16 | index << 4 | 0xF) & mask


class Bearer(wiring.Component):
    """A control plane, and for each channel something that shows words in place of its monitor."""

    def __init__(self, fabric):
        self.fabric = fabric
        self.registers = fabric_map(fabric)
        super().__init__({"s_axil": In(Axi4LiteSignature(self.registers.address_width))})

    def elaborate(self, platform):
        m = Module()
        config = self.fabric.channel
        m.submodules.plane = plane = ControlPlane(
            config,
            self.registers,
            arbiter=ArbiterKind.MCOS,
            constants={"PORTS": self.registers["PORTS"].reset},
        )
        wiring.connect(m, wiring.flipped(self.s_axil), plane.s_axil)
        for c in range(self.fabric.channels):
            m.d.comb += plane.load[c].eq(c)
            if config.monitors:
                self._show(m, plane, c)
        return m

    def _show(self, m, plane, c):
        delayed = delayed_registers(self.fabric.channel)
        there = Const(1)
        if delayed:
            # A word is there from the clock after it is given until the next read. Channels differ
            # in how long that takes.
            reading = plane.reading[c]
            waited = Signal(range(16), name=f"waited_{c}")
            there = Signal(name=f"there_{c}")
            m.d.comb += reading.given.eq(reading.asked & (waited == 3 + 2 * c))
            m.d.sync += [
                waited.eq(Mux(reading.asked & ~reading.given, waited + 1, 0)),
                there.eq(reading.given | (there & ~reading.asked)),
            ]
        for place, register in enumerate(self.registers.file.registers):
            name = register.name.lower()
            if name in monitor_windows(self.fabric.channel):
                window = getattr(plane, name)[c]
                word = c << 24 | place << 16 | window.index << 4 | 0xF
                m.d.sync += window.data.eq(Mux(there, word & register.mask, 0))
            elif name in ("busy", "stalled"):
                m.d.comb += getattr(plane, name)[c].eq(shown(c, place, 0, register.mask))


@BUILDS
def test_each_page_shows_its_channel_and_the_front_the_first(options, channels):
    fabric = FabricConfig.around(ChannelConfig(**options), channels=channels)
    bearer = Bearer(fabric)
    file = bearer.registers.file

    def expected(register, place, channel, index):
        if register.name == "LOAD":
            return channel & 3
        if register.name == "UTILISATION":
            return 0
        return shown(channel, place, index, register.mask)

    async def testbench(bench):
        software = Software(bench, bearer.registers)
        sizes = bearer.registers["CAPABILITY"].unpack(await software.read("CAPABILITY"))
        assert sizes["channels"] == channels
        places = bearer.registers["CHANNEL_PAGES"].unpack(await software.read("CHANNEL_PAGES"))
        for channel in sorted({0, 1, channels // 2, channels - 1}):
            page = places["first"] + (channel << places["stride_log2"])
            for place, register in enumerate(file.registers):
                for index in sorted({0, 1, register.count - 1}):
                    if index >= register.count:
                        continue
                    word = expected(register, place, channel, index)
                    address = page + register.offset + 4 * index
                    assert await software.at(address) == (Response.OKAY, word), register.name
                    if channel == 0 and register.name != "UTILISATION":
                        assert await software.read(register.name, index) == word
            # There is no number of an epoch in a page, and no register behind its last one.
            assert (await software.at(page))[0] == Response.DECERR
            assert (await software.at(page + file.stride - 4))[0] == Response.DECERR
        end = file.offset + file.size
        if end < 1 << bearer.registers.map_width:
            assert (await software.at(end))[0] == Response.DECERR

    simulate(bearer, testbench)


class Words(wiring.Component):
    """Pages of many channels with a few registers each, which show words of their own."""

    def __init__(self, file):
        self.pages = ChannelPages(ChannelConfig(monitors=False), file)
        super().__init__({"page": self.pages.signature.members["page"]})

    def elaborate(self, platform):
        m = Module()
        m.submodules.pages = pages = self.pages
        wiring.connect(m, wiring.flipped(self.page), pages.page)
        for c in range(pages.file.count):
            m.d.comb += pages.single[c].eq(c << 8 | 0xFF)
            m.d.sync += pages.array[c].data.eq(c << 8 | pages.array[c].index)
        return m


@pytest.mark.parametrize("channels", [2, 8, 32])
def test_a_word_is_there_after_its_clocks(channels):
    field = (Field(name="word", width=32, description="A word."),)
    build = Builder()
    build.add("SINGLE", Access.READ, "A register.", *field)
    build.add("ARRAY", Access.READ, "An array.", *field, count=4)
    registers = tuple(build.registers)
    file = RegisterFile(
        name="PAGE", offset=0, stride=32, count=channels, registers=registers, description="Pages."
    )

    async def testbench(bench):
        for channel in dict.fromkeys((channels - 1, channels // 2, 1, 0)):
            for index, low in ((7, 3), (0, 0xFF), (4, 0), (6, 2)):
                bench.set(**{"page.part": channel, "page.index": index})
                await bench.tick(page_clocks(channels) - 1)
                # An array's word takes all of them; before, it is that of the index before.
                assert low not in (2, 3) or bench.get("page.word") != channel << 8 | low
                await bench.tick()
                assert bench.get("page.word") == channel << 8 | low

    simulate(Words(file), testbench)
