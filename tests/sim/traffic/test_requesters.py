"""Streams of patterns: rates on both sides of what is said, addresses, steps, limits."""

import numpy as np
import pytest

from mcos_hw.config import ChannelConfig
from mcos_hw.link.request import Op
from mcos_policy.compiler import Compiled, compile_contract
from mcos_policy.samples import SAMPLES
from mcos_sim.errors import UserError
from mcos_sim.scenario import FIRST_CLOCK
from mcos_sim.traffic.plan import STAGGER, plan_traffic
from mcos_sim.traffic.requesters import plan_streams
from mcos_sim.traffic.stream import Stream
from mcos_sim.traffic.transfer import region_base, region_bytes

CONFIG = ChannelConfig()
END = 101_024
CHANNELS = 8


@pytest.fixture(scope="module")
def compiled() -> Compiled:
    return compile_contract(SAMPLES["decode-prefill"], CONFIG)


def streams_of(compiled: Compiled, *options: str, end: int = END, seed: int = 1) -> dict:
    plan = plan_traffic(compiled, file=None, options=options, run_clocks=end - FIRST_CLOCK)
    streams, _ = plan_streams(plan, compiled, first=FIRST_CLOCK, end=end, seed=seed)
    return {stream.name: stream for stream in streams}


def sizes(stream: Stream) -> np.ndarray:
    return stream.requests["beats"].astype(np.int64) * CONFIG.beat_bytes


def per_clock(gbps: float) -> float:
    """Bytes a clock on one channel."""
    return gbps * 1e6 / CHANNELS / CONFIG.clock_khz


@pytest.mark.parametrize("request_bytes", ["512B", "32B", "32B+64B+512B"])
@pytest.mark.parametrize("gbps", [102.4, 33.333333, 1])
def test_a_steady_tenant_is_constrained_and_not_slower(compiled, gbps, request_bytes):
    """In any n clocks at most one longest request and n times the rate; over the run no less."""
    option = f"decode-a=steady:rate={gbps} GB/s,request={request_bytes}"
    stream = streams_of(compiled, option)["decode-a"]
    times = stream.steps["ready"].astype(np.int64)
    size, rate = sizes(stream), per_clock(gbps)
    before, after = np.cumsum(size) - size, np.cumsum(size)
    start = before - rate * times
    most = (after - rate * (times + 1) - np.minimum.accumulate(start)).max()
    assert most <= size.max() + 1e-6
    assert (after - 0.999 * rate * (times + 1) - np.minimum.accumulate(start)).max() >= most
    span = END - times[0]
    assert rate * span - size.max() <= size.sum() <= rate * span + size.max()


def test_a_steady_tenant_asks_at_its_guarantee_by_default(compiled):
    """102.4 GB/s on 8 channels are 16 bytes a clock, a longest request every 32."""
    stream = streams_of(compiled)["decode-a"]
    assert (np.diff(stream.steps["ready"].astype(np.int64)) == 32).all()
    assert (sizes(stream) == 512).all()
    assert stream.steps["ready"][0] == FIRST_CLOCK + STAGGER


def test_a_tenant_without_an_objective_is_backlogged_by_default(compiled):
    stream = streams_of(compiled)["prefill"]
    assert stream.window == 1024
    assert len(stream.steps) == 1
    # All of the channel, and its window, would not empty it.
    assert sizes(stream).sum() >= (END - FIRST_CLOCK) * CONFIG.bytes_per_clock + 1024 * 512


def test_on_off_asks_for_what_it_says_and_when(compiled):
    """20 us are 16,000 clocks, 400 GB/s are 62.5 bytes a clock of a channel."""
    option = "decode-b=on-off:rate=400 GB/s,on=20us,off=80us,start=0ns"
    stream = streams_of(compiled, option, end=FIRST_CLOCK + 160_000)["decode-b"]
    place = (stream.steps["ready"].astype(np.int64) - FIRST_CLOCK) % 80_000
    assert place.max() < 16_000
    bursts = sizes(stream)[place < 16_000].sum() / 2
    assert bursts == pytest.approx(16_000 * 62.5, abs=512)


def test_a_closed_loop_thinks_between_its_steps(compiled):
    option = "decode-c=closed:window=16,step=64 KiB,think=1us,request=128B"
    stream = streams_of(compiled, option)["decode-c"]
    assert (stream.window, stream.closed) == (16, True)
    assert set(stream.steps["count"].tolist()) == {512}
    assert stream.steps["compute"][0] == 0
    assert set(stream.steps["compute"][1:].tolist()) == {800}
    # The steps last longer than the run at the channel's full rate.
    assert len(stream.steps) * (512 * 2 + 800) >= END - FIRST_CLOCK


