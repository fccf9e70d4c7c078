import json

import numpy as np
import pytest

from mcos_sim.errors import UserError
from mcos_sim.shared import shared_path
from mcos_sim.traffic.trace import read_trace

GOOD = {"timestamp": 0, "input_length": 1000, "output_length": 5, "hash_ids": [0, 1]}
HEADER = "TIMESTAMP,ContextTokens,GeneratedTokens"
ROW = "2023-11-16 18:15:46.6805900,374,44"


def jsonl(**changes) -> str:
    return json.dumps(GOOD) + "\n" + json.dumps(GOOD | changes) + "\n"


def without(key: str) -> str:
    return json.dumps({name: value for name, value in GOOD.items() if name != key})


def csv(*rows: str, header: str = HEADER) -> str:
    return "\n".join((header, *rows)) + "\n"


MALFORMED = {
    "empty": ("", "1: a trace must hold at least one request, not an empty file"),
    "blank": ("\n \n", "1: a trace must hold at least one request, not an empty file"),
    "neither": ("hello\n", "1: a trace must begin with a JSON object or with the header .*'hello'"),
    "not utf-8": (f"{HEADER}\n".encode() + b"\xff,1,2\n", "2: a trace must be UTF-8 text"),
    "bad JSON": (jsonl() + "{,}\n", "3: a line must be one JSON object with finite numbers"),
    "deep JSON": ('{"timestamp": ' + "[" * 100_000, "1: a line must be one JSON object"),
    "array": (jsonl() + "[1]\n", r"3: a line must be one JSON object, not \[1\]"),
    "no timestamp": (without("timestamp"), "1: a request must have the key timestamp"),
    "no input": (without("input_length"), "1: a request must have the key input_length"),
    "no output": (without("output_length"), "1: a request must have the key output_length"),
    "no blocks": (without("hash_ids"), "1: a request must have the key hash_ids"),
    "NaN": (jsonl(timestamp=float("nan")), "2: a line must be one JSON object with finite"),
    "infinite": (jsonl(timestamp=float("inf")), "2: a line must be one JSON object with finite"),
    "negative time": (jsonl(timestamp=-1), r"2: timestamp must be milliseconds in 0\.\..*, not -1"),
    "text time": (jsonl(timestamp="0"), "2: timestamp must be .*, not '0'"),
    "huge time": (jsonl(timestamp=2**60), "2: timestamp must be .*, not 11529"),
    "negative input": (jsonl(input_length=-3), "2: input_length must be an integer in .*, not -3"),
    "fraction": (jsonl(output_length=1.5), "2: output_length must be an integer in .*, not 1.5"),
    "boolean": (jsonl(output_length=True), "2: output_length must be an integer in .*, not True"),
    "huge": (jsonl(output_length=2**31), "2: output_length must be an integer in .*, not 214"),
    "block text": (jsonl(hash_ids=["a"]), r"2: hash_ids must be a list of integers .*\['a'\]"),
    "block number": (jsonl(hash_ids=7), "2: hash_ids must be a list of integers .*, not 7"),
    "no column": (csv(ROW, header="TIMESTAMP,ContextTokens"), "1: the header must name Generated"),
    "double column": (csv(ROW, header=f"{HEADER},TIMESTAMP"), "1: the header must name TIMESTAMP"),
    "no rows": (csv(), "1: the header must be followed by requests"),
    "short row": (csv(ROW, "2023-11-16 18:15:46,1"), "3: a row must have 3 columns"),
    "long row": (csv(f"{ROW},9"), "2: a row must have 3 columns"),
    "open quote": (csv('"2023-11-16'), "2: a row must be valid CSV"),
    "no date": (csv("yesterday,1,2"), "2: TIMESTAMP must be a date and time .*, not 'yesterday'"),
    "no such day": (csv("2023-02-30 00:00:00,1,2"), "2: TIMESTAMP must be a date and time"),
    "far year": (csv("9999-01-01 00:00:00,1,2"), "2: TIMESTAMP must be a date and time"),
    "negative tokens": (csv("2023-11-16 18:15:46,-1,2"), "2: ContextTokens must be an integer"),
    "NaN tokens": (csv("2023-11-16 18:15:46,1,NaN"), "2: GeneratedTokens must be .*, not 'NaN'"),
    "many digits": (csv(f"2023-11-16 18:15:46,{'9' * 5000},1"), "2: ContextTokens must be an int"),
}


