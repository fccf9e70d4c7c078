"""Frames that carry register accesses over a serial line: their bytes, as both ends know them.

::

    request   A5 | command | words | address, 3 bytes | data, 4 bytes a word | CRC, 2 bytes
    answer    5A | status  | words |                    data, 4 bytes a word | CRC, 2 bytes

A request to read carries no data, and neither does an answer to a write. Addresses and words come
lowest byte first. The CRC covers all bytes after the first one; it is CRC-16/IBM-3740, highest byte
first. An answer that is not ``OKAY`` has no data, and tells in the place of ``words`` at which word
of the request the bus refused.
"""

import enum

__all__ = [
    "ADDRESS_BYTES",
    "ANSWER_MARK",
    "CRC_BYTES",
    "MOST_WORDS",
    "REGION_WIDTH",
    "REQUEST_MARK",
    "FrameCommand",
    "FrameStatus",
]


REQUEST_MARK = 0xA5
"""First byte of a request."""

ANSWER_MARK = 0x5A
"""First byte of an answer."""

ADDRESS_BYTES = 3
"""Bytes of an address."""

CRC_BYTES = 2
"""Bytes of the CRC."""

MOST_WORDS = 64
"""Words that a frame carries at most."""

REGION_WIDTH = 20
"""Low bits of an address that lie within a region: region 0 is the board, 1 + k lane k."""


class FrameCommand(enum.IntEnum):
    """What a request asks for."""

    READ = 1
    """Read words from the address on."""
    WRITE = 2
    """Write words from the address on."""
    STREAM = 3
    """Write all words, one after another, at the address."""


class FrameStatus(enum.IntEnum):
    """How a request ended. Where it was not ``OKAY``, ``meaning`` says why, in one sentence."""

    OKAY = 0
    CRC = 1
    COMMAND = 2
    REFUSED = 3
    NOWHERE = 4
    CUT = 5

    @property
    def meaning(self) -> str:
        """The reason, for people."""
        return _MEANINGS[self]


_MEANINGS = {
    FrameStatus.OKAY: "done",
    FrameStatus.CRC: "the CRC of the request was wrong, and nothing was done",
    FrameStatus.COMMAND: "the request had no known command, or no possible number of words",
    FrameStatus.REFUSED: "the register refuses this access",
    FrameStatus.NOWHERE: "there is no register at the address",
    FrameStatus.CUT: "the request was not whole when the line fell silent, and nothing was done",
}
