import json

import numpy as np
import pytest

from mcos_sim.errors import UserError
from mcos_sim.shared import shared_path
from mcos_sim.traffic import lines
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
    "repeated key": ('{"timestamp": 0, "timestamp": 5}', "1: a line must be .* every key once"),
    "pretty JSON": ('{\n"timestamp": 0\n}', "1: a line must be .*; write each request on a line"),
    "array of objects": ("[\n{}\n]", "1: a trace must begin with .*, not '\\['; write one request"),
    "block list": (jsonl(hash_ids=[[1]]), r"2: hash_ids must be integers or texts, not \[1\]"),
    "block switch": (jsonl(hash_ids=[True]), "2: hash_ids must be integers or texts, not True"),
    "block fraction": (jsonl(hash_ids=[1.5]), "2: hash_ids must be integers or texts, not 1.5"),
    "rounded block": (jsonl(hash_ids=[2.0**54]), "2: hash_ids must be .*, not 1.80.*; a number wi"),
    "microseconds": (
        jsonl(timestamp=1_700_000_000_000_000),
        "2: timestamp .*, not 17.*; convert it",
    ),
    "block number": (jsonl(hash_ids=7), "2: hash_ids must be a list of integers or texts, not 7"),
    "UTF-16": (
        csv(ROW).encode("utf-16"),
        "1: a trace must be UTF-8 text, .*; save it as UTF-8 inst",
    ),
    "NUL": (csv(ROW + "\0"), "2: GeneratedTokens must be an integer in .*, not '44.x00'"),
    "no column": (csv(ROW, header="TIMESTAMP,ContextTokens"), "1: the header must name Generated"),
    "double column": (csv(ROW, header=f"{HEADER},TIMESTAMP"), "1: the header must name TIMESTAMP"),
    "no rows": (csv(), "1: the header must be followed by requests"),
    "short row": (csv(ROW, "2023-11-16 18:15:46,1"), "3: a row must have 3 columns .*; it has 2"),
    "long row": (csv(f"{ROW},9"), "2: a row must have 3 columns"),
    "open quote": (csv('"2023-11-16'), "2: a row must be valid CSV"),
    "no date": (csv("yesterday,1,2"), "2: TIMESTAMP must be a date and time .*, not 'yesterday'"),
    "no such day": (csv("2023-02-30 00:00:00,1,2"), "2: TIMESTAMP must be a date and time"),
    "far year": (csv("9999-01-01 00:00:00,1,2"), "2: TIMESTAMP must be a date and time"),
    "negative tokens": (csv("2023-11-16 18:15:46,-1,2"), "2: ContextTokens must be an integer"),
    "NaN tokens": (csv("2023-11-16 18:15:46,1,NaN"), "2: GeneratedTokens must be .*, not 'NaN'"),
    "thousands": (csv('2023-11-16 18:15:46,"1,024",2'), "2: ContextTokens .*'1,024'; write it wit"),
    "decimal comma": (csv('2023-11-16 18:15:46,1,"2,5"'), "2: GeneratedTokens must .*, not '2,5'"),
    "half a token": (csv("2023-11-16 18:15:46,1.5,2"), "2: ContextTokens must be .*, not '1.5'"),
    "too many": (csv("2023-11-16 18:15:46,2147483648,2"), "2: ContextTokens must be an integer"),
    "row after a long one": (csv('"2023-11-16\n18:15:46",1,2', "x,1,2"), "2: TIMESTAMP must be"),
    "bad row after a long one": (
        csv(f'{ROW},"a\nb"', "x,1,2,c", header=f"{HEADER},N"),
        "4: TIMEST",
    ),
    "spreadsheet's date": (csv("11/16/2023 18:15,1,2"), "2: TIMESTAMP must be a date and time"),
    "open quote in the header": (csv(ROW, header=f'{HEADER},"N'), "1: a row must be valid CSV"),
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


