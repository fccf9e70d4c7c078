"""Patterns become request streams of one channel."""

import math
from fractions import Fraction

import numpy as np

from mcos_hw.config import ChannelConfig
from mcos_hw.link.request import Op
from mcos_policy.compiler import Compiled
from mcos_policy.quantize import channel_rate, clocks, per_clock
from mcos_sim.traffic.frame import Frame, require_few_of, span_of
from mcos_sim.traffic.pattern import (
    MOST_OUTSTANDING,
    Backlogged,
    Closed,
    Idle,
    OnOff,
    Steady,
    TraceFile,
)
from mcos_sim.traffic.plan import Asking, Plan
from mcos_sim.traffic.stream import REQUEST, STEP, Stream
from mcos_sim.traffic.trace_file import file_stream
from mcos_sim.traffic.transfer import region_base, region_bytes

__all__ = [
    "plan_streams",
]


LEAST_ROUND_TRIP = 16
"""Clocks that no answer comes before: the way through channel and memory."""

_NEVER = 1 << 62
"""More than any clock, and within 63 bits."""

_FINE = 36
"""Fraction bits of the clocks that a byte takes at a rate. With them the clocks of a run, at most
1e8, still fit in 63 bits."""


def plan_streams(
    plan: Plan, compiled: Compiled, *, first: int, end: int, seed: int, channels: int = 1
) -> tuple[list[Stream], list[str]]:
    """Streams of all tenants that ask for something, in the order of the contract.

    Parameters
    ----------
    plan : Plan
        What they ask for.
    compiled : Compiled
        The contract.
    first, end : int
        First clock of the run in which tenants ask, and the clock in which it ends.
    seed : int
        Seed of sizes and directions, with the tenant's tag.
    channels : int
        Channels of the contract that are run, and that windows are for.

    Returns
    -------
    streams : list[Stream]
        One a tenant that is not idle.
    remarks : list[str]
        What is odd about trace files, a sentence each.

    Raises
    ------
    UserError
        If a trace file is at fault, or there are too many requests.
    """
    frame = Frame(
        config=compiled.config,
        channels=compiled.contract.fabric.channels // channels,
        rate=channels * channel_rate(compiled.contract, compiled.config),
        first=first,
        end=end,
        seed=seed,
        run=channels,
    )
    busy = [each for each in plan.asking if not isinstance(each.pattern, Idle)]
    require_few_of({each.tenant.name: _most_requests(each, frame) for each in busy})
    streams, remarks = [], []
    for each in busy:
        if isinstance(each.pattern, TraceFile):
            stream, said = file_stream(each, each.pattern, frame)
            remarks += said
        else:
            stream = _made(each, frame)
        streams.append(stream)
    require_few_of({stream.name: len(stream.requests) for stream in streams})
    return streams, remarks


def _sizes_of(asking: Asking, frame: Frame) -> tuple[int, ...]:
    return getattr(asking.pattern, "request", None) or (frame.config.l_max,)


def _rate_of(asking: Asking, frame: Frame) -> Fraction:
    """Bytes a clock on the channels that are run."""
    rate = getattr(asking.pattern, "rate", None)
    if rate is None:
        rate = asking.tenant.bandwidth.guaranteed
    return per_clock(rate, frame.channels, frame.config)


