# amaranth: UnusedElaboratable=no
"""A generator in front of block memory: what it asks for, how it is timed, what it finds wrong."""

from itertools import pairwise

import pytest
from amaranth.hdl import Module, Mux
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.board.block_memory import BlockMemory
from mcos_hw.board.contents import contents
from mcos_hw.board.generator import Generator, counts_layout, settings_layout
from mcos_hw.board.lane import Lane
from mcos_hw.board.system import BoardSystem
from mcos_hw.bus.axi4lite import Response
from mcos_hw.config import ChannelConfig, FabricConfig, PortConfig
from mcos_hw.registers import ArbiterKind
from mcos_hw.targets.ulx3s import board_config
from tests.hw.channel.bench import Simulation, simulate

WORDS = 64
PORT = PortConfig(
    data_bytes=8, id_width=6, order_width=1, reads=16, writes=16, read_units=64, write_units=32
)
FABRIC = FabricConfig(
    channel=ChannelConfig(
        tenants=4, beat_bytes=8, max_beats=16, bytes_per_clock=8, id_width=6, slots=64
    ),
    ports=(PORT, PORT, PORT, PORT),
)


class Pair(wiring.Component):
    """Generator 1 and a memory, without anything between them."""

    def __init__(self):
        super().__init__(
            {
                "settings": In(settings_layout()),
                "clear": In(1),
                "counts": Out(counts_layout()),
                "damaged": In(1),
                "fails": In(1),
                "asked": Out(1),
                "offered": Out(1),
                "address": Out(16),
                "len": Out(8),
                "write": Out(1),
                "data": Out(64),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.generator = generator = Generator(FABRIC, number=1, words=WORDS)
        m.submodules.memory = memory = BlockMemory(FABRIC, words=4 * WORDS)
        ours, theirs = generator.m_axi, memory.s_axi
        for name, member in ours.signature.members.items():
            if member.flow is Out:
                m.d.comb += getattr(theirs, name).eq(getattr(ours, name))
            else:
                m.d.comb += getattr(ours, name).eq(getattr(theirs, name))
        m.d.comb += [
            ours.rdata.eq(theirs.rdata ^ self.damaged),
            ours.bresp.eq(Mux(self.fails, Response.SLVERR, Response.OKAY)),
            generator.settings.eq(self.settings),
            generator.clear.eq(self.clear),
            self.counts.eq(generator.counts),
            self.asked.eq((ours.arvalid & ours.arready) | (ours.awvalid & ours.awready)),
            self.offered.eq(ours.arvalid | ours.awvalid),
            self.write.eq(ours.awvalid & ours.awready),
            self.address.eq(Mux(ours.arvalid, ours.araddr, ours.awaddr)),
            self.len.eq(Mux(ours.arvalid, ours.arlen, ours.awlen)),
            self.data.eq(ours.wdata),
        ]
        return m


@pytest.fixture(scope="module")
def pair():
    return Simulation(Pair())


async def requests(bench, clocks):
    """Clock, address, beats and direction of what is asked for."""
    found = []
    for clock in range(clocks):
        if bench.get("asked"):
            found.append((clock, bench.get("address"), bench.get("len") + 1, bench.get("write")))
        await bench.tick()
    return found


def run(pair, settings, script):
    async def testbench(bench):
        bench.set(settings={"on": 1, "window": 1, **settings})
        await script(bench)

    pair.run(testbench)


def test_requests_keep_their_pace_and_go_through_the_part_in_order(pair):
    async def script(bench):
        found = await requests(bench, 400)
        assert {b[0] - a[0] for a, b in pairwise(found)} == {20}
        assert [place for _, place, _, _ in found] == [
            8 * (WORDS + 8 * k % WORDS) for k in range(len(found))
        ]
        assert {(beats, write) for _, _, beats, write in found} == {(8, 0)}
        counts = bench.get("counts")
        assert counts["wrong"] == 0
        assert counts["answered"] == len(found)
        # Three clocks to the first beat of memory, and a clock a beat.
        assert counts["latency_most"] == 3 + 7
        assert counts["latency_sum"] == len(found) * 10

    run(pair, {"interval": 20, "beats_log2": 3}, script)


@pytest.mark.parametrize("window", [1, 2])
def test_a_window_bounds_what_is_under_way(pair, window):
    async def script(bench):
        under_way = most = answered = 0
        for _ in range(300):
            under_way += bench.get("asked")
            await bench.tick()
            now = bench.get("counts")["answered"]
            under_way -= now - answered
            answered = now
            most = max(most, under_way)
        # An answer counts two clocks after it came.
        assert window <= most <= window + 1
        assert answered > 10

    run(pair, {"interval": 0, "window": window, "beats_log2": 4}, script)


def test_reads_and_writes_are_mixed_anywhere_and_all_is_right(pair):
    async def script(bench):
        found = await requests(bench, 3000)
        writes = sum(write for *_, write in found)
        assert 0.15 < writes / len(found) < 0.35
        assert len({place for _, place, _, _ in found}) > 12
        assert all(WORDS <= place // 8 < 2 * WORDS for _, place, _, _ in found)
        assert all(place % 32 == 0 for _, place, _, _ in found)
        counts = bench.get("counts")
        assert counts["wrong"] == 0
        assert counts["answered"] >= len(found) - 4

    run(pair, {"interval": 0, "window": 4, "beats_log2": 2, "random": 1, "writes": 1}, script)


def test_what_is_wrong_is_counted_beat_by_beat(pair):
    async def script(bench):
        bench.set(damaged=1)
        await requests(bench, 200)
        bench.set(settings={"on": 0}, damaged=1)
        await bench.tick(30)
        counts = bench.get("counts")
        assert counts["wrong"] == 4 * counts["answered"] > 0
        bench.set(clear=1)
        await bench.tick()
        bench.set(clear=0)
        assert bench.get("counts") == dict.fromkeys(counts, 0)

    run(pair, {"interval": 10, "beats_log2": 2}, script)


def test_a_write_that_fails_is_counted(pair):
    async def script(bench):
        bench.set(fails=1)
        await requests(bench, 200)
        bench.set(settings={"on": 0}, fails=1)
        await bench.tick(30)
        counts = bench.get("counts")
        assert counts["wrong"] == counts["answered"] > 0

    run(pair, {"interval": 10, "writes": 4}, script)


def test_a_request_that_is_offered_does_not_change_with_the_settings(pair):
    async def script(bench):
        waits = None
        lengths = []
        for clock in range(400):
            beats_log2 = 7 if clock % 7 < 4 else 1
            bench.set(settings={"on": 1, "window": 2, "writes": 2, "beats_log2": beats_log2})
            if bench.get("offered"):
                length = bench.get("len")
                assert waits in (None, length)
                waits = None if bench.get("asked") else length
                lengths.append(length + 1)
            await bench.tick()
        # More beats than a request can have are as many as it can.
        assert set(lengths) == {2, 16}
        assert bench.get("counts")["wrong"] == 0

    run(pair, {"interval": 0}, script)


def test_memory_keeps_the_bytes_that_are_written():
    async def script(bench):
        address = 8 * 5
        bench.set(s_axi={"awvalid": 1, "awaddr": address, "awlen": 1, "awid": 3, "bready": 1})
        await bench.tick()
        strobes = (0b1010_0001, 0xFF)
        words = (0x1122_3344_5566_7788, 0x99AA_BBCC_DDEE_FF00)
        for beat, (strobe, word) in enumerate(zip(strobes, words, strict=True)):
            w = {"wvalid": 1, "wdata": word, "wstrb": strobe, "wlast": beat}
            bench.set(s_axi={"awvalid": 0, **w})
            assert bench.get("s_axi.wready")
            await bench.tick()
        bench.set(s_axi={"wvalid": 0})
        assert (bench.get("s_axi.bvalid"), bench.get("s_axi.bid")) == (1, 3)
        bench.set(s_axi={"arvalid": 1, "araddr": address - 8, "arlen": 3, "arid": 9, "rready": 1})
        await bench.tick()
        bench.set(s_axi={"arvalid": 0})
        found = []
        for _ in range(10):
            if bench.get("s_axi.rvalid"):
                found.append((bench.get("s_axi.rdata"), bench.get("s_axi.rlast")))
                assert bench.get("s_axi.rid") == 9
            await bench.tick()
        mask = sum(0xFF << 8 * k for k in range(8) if strobes[0] >> k & 1)
        partly = words[0] & mask | contents(5) & ~mask
        expected = [contents(4), partly, words[1], contents(7)]
        assert found == [(word, k == 3) for k, word in enumerate(expected)]

    simulate(BlockMemory(FABRIC, words=WORDS), script)


def test_contents_differ_in_every_word():
    found = [contents(k) for k in range(1 << 12)]
    assert len(set(found)) == len(found)
    assert all(word < 1 << 64 for word in found)


def test_sizes_that_are_refused():
    with pytest.raises(ValueError, match=r"words must be a power of two in 2\.\.65536, not 3"):
        BlockMemory(FABRIC, words=3)
    with pytest.raises(ValueError, match="words must be a power of two of at least max_beats, 16"):
        Generator(FABRIC, number=0, words=8)
    few = FabricConfig(channel=FABRIC.channel, ports=(PORT,))
    with pytest.raises(ValueError, match="ports must be as many as tenants, 4, not 1"):
        Lane(few, arbiter=ArbiterKind.MCOS, words=WORDS)


def test_a_board_has_three_pins():
    config = board_config((ArbiterKind.MCOS, ArbiterKind.FCFS), bit_clocks=4)
    board = BoardSystem(config)
    assert set(board.signature.members) == {"received", "sent", "lights"}
    assert config.baud == 10_000_000
