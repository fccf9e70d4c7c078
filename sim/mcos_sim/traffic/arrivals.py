"""A trace in memory: which request arrived when, with how many tokens."""

import dataclasses

import numpy as np
from numpy.typing import DTypeLike

__all__ = [
    "TRACE",
    "Trace",
]


TRACE: DTypeLike = np.dtype(
    [("arrival_ns", np.int64), ("input_tokens", np.int64), ("output_tokens", np.int64)]
)
"""One request: nanoseconds since the first arrival, prompt tokens, generated tokens."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Trace:
    """Requests to an inference service, in order of arrival.

    Parameters
    ----------
    format : str
        Name of the file format it was read from.
    source : str
        Where it was read from.
    resolution_ns : int
        How coarse the file's own times are. Arrivals of a Mooncake trace are drawn at random
        inside it.
    requests : numpy.ndarray
        Shape (requests,), dtype :data:`TRACE`, arrivals not decreasing, the first at 0.
    block_tokens : int
        Tokens of one prefix block; 0 where the format has no blocks.
    block_offsets : numpy.ndarray
        Shape (requests + 1,), int64: request i has the blocks ``block_offsets[i]`` up to
        ``block_offsets[i + 1]``.
    block_ids : numpy.ndarray
        Shape (blocks,), int64. Equal ids are blocks that hold the same tokens after the same
        prefix, so that their KV can be reused. The numbers themselves mean nothing.
    tenants : numpy.ndarray or None
        Shape (requests,), uint8: place of each request's tenant in ``tenant_names``; None where
        the file names no tenants.
    tenant_names : tuple[str, ...]
        Tenants in the order of the file.
    remarks : tuple[str, ...]
        What is odd about the file, a sentence each.
    """

    format: str
    source: str
    resolution_ns: int
    requests: np.ndarray
    block_tokens: int
    block_offsets: np.ndarray
    block_ids: np.ndarray
    tenants: np.ndarray | None = None
    tenant_names: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.requests.dtype != TRACE:
            raise TypeError(f"requests must have dtype TRACE, not {self.requests.dtype!r}")
        if np.any(np.diff(self.requests["arrival_ns"], prepend=0) < 0):
            raise ValueError("arrivals must be in order, from 0 on")
        if len(self.block_offsets) != len(self.requests) + 1:
            raise ValueError(
                f"block_offsets must have one entry more than the {len(self.requests)} requests, "
                f"not {len(self.block_offsets)}"
            )

    def __len__(self) -> int:
        return len(self.requests)

    def head(self, count: int) -> "Trace":
        """The first ``count`` requests as a trace of their own."""
        offsets = self.block_offsets[: count + 1]
        return dataclasses.replace(
            self,
            requests=self.requests[:count],
            block_offsets=offsets,
            block_ids=self.block_ids[: offsets[-1]],
            tenants=None if self.tenants is None else self.tenants[:count],
        )

    def prefix_hits(self) -> np.ndarray:
        """Tokens of each prompt whose KV an earlier request has already left, int64.

        A request hits with the leading run of its blocks that earlier requests had; nothing is
        ever evicted. One token of a prompt is always computed, so that there is an output.
        """
        hits = np.zeros(len(self), np.int64)
        seen: set[int] = set()
        ids = self.block_ids.tolist()
        for index, (first, end) in enumerate(
            zip(self.block_offsets[:-1].tolist(), self.block_offsets[1:].tolist(), strict=True)
        ):
            blocks = ids[first:end]
            hits[index] = next(
                (n for n, block in enumerate(blocks) if block not in seen), end - first
            )
            seen.update(blocks)
        computed_at_least = np.minimum(self.requests["input_tokens"], 1)
        return np.minimum(
            hits * self.block_tokens, self.requests["input_tokens"] - computed_at_least
        )
