"""Pages of a channel's memory: which are given to whom, by colour."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from mcos_sim.errors import UserError
from mcos_sim.traffic.stream import Stream

__all__ = [
    "PAGE_BYTES",
    "PageColours",
    "placed",
]


PAGE_BYTES = 4096
"""Bytes of a page by default: the smallest that operating systems give away."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class PageColours:
    """Pages by colour: the number that some bits of their address make.

    Parameters
    ----------
    bits : tuple[int, ...]
        Those address bits, lowest bit of the colour first.
    page_bytes : int
        Bytes of a page.
    memory_bytes : int
        Bytes of all pages.

    Raises
    ------
    ValueError
        If sizes are not powers of two, or a bit is inside a page or beyond the memory.
    """

    bits: tuple[int, ...]
    page_bytes: int = PAGE_BYTES
    memory_bytes: int

    def __post_init__(self) -> None:
        for name, size in (("page_bytes", self.page_bytes), ("memory_bytes", self.memory_bytes)):
            if size < 1 or size & (size - 1):
                raise ValueError(f"{name} must be a power of two, not {size!r}")
        for bit in self.bits:
            if not self.page_bytes <= 1 << bit < self.memory_bytes:
                raise ValueError(
                    f"bits of a colour must be above a page of {self.page_bytes} B and within "
                    f"{self.memory_bytes} B, not {bit!r}"
                )

    @property
    def count(self) -> int:
        """Colours."""
        return 1 << len(self.bits)

    @property
    def all(self) -> int:
        """The mask of all colours."""
        return (1 << self.count) - 1

    def of(self, addresses: np.ndarray) -> np.ndarray:
        """Colours of byte addresses."""
        addresses = np.asarray(addresses).astype(np.int64)
        colours = np.zeros(addresses.shape, dtype=np.int64)
        for k, bit in enumerate(self.bits):
            colours |= (addresses >> bit & 1) << k
        return colours


def placed(
    streams: Sequence[Stream], colours: PageColours, masks: Mapping[int, int], *, seed: int
) -> list[Stream]:
    """Streams whose pages lie where an operating system put them: random free pages of its colours.

    Pages are given away in the order in which the streams come to them, a page of each in turn, so
    that all of them take from the whole memory. A stream that has more pages than its colours goes
    around those it has.

    Parameters
    ----------
    streams : Sequence[Stream]
        Their addresses are taken as virtual, one space for each stream.
    colours : PageColours
        Colours of the pages.
    masks : Mapping[int, int]
        Colours of each tag, a bit each.
    seed : int
        Seed of the places.

    Raises
    ------
    UserError
        If a stream is left without a page.
    """
    rng = np.random.default_rng(seed)
    pages = rng.permutation(colours.memory_bytes // colours.page_bytes)
    colour = colours.of(pages * colours.page_bytes)
    virtual = {}
    for stream in streams:
        number = stream.requests["address"].astype(np.int64) // colours.page_bytes
        found, first, inverse = np.unique(number, return_index=True, return_inverse=True)
        # Numbered in the order in which they are come to.
        rank = np.empty(len(found), dtype=np.int64)
        rank[np.argsort(first)] = np.arange(len(found))
        virtual[stream.tag] = len(found), rank[inverse]
    given = _given(pages, colour, {tag: count for tag, (count, _) in virtual.items()}, masks)
    moved = []
    for stream in streams:
        theirs = given[stream.tag]
        if not len(theirs):
            raise UserError(
                f"{stream.name!r} must have a free page of its colours "
                f"{masks[stream.tag]:#x}, and has none; give it others"
            )
        _, ranks = virtual[stream.tag]
        requests = stream.requests.copy()
        inside = requests["address"] % np.uint64(colours.page_bytes)
        base = theirs[ranks % len(theirs)] * colours.page_bytes
        requests["address"] = base.astype(np.uint64) + inside
        moved.append(dataclasses.replace(stream, requests=requests))
    return moved


def _given(
    pages: np.ndarray, colour: np.ndarray, wanted: Mapping[int, int], masks: Mapping[int, int]
) -> dict[int, np.ndarray]:
    """Pages of each tag; those of the same colours share them evenly."""
    given: dict[int, list[np.ndarray]] = {tag: [] for tag in wanted}
    for value in range(int(colour.max()) + 1):
        sharers = [tag for tag in wanted if masks[tag] >> value & 1]
        theirs = pages[colour == value]
        for k, tag in enumerate(sharers):
            given[tag].append(theirs[k :: len(sharers)])
    found = {}
    for tag, parts in given.items():
        # A page of each colour in turn.
        order = np.concatenate([np.arange(len(part)) for part in parts] or [np.zeros(0, int)])
        joined = np.concatenate(parts or [np.zeros(0, dtype=pages.dtype)])
        found[tag] = joined[np.argsort(order, kind="stable")][: wanted[tag]]
    return found
