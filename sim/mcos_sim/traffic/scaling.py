"""Batches of a service, scaled, become the requests of one channel."""

import dataclasses

import numpy as np

from mcos_hw.config import ChannelConfig
from mcos_sim.errors import UserError
from mcos_sim.traffic.arrivals import Trace
from mcos_sim.traffic.batching import WEIGHTS, Batches, Slice
from mcos_sim.traffic.stream import STEP, Stream
from mcos_sim.traffic.transfer import (
    TRANSFER,
    fragment,
    region_base,
    region_bytes,
    request_counts,
)

__all__ = [
    "Scaler",
    "batch_stream",
    "batch_transfers",
]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Scaler:
    """Real bytes and nanoseconds to beats and clocks, in this one place.

    Parameters
    ----------
    scale : float
        Factor of bytes and time.
    longest : int
        Beats of the longest request.
    config : ChannelConfig
        Sizes.
    """

    scale: float
    longest: int
    config: ChannelConfig

    def beats(self, real_bytes: np.ndarray) -> np.ndarray:
        """Beats of amounts."""
        # Amounts are over 0, so that none becomes less than one beat.
        return np.ceil(real_bytes * self.scale / self.config.beat_bytes).astype(np.int64)

    def clocks(self, real_ns: np.ndarray) -> np.ndarray:
        """Clocks of times."""
        return np.rint(real_ns * self.scale * self.config.clock_khz / 1e6).astype(np.uint64)

    def requests(self, real_bytes: np.ndarray) -> int:
        """Requests that amounts become."""
        return int(request_counts(self.beats(real_bytes), self.longest).sum())

    def offsets(self, real_bytes: np.ndarray) -> np.ndarray:
        """Byte offsets inside an object, at whole requests."""
        size = self.longest * self.config.beat_bytes
        return (real_bytes * self.scale // size).astype(np.int64) * size


def batch_transfers(
    batches: Batches, trace: Trace, tag: int, part: Slice, scaler: Scaler
) -> np.ndarray:
    """Amounts as scaled transfers: weights in the lower half of the region, KV in the upper."""
    config = scaler.config
    half = region_bytes(config) // 2
    tokens = trace.requests["input_tokens"] + trace.requests["output_tokens"]
    # Two requests more than the KV needs: one for the cut end, one for a token of a beat's size.
    sizes = scaler.offsets(tokens * part.kv_bytes) + 2 * scaler.longest * config.beat_bytes
    bases = half + np.cumsum(sizes) - sizes
    if sizes.sum() > half or part.weight_bytes * scaler.scale > half:
        raise UserError(
            f"weights and KV must fit in {half} bytes each, half of a tenant's address region, "
            f"at scale {scaler.scale!r}; ask for a smaller scale or fewer requests"
        )
    amounts = batches.amounts
    weights = amounts["sequence"] == WEIGHTS
    inside = scaler.offsets(amounts["token"] * part.kv_bytes)
    transfers = np.empty(len(amounts), TRANSFER)
    transfers["op"] = amounts["op"]
    transfers["beats"] = scaler.beats(amounts["bytes"])
    transfers["address"] = np.where(weights, 0, bases[amounts["sequence"]] + inside)
    transfers["address"] += region_base(tag, config)
    return transfers


def batch_stream(
    name: str,
    tag: int,
    window: int,
    batches: Batches,
    transfers: np.ndarray,
    scaler: Scaler,
) -> Stream:
    """The closed-loop stream of a tenant's batches, whose amounts are ``transfers``."""
    pieces = request_counts(transfers["beats"], scaler.longest)
    ends = np.cumsum(batches.steps["count"])
    counts = np.add.reduceat(pieces, ends - batches.steps["count"]) if len(ends) else ends
    steps = np.zeros(len(ends), STEP)
    steps["first"] = np.cumsum(counts) - counts
    steps["count"] = counts
    steps["ready"] = scaler.clocks(batches.steps["ready_ns"])
    # A stream's compute comes before its step; a batch's comes after it.
    steps["compute"][1:] = scaler.clocks(batches.steps["compute_ns"][:-1])
    return Stream(
        name=name,
        tag=tag,
        window=window,
        closed=True,
        requests=fragment(transfers, longest=scaler.longest, config=scaler.config),
        steps=steps,
    )
