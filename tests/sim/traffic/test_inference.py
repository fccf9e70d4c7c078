import json

import numpy as np
import pytest

from mcos_hw.config import ChannelConfig
from mcos_sim.errors import UserError
from mcos_sim.shared import shared_path
from mcos_sim.traffic.generator import generate_trace
from mcos_sim.traffic.inference import inference_streams
from mcos_sim.traffic.models import find_model
from mcos_sim.traffic.trace import FORMATS, read_trace

CONFIG = ChannelConfig()
MODEL = find_model("llama-3-70b")


@pytest.fixture(scope="module", params=FORMATS)
def trace(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("trace") / request.param
    path.write_text(generate_trace(request.param, requests=60, seed=1))
    return read_trace(path)


@pytest.fixture(scope="module")
def workload(trace):
    return inference_streams(trace, MODEL, config=CONFIG, requests=50, grants=150_000)


def test_scale_reaches_the_grants_and_not_much_more(workload):
    total = sum(len(stream.requests) for stream in workload.streams)
    assert workload.facts["memory_requests"] == total
    assert 150_000 <= total < 150_000 * 1.05


def test_nothing_is_scaled_where_the_trace_fits(trace):
    """A service of so many channels that each gets next to nothing."""
    many = 2_000_000
    facts = inference_streams(
        trace, MODEL, config=CONFIG, channels=many, run=2, requests=3, grants=3_000_000
    ).facts
    assert facts["scale"] == 1
    assert facts["memory_requests"] == facts["unscaled_memory_requests"] <= 3_000_000
    assert facts["unscaled_channels"] <= many
    few = facts["memory_requests"] // 2
    scaled = inference_streams(
        trace, MODEL, config=CONFIG, channels=many, run=2, requests=3, grants=few
    ).facts
    assert scaled["scale"] < 1
    assert scaled["unscaled_memory_requests"] == facts["memory_requests"]
    assert scaled["unscaled_channels"] == pytest.approx(2 * many, rel=1e-3)


def test_facts_are_those_of_the_streams(workload, trace):
    facts = workload.facts
    assert json.loads(json.dumps(facts)) == facts
    assert facts["source"] == trace.source
    assert facts["trace_requests"] == 50
    assert sum(tenant["trace_requests"] for tenant in facts["tenants"][1:]) == 50
    assert [tenant["name"] for tenant in facts["tenants"]] == [s.name for s in workload.streams]
    for stream, tenant in zip(workload.streams, facts["tenants"], strict=True):
        moved = int(stream.requests["beats"].sum(dtype=np.int64)) * CONFIG.beat_bytes
        assert tenant["read_bytes"] + tenant["write_bytes"] == moved
        assert tenant["memory_requests"] == len(stream.requests)
        assert tenant["steps"] == len(stream.steps)
    moved = sum(tenant["read_bytes"] + tenant["write_bytes"] for tenant in facts["tenants"])
    assert facts["bytes"] == moved
    assert facts["offered_load"] == moved / (facts["schedule_clocks"] * CONFIG.bytes_per_clock)
    assert 0.5 <= facts["offered_load"] <= 0.95
    real_clocks = trace.requests["arrival_ns"][49] * CONFIG.clock_khz / 1e6
    assert facts["trace_clocks"] == round(real_clocks * facts["scale"])


def test_requests_are_short_enough_and_stay_in_their_region(workload):
    for stream in workload.streams:
        requests = stream.requests
        assert requests["beats"].min() >= 1
        assert requests["beats"].max() == 4
        assert np.all(requests["address"] >> np.uint64(36) == stream.tag)
        # Whole requests are aligned to their size, so that none crosses a 4 KiB boundary.
        assert np.all(requests["address"] % np.uint64(128) == 0)


def test_each_decode_step_reads_the_weights_first(workload):
    beats = -(-MODEL.weight_bytes / 768 * workload.facts["scale"] // CONFIG.beat_bytes)
    for stream in workload.streams[1:]:
        base = stream.tag << 36
        weights = stream.requests[stream.requests["address"] < base + 2**35]
        assert np.all(stream.requests["address"][stream.steps["first"]] == base)
        assert weights["beats"].sum(dtype=np.int64) == beats * len(stream.steps)


def test_every_token_is_written(workload, trace):
    tokens = np.maximum(trace.head(50).requests["output_tokens"] - 1, 0)
    for index, stream in enumerate(workload.streams[1:]):
        writes = stream.requests[stream.requests["op"] == 1]
        # One token's KV is under a beat at this scale, so each is a request of one beat.
        assert len(writes) == tokens[index::3].sum()
        assert np.all(writes["beats"] == 1)


def test_rounding_up_is_counted(workload, trace):
    facts = workload.facts
    decoded = np.maximum(trace.head(50).requests["output_tokens"] - 1, 0).sum()
    assert facts["rounded_up"] >= decoded
    assert 0 < facts["rounded_up_bytes"] < facts["rounded_up"] * CONFIG.beat_bytes
    assert facts["rounded_up_bytes"] < 0.05 * facts["bytes"]


def test_same_arguments_give_the_same_streams(workload, trace):
    again = inference_streams(trace, MODEL, config=CONFIG, requests=50, grants=150_000)
    assert again.facts == workload.facts
    for a, b in zip(workload.streams, again.streams, strict=True):
        assert np.array_equal(a.requests, b.requests)
        assert np.array_equal(a.steps, b.steps)


def test_one_scale_multiplies_bytes_and_time(trace):
    small, large = (
        inference_streams(trace, MODEL, config=CONFIG, requests=50, scale=scale)
        for scale in (2e-5, 4e-5)
    )
    assert large.facts["schedule_clocks"] == pytest.approx(
        2 * small.facts["schedule_clocks"], abs=1
    )
    assert large.facts["offered_load"] == pytest.approx(small.facts["offered_load"], rel=0.03)
    for a, b in zip(small.streams, large.streams, strict=True):
        assert np.allclose(2.0 * a.steps["ready"], b.steps["ready"], atol=2)
        assert np.allclose(2.0 * a.steps["compute"], b.steps["compute"], atol=2)


@pytest.fixture
def two_prompts(tmp_path):
    path = tmp_path / "trace"
    path.write_text(
        "TIMESTAMP,ContextTokens,GeneratedTokens\n"
        "2024-01-01 00:00:00,2048,1\n"
        "2024-01-01 00:00:01,1500,3\n"
    )
    return read_trace(path)


def test_compute_precedes_the_next_step(two_prompts):
    workload = inference_streams(two_prompts, MODEL, config=CONFIG, requests=2, scale=1e-4)
    steps = workload.streams[0].steps
    flops = 2 * MODEL.parameters * 2048 / (workload.facts["flops_per_channel"] * 768)
    moved = (MODEL.weight_bytes + 2048 * MODEL.kv_bytes_per_token) / 768
    outlasting = flops - moved / (CONFIG.capacity / 4)
    assert steps["compute"].tolist() == [0, round(outlasting * CONFIG.clock_khz * 1000 * 1e-4)]
    assert steps["ready"].tolist() == [0, CONFIG.clock_khz * 1000 * 1e-4]


def test_sequences_have_their_own_addresses(two_prompts):
    workload = inference_streams(two_prompts, MODEL, config=CONFIG, requests=2, scale=0.01)
    prefill, _, decoder, _ = workload.streams
    writes = prefill.requests[prefill.requests["op"] == 1]
    assert len(writes) > 100
    assert len(np.unique(writes["address"])) == len(writes)
    # Round robin: the second request decodes on the second decoder, whose first write is its own
    # 1501st token, behind the context that it reads.
    writes = decoder.requests[decoder.requests["op"] == 1]
    offset = int(writes["address"][0]) - (2 << 36) - 2**35
    kv_bytes = MODEL.kv_bytes_per_token / 768 * 0.01
    assert offset - 2048 * kv_bytes == pytest.approx(1500 * kv_bytes, abs=4 * 128)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"channels": 0}, "channels must be at least 1, not 0"),
        ({"requests": 61}, r"requests must be in 1\.\.60, the requests in .*, not 61"),
        ({"requests": 0}, r"requests must be in 1\.\.60, the requests in .*, not 0"),
        ({"scale": 0.0}, "scale must be over 0 and at most 1, not 0.0"),
        ({"scale": float("nan")}, "scale must be over 0 and at most 1, not nan"),
        ({"scale": 1.0}, "the workload must ask for at most 20,000,000 memory requests, not"),
        ({"grants": 100}, "grants must be over .*, not 100; ask for more grants or fewer"),
        ({"grants": 10**13}, "the workload must ask for at most 20,000,000 memory requests, not"),
        ({"request_bytes": 100}, r"request bytes must be a power of two in 32\.\.512, not 100"),
    ],
)
def test_bad_arguments_are_refused(trace, arguments, complaint):
    with pytest.raises(UserError, match=f"^{complaint}"):
        inference_streams(trace, MODEL, config=CONFIG, **{"requests": 50, **arguments})


@pytest.mark.parametrize("model", ["llama-3-70b", "llama-3-8b"])
@pytest.mark.parametrize(
    "parts",
    [
        ("mooncake", "conversation_trace.jsonl"),
        ("azure", "AzureLLMInferenceTrace_conv.csv"),
    ],
    ids=lambda parts: parts[0],
)
def test_published_traces_offer_a_reasonable_load(parts, model):
    path = shared_path("traces", *parts)
    if path is None:
        pytest.skip("the shared traces are not on this computer (MCOS_SHARED)")
    facts = inference_streams(read_trace(path), find_model(model), config=CONFIG).facts
    assert facts["trace_requests"] == 200
    assert 1_000_000 <= facts["memory_requests"] < 1_050_000
    assert 0.5 <= facts["offered_load"] <= 0.95
    assert facts["schedule_clocks"] < 4_000_000
