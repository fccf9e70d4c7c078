"""A trace and a model become request streams for one memory channel."""

import dataclasses
import math

import numpy as np

from mcos_hw.config import ChannelConfig
from mcos_hw.link.request import Op
from mcos_sim.errors import UserError
from mcos_sim.traffic.arrivals import Trace
from mcos_sim.traffic.batching import (
    CHUNK_TOKENS,
    FLOPS_PER_CHANNEL,
    Slice,
    schedule_decode,
    schedule_prefill,
)
from mcos_sim.traffic.essay import DECODERS, PREFILL
from mcos_sim.traffic.limit import require_few
from mcos_sim.traffic.models import ModelGeometry
from mcos_sim.traffic.scaling import Scaler, batch_stream, batch_transfers
from mcos_sim.traffic.stream import Stream
from mcos_sim.traffic.transfer import request_beats

__all__ = [
    "InferenceWorkload",
    "inference_streams",
]


REQUEST_BYTES = 128
"""Bytes of the longest memory request of a service."""

SMALLEST_SCALE = 1e-15
"""Where everything is one beat whatever the model; no smaller scale changes anything."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class InferenceWorkload:
    """Streams made from a trace, and what one must know to judge them.

    Parameters
    ----------
    streams : list of Stream
        In order of tag: the prefill tenant, then the decode tenants.
    facts : dict
        Plain numbers and strings, ready for JSON:

        - ``source``, ``format``, ``model``, ``channels``, ``request_bytes``, ``chunk_tokens``,
          ``flops_per_channel``: what it was made from;
        - ``scale``: the one factor that multiplies bytes and time, 1 where nothing is scaled;
        - ``unscaled_memory_requests``: what the channels that are run would get at scale 1;
        - ``unscaled_channels``: over about so many channels the service must be spread for those
          that are run to get at most ``grants``, and not be scaled;
        - ``trace_requests``, ``trace_clocks``, ``prefix_hit_tokens``: requests used of the trace,
          scaled clocks from the first to the last arrival, prompt tokens not computed again;
        - ``schedule_clocks``: scaled clocks until the idealised schedule ends;
        - ``offered_load``: ``bytes / (schedule_clocks * bytes_per_clock)``;
        - ``rounded_up``, ``rounded_up_bytes``: amounts under one beat made one beat, bytes added;
        - ``memory_requests``, ``bytes``: totals;
        - ``tenants``: list of ``name``, ``tag``, ``window``, ``trace_requests``, ``steps``,
          ``memory_requests``, ``read_bytes``, ``write_bytes``.
    """

    streams: list[Stream]
    facts: dict


def _require_size(requests: int) -> None:
    require_few("the workload", requests, "ask for a smaller scale or fewer requests")


def _choose_scale(
    real_bytes: np.ndarray, grants: int, longest: int, config: ChannelConfig
) -> float:
    """Smallest scale of six digits at which the amounts become at least ``grants`` requests.

    It is 1, which scales nothing, where they are no more than that.
    """

    def requests(scale: float) -> int:
        return Scaler(scale=scale, longest=longest, config=config).requests(real_bytes)

    if len(real_bytes) >= grants:
        raise UserError(
            f"grants must be over {len(real_bytes)}, the objects these trace requests touch, "
            f"not {grants!r}; ask for more grants or fewer requests"
        )
    if requests(1.0) <= grants:
        return 1.0
    low, high = math.log(SMALLEST_SCALE), 0.0
    while high - low > 1e-9:
        middle = (low + high) / 2
        low, high = (low, middle) if requests(math.exp(middle)) >= grants else (middle, high)
    chosen = math.exp(high)
    digit = 10.0 ** (math.floor(math.log10(chosen)) - 5)
    return min(1.0, float(f"{math.ceil(chosen / digit) * digit:.6g}"))


def _direction_bytes(stream: Stream, op: Op, config: ChannelConfig) -> int:
    beats = stream.requests["beats"][stream.requests["op"] == op]
    return int(beats.sum(dtype=np.int64)) * config.beat_bytes


def inference_streams(
    trace: Trace,
    model: ModelGeometry,
    *,
    config: ChannelConfig,
    channels: int | None = None,
    run: int = 1,
    requests: int = 200,
    grants: int = 1_000_000,
    scale: float | None = None,
    request_bytes: int = REQUEST_BYTES,
    prefill_window: int = 1200,
    decoder_window: int = 64,
) -> InferenceWorkload:
    """Streams of some channels of a service that serves the first requests of a trace.

    One tenant computes prompts (:func:`~mcos_sim.traffic.batching.schedule_prefill`), three decode
    (:func:`~mcos_sim.traffic.batching.schedule_decode`). The requests go round robin, in order of
    arrival, to the decode tenants. All bytes are spread evenly over the channels, and some of
    them are simulated.

    Which sequences share a step depends on how long steps take, so the batches are composed on an
    idealised clock: each tenant gets an equal share of the channel's capacity, and a step takes
    the longer of its bytes at that share and its compute. In simulation the steps are closed-loop:
    a step starts after the last response of the one before it and the compute that outlasts its
    bytes, and not before the requests that join in it have arrived and are prefilled, on the
    idealised clock.

    ``scale`` multiplies bytes and time, so rates stay what they are. Nothing is scaled to
    zero: an amount under one beat becomes one beat and is counted.

    Parameters
    ----------
    trace : Trace
        The requests.
    model : ModelGeometry
        What they are served with.
    config : ChannelConfig
        The channel.
    channels : int, optional
        Channels of the service; the model's own number if not given.
    run : int
        How many of them are simulated; windows are for each.
    requests : int
        Requests taken from the beginning of the trace.
    grants : int
        Memory requests to reach; decides the scale if none is given. Nothing is scaled where there
        are no more than these.
    scale : float, optional
        The factor, over 0 and at most 1.
    request_bytes : int
        Bytes of the longest memory request.
    prefill_window, decoder_window : int
        Memory requests each tenant keeps outstanding.

    Raises
    ------
    UserError
        If a number is out of its range, the trace is too short, or the workload would be too large.
    """
    channels = model.channels if channels is None else channels
    if channels < 1:
        raise UserError(f"channels must be at least 1, not {channels!r}")
    if not 1 <= requests <= len(trace):
        raise UserError(
            f"requests must be in 1..{len(trace)}, the requests in {trace.source}, not {requests!r}"
        )
    if scale is not None and not 0 < scale <= 1:
        raise UserError(f"scale must be over 0 and at most 1, not {scale!r}")
    longest = request_beats(request_bytes, config)

    trace = trace.head(requests)
    # At least one memory request for each chunk of a prompt and for each step of a sequence.
    steps = np.maximum(trace.requests["output_tokens"] - 1, 0)
    _require_size(int((trace.requests["input_tokens"] // CHUNK_TOKENS + steps).sum()))
    tenants = 1 + len(DECODERS)
    share = run * config.bytes_per_clock / tenants * config.clock_khz / 1e6
    part = Slice(model=model, channels=channels, run=run, bytes_per_ns=share)
    prefill, done_ns = schedule_prefill(trace, part)
    owned = [np.arange(requests)]
    owned += [np.arange(first, requests, len(DECODERS)) for first in range(len(DECODERS))]
    batches = [prefill, *(schedule_decode(trace, own, done_ns, part) for own in owned[1:])]

    real_bytes = np.concatenate([batch.amounts["bytes"] for batch in batches])
    if scale is None:
        scale = _choose_scale(real_bytes, grants, longest, config)
    unscaled = Scaler(scale=1.0, longest=longest, config=config).requests(real_bytes)
    scaler = Scaler(scale=scale, longest=longest, config=config)
    _require_size(scaler.requests(real_bytes))

    most = (1 << config.id_width) - 1
    streams = []
    for tag, (name, batch) in enumerate(zip((PREFILL, *DECODERS), batches, strict=True)):
        window = min(run * (decoder_window if tag else prefill_window), most)
        transfers = batch_transfers(batch, trace, tag, part, scaler)
        streams.append(batch_stream(name, tag, window, batch, transfers, scaler))

    tenant_facts = [
        {
            "name": stream.name,
            "tag": stream.tag,
            "window": stream.window,
            "trace_requests": len(own),
            "steps": len(stream.steps),
            "memory_requests": len(stream.requests),
            "read_bytes": _direction_bytes(stream, Op.READ, config),
            "write_bytes": _direction_bytes(stream, Op.WRITE, config),
        }
        for stream, own in zip(streams, owned, strict=True)
    ]
    total_bytes = sum(
        _direction_bytes(stream, op, config) for stream in streams for op in (Op.READ, Op.WRITE)
    )
    schedule_clocks = int(scaler.clocks(np.array(max(batch.end_ns for batch in batches))))
    below = real_bytes[real_bytes * scale < config.beat_bytes]
    facts = {
        "source": trace.source,
        "format": trace.format,
        "model": model.name,
        "channels": channels,
        "request_bytes": request_bytes,
        "chunk_tokens": CHUNK_TOKENS,
        "flops_per_channel": FLOPS_PER_CHANNEL,
        "scale": scale,
        "unscaled_memory_requests": unscaled,
        "unscaled_channels": max(run, math.ceil(channels * unscaled / grants)),
        "trace_requests": requests,
        "trace_clocks": int(scaler.clocks(trace.requests["arrival_ns"][-1:])[0]),
        "prefix_hit_tokens": int(trace.prefix_hits().sum()),
        "schedule_clocks": schedule_clocks,
        "offered_load": total_bytes / (max(1, schedule_clocks) * run * config.bytes_per_clock),
        "rounded_up": len(below),
        "rounded_up_bytes": round(len(below) * config.beat_bytes - float(below.sum()) * scale),
        "memory_requests": sum(len(stream.requests) for stream in streams),
        "bytes": total_bytes,
        "tenants": tenant_facts,
    }
    return InferenceWorkload(streams=streams, facts=facts)
