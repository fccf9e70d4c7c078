# amaranth: UnusedElaboratable=no
"""Requests in frames, each answered: what was asked for, or why not."""

import pytest
from amaranth.hdl import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from mcos_hw.board.frame_server import FrameServer
from mcos_hw.board.regions import Regions
from mcos_hw.bus.axi4lite import Axi4LiteSignature, Response
from mcos_hw.registers.frames import (
    ANSWER_MARK,
    MOST_WORDS,
    REGION_WIDTH,
    REQUEST_MARK,
    FrameCommand,
    FrameStatus,
)
from mcos_policy.client.framed import crc_of, request_bytes
from tests.hw.channel.bench import simulate

QUIET = 40
BYTE_CLOCKS = 2
READ, WRITE, STREAM = FrameCommand

FORBIDDEN = 0x40
"""Address that the registers refuse."""


class Served(wiring.Component):
    """A frame server, and regions behind it whose buses are the members ``bus_0`` and ``bus_1``."""

    def __init__(self):
        super().__init__(
            {
                "i": In(stream.Signature(8, always_ready=True)),
                "o": Out(stream.Signature(8)),
                "bus_0": Out(Axi4LiteSignature(8)),
                "bus_1": Out(Axi4LiteSignature(12)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.server = server = FrameServer(quiet_clocks=QUIET)
        m.submodules.regions = regions = Regions([8, 12])
        connect(m, flipped(self.i), server.i)
        connect(m, server.o, flipped(self.o))
        connect(m, server.m_axil, regions.s_axil)
        connect(m, regions.m_axil_0, flipped(self.bus_0))
        connect(m, regions.m_axil_1, flipped(self.bus_1))
        return m


class Registers:
    """Words behind the buses; an access takes some clocks."""

    def __init__(self, bench):
        self.bench = bench
        self.words = [{}, {}]
        self.log = []
        self._reads = [None, None]
        self._writes = [None, None]

    def step(self):
        """One clock: both buses answer what they were asked in the clock before."""
        for k in (0, 1):
            bus = f"bus_{k}"

            def get(name, bus=bus):
                return self.bench.get(f"{bus}.{name}")

            values = {"arready": 1, "awready": 1, "wready": 1, "rvalid": 0, "bvalid": 0}
            if self._reads[k] is not None:
                address = self._reads[k]
                refused = address == FORBIDDEN
                values |= {
                    "rvalid": 1,
                    "rdata": self.words[k].get(address, 0),
                    "rresp": Response.SLVERR if refused else Response.OKAY,
                }
            if self._writes[k] is not None and len(self._writes[k]) == 2:
                refused = self._writes[k][0] == FORBIDDEN
                values |= {"bvalid": 1, "bresp": Response.SLVERR if refused else Response.OKAY}
            self.bench.set(**{bus: values})
            if values["rvalid"]:
                if get("rready"):
                    self._reads[k] = None
            elif get("arvalid"):
                self._reads[k] = get("araddr")
            if values["bvalid"]:
                if get("bready"):
                    address, word = self._writes[k]
                    self._writes[k] = None
                    self.log.append((k, address, word))
                    self.words[k][address] = word
            elif get("wvalid") and self._writes[k] is not None:
                assert get("wstrb") == 0xF
                self._writes[k] = (self._writes[k][0], get("wdata"))
            elif get("awvalid"):
                self._writes[k] = (get("awaddr"),)


class Device:
    """Sends bytes and collects the answer."""

    def __init__(self, bench):
        self.bench = bench
        self.registers = Registers(bench)

    async def ask(self, data, clocks=20_000, stall=1):
        """Bytes of the answer; after the last one it is quiet."""
        found, waiting, silent = b"", list(data), 0
        for clock in range(clocks):
            takes = clock % stall == 0
            self.registers.step()
            comes = bool(waiting) and clock % BYTE_CLOCKS == 0
            self.bench.set(
                i={"valid": comes, "payload": waiting[0] if comes else 0}, o={"ready": takes}
            )
            if comes:
                waiting.pop(0)
            if self.bench.get("o.valid") and takes:
                found += bytes([self.bench.get("o.payload")])
                silent = 0
            silent += 1
            await self.bench.tick()
            if found and silent > 3 * QUIET and not waiting:
                return found
        return found


def answer(status, number, words=()):
    body = bytes([status, number]) + b"".join(word.to_bytes(4, "little") for word in words)
    return bytes([ANSWER_MARK]) + body + crc_of(body)


def serve(script):
    async def testbench(bench):
        await script(Device(bench))

    simulate(Served(), testbench)


def test_words_are_written_and_read_in_their_region():
    async def script(device):
        words = [0x12345678, 0xFFFFFFFF, 0, 0x80000001]
        request = request_bytes(WRITE, (1 << REGION_WIDTH) + 0x10, count=4, words=words)
        assert await device.ask(request) == answer(FrameStatus.OKAY, 4)
        assert device.registers.log == [(1, 0x10 + 4 * k, word) for k, word in enumerate(words)]
        request = request_bytes(READ, (1 << REGION_WIDTH) + 0x14, count=3)
        for stall in (1, 3):
            found = await device.ask(request, stall=stall)
            assert found == answer(FrameStatus.OKAY, 3, words[1:])
        device.registers.words[0][8] = 7
        assert await device.ask(request_bytes(READ, 8, count=1)) == answer(0, 1, [7])

    serve(script)


def test_a_stream_writes_all_words_at_one_address():
    async def script(device):
        words = list(range(100, 100 + MOST_WORDS))
        request = request_bytes(STREAM, 0x20, count=MOST_WORDS, words=words)
        assert await device.ask(request) == answer(FrameStatus.OKAY, MOST_WORDS)
        assert device.registers.log == [(0, 0x20, word) for word in words]

    serve(script)


def damaged(request, place):
    return request[:place] + bytes([request[place] ^ 0x10]) + request[place + 1 :]


WHOLE = request_bytes(WRITE, 0x10, count=2, words=[1, 2])


@pytest.mark.parametrize(
    ("request_", "status", "number"),
    [
        pytest.param(damaged(WHOLE, 3), FrameStatus.CRC, 0, id="address"),
        pytest.param(damaged(WHOLE, 8), FrameStatus.CRC, 0, id="word"),
        pytest.param(damaged(WHOLE, len(WHOLE) - 1), FrameStatus.CRC, 0, id="crc"),
        pytest.param(damaged(WHOLE, 2), FrameStatus.CUT, 0, id="count"),
        pytest.param(damaged(WHOLE, 1), FrameStatus.COMMAND, 0, id="command"),
        pytest.param(request_bytes(READ, 0, count=0), FrameStatus.COMMAND, 0, id="no-word"),
        pytest.param(
            request_bytes(READ, 0, count=MOST_WORDS + 1), FrameStatus.COMMAND, 0, id="too-many"
        ),
        pytest.param(WHOLE[:9], FrameStatus.CUT, 0, id="cut"),
        pytest.param(WHOLE[:2], FrameStatus.CUT, 0, id="cut-early"),
    ],
)
def test_what_cannot_be_understood_changes_nothing(request_, status, number):
    async def script(device):
        assert await device.ask(request_) == answer(status, number)
        assert device.registers.log == []
        # The next one is understood.
        assert await device.ask(WHOLE) == answer(FrameStatus.OKAY, 2)
        assert len(device.registers.log) == 2

    serve(script)


@pytest.mark.parametrize(
    ("address", "status", "number"),
    [
        (FORBIDDEN - 4, FrameStatus.REFUSED, 1),
        (0x100 - 8, FrameStatus.NOWHERE, 2),
        (2 << REGION_WIDTH, FrameStatus.NOWHERE, 0),
        ((1 << REGION_WIDTH) + 0x1000, FrameStatus.NOWHERE, 0),
    ],
)
def test_what_the_bus_refuses_is_told_with_its_place(address, status, number):
    async def script(device):
        for request in (
            request_bytes(READ, address, count=3),
            request_bytes(WRITE, address, count=3, words=[1, 2, 3]),
        ):
            assert await device.ask(request) == answer(status, number)

    serve(script)


def test_bytes_between_requests_are_ignored():
    async def script(device):
        device.registers.words[0][4] = 9
        noise = bytes([0, ANSWER_MARK, 0xFF])
        assert REQUEST_MARK not in noise
        found = await device.ask(noise + request_bytes(READ, 4, count=1))
        assert found == answer(FrameStatus.OKAY, 1, [9])

    serve(script)


def test_sizes_that_are_refused():
    with pytest.raises(ValueError, match="quiet_clocks must be at least 1, not 0"):
        FrameServer(quiet_clocks=0)
    with pytest.raises(ValueError, match="regions must be 1 to 16, not 0"):
        Regions([])
    with pytest.raises(ValueError, match="address_widths must be at most 20, not 21"):
        Regions([21])
