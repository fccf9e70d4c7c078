"""What a trace holds, in figures."""

import numpy as np

from mcos_sim.errors import UserError
from mcos_sim.traffic.arrivals import Trace
from mcos_sim.traffic.models import ModelGeometry

__all__ = [
    "model_summary",
    "trace_summary",
]


PERCENTILES = (50, 90, 99, 100)


def _percentiles(values: np.ndarray) -> dict[str, int]:
    ranks = np.percentile(values, PERCENTILES, method="inverted_cdf")
    return {f"p{rank}": int(value) for rank, value in zip(PERCENTILES, ranks, strict=True)}


def trace_summary(trace: Trace) -> dict:
    """Figures of a trace, ready for JSON.

    Keys: ``source``, ``format``, ``requests``, ``span_ns`` (first to last arrival),
    ``resolution_ns``, ``input_tokens`` and ``output_tokens`` (``total``, ``p50``, ``p90``, ``p99``,
    ``p100``), ``prefix_blocks`` and ``distinct_prefix_blocks`` (0 where the format has none),
    ``prefix_hit_tokens`` (prompt tokens whose KV an earlier request has left), ``warnings`` (what
    is odd about the file).
    """
    return {
        "source": trace.source,
        "format": trace.format,
        "requests": len(trace),
        "span_ns": int(trace.requests["arrival_ns"][-1]),
        "resolution_ns": trace.resolution_ns,
        **{
            name: {"total": int(trace.requests[name].sum()), **_percentiles(trace.requests[name])}
            for name in ("input_tokens", "output_tokens")
        },
        "prefix_blocks": len(trace.block_ids),
        "distinct_prefix_blocks": len(np.unique(trace.block_ids)),
        "prefix_hit_tokens": int(trace.prefix_hits().sum()),
        "warnings": list(trace.remarks),
    }


def model_summary(trace: Trace, model: ModelGeometry, channels: int) -> dict:
    """Bytes that a model makes of a trace, ready for JSON.

    Keys: ``model``, ``model_source``, ``channels``, ``weight_bytes``, ``kv_bytes_per_token``,
    ``kv_written_bytes`` (prompts without prefix hits, and outputs), ``kv_read_bytes`` (the context
    that every output token after the first reads), and ``channel``: the four figures before it
    divided by the channels.

    Raises
    ------
    UserError
        If there is no channel.
    """
    if channels < 1:
        raise UserError(f"channels must be at least 1, not {channels!r}")
    prompts = trace.requests["input_tokens"]
    steps = np.maximum(trace.requests["output_tokens"] - 1, 0)
    written = int(prompts.sum() - trace.prefix_hits().sum() + steps.sum())
    # Step k reads the prompt and the k tokens before it. Python integers: traces can be long.
    read = sum(
        n * p + n * (n - 1) // 2 for n, p in zip(steps.tolist(), prompts.tolist(), strict=True)
    )
    totals = {
        "weight_bytes": model.weight_bytes,
        "kv_bytes_per_token": model.kv_bytes_per_token,
        "kv_written_bytes": written * model.kv_bytes_per_token,
        "kv_read_bytes": read * model.kv_bytes_per_token,
    }
    return {
        "model": model.name,
        "model_source": model.source,
        "channels": channels,
        **totals,
        "channel": {name: value / channels for name, value in totals.items()},
    }
