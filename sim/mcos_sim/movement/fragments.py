"""What the DMA engine and its inner port say to each other."""

import dataclasses

__all__ = [
    "Acknowledged",
    "Fetch",
    "Fragment",
    "Returned",
]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Fragment:
    """A fragment that is read or written, see :func:`mcos_hw.link.fragment.landing_layout`."""

    tenant: int
    address: int
    beats: int
    entry: int


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """A beat that memory returns, see :class:`mcos_hw.link.transfer.Returned`."""

    entry: int
    data: int
    failed: bool
    last: bool


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Fetch:
    """A beat that memory fetches, see :class:`mcos_hw.link.transfer.Fetch`."""

    entry: int
    last: bool


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    """A fragment that memory has written, see :class:`mcos_hw.link.transfer.Acknowledged`."""

    entry: int
    failed: bool