CSV_OF_OTHER_TOOLS = {
    "columns in another order": (
        "\ufeffGeneratedTokens,TIMESTAMP,Images,ContextTokens\r\n"
        "2,2024-05-10 00:00:01.0000005+00:00,0,20\r\n"
        "1,2024-05-10 02:00:00+02:00,0,10\r\n"
        "\r\n"
        "3,2024-05-10T00:00:01.5Z,0,30\r\n"
    ),
    "R": (
        '"","TIMESTAMP","ContextTokens","GeneratedTokens"\n'
        '"1","2024-05-10 00:00:00",1e+01,1\n'
        '"2","2024-05-10 00:00:01.0000005",20,2\n'
        '"3","2024-05-10 00:00:01.5",30,3\n'
    ),
    "pandas": (
        "TIMESTAMP,ContextTokens,GeneratedTokens\n"
        "2024-05-10 00:00:00+0000,10.0,1.\n"
        "2024-05-10 00:00:01.000000500+00,20.0,2.0\n"
        "2024-05-10 00:00:01.500,3.0e1,3e0\n"
    ),
    "PowerShell": (
        "\ufeff#TYPE System.Management.Automation.PSCustomObject\r\n"
        '"TIMESTAMP","ContextTokens","GeneratedTokens"\r\n'
        '"2024-05-10T02:00:00.0000000+02:00","10","1"\r\n'
        '"2024-05-10T00:00:01.0000005Z","20","2"\r\n'
        '"2024-05-10T00:00:01.5000000","30","3"\r\n'
    ),
    "a spreadsheet": (
        "\ufeffsep=;\r"
        ' TIMESTAMP ;"ContextTokens"; GeneratedTokens;"model; version"\r'
        '2024-05-10 00:00:00;10;1;"a; b"\r'
        '2024-05-10 00:00:01,0000005;20 ; 2; "two\rlines"\r'
        "2024-05-10 00:00:01,5;30;3;\r"
        ";;;\r"
        "\r"
    ),
    "a database": (
        "TIMESTAMP\tContextTokens\tGeneratedTokens\n"
        "2024-05-10 00:00:00\t10\t1\n"
        "2024-05-10 00:00:01.0000005 UTC\t20\t2\n"
        "2024-05-10t02:00:01.5 +0200\t30\t3"
    ),
}


@pytest.mark.parametrize("text", CSV_OF_OTHER_TOOLS.values(), ids=CSV_OF_OTHER_TOOLS)
def test_csv_of_other_tools(text, tmp_path):
    path = tmp_path / "trace.txt"
    path.write_bytes(text.encode())
    trace = read_trace(path)
    assert trace.format == "azure"
    assert trace.requests.tolist() == [(0, 10, 1), (1_000_000_500, 20, 2), (1_500_000_000, 30, 3)]
    assert trace.block_offsets.tolist() == [0, 0, 0, 0]
    assert trace.remarks == ()


@pytest.mark.parametrize(
    ("fraction", "resolution"), [("", 10**9), (".5", 10**8), (".1234567", 100)]
)
def test_the_resolution_of_a_csv_is_that_of_its_fractions(fraction, resolution, tmp_path):
    path = tmp_path / "trace"
    path.write_text(csv("2024-05-10 00:00:00,1,2", f"2024-05-10 00:00:00{fraction},1,2"))
    assert read_trace(path).resolution_ns == resolution


def mooncake(path, timestamps, blocks=None):
    lines = [
        json.dumps(
            {
                "timestamp": timestamp,
                "input_length": 600 + index,
                "output_length": index,
                "hash_ids": blocks[index] if blocks else [index, 1000 + index],
                "session": "ignored",
            }
        )
        for index, timestamp in enumerate(timestamps)
    ]
    path.write_text("\n".join(lines) + "\n")
    return path


def test_coarse_arrivals_are_spread_inside_their_bucket_in_file_order(tmp_path):
    path = mooncake(tmp_path / "trace", [6003] * 40 + [2999] * 40 + [0] * 40)
    trace = read_trace(path, seed=5)
    arrivals = trace.requests["arrival_ns"]
    order = [*range(80, 120), *range(40, 80), *range(40)]
    assert trace.resolution_ns == 3_000_000_000
    assert trace.requests["output_tokens"].tolist() == order
    numbers = {block: n for n, block in enumerate(b for i in range(120) for b in (i, 1000 + i))}
    wanted = [numbers[block] for i in order for block in (i, 1000 + i)]
    assert trace.block_ids.tolist() == wanted
    assert arrivals[0] == 0
    assert np.all(np.diff(arrivals) >= 0)
    assert arrivals[39] < 3_000_000_000
    assert arrivals[-1] < 9_000_000_000
    assert len(np.unique(arrivals)) == 120
    assert np.array_equal(read_trace(path, seed=5).requests, trace.requests)
    assert not np.array_equal(read_trace(path, seed=6).requests, trace.requests)


