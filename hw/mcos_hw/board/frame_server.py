"""Register accesses from the bytes of a serial line."""

import dataclasses
from typing import Any

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
        m.submodules.words = words = memory.Memory(shape=32, depth=MOST_WORDS, init=[])
        m.submodules.crc = processor = CRC16_IBM_3740(data_width=8).create()
        layout = data.StructLayout({"command": 8, "words": 8, "address": 8 * ADDRESS_BYTES})
        frame = _Frame(
            head=data.View(layout, Signal(layout, name="head")),
            status=Signal(FrameStatus),
            number=Signal(8),
            lane=Signal(range(_HEAD_BYTES)),
            silent=Signal(),
            counts=Signal(),
            sent=Signal(),
            write=words.write_port(granularity=8),
            read=words.read_port(),
            crc=processor,
        )
        m.d.comb += [
            frame.write.addr.eq(frame.number),
            frame.read.addr.eq(frame.number),
            frame.sent.eq(self.o.valid & self.o.ready),
            # One CRC: bytes come or go, never both.
            processor.valid.eq(frame.counts & (self.i.valid | frame.sent)),
            processor.data.eq(Mux(frame.sent, self.o.payload, self.i.payload)),
        ]
        quiet = Signal(range(self.quiet_clocks + 1))
        m.d.comb += frame.silent.eq(quiet == self.quiet_clocks)
        with m.If(self.i.valid):
            m.d.sync += quiet.eq(0)
        with m.Elif(~frame.silent):
            m.d.sync += quiet.eq(quiet + 1)

        with m.FSM(name="frame"):
            with m.State("idle"):
                m.d.comb += processor.start.eq(1)
                m.d.sync += [
                    frame.lane.eq(0),
                    frame.number.eq(0),
                    frame.status.eq(FrameStatus.OKAY),
                ]
                with m.If(self.i.valid & (self.i.payload == REQUEST_MARK)):
                    m.next = "head"
            self._elaborate_request(m, frame)
            self._elaborate_accesses(m, frame)
            self._elaborate_answer(m, frame)
        return m

    def _elaborate_request(self, m: Module, frame: "_Frame") -> None:
        """States in which a request comes; ends in ``word`` with a sound one, else in ``mark``."""
        received, byte = self.i.valid, self.i.payload
        head, lane, status = frame.head, frame.lane, frame.status

        def receive(*statements: Any) -> None:
            """Do something with a byte, or give the request up when none comes."""
            with m.If(received):
                for each in statements:
                    m.d.sync += each
            with m.Elif(frame.silent):
                m.d.sync += status.eq(FrameStatus.CUT)
                m.next = "drain"

        with m.State("head"):
            m.d.comb += frame.counts.eq(1)
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
                frame.counts.eq(1),
                frame.write.data.eq(byte.replicate(_WORD_BYTES)),
                frame.write.en.eq(Mux(received, 1 << lane[:2], 0)),
            ]
            receive(lane.eq(lane + 1))
            with m.If(received & (lane == _WORD_BYTES - 1)):
                m.d.sync += [lane.eq(0), frame.number.eq(frame.number + 1)]
                with m.If(frame.last_word):
                    m.d.sync += frame.number.eq(0)
                    m.next = "check"
        with m.State("check"):
            m.d.comb += frame.counts.eq(1)
            receive(lane.eq(lane + 1))
            with m.If(received & (lane == CRC_BYTES - 1)):
                m.d.sync += lane.eq(0)
                m.next = "verdict"
        with m.State("verdict"):
            # Over its data and itself a CRC is a constant.
            with m.If(frame.crc.match_detected):
                m.next = "word"
            with m.Else():
                m.d.sync += status.eq(FrameStatus.CRC)
                m.next = "drain"
        with m.State("drain"):
            m.d.sync += frame.number.eq(0)
            with m.If(frame.silent):
                m.next = "mark"

    def _elaborate_accesses(self, m: Module, frame: "_Frame") -> None:
        """States in which each word is read or written; ends in ``mark``."""
        bus, head, number = self.m_axil, frame.head, frame.number
        m.d.comb += [
            bus.awaddr.eq(head.address),
            bus.araddr.eq(head.address),
            bus.wdata.eq(frame.read.data),
            bus.wstrb.eq(-1),
        ]

        def finish(response: Value) -> None:
            """Take the bus's answer to a word, and go on with the next one."""
            with m.If(response != Response.OKAY):
                m.d.sync += frame.status.eq(
                    Mux(response == Response.DECERR, FrameStatus.NOWHERE, FrameStatus.REFUSED)
                )
                m.next = "mark"
            with m.Elif(frame.last_word):
                m.d.sync += number.eq(head.words)
                m.next = "mark"
            with m.Else():
                m.d.sync += number.eq(number + 1)
                with m.If(head.command != FrameCommand.STREAM):
                    m.d.sync += head.address.eq(head.address + _WORD_BYTES)
                m.next = "word"

        with m.State("word"):
            # In this clock the memory is read.
            m.next = "address"
            with m.If(frame.writes):
                m.next = "write"
        with m.State("address"):
            m.d.comb += bus.arvalid.eq(1)
            with m.If(bus.arready):
                m.next = "read"
        with m.State("read"):
            m.d.comb += [
                bus.rready.eq(1),
                frame.write.data.eq(bus.rdata),
                frame.write.en.eq(bus.rvalid.replicate(_WORD_BYTES)),
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

    def _elaborate_answer(self, m: Module, frame: "_Frame") -> None:
        """States in which the answer goes, from ``mark`` on; ends in ``idle``."""
        lane, number, sent = frame.lane, frame.number, frame.sent

        def send(byte: Any, *, counted: bool = True) -> None:
            """Offer a byte, which the CRC may cover."""
            m.d.comb += [
                frame.counts.eq(counted),
                self.o.valid.eq(1),
                self.o.payload.eq(byte),
            ]

        with m.State("mark"):
            m.d.comb += frame.crc.start.eq(1)
            m.d.sync += lane.eq(0)
            send(ANSWER_MARK, counted=False)
            with m.If(sent):
                m.next = "status"
        with m.State("status"):
            send(frame.status)
            with m.If(sent):
                m.next = "number"
        with m.State("number"):
            send(number)
            with m.If(sent):
                m.d.sync += number.eq(0)
                m.next = "crc"
                with m.If((frame.status == FrameStatus.OKAY) & ~frame.writes):
                    m.next = "fetch"
        with m.State("fetch"):
            m.next = "answer"
        with m.State("answer"):
            send(frame.read.data.word_select(lane[:2], 8))
            with m.If(sent):
                m.d.sync += lane.eq(lane + 1)
                with m.If(lane == _WORD_BYTES - 1):
                    m.d.sync += [lane.eq(0), number.eq(number + 1)]
                    m.next = "fetch"
                    with m.If(frame.last_word):
                        m.next = "crc"
        with m.State("crc"):
            # A clock after the last byte it is whole.
            send(Mux(lane == 0, frame.crc.crc[8:], frame.crc.crc[:8]), counted=False)
            with m.If(sent):
                m.d.sync += lane.eq(lane + 1)
                with m.If(lane == CRC_BYTES - 1):
                    m.next = "idle"


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Frame:
    """What the states of a frame share.

    Parameters
    ----------
    head : View
        Command, words and address of the request; the address goes on from word to word.
    status, number : Signal
        Status of the answer; which word is at hand, and in the end what the answer tells.
    lane : Signal
        Byte of the head, of a word, or of the CRC.
    silent : Signal
        The line has been quiet for long.
    counts, sent : Signal
        The CRC covers the byte of this clock; a byte of the answer goes in it.
    write, read : memory.WritePort, memory.ReadPort
        Words of the request, and then those of the answer, at ``number``.
    crc : crc.Processor
        The CRC of what came, or went.
    """

    head: data.View
    status: Any
    number: Signal
    lane: Signal
    silent: Signal
    counts: Signal
    sent: Signal
    write: Any
    read: Any
    crc: Any

    @property
    def writes(self) -> Value:
        """The request writes."""
        return self.head.command != FrameCommand.READ

    @property
    def last_word(self) -> Value:
        """The word at hand is the last one."""
        return self.number == self.head.words - 1
