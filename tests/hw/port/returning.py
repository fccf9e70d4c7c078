"""Read fragments and what must be answered to them, byte by byte."""

import dataclasses

from mcos_hw.bus.axi4lite import Response
from mcos_hw.config import ChannelConfig, FabricConfig, PortConfig

__all__ = [
    "WIDTHS",
    "Fragment",
    "fabric_of",
    "random_fragment",
    "random_response",
    "whole_beats",
]


WIDTHS = tuple((port, beat) for port in (8, 16, 32, 64) for beat in (8, 16, 32, 64))
"""Bytes of a port's data bus and of a memory beat, every pair."""


def fabric_of(data_bytes, beat_bytes, **sizes):
    """A fabric of one port with these widths."""
    port = PortConfig(data_bytes=data_bytes, **{"reads": 8, "read_units": 32} | sizes)
    channel = ChannelConfig(
        tenants=4,
        beat_bytes=beat_bytes,
        max_beats=min(16, 512 // beat_bytes),
        bytes_per_clock=beat_bytes,
    )
    return FabricConfig.around(channel, ports=(port,)), port


@dataclasses.dataclass(frozen=True, kw_only=True)
class Fragment:
    """A read fragment, and what memory answers to each of its beats."""

    id: int
    address: int
    size: int
    transfers: int
    last: bool
    words: tuple = ()
    responses: tuple = ()
    refusal: Response = Response.OKAY

    def spans(self):
        """First byte and end of every transfer, as AXI has them for INCR."""
        start = self.address >> self.size << self.size
        for i in range(self.transfers):
            first = start + (i << self.size)
            yield max(first, self.address), first + (1 << self.size)

    def beats(self, beat_bytes):
        """How many memory beats it touches."""
        end = (self.address >> self.size << self.size) + (self.transfers << self.size)
        return (end - 1) // beat_bytes - self.address // beat_bytes + 1

    def check(self, transfers, data_bytes, beat_bytes):
        """``transfers``, dicts as they left, must be this fragment's."""
        assert len(transfers) == self.transfers
        lowest = self.address // beat_bytes
        for i, ((start, end), got) in enumerate(zip(self.spans(), transfers, strict=True)):
            assert got["id"] == self.id
            assert got["last"] == (self.last and i == self.transfers - 1)
            if self.refusal:
                assert got["response"] == self.refusal
                assert got["data"] == 0
                continue
            touched = range(start // beat_bytes - lowest, (end - 1) // beat_bytes - lowest + 1)
            assert got["response"] == max(self.responses[beat] for beat in touched)
            lanes = got["data"].to_bytes(data_bytes, "little")
            for byte in range(start, end):
                word = self.words[byte // beat_bytes - lowest].to_bytes(beat_bytes, "little")
                assert lanes[byte % data_bytes] == word[byte % beat_bytes]


def random_response(rng):
    """A memory beat's response, mostly OKAY."""
    return rng.choices((Response.OKAY, Response.SLVERR, Response.DECERR), (8, 1, 1))[0]


def random_fragment(rng, fabric, port, *, refusals=0.1, longest=256, ids=None):
    """Any fragment that the fragmenter may make."""
    block = fabric.channel.l_max
    size = rng.randint(0, port.size_limit)
    address = rng.getrandbits(20) if rng.random() < 0.5 else rng.getrandbits(20) >> size << size
    room = (block - address % block + address % (1 << size)) >> size
    common = {
        "id": rng.randrange(ids or 1 << port.id_width),
        "address": address,
        "size": size,
        "last": rng.random() < 0.6,
    }
    if rng.random() < refusals:
        refusal = rng.choice((Response.SLVERR, Response.DECERR))
        return Fragment(**common, transfers=rng.randint(1, 20), refusal=refusal)
    transfers = min(room, longest, rng.choice((1, 2, rng.randint(1, 16), 256)))
    bare = Fragment(**common, transfers=transfers)
    beats = bare.beats(fabric.beat_bytes)
    return dataclasses.replace(
        bare,
        words=tuple(rng.getrandbits(8 * fabric.beat_bytes) for _ in range(beats)),
        responses=tuple(random_response(rng) for _ in range(beats)),
    )


def whole_beats(rng, fabric, *, id, beats=1):
    """A fragment of whole beats of a port that is as wide as memory."""
    return Fragment(
        id=id,
        address=rng.randrange(16) * fabric.channel.l_max,
        size=fabric.beat_bytes.bit_length() - 1,
        transfers=beats,
        last=True,
        words=tuple(rng.getrandbits(8 * fabric.beat_bytes) for _ in range(beats)),
        responses=(Response.OKAY,) * beats,
    )
