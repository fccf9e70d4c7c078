"""Traces that went wrong on their way: refused in one line, never a traceback."""

import pytest
from hypothesis import given

from mcos_sim.errors import UserError
from mcos_sim.traffic.generator import generate_trace
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