@pytest.mark.parametrize(("content", "complaint"), MALFORMED.values(), ids=MALFORMED)
def test_malformed_file_is_one_line_with_its_place(tmp_path, content, complaint):
    path = tmp_path / "trace"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(UserError, match=f"^{path}:{complaint}") as caught:
        read_trace(path)
    assert "\n" not in str(caught.value)


def test_folder_and_missing_file_are_refused(tmp_path):
    for path in (tmp_path, tmp_path / "absent"):
        with pytest.raises(UserError, match=f"^{path}: a trace must be a readable file"):
            read_trace(path)


def test_azure_columns_are_found_by_name_and_rows_sorted(tmp_path):
    path = tmp_path / "trace.txt"
    path.write_text(
        "\ufeffGeneratedTokens,TIMESTAMP,Images,ContextTokens\r\n"
        "2,2024-05-10 00:00:01.0000005+00:00,0,20\r\n"
        "1,2024-05-10 02:00:00+02:00,0,10\r\n"
        "\r\n"
        "3,2024-05-10T00:00:01.5Z,0,30\r\n",
        encoding="utf-8",
        newline="",
    )
    trace = read_trace(path)
    assert trace.format == "azure"
    assert trace.requests.tolist() == [(0, 10, 1), (1_000_000_500, 20, 2), (1_500_000_000, 30, 3)]
    assert trace.block_offsets.tolist() == [0, 0, 0, 0]


def mooncake(path, timestamps, blocks=None):
    lines = [
        json.dumps(
            {
                "timestamp": timestamp,
                "input_length": 600 + index,
                "output_length": index,
                "hash_ids": blocks[index] if blocks else [index, 100 + index],
                "session": "ignored",
            }
        )
        for index, timestamp in enumerate(timestamps)
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


def test_coarse_arrivals_are_spread_inside_their_bucket_in_file_order(tmp_path):
    path = mooncake(tmp_path / "trace", [3002] * 40 + [2999] * 40 + [0] * 40)
    trace = read_trace(path, seed=5)
    arrivals = trace.requests["arrival_ns"]
    order = [*range(80, 120), *range(80)]
    assert trace.resolution_ns == 3_000_000_000
    assert trace.requests["output_tokens"].tolist() == order
    assert trace.block_ids.tolist() == [block for i in order for block in (i, 100 + i)]
    assert arrivals[0] == 0
    assert np.all(np.diff(arrivals) >= 0)
    assert arrivals[39] < 3_000_000_000
    assert arrivals[-1] < 6_000_000_000
    assert len(np.unique(arrivals)) == 120
    assert np.array_equal(read_trace(path, seed=5).requests, trace.requests)
    assert not np.array_equal(read_trace(path, seed=6).requests, trace.requests)


def test_fine_arrivals_keep_their_millisecond(tmp_path):
    trace = read_trace(mooncake(tmp_path / "trace", [100, 1400.0, 2800]))
    assert trace.resolution_ns == 1_000_000
    assert np.allclose(trace.requests["arrival_ns"], [0, 1.3e9, 2.7e9], atol=1e6)


def test_prefix_hits_are_the_leading_run_of_known_blocks(tmp_path):
    blocks = [[0, 1], [0, 2], [0, 1], [5, 1], []]
    trace = read_trace(mooncake(tmp_path / "trace", range(0, 15_000, 3000), blocks))
    # The third prompt, 602 tokens, is known as a whole: one token is computed nevertheless.
    assert trace.prefix_hits().tolist() == [0, 512, 601, 0, 0]
    assert trace.head(2).prefix_hits().tolist() == [0, 512]
    assert trace.head(2).block_ids.tolist() == [0, 1, 0, 2]


def shared_trace(*parts):
    path = shared_path("traces", *parts)
    if path is None:
        pytest.skip("the shared traces are not on this computer (MCOS_SHARED)")
    return read_trace(path)


def test_published_mooncake_trace():
    trace = shared_trace("mooncake", "conversation_trace.jsonl")
    assert len(trace) == 12_031
    assert (len(trace.block_ids), len(np.unique(trace.block_ids))) == (288_500, 182_790)
    assert trace.resolution_ns == 3_000_000_000
    assert np.median(trace.requests["input_tokens"]) == 6909


def test_published_azure_trace():
    trace = shared_trace("azure", "AzureLLMInferenceTrace_conv.csv")
    assert len(trace) == 19_366
    assert trace.requests["arrival_ns"][-1] == 3_501_721_937_000
    assert np.median(trace.requests["output_tokens"]) == 129
