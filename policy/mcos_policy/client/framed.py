"""Registers behind a serial line, whose accesses travel in frames."""

import binascii
from collections.abc import Sequence
from typing import Protocol

from mcos_hw.registers.frames import (
    ADDRESS_BYTES,
    ANSWER_MARK,
    CRC_BYTES,
    MOST_WORDS,
    REQUEST_MARK,
    FrameCommand,
    FrameStatus,
)
from mcos_policy.client.error import ClientError
from mcos_policy.client.transport import Transport

__all__ = [
    "FramedTransport",
    "Line",
    "Window",
    "crc_of",
    "request_bytes",
]


_ATTEMPTS = 3
"""Times that a request is sent which the other end found damaged, and so did not obey."""

_HEAD_BYTES = 3

_WORD_BYTES = 4

_CRC_START = 0xFFFF


class Line(Protocol):
    """Bytes to a device and back."""

    name: str
    """What people call it."""

    def write(self, data: bytes) -> None:
        """Send bytes."""
        ...

    def read(self, count: int) -> bytes:
        """The next bytes that come; fewer than ``count`` if no more came in time."""
        ...

    def drop(self) -> None:
        """Forget bytes that came and were not read."""
        ...


def crc_of(data: bytes) -> bytes:
    """The CRC of a frame's bytes after the mark."""
    return binascii.crc_hqx(data, _CRC_START).to_bytes(CRC_BYTES, "big")


def request_bytes(
    command: FrameCommand, address: int, *, count: int, words: Sequence[int] = ()
) -> bytes:
    """A request, see :mod:`mcos_hw.registers.frames`.

    Parameters
    ----------
    command : FrameCommand
        What it asks for.
    address : int
        Byte address of the first word.
    count : int
        Words that it is about.
    words : Sequence[int]
        Words to be written.
    """
    body = bytes((command, count)) + address.to_bytes(ADDRESS_BYTES, "little")
    body += b"".join(word.to_bytes(_WORD_BYTES, "little") for word in words)
    return bytes((REQUEST_MARK,)) + body + crc_of(body)


class FramedTransport:
    """Reads and writes words at the other end of a line.

    Writes to one address, one after another, wait for each other and go in one frame; a read, a
    write elsewhere and :meth:`flush` send them. A frame that was damaged on its way is sent again.

    Parameters
    ----------
    line : Line
        The line.
    """

    def __init__(self, line: Line) -> None:
        self.line = line
        self._address = 0
        self._waiting: list[int] = []
        self._ahead: dict[int, int] = {}

    def read32(self, address: int) -> int:
        """The word at an address.

        Raises
        ------
        ClientError
            If the device is silent or answers something else, or refuses the access.
        """
        self.flush()
        if address in self._ahead:
            return self._ahead.pop(address)
        return self.read_words(address, 1)[0]

    def read_words(self, address: int, count: int) -> list[int]:
        """Words from an address on, as many as wanted; otherwise as :meth:`read32`."""
        self.flush()
        words: list[int] = []
        while len(words) < count:
            some = min(MOST_WORDS, count - len(words))
            first = address + _WORD_BYTES * len(words)
            words += self._ask(FrameCommand.READ, first, count=some)
        return words

    def fetch(self, address: int, count: int) -> None:
        """Read words ahead, in few frames. Each is what the next read of its address gives."""
        words = self.read_words(address, count)
        self._ahead.update({address + _WORD_BYTES * k: word for k, word in enumerate(words)})

    def forget(self) -> None:
        """Forget what was read ahead and not taken."""
        self._ahead.clear()

    def write32(self, address: int, word: int) -> None:
        """Write a word at an address; what the device has against it may be told later."""
        if self._waiting and address != self._address:
            self.flush()
        self._address = address
        self._waiting.append(word)
        if len(self._waiting) == MOST_WORDS:
            self.flush()

    def flush(self) -> None:
        """Send what waits to be written.

        Raises
        ------
        ClientError
            As :meth:`read32`.
        """
        words, self._waiting = self._waiting, []
        if words:
            self._ask(FrameCommand.STREAM, self._address, count=len(words), words=words)

    def _ask(
        self, command: FrameCommand, address: int, *, count: int, words: Sequence[int] = ()
    ) -> list[int]:
        """The words of the answer to a request."""
        request = request_bytes(command, address, count=count, words=words)
        status = FrameStatus.OKAY
        for _ in range(_ATTEMPTS):
            self.line.drop()
            self.line.write(request)
            status, number, found = self._answer(count if command is FrameCommand.READ else 0)
            if status is FrameStatus.OKAY:
                return found
            if status in (FrameStatus.REFUSED, FrameStatus.NOWHERE):
                place = address
                if command is not FrameCommand.STREAM:
                    place += _WORD_BYTES * number
                raise ClientError(
                    f"{self.line.name} must take the access at {place:#08x}",
                    f"answer {status.name}: {status.meaning}",
                    "use the software that the board was built with",
                )
        raise ClientError(
            f"{self.line.name} must carry requests undamaged",
            f"answer {status.name} {_ATTEMPTS} times: {status.meaning}",
            "check the cable, and that no other program uses the device",
        )

    def _answer(self, count: int) -> tuple[FrameStatus, int, list[int]]:
        """Status, number and words of an answer with so many words."""
        head = self.line.read(_HEAD_BYTES)
        if not head:
            raise ClientError(
                f"{self.line.name} must answer",
                "be silent",
                "check that a board with MCOS is behind it, and its baud rate",
            )
        body = head[1:]
        known = len(head) == _HEAD_BYTES and head[0] == ANSWER_MARK and head[1] in {*FrameStatus}
        if known:
            data = _WORD_BYTES * count if head[1] == FrameStatus.OKAY else 0
            body += self.line.read(data + CRC_BYTES)
            known = len(body) == 2 + data + CRC_BYTES and crc_of(body[:-2]) == body[-2:]
        if not known:
            raise ClientError(
                f"{self.line.name} must answer in frames of MCOS",
                f"{(head[:1] + body).hex(' ')[:48]}",
                "check that a board with MCOS is behind it, and its baud rate",
            )
        words = [
            int.from_bytes(body[at : at + _WORD_BYTES], "little")
            for at in range(2, len(body) - CRC_BYTES, _WORD_BYTES)
        ]
        return FrameStatus(head[1]), head[2], words


class Window:
    """A part of a transport's addresses, counted from its own begin.

    Parameters
    ----------
    transport : Transport
        The whole.
    base : int
        Where the part begins.
    """

    def __init__(self, transport: Transport, base: int) -> None:
        self.transport = transport
        self.base = base

    def read32(self, address: int) -> int:
        """The word at an address."""
        return self.transport.read32(self.base + address)

    def write32(self, address: int, word: int) -> None:
        """Write a word at an address."""
        self.transport.write32(self.base + address, word)
