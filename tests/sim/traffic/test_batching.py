import numpy as np
import pytest

from mcos_sim.traffic.arrivals import TRACE, Trace
from mcos_sim.traffic.batching import (
    CHUNK_TOKENS,
    FLOPS_PER_CHANNEL,
    Slice,
    schedule_decode,
    schedule_prefill,
)
from mcos_sim.traffic.models import find_model

MODEL = find_model("llama-3-8b")
PART = Slice(model=MODEL, channels=96, bytes_per_ns=12.8)
WEIGHTS_BYTES = MODEL.weight_bytes / 96
KV_BYTES = MODEL.kv_bytes_per_token / 96


def trace_of(*requests, blocks=None):
    blocks = blocks or [[] for _ in requests]
    return Trace(
        format="test",
        source="test",
        resolution_ns=1,
        requests=np.array(list(requests), TRACE),
        block_tokens=512,
        block_offsets=np.cumsum([0, *map(len, blocks)]),
        block_ids=np.array([block for ids in blocks for block in ids], np.int64),
    )


def rows(batches):
    """Per step: (op, sequence, token, bytes) of each amount, bytes in tokens of KV or weights."""
    ends = np.cumsum(batches.steps["count"])
    return [
        [
            (op, sequence, token, round(size / (WEIGHTS_BYTES if sequence < 0 else KV_BYTES), 6))
            for op, sequence, token, size in batches.amounts[end - count : end].tolist()
        ]
        for end, count in zip(ends, batches.steps["count"], strict=True)
    ]


def test_prefill_computes_a_prompt_in_chunks():
    batches, done = schedule_prefill(trace_of((0, 5000, 1)), PART)
    assert rows(batches) == [
        [(0, -1, 0, 1), (1, 0, 0, 2048)],
        [(0, -1, 0, 1), (0, 0, 0, 2048), (1, 0, 2048, 2048)],
        [(0, -1, 0, 1), (0, 0, 0, 4096), (1, 0, 4096, 904)],
    ]
    assert done.tolist() == [batches.end_ns]


def test_prefix_hits_are_read_but_not_written_again():
    trace = trace_of((0, 1024, 1), (0, 1200, 1), blocks=[[1, 2], [1, 2, 3]])
    batches, _ = schedule_prefill(trace, PART)
    assert rows(batches)[1] == [(0, -1, 0, 1), (0, 1, 0, 1024), (1, 1, 1024, 176)]


def test_prompts_wait_for_their_arrival_and_for_each_other():
    later = 10**9
    batches, done = schedule_prefill(trace_of((0, 10, 1), (0, 10, 1), (later, 10, 1)), PART)
    assert batches.steps["ready_ns"].tolist() == [0, 0, later]
    assert done[1] == pytest.approx(2 * done[0])
    assert done[2] == pytest.approx(later + done[0])


def test_step_takes_the_longer_of_its_bytes_and_its_compute():
    batches, done = schedule_prefill(trace_of((0, 10, 1), (0, CHUNK_TOKENS, 1)), PART)
    short, long = batches.steps["compute_ns"]
    memory = (WEIGHTS_BYTES + 10 * KV_BYTES) / PART.bytes_per_ns
    compute = 2 * MODEL.parameters * CHUNK_TOKENS / (FLOPS_PER_CHANNEL * 96) * 1e9
    assert short == 0
    assert done[0] == pytest.approx(memory)
    assert long > 0
    assert done[1] - done[0] == pytest.approx(compute)


def test_decode_batches_what_is_there():
    trace = trace_of((0, 100, 4), (0, 200, 1), (0, 300, 2))
    done = np.array([5.0, 6.0, 7.0])
    batches = schedule_decode(trace, np.arange(3), done, PART)
    # The second request has its only token from the prefill; the third joins in the second step.
    assert rows(batches) == [
        [(0, -1, 0, 1), (0, 0, 0, 100), (1, 0, 100, 1)],
        [(0, -1, 0, 1), (0, 0, 0, 101), (0, 2, 0, 300), (1, 0, 101, 1), (1, 2, 300, 1)],
        [(0, -1, 0, 1), (0, 0, 0, 102), (1, 0, 102, 1)],
    ]
    assert batches.steps["ready_ns"].tolist() == [5.0, 7.0, 0.0]
    moved = 3 * WEIGHTS_BYTES + (100 + 101 + 102 + 300 + 4) * KV_BYTES
    assert batches.end_ns == pytest.approx(5.0 + moved / PART.bytes_per_ns)


def test_idle_decoder_waits_for_the_next_prompt():
    trace = trace_of((0, 100, 2), (0, 100, 2))
    batches = schedule_decode(trace, np.arange(2), np.array([0.0, 1e12]), PART)
    assert batches.steps["ready_ns"].tolist() == [0.0, 1e12]
    assert batches.end_ns > 1e12


def test_nothing_to_decode_is_no_step():
    batches = schedule_decode(trace_of((0, 100, 1)), np.arange(1), np.zeros(1), PART)
    assert len(batches.steps) == len(batches.amounts) == 0
