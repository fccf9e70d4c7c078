"""Transfers: contiguous bytes in one direction, and the requests they become."""

import numpy as np
from numpy.typing import DTypeLike

from mcos_hw.config import ChannelConfig
from mcos_sim.errors import UserError
from mcos_sim.traffic.stream import REQUEST

__all__ = [
    "TRANSFER",
    "fragment",
    "region_base",
    "region_bytes",
    "request_beats",
    "request_counts",
]


TRANSFER: DTypeLike = np.dtype([("op", np.uint8), ("beats", np.int64), ("address", np.uint64)])
"""One transfer: direction (0 read, 1 write), length in beats, byte address."""


def region_bytes(config: ChannelConfig) -> int:
    """Bytes of the address region that each tenant has for itself."""
    return 1 << (config.address_width - config.tenant_width)


def region_base(tag: int, config: ChannelConfig) -> int:
    """First address of a tenant's own region."""
    return tag * region_bytes(config)


def request_beats(request_bytes: int, config: ChannelConfig) -> int:
    """Beats of a request of so many bytes.

    Raises
    ------
    UserError
        If it is not a power of two from one beat to ``l_max``: others would cross the 4 KiB
        boundary that an AXI burst must not cross.
    """
    power = request_bytes > 0 and request_bytes & (request_bytes - 1) == 0
    if not power or not config.beat_bytes <= request_bytes <= config.l_max:
        raise UserError(
            f"request bytes must be a power of two in {config.beat_bytes}..{config.l_max}, "
            f"not {request_bytes!r}"
        )
    return request_bytes // config.beat_bytes


def request_counts(beats: np.ndarray, longest: int) -> np.ndarray:
    """Requests of at most ``longest`` beats that each transfer of ``beats`` beats becomes."""
    return -(-beats // longest)


def fragment(transfers: np.ndarray, *, longest: int, config: ChannelConfig) -> np.ndarray:
    """Cut transfers into requests of ``longest`` beats and a shorter last one each.

    Parameters
    ----------
    transfers : numpy.ndarray
        Shape (transfers,), dtype :data:`TRANSFER`.
    longest : int
        Beats of the longest request.
    config : ChannelConfig
        Gives the bytes of a beat.

    Returns
    -------
    numpy.ndarray
        Shape (requests,), dtype :data:`~mcos_sim.traffic.stream.REQUEST`, in order.
    """
    counts = request_counts(transfers["beats"], longest)
    ends = np.cumsum(counts)
    position = np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - counts, counts)
    skipped = position * longest
    requests = np.empty(len(position), REQUEST)
    requests["op"] = np.repeat(transfers["op"], counts)
    requests["beats"] = np.minimum(np.repeat(transfers["beats"], counts) - skipped, longest)
    requests["address"] = np.repeat(transfers["address"], counts)
    requests["address"] += (skipped * config.beat_bytes).astype(np.uint64)
    return requests
