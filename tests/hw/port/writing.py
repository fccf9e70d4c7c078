"""Write bursts with their data, and the memory beats that AXI says they are."""

import dataclasses

from mcos_hw.bus.axi4lite import Response
from mcos_hw.config import ChannelConfig, FabricConfig, PortConfig
from tests.hw.port.bursts import FIXED

__all__ = ["Piece", "beats_of", "cut", "expected_words", "fabric_of", "random_data", "written"]


def fabric_of(data_bytes, beat_bytes, *, max_beats=8, **sizes):
    """A fabric of one port."""
    channel = ChannelConfig(bytes_per_clock=beat_bytes, beat_bytes=beat_bytes, max_beats=max_beats)
    return FabricConfig(channel=channel, ports=(PortConfig(data_bytes=data_bytes, **sizes),))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Piece:
    """A fragment: first byte, and the byte after the last one, of each of its transfers."""

    spans: tuple
    size: int
    last: bool
    response: int = Response.OKAY

    @property
    def address(self):
        return self.spans[0][0]

    @property
    def transfers(self):
        return len(self.spans)


def cut(fabric, burst, response=Response.OKAY):
    """The fragments of a burst."""
    if response != Response.OKAY:
        groups = [burst.transfers]
    else:
        groups = []
        for span in burst.transfers:
            fits = groups and burst.kind != FIXED and span[0] == groups[-1][-1][1]
            if fits and span[0] % fabric.channel.l_max:
                groups[-1].append(span)
            else:
                groups.append([span])
    return [
        Piece(spans=tuple(spans), size=burst.size, last=spans is groups[-1], response=int(response))
        for spans in groups
    ]


def random_data(rng, fabric, burst):
    """Transfers of W for a burst; strobes are also set outside the lanes of a transfer."""
    data_bytes = fabric.ports[0].data_bytes
    full = (1 << data_bytes) - 1
    count = burst.length + 1
    return [
        {
            "data": rng.getrandbits(8 * data_bytes),
            "strobe": rng.choice((full, full, rng.getrandbits(data_bytes), 0)),
            "last": i == count - 1,
        }
        for i in range(count)
    ]


def beats_of(fabric, piece):
    """Addresses of the memory beats that a fragment touches."""
    beat = fabric.beat_bytes
    return range(piece.address // beat * beat, piece.spans[-1][1], beat)


def expected_words(fabric, piece, transfers):
    """Memory beats of a fragment: the value of each byte that is written, by its place."""
    data_bytes, beat = fabric.ports[0].data_bytes, fabric.beat_bytes
    words = {address: {} for address in beats_of(fabric, piece)}
    for (start, end), transfer in zip(piece.spans, transfers, strict=True):
        for address in range(start, end):
            lane = address % data_bytes
            if transfer["strobe"] >> lane & 1:
                value = transfer["data"] >> 8 * lane & 0xFF
                words[address // beat * beat][address % beat] = value
    return list(words.values())


def written(word):
    """The value of each byte of a memory beat that is written, by its place."""
    strobe, values = word["strobe"], word["data"]
    return {place: value for place, value in enumerate(values) if strobe >> place & 1}
