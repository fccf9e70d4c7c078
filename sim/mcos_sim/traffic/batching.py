"""Which bytes each step of an inference service moves, in real units, before any scaling."""

import dataclasses

import numpy as np
from numpy.typing import DTypeLike

from mcos_hw.link.request import Op
from mcos_sim.traffic.arrivals import Trace
from mcos_sim.traffic.models import ModelGeometry

__all__ = [
    "AMOUNT",
    "BATCH_STEP",
    "CHUNK_TOKENS",
    "FLOPS_PER_CHANNEL",
    "WEIGHTS",
    "Batches",
    "Slice",
    "schedule_decode",
    "schedule_prefill",
]


CHUNK_TOKENS = 2048
"""Prompt tokens computed in one prefill step (chunked prefill, arXiv:2403.02310)."""

FLOPS_PER_CHANNEL = 989e12 / 96
"""Assumed FLOP/s of a channel: dense bfloat16 peak of an H200 over its 6 x 16 channels."""

WEIGHTS = -1
"""``sequence`` of an amount that is weights, not KV."""

AMOUNT: DTypeLike = np.dtype(
    [
        ("op", np.uint8),
        ("sequence", np.int32),
        ("token", np.int64),
        ("bytes", np.float64),
    ]
)
"""Bytes of one object on one channel: direction, sequence, its first token, size."""

BATCH_STEP: DTypeLike = np.dtype(
    [("count", np.int64), ("ready_ns", np.float64), ("compute_ns", np.float64)]
)
"""One step of ``count`` amounts; not before ``ready_ns``, followed by ``compute_ns`` of compute."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Slice:
    """What some memory channels, and one tenant of them, have of a model and its accelerator.

    Parameters
    ----------
    model : ModelGeometry
        Gives weights and KV, both spread evenly over the channels.
    channels : int
        Channels of the service.
    run : int
        How many of them these are.
    bytes_per_ns : float
        Fair share of them that a tenant is assumed to get.
    """

    model: ModelGeometry
    channels: int
    run: int = 1
    bytes_per_ns: float

    @property
    def weight_bytes(self) -> float:
        """Weights on these channels."""
        return self.run * self.model.weight_bytes / self.channels

    @property
    def kv_bytes(self) -> float:
        """KV of one token on these channels."""
        return self.run * self.model.kv_bytes_per_token / self.channels

    def times_ns(self, amounts: np.ndarray, tokens: int) -> tuple[float, float]:
        """Time of a step's bytes at the fair share, and the compute that outlasts them.

        Compute is 2 FLOPs per weight and token at :data:`FLOPS_PER_CHANNEL`, and overlaps the
        transfers.
        """
        memory = float(amounts["bytes"].sum()) / self.bytes_per_ns
        flops = 2 * self.model.parameters * tokens
        compute = flops / (FLOPS_PER_CHANNEL * self.channels) * 1e9
        return memory, max(0.0, compute - memory)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Batches:
    """The steps of one tenant.

    Parameters
    ----------
    steps : numpy.ndarray
        Shape (steps,), dtype :data:`BATCH_STEP`.
    amounts : numpy.ndarray
        Shape (amounts,), dtype :data:`AMOUNT`, those of each step one behind the other.
    end_ns : float
        When the last step ends in the idealised schedule.
    """

    steps: np.ndarray
    amounts: np.ndarray
    end_ns: float


def _amounts(
    part: Slice, sequences: np.ndarray, contexts: np.ndarray, tokens: np.ndarray
) -> np.ndarray:
    """What one step moves: weights and the context of every sequence in, its new tokens out."""
    amounts = np.zeros(1 + 2 * len(sequences), AMOUNT)
    weights, reads, writes = (
        amounts[:1],
        amounts[1 : 1 + len(sequences)],
        amounts[-len(sequences) :],
    )
    weights["sequence"] = WEIGHTS
    weights["bytes"] = part.weight_bytes
    reads["sequence"] = sequences
    reads["bytes"] = contexts * part.kv_bytes
    writes["op"] = Op.WRITE
    writes["sequence"] = sequences
    writes["token"] = contexts
    writes["bytes"] = tokens * part.kv_bytes
    return amounts[amounts["bytes"] > 0]


def _collect(steps: list[tuple[np.ndarray, float, float]], end_ns: float) -> Batches:
    return Batches(
        steps=np.array([(len(a), ready, compute) for a, ready, compute in steps], BATCH_STEP),
        amounts=np.concatenate([np.zeros(0, AMOUNT), *(a for a, _, _ in steps)]),
        end_ns=end_ns,
    )


def schedule_prefill(trace: Trace, part: Slice) -> tuple[Batches, np.ndarray]:
    """Steps of the tenant that computes the prompts, one prompt after the other.

    Each chunk of a prompt reads the weights and the KV of the prompt so far, and writes the KV of
    its own tokens. Tokens of prefix hits are read, not written.

    Returns
    -------
    Batches
        The steps; each is ready when its prompt has arrived.
    numpy.ndarray
        Shape (requests,), float64: when each prompt is done, in ns.
    """
    steps: list[tuple[np.ndarray, float, float]] = []
    done = np.empty(len(trace))
    now = 0.0
    prompts = zip(
        trace.requests["arrival_ns"].tolist(),
        trace.requests["input_tokens"].tolist(),
        trace.prefix_hits().tolist(),
        strict=True,
    )
    for sequence, (arrival, prompt, hit) in enumerate(prompts):
        now = max(now, float(arrival))
        for context in range(hit, prompt, CHUNK_TOKENS):
            tokens = min(CHUNK_TOKENS, prompt - context)
            amounts = _amounts(part, np.array([sequence]), np.array([context]), np.array([tokens]))
            memory, compute = part.times_ns(amounts, tokens)
            steps.append((amounts, float(arrival), compute))
            now += memory + compute
        done[sequence] = now
    return _collect(steps, now), done


def schedule_decode(
    trace: Trace, sequences: np.ndarray, done_ns: np.ndarray, part: Slice
) -> Batches:
    """Steps of one decode tenant, with continuous batching (Orca, OSDI 2022).

    The prefill has made a sequence's first output token; every further one takes a step. A step
    reads the weights once and the context KV of every active sequence, and writes one token of
    KV for each. A sequence joins at the first step that begins after its prompt is done and
    leaves with its last token.

    Parameters
    ----------
    trace : Trace
        All requests.
    sequences : numpy.ndarray
        Shape (own,): the requests this tenant serves.
    done_ns : numpy.ndarray
        Shape (requests,): when each prompt is done, rising.
    part : Slice
        This tenant's part of the channel.

    Returns
    -------
    Batches
        The steps; each is ready when the last sequence that joins in it is.
    """
    steps: list[tuple[np.ndarray, float, float]] = []
    left = trace.requests["output_tokens"] - 1
    context = trace.requests["input_tokens"].copy()
    waiting = sequences[left[sequences] > 0]
    active = waiting[:0]
    now = 0.0
    while len(waiting) or len(active):
        if not len(active):
            now = max(now, done_ns[waiting[0]])
        joining = waiting[: np.searchsorted(done_ns[waiting], now, side="right")]
        waiting = waiting[len(joining) :]
        active = np.concatenate([active, joining])
        amounts = _amounts(part, active, context[active], np.ones(len(active)))
        memory, compute = part.times_ns(amounts, len(active))
        steps.append((amounts, done_ns[joining[-1]] if len(joining) else 0.0, compute))
        now += memory + compute
        context[active] += 1
        left[active] -= 1
        active = active[left[active] > 0]
    return _collect(steps, now)