def _most_requests(asking: Asking, frame: Frame) -> int:
    """No fewer than the tenant can ask for in the run; 0 for a file."""
    first, end = span_of(asking, frame)
    smallest = min(_sizes_of(asking, frame))
    # One request enters a channel in a clock, whatever its size.
    passed = math.ceil((end - first) * min(frame.run, frame.rate / smallest))
    match asking.pattern:
        case Backlogged(window=window):
            return passed + window + 1
        case Closed(window=window):
            return passed + window + _step_count(asking, frame)
        case Steady():
            return math.ceil((end - first) * _rate_of(asking, frame) / smallest) + 1
        case OnOff():
            on, off = _phases(asking.pattern, frame)
            busy = min(end - first, ((end - first) // (on + off) + 1) * on)
            return math.ceil(busy * _rate_of(asking, frame) / smallest) + 1
    return 0


def _phases(pattern: OnOff, frame: Frame) -> tuple[int, int]:
    """Clocks for which a pattern asks, at least one, and for which it does not."""
    on, off = (round(clocks(each, frame.config)) for each in (pattern.on, pattern.off))
    return min(max(1, on), frame.end), min(off, frame.end)


def _step_count(asking: Asking, frame: Frame) -> int:
    """Requests of a closed loop's step."""
    pattern = asking.pattern
    assert isinstance(pattern, Closed)
    if pattern.step is None:
        return pattern.window
    sizes = _sizes_of(asking, frame)
    return max(1, round(pattern.step * len(sizes) / sum(sizes)))


def _made(asking: Asking, frame: Frame) -> Stream:
    """The stream of a pattern that is not a file."""
    first, end = span_of(asking, frame)
    rng = np.random.default_rng((frame.seed, asking.tag))
    most = _most_requests(asking, frame)
    sizes = np.array(_sizes_of(asking, frame), np.int64)
    drawn = rng.choice(sizes, most) if len(sizes) > 1 else np.full(most, sizes[0])
    writes = rng.random(most) < getattr(asking.pattern, "write_share", 0.0)
    window, closed = MOST_OUTSTANDING, False
    match asking.pattern:
        case Backlogged():
            window = asking.pattern.window
            enough = (end - first) * math.ceil(frame.rate) + (window + 1) * int(sizes.max())
            count = min(most, int(np.searchsorted(np.cumsum(drawn), enough)) + 1)
            steps = np.array([(0, count, first, 0)], STEP)
        case Closed(think=think):
            window, closed = asking.pattern.window, True
            steps = _closed_steps(
                first, end, _step_count(asking, frame), clocks(think, frame.config), most
            )
        case _:
            steps = _open_steps(_times(asking, drawn, first, frame), end)
    count = int(steps["count"].sum())
    return Stream(
        name=asking.tenant.name,
        tag=asking.tag,
        window=window,
        closed=closed,
        requests=_requests(drawn[:count], writes[:count], asking.tag, frame.config),
        steps=steps,
        until=end,
    )


def _closed_steps(first: int, end: int, each: int, think: Fraction, most: int) -> np.ndarray:
    """Steps of ``each`` requests, as many as there can be in the run."""
    pause = min(math.ceil(think), end)
    least = max(each, LEAST_ROUND_TRIP) + pause
    count = min((end - first) // least + 1, max(1, most // each))
    steps = np.zeros(count, STEP)
    steps["first"] = np.arange(count) * each
    steps["count"] = each
    steps["ready"] = first
    steps["compute"] = pause
    steps["compute"][0] = 0
    return steps


def _times(asking: Asking, drawn: np.ndarray, first: int, frame: Frame) -> np.ndarray:
    """Clock of each request of an open pattern.

    A request comes when the bytes before it have passed at the rate, and so in any n clocks there
    are at most one request and n times the rate. Clocks of a byte are rounded up, so that the rate
    is never exceeded.
    """
    each = min(math.ceil((1 << _FINE) / _rate_of(asking, frame)), _NEVER)
    passed = np.cumsum(drawn) - drawn
    fits = passed <= _NEVER // each
    busy = np.where(fits, passed, 0) * each >> _FINE
    busy = np.where(fits, busy, frame.end)
    if isinstance(asking.pattern, OnOff):
        on, off = _phases(asking.pattern, frame)
        busy = busy // on * (on + off) + busy % on
    return first + busy


def _open_steps(times: np.ndarray, end: int) -> np.ndarray:
    """A step for each request that comes before the end."""
    times = times[: int(np.searchsorted(times, end))]
    steps = np.zeros(len(times), STEP)
    steps["first"] = np.arange(len(times))
    steps["count"] = 1
    steps["ready"] = times
    return steps


def _requests(sizes: np.ndarray, writes: np.ndarray, tag: int, config: ChannelConfig) -> np.ndarray:
    """One behind the other around the tenant's region, each at a multiple of the largest size."""
    requests = np.empty(len(sizes), REQUEST)
    requests["op"] = np.where(writes, Op.WRITE, Op.READ)
    requests["beats"] = sizes // config.beat_bytes
    place = np.uint64(sizes.max(initial=config.beat_bytes))
    places = np.uint64(region_bytes(config)) // place
    requests["address"] = np.arange(len(sizes), dtype=np.uint64) % places * place
    requests["address"] += np.uint64(region_base(tag, config))
    return requests