@pytest.mark.parametrize(
    ("timestamps", "resolution_ms"),
    [
        ([0, 1, 2, 3], 1),
        ([0, 0, 0], 1),
        ([3000, 3000], 1),
        ([2998, 2999, 3001], 1),
        ([0, 1, 2, 3000, 3001, 3002], 1),
        ([0, 0, 2999, 3000], 1),
        ([0, 0, 3000, 3000], 3000),
        ([2999, 2999, 6001, 9000, 9000, 9000], 3000),
        ([0, 0, 0, 3000], 3000),
        ([0, 0, 3000], 1),
        ([0, 3000, 6000], 1),
        ([0, 0, 3010, 3010], 3000),
        ([0, 0, 3011, 3011], 1),
        ([0.0, 0, 3000.0, 3000.0], 3000),
    ],
)
def test_only_what_lies_on_the_grid_is_spread_over_3_s(timestamps, resolution_ms, tmp_path):
    trace = read_trace(mooncake(tmp_path / "trace", timestamps))
    assert trace.resolution_ns == resolution_ms * 1_000_000
    span = (max(timestamps) - min(timestamps) + resolution_ms) * 1_000_000
    assert trace.requests["arrival_ns"][-1] < span
    if resolution_ms == 1:
        assert trace.requests["arrival_ns"][-1] > span - 2_000_000


def test_fractions_of_a_millisecond_stay_as_they_are(tmp_path):
    trace = read_trace(mooncake(tmp_path / "trace", [7.25, 7, 3000.5, 7.000001]))
    assert trace.resolution_ns == 1
    assert trace.requests["arrival_ns"].tolist() == [0, 1, 250_000, 2_993_500_000]
    assert trace.requests["output_tokens"].tolist() == [1, 3, 0, 2]


@pytest.mark.parametrize(
    ("timestamps", "told"),
    [
        ([0.0, 0.2, 0.4], "3 requests arrive within 0.4 ms"),
        ([0, 0, 1, 2, 2], "5 requests arrive within 2 ms"),
        ([0, 1, 2, 3], None),
        ([0, 0, 0], None),
        ([1_700_000_000, 1_700_000_060], "1700000000 is a Unix time"),
        ([1_700_000_000_000, 1_700_000_060_000], None),
        ([0.5, 400.25], None),
    ],
)
def test_times_that_look_like_seconds_are_remarked(timestamps, told, tmp_path):
    remarks = read_trace(mooncake(tmp_path / "trace", timestamps)).remarks
    assert len(remarks) == (told is not None)
    for remark in remarks:
        assert remark.startswith("timestamp should be milliseconds, and these look like seconds: ")
        assert told in remark


def test_blocks_have_opaque_ids_of_any_size(tmp_path):
    blocks = [
        [2**63, 2**64 - 1],
        [2**63, -1],
        [2**63, 2**64 - 1, "9f" * 16, 10**40],
        [2.0**53, 2**53],
    ]
    trace = read_trace(mooncake(tmp_path / "trace", [0, 1, 2, 5000], blocks))
    assert trace.block_ids.tolist() == [0, 1, 0, 2, 0, 1, 3, 4, 5, 5]
    assert trace.prefix_hits().tolist() == [0, 512, 601, 0]


def test_json_of_other_tools(tmp_path):
    path = tmp_path / "trace"
    path.write_bytes(
        b'\xef\xbb\xbf  {"hash_ids":[],"x":{"y":[null]},"output_length":5.0,"timestamp":1e3,'
        b'"input_length":1E2}\r\n\r\n\t{"input_length":7,"timestamp":2000.0,"output_length":0,'
        b'"hash_ids":[4.0]}\r\n'
    )
    assert read_trace(path).requests[["input_tokens", "output_tokens"]].tolist() == [
        (100, 5),
        (7, 0),
    ]


def test_a_trace_is_not_read_beyond_what_memory_holds(tmp_path, monkeypatch):
    path = mooncake(tmp_path / "trace", [0, 1])
    monkeypatch.setattr(lines, "MAX_BYTES", path.stat().st_size)
    assert len(read_trace(path)) == 2
    monkeypatch.setattr(lines, "MAX_BYTES", path.stat().st_size - 1)
    with pytest.raises(UserError, match=r"a trace must have at most .* bytes, not more; cut it"):
        read_trace(path)


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
