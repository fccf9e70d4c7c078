"""Traces and traffic files that went wrong on their way: refused in words, never a traceback."""

import pytest
from hypothesis import given

from mcos_hw.config import ChannelConfig
from mcos_policy.compiler import compile_contract
from mcos_policy.diagnostics import ContractError
from mcos_policy.samples import SAMPLES
from mcos_sim.errors import UserError
from mcos_sim.traffic.generator import generate_trace
from mcos_sim.traffic.lines import read_lines
from mcos_sim.traffic.memory_trace import cut_rows, parse_memory_trace
from mcos_sim.traffic.plan import plan_traffic
from mcos_sim.traffic.requesters import plan_streams
from mcos_sim.traffic.summary import trace_summary
from mcos_sim.traffic.trace import FORMATS, read_trace
from tests.mutation import examples, mutated

TRACES = [generate_trace(format, requests=5, seed=3).encode() for format in FORMATS]
QUOTED = (
    b'\xef\xbb\xbf"","TIMESTAMP","ContextTokens","GeneratedTokens","model, version"\r\n'
    b'"1","2026-01-02T03:04:05.1234567Z","1e+03","44.0","a, ""b"""\r\n'
    b'"2","2026-01-02 04:04:06,5+01:00","374","0","two\r\nlines"\r\n'
)


@pytest.mark.parametrize("count", [400, pytest.param(4_000, marks=pytest.mark.soak)])
def test_traces(count, tmp_path):
    path = tmp_path / "trace"
    outcomes = {True: 0, False: 0}

    @examples(count)
    @given(mutated(*TRACES, QUOTED))
    def refused_in_a_line(content):
        path.write_bytes(content)
        try:
            trace_summary(read_trace(path))
        except UserError as error:
            told = str(error)
        else:
            told = f"{path}:"
        outcomes[told == f"{path}:"] += 1
        assert told.startswith(f"{path}:")
        assert "\n" not in told

    refused_in_a_line()
    assert min(outcomes.values()) > count // 50


MEMORY_TRACE = b"time_ns,op,bytes,address\n0,R,64,0x40\n1.5,write,600,\n20,w,1,4095\n"
TRAFFIC = b"""\
[traffic]
pattern = "closed"
window = 16
step = "64 KiB"
think = "1 us"
request = ["64 B", "512 B"]
write_share = 0.1
start = "0 ns"
stop = "4 us"

[traffic.decode-a]
pattern = "on-off"
rate = "40 GB/s"
on = "2 us"
off = "8 us"

[traffic.decode-b]
pattern = "trace"
file = "t.csv"
"""


@pytest.mark.parametrize("count", [200, pytest.param(4_000, marks=pytest.mark.soak)])
def test_memory_traces(count, tmp_path):
    path = tmp_path / "trace"
    outcomes = {True: 0, False: 0}

    @examples(count)
    @given(mutated(MEMORY_TRACE))
    def refused_in_a_line(content):
        path.write_bytes(content)
        try:
            rows = parse_memory_trace(read_lines(path), path=path)
        except UserError as error:
            told = str(error)
            outcomes[False] += 1
            assert told.startswith(f"{path}:")
            assert "\n" not in told
        else:
            outcomes[True] += 1
            if rows["bytes"].sum() < 1 << 20:
                requests, counts = cut_rows(rows, base=0, room=1 << 36, config=ChannelConfig())
                assert counts.sum() == len(requests)
                assert (requests["beats"] >= 1).all()
                assert (requests["beats"] <= 16).all()

    refused_in_a_line()
    assert min(outcomes.values()) > count // 50


@pytest.mark.parametrize("count", [200, pytest.param(4_000, marks=pytest.mark.soak)])
def test_traffic_files(count, tmp_path):
    path = tmp_path / "traffic.toml"
    (tmp_path / "t.csv").write_bytes(MEMORY_TRACE)
    compiled = compile_contract(SAMPLES["decode-prefill"], ChannelConfig())
    outcomes = {True: 0, False: 0}

    @examples(count)
    @given(mutated(TRAFFIC))
    def refused_in_words(content):
        path.write_bytes(content)
        told: list[str] = []
        try:
            plan = plan_traffic(compiled, file=path, options=(), run_clocks=5_000)
            plan_streams(plan, compiled, first=1_024, end=6_024, seed=1)
        except ContractError as error:
            told = [str(each) for each in error.diagnostics]
        except UserError as error:
            told = [str(error)]
        outcomes[not told] += 1
        assert not any("\n" in line for line in told)

    refused_in_words()
    assert min(outcomes.values()) > count // 50
