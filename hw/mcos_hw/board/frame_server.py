"""Register accesses from the bytes of a serial line."""

from amaranth import *
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.crc.catalog import CRC16_IBM_3740
from amaranth.lib.wiring import In, Out

from mcos_hw.bus.axi4lite import Axi4LiteInterface, Axi4LiteSignature, Response
from mcos_hw.registers.frames import (
    ADDRESS_BYTES,
    ANSWER_MARK,
    CRC_BYTES,
    MOST_WORDS,
    REQUEST_MARK,
    FrameCommand,
    FrameStatus,
)

__all__ = ["FrameServer"]


_WORD_BYTES = 4

_HEAD_BYTES = 2 + ADDRESS_BYTES


class FrameServer(wiring.Component):
    """Does what requests of :mod:`mcos_hw.registers.frames` ask for, and answers each.

    One request is under way at a time. Its words are kept until its CRC is found right: a request
    that is damaged changes nothing. Words that were written before the bus refused one stay
    written. What cannot be understood is answered once the line has been quiet, so that the rest of
    it is not taken for the next request. Bytes between requests are ignored.

    Parameters
    ----------
    quiet_clocks : int
        Clocks without a byte after which a request that is not whole has been cut.

    Members
    -------
    i : In(stream of 8 bits, always ready)
        Bytes of requests, one in two clocks at most.
    o : Out(stream of 8 bits)
        Bytes of answers.
    m_axil : Out(Axi4LiteSignature)
        The registers, one access at a time; an address and the data of a write stay until they are
        taken.
    """

    i: stream.Interface
    o: stream.Interface
    m_axil: Axi4LiteInterface

    def __init__(self, *, quiet_clocks: int) -> None:
        if not isinstance(quiet_clocks, int):
            raise TypeError(f"quiet_clocks must be an integer, not {quiet_clocks!r}")
        if quiet_clocks < 1:
            raise ValueError(f"quiet_clocks must be at least 1, not {quiet_clocks!r}")
        self.quiet_clocks = quiet_clocks
        super().__init__(
            {
                "i": In(stream.Signature(unsigned(8), always_ready=True)),
                "o": Out(stream.Signature(unsigned(8))),
                "m_axil": Out(Axi4LiteSignature(8 * ADDRESS_BYTES)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        bus = self.m_axil
        layout = data.StructLayout({"command": 8, "words": 8, "address": 8 * ADDRESS_BYTES})
        head = data.View(layout, Signal(layout, name="head"))
        status = Signal(FrameStatus)
        number = Signal(8)  # of the word at hand, and at the end what the answer tells
        lane = Signal(range(_HEAD_BYTES))  # byte of the head, of a word, or of the CRC
        quiet = Signal(range(self.quiet_clocks + 1))
        received = self.i.valid
        byte = self.i.payload

        # Words of the request, and then those of the answer.
        m.submodules.words = words = memory.Memory(shape=32, depth=MOST_WORDS, init=[])
        write = words.write_port(granularity=8)
        read = words.read_port()
        m.d.comb += [write.addr.eq(number), read.addr.eq(number)]

        # One CRC: bytes come or go, never both.
        m.submodules.crc = crc = CRC16_IBM_3740(data_width=8).create()
        sent = Signal()
        counts = Signal()
        m.d.comb += [
            sent.eq(self.o.valid & self.o.ready),
            crc.valid.eq(counts & (received | sent)),
            crc.data.eq(Mux(sent, self.o.payload, byte)),
        ]

        with m.If(received):
            m.d.sync += quiet.eq(0)
        with m.Elif(quiet != self.quiet_clocks):
            m.d.sync += quiet.eq(quiet + 1)
        silent = quiet == self.quiet_clocks

        writes = head.command != FrameCommand.READ
        last_word = Signal()
        m.d.comb += last_word.eq(number == head.words - 1)
        m.d.comb += [
            bus.awaddr.eq(head.address),
            bus.araddr.eq(head.address),
            bus.wdata.eq(read.data),
            bus.wstrb.eq(-1),
        ]

        def receive(*statements) -> None:
            """Do something with a byte, or give the request up when none comes."""
            with m.If(received):
                for each in statements:
                    m.d.sync += each
            with m.Elif(silent):
                m.d.sync += status.eq(FrameStatus.CUT)
                m.next = "drain"

        def finish(response: Value) -> None:
            """Take the bus's answer to a word, and go on with the next one."""
            with m.If(response != Response.OKAY):
                m.d.sync += status.eq(
                    Mux(response == Response.DECERR, FrameStatus.NOWHERE, FrameStatus.REFUSED)
                )
                m.next = "mark"
            with m.Elif(last_word):
                m.d.sync += number.eq(head.words)
                m.next = "mark"
            with m.Else():
                m.d.sync += number.eq(number + 1)
                with m.If(head.command != FrameCommand.STREAM):
                    m.d.sync += head.address.eq(head.address + _WORD_BYTES)
                m.next = "word"

        with m.FSM(name="frame"):
            with m.State("idle"):
                m.d.comb += crc.start.eq(1)
                m.d.sync += [lane.eq(0), number.eq(0), status.eq(FrameStatus.OKAY)]
                with m.If(received & (byte == REQUEST_MARK)):
                    m.next = "head"
            with m.State("head"):
                m.d.comb += counts.eq(1)
                receive(head.eq(Cat(head.as_value()[8:], byte)), lane.eq(lane + 1))
                with m.If(received & (lane == _HEAD_BYTES - 1)):
                    m.d.sync += lane.eq(0)
                    m.next = "judge"
            with m.State("judge"):
                known = Signal()
                m.d.comb += known.eq((head.words != 0) & (head.words <= MOST_WORDS))
                with m.Switch(head.command):
                    with m.Case(FrameCommand.READ):
                        m.next = "check"
                    with m.Case(FrameCommand.WRITE, FrameCommand.STREAM):
                        m.next = "data"
                    with m.Default():
                        m.d.comb += known.eq(0)
                with m.If(~known):
                    m.d.sync += status.eq(FrameStatus.COMMAND)
                    m.next = "drain"
            with m.State("data"):
                m.d.comb += [
                    counts.eq(1),
                    write.data.eq(byte.replicate(_WORD_BYTES)),
                    write.en.eq(Mux(received, 1 << lane[:2], 0)),
                ]
                receive(lane.eq(lane + 1))
                with m.If(received & (lane == _WORD_BYTES - 1)):
                    m.d.sync += [lane.eq(0), number.eq(number + 1)]
                    with m.If(last_word):
                        m.d.sync += number.eq(0)
                        m.next = "check"
            with m.State("check"):
                m.d.comb += counts.eq(1)
                receive(lane.eq(lane + 1))
                with m.If(received & (lane == CRC_BYTES - 1)):
                    m.d.sync += lane.eq(0)
                    m.next = "verdict"
            with m.State("verdict"):
                # Over its data and itself a CRC is a constant.
                with m.If(crc.match_detected):
                    m.next = "word"
                with m.Else():
                    m.d.sync += status.eq(FrameStatus.CRC)
                    m.next = "drain"
            with m.State("word"):
                # In this clock the memory is read.
                m.next = "address"
                with m.If(writes):
                    m.next = "write"
            with m.State("address"):
                m.d.comb += bus.arvalid.eq(1)
                with m.If(bus.arready):
                    m.next = "read"
            with m.State("read"):
                m.d.comb += [
                    bus.rready.eq(1),
                    write.data.eq(bus.rdata),
                    write.en.eq(bus.rvalid.replicate(_WORD_BYTES)),
                ]
                with m.If(bus.rvalid):
                    finish(bus.rresp)
            with m.State("write"):
                address_taken = Signal()
                word_taken = Signal()
                m.d.comb += [
                    bus.awvalid.eq(~address_taken),
                    bus.wvalid.eq(~word_taken),
                    bus.bready.eq(1),
                ]
                m.d.sync += [
                    address_taken.eq(address_taken | bus.awready),
                    word_taken.eq(word_taken | bus.wready),
                ]
                with m.If(bus.bvalid):
                    m.d.sync += [address_taken.eq(0), word_taken.eq(0)]
                    finish(bus.bresp)
            with m.State("drain"):
                m.d.sync += number.eq(0)
                with m.If(silent):
                    m.next = "mark"
            with m.State("mark"):
                m.d.comb += [crc.start.eq(1), self.o.valid.eq(1), self.o.payload.eq(ANSWER_MARK)]
                m.d.sync += lane.eq(0)
                with m.If(sent):
                    m.next = "status"
            with m.State("status"):
                m.d.comb += [counts.eq(1), self.o.valid.eq(1), self.o.payload.eq(status)]
                with m.If(sent):
                    m.next = "number"
            with m.State("number"):
                m.d.comb += [counts.eq(1), self.o.valid.eq(1), self.o.payload.eq(number)]
                with m.If(sent):
                    m.d.sync += number.eq(0)
                    m.next = "crc"
                    with m.If((status == FrameStatus.OKAY) & ~writes):
                        m.next = "fetch"
            with m.State("fetch"):
                m.next = "answer"
            with m.State("answer"):
                m.d.comb += [
                    counts.eq(1),
                    self.o.valid.eq(1),
                    self.o.payload.eq(read.data.word_select(lane[:2], 8)),
                ]
                with m.If(sent):
                    m.d.sync += lane.eq(lane + 1)
                    with m.If(lane == _WORD_BYTES - 1):
                        m.d.sync += [lane.eq(0), number.eq(number + 1)]
                        m.next = "fetch"
                        with m.If(last_word):
                            m.next = "crc"
            with m.State("crc"):
                # A clock after the last byte it is whole.
                m.d.comb += [
                    self.o.valid.eq(1),
                    self.o.payload.eq(Mux(lane == 0, crc.crc[8:], crc.crc[:8])),
                ]
                with m.If(sent):
                    m.d.sync += lane.eq(lane + 1)
                    with m.If(lane == CRC_BYTES - 1):
                        m.next = "idle"
        return m
