"""A board that is a program: frames, registers as after reset, and a loader that judges images."""

import os
import select
import threading
import tty

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import ArbiterKind, channel_map
from mcos_hw.registers.board_map import board_map
from mcos_hw.registers.frames import (
    ANSWER_MARK,
    MOST_WORDS,
    REGION_WIDTH,
    REQUEST_MARK,
    FrameCommand,
    FrameStatus,
)
from mcos_hw.registers.image import HEADER_WORDS, HeaderWord, ImageCode, ImageState
from mcos_policy.client.framed import crc_of
from mcos_policy.image import refusal
from tests.policy.client.bench import core_words

__all__ = [
    "BOARD_CHANNEL",
    "FakeBoard",
    "PipeLine",
    "Terminal",
]


BOARD_CHANNEL = ChannelConfig(
    tenants=4,
    beat_bytes=8,
    max_beats=16,
    bytes_per_clock=8,
    clock_khz=40_000,
    slots=16,
    lateness=0,
    grant_interval=8,
)
"""Sizes of the lanes by default, those of the sample ``ulx3s``."""


class FakeLane:
    """Registers of a core, whose loader takes images and refuses those that are wrong."""

    def __init__(self, config, arbiter):
        self.config = config
        self.map = channel_map(config)
        self.words = core_words(config)
        self.image = []
        self.staged = None
        self.others = {}
        self.set("ARBITER", kind=arbiter)

    def set(self, name, **fields):
        register = self.map[name]
        self.words[register.offset // 4] = register.pack(**fields)

    def status(self, state, code=ImageCode.NONE):
        self.set("IMAGE_STATUS", state=state, code=code, received=len(self.image))

    def read(self, address):
        place = address // 4
        return self.words[place] if place < len(self.words) else self.others.get(address, 0)

    def write(self, address, word):
        control = self.map["IMAGE_CONTROL"]
        if address == control.offset:
            asked = control.unpack(word)
            if asked["begin"]:
                self.image, self.staged = [], None
                self.status(ImageState.RECEIVING)
            if asked["commit"] and self.staged is not None:
                commits = self.words[self.map["GENERATION"].offset // 4] + 1
                self.set("GENERATION", commits=commits)
                self.set("LIVE_CRC", crc=self.staged[-1])
                self.status(ImageState.EMPTY)
        elif address == self.map["IMAGE_DATA"].offset:
            self.image.append(word)
            self.status(ImageState.RECEIVING)
            whole = len(self.image) >= HEADER_WORDS
            if whole and len(self.image) == self.image[HeaderWord.WORDS]:
                refused = refusal(self.image, self.config)
                if refused is None:
                    self.staged = list(self.image)
                    self.status(ImageState.STAGED)
                else:
                    self.status(ImageState.EMPTY, refused.code)
        else:
            self.others[address] = word


class FakeBoard:
    """Takes bytes of requests and gives those of answers.

    Parameters
    ----------
    config : ChannelConfig
        Sizes of the lanes.
    arbiters : tuple[ArbiterKind, ...]
        One for each lane.
    """

    def __init__(
        self, config=BOARD_CHANNEL, arbiters=(ArbiterKind.MCOS, ArbiterKind.FCFS), magic=None
    ):
        self.map = board_map(len(arbiters), config.tenants)
        self.words = {}
        for register in self.map.registers:
            for k in range(register.count):
                self.words[register.offset + 4 * k] = register.reset
        if magic is not None:
            self.words[self.map["BOARD"].offset] = magic
        self.lanes = [FakeLane(config, arbiter) for arbiter in arbiters]
        self.written = []
        self.frames = 0
        self.damage = 0
        """Requests that are still to be found damaged."""

    def feed(self, request):
        """The answer to a whole request."""
        assert request[0] == REQUEST_MARK
        self.frames += 1
        body = request[1:-2]
        if self.damage:
            self.damage -= 1
            return self._answer(FrameStatus.CRC, 0)
        assert crc_of(body) == request[-2:]
        command, count = FrameCommand(body[0]), body[1]
        assert 1 <= count <= MOST_WORDS
        address = int.from_bytes(body[2:5], "little")
        if command is FrameCommand.READ:
            words = [self._read(address + 4 * k) for k in range(count)]
            if None in words:
                return self._answer(FrameStatus.NOWHERE, words.index(None))
            data = b"".join(word.to_bytes(4, "little") for word in words)
            return self._answer(FrameStatus.OKAY, count, data)
        step = 4 if command is FrameCommand.WRITE else 0
        for k in range(count):
            word = int.from_bytes(body[5 + 4 * k : 9 + 4 * k], "little")
            self._write(address + step * k, word)
        return self._answer(FrameStatus.OKAY, count)

    def _answer(self, status, number, data=b""):
        body = bytes([status, number]) + data
        return bytes([ANSWER_MARK]) + body + crc_of(body)

    def _read(self, address):
        region, place = address >> REGION_WIDTH, address & (1 << REGION_WIDTH) - 1
        if region == 0:
            return self.words.get(place)
        return self.lanes[region - 1].read(place) if region <= len(self.lanes) else None

    def _write(self, address, word):
        region, place = address >> REGION_WIDTH, address & (1 << REGION_WIDTH) - 1
        self.written.append((region, place, word))
        if region:
            self.lanes[region - 1].write(place, word)

    @staticmethod
    def length(head):
        """Bytes of a request that begins with these, as soon as they tell."""
        if len(head) < 3:
            return None
        return 8 + (0 if head[1] == FrameCommand.READ else 4 * head[2])


class PipeLine:
    """A line to a board in the same program."""

    name = "the fake board"

    def __init__(self, board):
        self.board = board
        self.answers = b""

    def write(self, data):
        assert len(data) == FakeBoard.length(data)
        self.answers += self.board.feed(data)

    def read(self, count):
        found, self.answers = self.answers[:count], self.answers[count:]
        return found

    def drop(self):
        self.answers = b""


class Terminal:
    """A pseudo terminal with a board at its other end; ``path`` is the device.

    Parameters
    ----------
    board : FakeBoard or None
        The board; None for a device that says nothing.
    """

    def __init__(self, board=None):
        self.board = board
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.path = os.ttyname(self._slave)
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ends.set()
        self._thread.join()
        os.close(self._master)
        os.close(self._slave)

    def _serve(self):
        waiting = b""
        while not self._ends.is_set():
            if not select.select([self._master], [], [], 0.05)[0]:
                continue
            waiting += os.read(self._master, 4096)
            if self.board is None:
                continue
            length = FakeBoard.length(waiting)
            while length is not None and len(waiting) >= length:
                os.write(self._master, self.board.feed(waiting[:length]))
                waiting = waiting[length:]
                length = FakeBoard.length(waiting)