def test_a_closed_loop_without_a_step_asks_for_its_window(compiled):
    stream = streams_of(compiled, "decode-c=closed:window=7")["decode-c"]
    assert set(stream.steps["count"].tolist()) == {7}


def test_sizes_and_directions_are_drawn_by_seed_and_tag(compiled):
    options = [
        f"{name}=backlogged:request=32B+256B,write_share=0.25" for name in ("prefill", "decode-a")
    ]
    first = streams_of(compiled, *options)
    again = streams_of(compiled, *options)
    other = streams_of(compiled, *options, seed=2)
    for name, stream in first.items():
        assert (stream.requests == again[name].requests).all()
    assert (
        first["prefill"].requests["op"][:100].tolist()
        != other["prefill"].requests["op"][:100].tolist()
    )
    requests = first["prefill"].requests
    assert np.mean(requests["op"] == Op.WRITE) == pytest.approx(0.25, abs=0.02)
    assert np.mean(requests["beats"] == 1) == pytest.approx(0.5, abs=0.02)
    count = min(len(requests), len(first["decode-a"].requests))
    same = requests["beats"][:count] == first["decode-a"].requests["beats"][:count]
    assert 0.4 < same.mean() < 0.6


@pytest.mark.parametrize(
    "pattern",
    [
        "backlogged:request=32B+512B",
        "closed:window=3,request=64B",
        "steady:request=32B+64B+128B+256B+512B",
        "on-off:rate=100 GB/s,on=5us,off=5us",
    ],
)
def test_requests_stay_in_their_region_and_cross_no_page(compiled, pattern):
    stream = streams_of(compiled, f"decode-b={pattern}")["decode-b"]
    first = stream.requests["address"].astype(np.int64)
    last = first + sizes(stream) - 1
    base = region_base(stream.tag, CONFIG)
    assert first.min() >= base
    assert last.max() < base + region_bytes(CONFIG)
    assert (first // 4096 == last // 4096).all()
    assert (first % sizes(stream) == 0).all()


def test_start_and_stop_are_times_of_the_run(compiled):
    stream = streams_of(compiled, "decode-a=steady:start=10us,stop=20us")["decode-a"]
    assert stream.steps["ready"][0] == FIRST_CLOCK + 8_000
    assert stream.until == FIRST_CLOCK + 16_000
    assert stream.steps["ready"][-1] < stream.until


def test_an_idle_tenant_has_no_stream(compiled):
    assert set(streams_of(compiled, "decode-a=idle", "prefill=idle")) == {"decode-b", "decode-c"}


def test_too_many_requests_are_refused_before_they_are_made(compiled):
    with pytest.raises(
        UserError, match=r"at most 20,000,000 memory requests, not .* by prefill: give"
    ):
        streams_of(compiled, "prefill=backlogged:request=32B", end=40_000_000)


def test_addresses_go_around_a_small_region():
    """32 address bits leave a tenant 256 MiB, which a run of 5,000,000 clocks asks for at once."""
    config = ChannelConfig(address_width=32)
    compiled = compile_contract(SAMPLES["decode-prefill"], config)
    prefill = streams_of(compiled, end=5_000_000)["prefill"]
    address = prefill.requests["address"].astype(np.int64)
    assert len(address) > region_bytes(config) // 512
    assert address.max() < region_base(1, config)
    assert (address[: region_bytes(config) // 512] == 512 * np.arange(1 << 19)).all()


@pytest.mark.parametrize(
    ("pattern", "count"),
    [
        ("steady:rate=1e-30 GB/s", 1),
        ("on-off:rate=51.2 GB/s,on=1ps,off=1e30 s", 1),
        ("on-off:rate=51.2 GB/s,on=1e30 s,off=1ps", 1563),
        ("on-off:rate=51.2 GB/s,on=1ps,off=1ns", 782),
        ("on-off:rate=51.2 GB/s,on=1ns,off=1ps", 1563),
        ("closed:window=3,think=1e30 s", 3),
        ("steady:rate=51.2 GB/s,stop=1e30 s", 1563),
    ],
)
def test_amounts_beyond_the_run_are_taken_as_never(compiled, pattern, count):
    """51.2 GB/s are 8 bytes a clock, a longest request every 64."""
    stream = streams_of(compiled, f"decode-a={pattern},start=0 ns")["decode-a"]
    due = stream.steps["ready"].astype(np.int64) + stream.steps["compute"].astype(np.int64) < END
    assert stream.steps["count"][due].sum() == count


def test_an_absurd_rate_is_refused(compiled):
    for pattern in ("steady:rate=1e30 GB/s", "closed:window=1,step=1e30 B"):
        with pytest.raises(UserError, match="at most 20,000,000 memory requests"):
            streams_of(compiled, f"decode-a={pattern}")
