# amaranth: UnusedElaboratable=no
"""Bytes through a transmitter and a receiver, and lines that are not as they should be."""

import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from mcos_hw.board.uart import UartReceiver, UartTransmitter
from tests.hw.channel.bench import simulate


class Loop(wiring.Component):
    """A transmitter whose line a receiver of maybe another rate listens to."""

    def __init__(self, sent, received):
        self.sent, self.received = sent, received
        super().__init__(
            {
                "i": In(stream.Signature(8)),
                "o": Out(stream.Signature(8, always_ready=True)),
                "held": In(1, init=1),
                "line": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.transmitter = transmitter = UartTransmitter(bit_clocks=self.sent)
        m.submodules.receiver = receiver = UartReceiver(bit_clocks=self.received)
        connect(m, flipped(self.i), transmitter.i)
        connect(m, receiver.o, flipped(self.o))
        m.d.comb += [
            self.line.eq(transmitter.line & self.held),
            receiver.line.eq(self.line),
        ]
        return m


async def carried(bench, data, clocks):
    """Bytes that arrive of those that are sent, within so many clocks."""
    waiting, found = list(data), []
    for _ in range(clocks):
        bench.set(i={"valid": bool(waiting), "payload": waiting[0] if waiting else 0})
        taken = waiting and bench.get("i.ready")
        if bench.get("o.valid"):
            found.append(bench.get("o.payload"))
        await bench.tick()
        if taken:
            waiting.pop(0)
    assert not waiting
    return found


@pytest.mark.parametrize(("sent", "received"), [(4, 4), (7, 7), (50, 50), (50, 48), (50, 52)])
def test_bytes_arrive_back_to_back(sent, received):
    data = [0x00, 0xFF, 0x55, 0xA5, 0x80, 0x01]

    async def script(bench):
        assert await carried(bench, data, (10 * len(data) + 3) * sent) == data

    simulate(Loop(sent, received), script)


def test_a_byte_is_a_start_bit_eight_bits_lowest_first_and_a_stop_bit():
    async def script(bench):
        bench.set(i={"valid": 1, "payload": 0b1101_0010})
        assert bench.get("line") == 1
        await bench.tick()
        bench.set(i={"valid": 0})
        bits = []
        for _ in range(11):
            bits.append(bench.get("line"))
            await bench.tick(4)
        assert bits == [0, *(0b1101_0010 >> k & 1 for k in range(8)), 1, 1]

    simulate(Loop(4, 4), script)


def test_a_byte_without_its_stop_bit_is_dropped():
    async def script(bench):
        bench.set(held=0)
        await bench.tick(4 * 9 + 4)
        found = []
        bench.set(held=1)
        for _ in range(40):
            found.append(bench.get("o.valid"))
            await bench.tick()
        assert not any(found)
        assert await carried(bench, [0x3C], 60) == [0x3C]

    simulate(Loop(4, 4), script)


@pytest.mark.parametrize("part", [UartReceiver, UartTransmitter])
def test_rates_that_are_refused(part):
    with pytest.raises(ValueError, match="bit_clocks must be at least 4, not 3"):
        part(bit_clocks=3)
    with pytest.raises(TypeError, match=r"bit_clocks must be an integer, not 4\.5"):
        part(bit_clocks=4.5)


def test_the_line_is_high_after_reset():
    line = UartTransmitter(bit_clocks=4).line
    assert isinstance(line, Signal)
    assert line.init == 1
