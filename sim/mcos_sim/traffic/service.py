"""One phase of a service that serves a trace, as one tenant's stream."""

import dataclasses
from pathlib import Path

import numpy as np

from mcos_hw.config import ChannelConfig
from mcos_sim.errors import UserError
from mcos_sim.traffic.batching import Slice, schedule_decode, schedule_prefill
from mcos_sim.traffic.inference import REQUEST_BYTES
from mcos_sim.traffic.limit import require_few
from mcos_sim.traffic.models import find_model
from mcos_sim.traffic.scaling import Scaler, batch_stream, batch_transfers
from mcos_sim.traffic.stream import Stream
from mcos_sim.traffic.trace import read_trace
from mcos_sim.traffic.transfer import request_beats

__all__ = [
    "service_stream",
]


_FEWER = "take fewer requests of it or give fewer --clocks"


SHARE = 4
"""The idealised schedule gives each tenant a quarter of the channel, as in
:mod:`mcos_sim.traffic.inference`."""

MOST_ADDED = 0.1
"""Part of the bytes that rounding up to beats may add without a remark."""


def service_stream(
    path: Path,
    *,
    name: str,
    tag: int,
    model: str,
    phase: str,
    requests: int,
    window: int,
    config: ChannelConfig,
    channels: int,
    first: int,
    end: int,
    seed: int,
) -> tuple[Stream, list[str]]:
    """The stream of the tenant that prefills or decodes the first requests of a trace.

    Bytes and time are scaled by the one factor with which the whole service, prefill and decode,
    ends with the run. It depends on trace, model and span only, so that tenants of the same trace
    stay in step.

    Parameters
    ----------
    path : Path
        Mooncake or Azure trace.
    name, tag : str, int
        The tenant.
    model, phase : str
        Model that serves it, and which part of the service the tenant is.
    requests : int
        Requests taken from the beginning of the trace.
    window : int
        Memory requests outstanding.
    config : ChannelConfig
        The channel.
    channels : int
        Channels that weights and KV are spread over.
    first, end : int
        First clock in which the tenant asks, and the clock in which it stops.
    seed : int
        Seed that spreads arrivals inside the resolution of the file.

    Returns
    -------
    stream : Stream
        Closed-loop steps.
    remarks : list[str]
        What is odd, a sentence each.

    Raises
    ------
    UserError
        If the trace is at fault or there are too many memory requests.
    """
    trace = read_trace(path, seed=seed)
    remarks = [f"{path}: warning: {remark}" for remark in trace.remarks]
    trace = trace.head(min(requests, len(trace)))
    share = config.bytes_per_clock / SHARE * config.clock_khz / 1e6
    part = Slice(model=find_model(model), channels=channels, bytes_per_ns=share)
    # Every output token after the first takes a step, and a step is at least one request.
    tokens = int(np.maximum(trace.requests["output_tokens"] - 1, 0).sum())
    require_few(str(path), tokens, _FEWER)
    prefill, done_ns = schedule_prefill(trace, part)
    decode = schedule_decode(trace, np.arange(len(trace)), done_ns, part)
    batches = prefill if phase == "prefill" else decode
    if not len(batches.steps):
        raise UserError(
            f"{path} must have something to {phase} for {name} in its first {len(trace)} requests; "
            "take more of them"
        )
    service_clocks = max(prefill.end_ns, decode.end_ns) * config.clock_khz / 1e6
    scaler = Scaler(
        scale=min(1.0, (end - first) / service_clocks),
        longest=request_beats(REQUEST_BYTES, config),
        config=config,
    )
    amounts = batches.amounts["bytes"]
    require_few(str(path), scaler.requests(amounts), _FEWER)
    transfers = batch_transfers(batches, trace, tag, part, scaler)
    asked = int(transfers["beats"].sum()) * config.beat_bytes
    added = asked / (float(amounts.sum()) * scaler.scale) - 1
    if added > MOST_ADDED:
        remarks.append(
            f"{path}: warning: {name} asks for {added:.0%} more than the trace, because amounts "
            f"scaled by {scaler.scale:.3g} are rounded up to beats; take fewer requests or raise "
            "--clocks"
        )
    stream = batch_stream(name, tag, window, batches, transfers, scaler)
    steps = stream.steps.copy()
    steps["ready"] += np.uint64(first)
    return dataclasses.replace(stream, steps=steps, until=end), remarks
