"""AXI bursts as the specification tells them, transfer by transfer, and random ones."""

import dataclasses

from mcos_hw.bus.axi4 import BurstKind

__all__ = ["FIXED", "INCR", "WRAP", "Burst", "random_burst"]

FIXED, INCR, WRAP = BurstKind.FIXED, BurstKind.INCR, BurstKind.WRAP


@dataclasses.dataclass(frozen=True, kw_only=True)
class Burst:
    """A burst: ``length`` is one less than its transfers, ``size`` log2 of a transfer's bytes."""

    address: int
    length: int = 0
    size: int = 3
    kind: int = INCR

    @property
    def transfers(self):
        """First byte and the byte after the last one of each transfer (IHI 0022, "Burst address").

        Names of variables are the specification's.
        """
        number_bytes = 1 << self.size
        burst_length = self.length + 1
        aligned_address = self.address // number_bytes * number_bytes
        container = number_bytes * burst_length
        wrap_boundary = self.address // container * container
        spans = []
        for n in range(1, burst_length + 1):
            address = self.address if n == 1 else aligned_address + (n - 1) * number_bytes
            if self.kind == FIXED:
                address = self.address
            if self.kind == WRAP and address >= wrap_boundary + container:
                address -= container
            spans.append((address, address // number_bytes * number_bytes + number_bytes))
        return spans

    def legal(self, data_bytes):
        """Whether AXI has this burst on a bus of so many bytes."""
        if 1 << self.size > data_bytes:
            return False
        match self.kind:
            case BurstKind.FIXED:
                return self.length < 16
            case BurstKind.INCR:
                pages = {address // 4096 for address, _ in self.transfers}
                return len(pages) == 1
            case BurstKind.WRAP:
                return self.length in (1, 3, 7, 15) and self.address % (1 << self.size) == 0
            case _:
                return False


def random_burst(rng, *, data_bytes, address_width=40):
    """A legal one: any kind, size and alignment, often near the end of a page."""
    size = rng.randrange(data_bytes.bit_length())
    kind = rng.choice((FIXED, INCR, INCR, WRAP))
    page = rng.getrandbits(address_width - 12) << 12
    place = rng.choice((rng.randrange(4096), 4095 - rng.randrange(200)))
    match kind:
        case BurstKind.FIXED:
            return Burst(address=page + place, length=rng.randrange(16), size=size, kind=kind)
        case BurstKind.WRAP:
            length = rng.choice((1, 3, 7, 15))
            return Burst(
                address=page + (place >> size << size), length=length, size=size, kind=kind
            )
    most = (4096 - (place >> size << size)) >> size
    length = rng.choice((rng.randrange(256), rng.randrange(4), 255))
    return Burst(address=page + place, length=min(length, most - 1), size=size, kind=kind)
