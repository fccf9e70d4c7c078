import dataclasses

import numpy as np
import pytest

from mcos_hw.config import ChannelConfig
from mcos_sim.traffic.essay import LOADED, SATURATED, backlogged_streams, essay_streams

CONFIG = ChannelConfig()
CLOCKS = 200_000


def requested_bytes(requests) -> int:
    return int(requests["beats"].sum(dtype=np.int64)) * CONFIG.beat_bytes


def crosses_4_kib(requests) -> bool:
    last = requests["address"] + (requests["beats"] * np.uint64(CONFIG.beat_bytes)) - np.uint64(1)
    return bool(np.any(requests["address"] // np.uint64(4096) != last // np.uint64(4096)))


@pytest.mark.parametrize("scenario", [LOADED, SATURATED], ids=lambda scenario: scenario.name)
def test_streams_have_more_to_ask_than_the_channel_can_serve(scenario):
    prefill, *decoders = essay_streams(scenario, clocks=CLOCKS)
    assert [s.name for s in (prefill, *decoders)] == ["prefill", "decode-a", "decode-b", "decode-c"]
    assert [s.tag for s in (prefill, *decoders)] == [0, 1, 2, 3]
    assert [s.window for s in (prefill, *decoders)] == [1200, 16, 16, 16]

    first, until = prefill.steps["ready"][0], prefill.until
    assert (first, until) == (0.03 * CLOCKS, 0.54 * CLOCKS)
    assert not prefill.closed
    assert np.all(prefill.requests["op"] == 1)
    size = scenario.prefill_beats * CONFIG.beat_bytes
    unserved = requested_bytes(prefill.requests) - (until - first) * CONFIG.bytes_per_clock
    assert unserved >= prefill.window * size

    for stream in decoders:
        assert stream.closed
        assert stream.until == CLOCKS
        assert np.all(stream.requests["op"] == 0)
        assert np.all(stream.requests["beats"] == scenario.decoder_beats)
        counts = stream.steps["count"]
        assert counts.min() == scenario.step_requests - scenario.step_jitter
        assert counts.max() == scenario.step_requests + scenario.step_jitter
        fastest = requested_bytes(stream.requests) / CONFIG.bytes_per_clock
        assert fastest + stream.steps["compute"].sum() >= CLOCKS


def test_addresses_are_sequential_in_private_regions():
    for stream in essay_streams(SATURATED, clocks=20_000):
        assert np.all(np.diff(stream.requests["address"]) == 512)
        assert np.all(stream.requests["address"] >> np.uint64(36) == stream.tag)
        assert not crosses_4_kib(stream.requests)


def test_compute_times_are_seeded_and_differ_between_decoders():
    first, again = (essay_streams(LOADED, clocks=CLOCKS) for _ in range(2))
    other = essay_streams(LOADED, clocks=CLOCKS, seed=2)
    for a, b, c in zip(first, again, other, strict=True):
        assert np.array_equal(a.steps, b.steps)
        assert np.array_equal(a.steps, c.steps) == (a.tag == 0)
    computes = [stream.steps["compute"] for stream in first[1:]]
    assert not np.array_equal(computes[0], computes[1])
    low = LOADED.compute_mean - LOADED.compute_jitter
    high = LOADED.compute_mean + LOADED.compute_jitter
    assert (computes[0].min(), computes[0].max()) == (low, high)


def test_addresses_wrap_inside_a_small_region():
    small = ChannelConfig(address_width=32, tenants=16)
    prefill, *_ = essay_streams(SATURATED, clocks=10_000_000, prefill_window=1, config=small)
    addresses = prefill.requests["address"]
    assert len(np.unique(addresses)) == 2**28 // 512 < len(addresses)
    assert addresses.max() < 2**28


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        (
            {"step_jitter": 160},
            r"^step_jitter must be in 0\.\.step_requests - 1 \(159\), not 160$",
        ),
        (
            {"compute_jitter": 1000},
            r"^compute_jitter must be in 0\.\.compute_mean \(80\), not 1000$",
        ),
        (
            {"prefill_from": 0.7},
            r"^prefill_from and prefill_until must be rising in 0\.\.1, not 0.7",
        ),
    ],
)
def test_scenarios_that_make_no_sense_are_refused(changes, complaint):
    with pytest.raises(ValueError, match=complaint):
        dataclasses.replace(LOADED, **changes)


def test_backlogged_streams_are_ready_at_once_and_outlast_the_phase():
    streams = backlogged_streams(grants=5000)
    assert [stream.tag for stream in streams] == [0, 1, 2, 3]
    for stream in streams:
        assert len(stream.requests) == 5000
        assert stream.steps.tolist() == [(0, 5000, 0, 0)]
        assert (stream.closed, stream.until) == (False, None)
        assert np.array_equal(np.unique(stream.requests["beats"]), np.arange(1, 17))
        assert not crosses_4_kib(stream.requests)
    assert not np.array_equal(streams[0].requests["beats"], streams[1].requests["beats"])
