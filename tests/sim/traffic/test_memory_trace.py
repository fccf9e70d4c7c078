"""Traces as a tenant's traffic: CSV of memory requests, and one phase of a service."""

from pathlib import Path

import numpy as np
import pytest

from mcos_hw.config import ChannelConfig
from mcos_hw.link.request import Op
from mcos_policy.compiler import Compiled, compile_contract
from mcos_policy.samples import SAMPLES
from mcos_sim.errors import UserError
from mcos_sim.scenario import FIRST_CLOCK
from mcos_sim.traffic.generator import generate_trace
from mcos_sim.traffic.memory_trace import cut_rows, parse_memory_trace
from mcos_sim.traffic.plan import plan_traffic
from mcos_sim.traffic.requesters import plan_streams
from mcos_sim.traffic.transfer import region_base, region_bytes

CONFIG = ChannelConfig()
END = 101_024


@pytest.fixture(scope="module")
def compiled() -> Compiled:
    return compile_contract(SAMPLES["decode-prefill"], CONFIG)


def rows_of(*lines: str) -> np.ndarray:
    return parse_memory_trace(list(enumerate(lines, start=1)), path="t.csv")


def planned(compiled: Compiled, folder: Path, text: str, end: int = END):
    file = folder / "traffic.toml"
    file.write_text(text)
    plan = plan_traffic(compiled, file=file, options=(), run_clocks=end - FIRST_CLOCK)
    return plan_streams(plan, compiled, first=FIRST_CLOCK, end=end, seed=1)


def test_rows_are_read_in_any_order_of_columns_and_sorted_by_time():
    rows = rows_of("bytes,op,time_ns,address", '64,"W",20,0x40', "128, read ,10.5,", "1,r,20,7")
    assert rows["time_ns"].tolist() == [10.5, 20, 20]
    assert rows["op"].tolist() == [Op.READ, Op.WRITE, Op.READ]
    assert rows["bytes"].tolist() == [128, 64, 1]
    assert rows["address"].tolist() == [-1, 0x40, 7]


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (("time_ns,op,bytes,bytes", "1,R,1,1"), "t.csv:1: the header must name bytes once"),
        (("time_ns,op,bytes", "1,R"), "t.csv:2: a row must have 3 columns as the header has"),
        (("time_ns,op,bytes", "-1,R,64"), "t.csv:2: time_ns must be a number in 0.."),
        (("time_ns,op,bytes", "nan,R,64"), "t.csv:2: time_ns must be a number in 0.."),
        (("time_ns,op,bytes", "1000000000001,R,64"), "t.csv:2: time_ns must be a number in 0.."),
        (("time_ns,op,bytes", "0,X,64"), "t.csv:2: op must be R or W, not 'X'"),
        (("time_ns,op,bytes", "0,R,0"), "t.csv:2: bytes must be an integer in 1..1073741824"),
        (("time_ns,op,bytes", "0,R,1073741825"), "t.csv:2: bytes must be an integer in 1.."),
        (("time_ns,op,bytes", "0,R,1.5"), "t.csv:2: bytes must be an integer in 1.."),
        (("time_ns,op,bytes,address", "0,R,64,-1"), "t.csv:2: address must be an integer in 0.."),
        (("time_ns,op,bytes", '0,R,"64'), "t.csv:2: a row must be valid CSV"),
        (("time_ns,op,bytes",), "t.csv:1: the header must be followed by requests"),
    ],
)
def test_a_malformed_row_is_refused_by_line(lines, says):
    with pytest.raises(UserError) as caught:
        rows_of(*lines)
    assert str(caught.value).startswith(says)


def test_rows_become_whole_beats_that_cross_no_longest_request():
    header = "time_ns,op,bytes,address"
    rows = rows_of(header, "0,R,1,0", "1,R,512,0x1f0", "2,W,1024,", "3,R,33,31")
    requests, counts = cut_rows(rows, base=region_base(1, CONFIG), room=1 << 20, config=CONFIG)
    assert counts.tolist() == [1, 2, 2, 1]
    offset = requests["address"].astype(np.int64) - region_base(1, CONFIG)
    assert requests["beats"].tolist() == [1, 1, 16, 16, 16, 2]
    assert offset.tolist()[:3] == [0, 0x1E0, 0x200]
    last = offset + requests["beats"].astype(np.int64) * 32 - 1
    assert (offset // 512 == last // 512).all()
    assert requests["op"].tolist() == [0, 0, 0, 1, 1, 0]


def test_addresses_go_around_the_region():
    rows = rows_of("time_ns,op,bytes,address", f"0,R,1024,{(1 << 63) - 1}")
    room = region_bytes(CONFIG)
    requests, _ = cut_rows(rows, base=region_base(3, CONFIG), room=room, config=CONFIG)
    inside = requests["address"].astype(np.int64) - region_base(3, CONFIG)
    assert (inside >= 0).all()
    assert (inside < room).all()


def test_a_memory_trace_is_asked_at_its_times(compiled, tmp_path):
    (tmp_path / "batch.csv").write_text("time_ns,op,bytes\n0,R,512\n1000,W,600\n200000,R,64\n")
    text = '[traffic.prefill]\npattern = "trace"\nfile = "batch.csv"\nstart = "1 us"\n'
    streams, remarks = planned(compiled, tmp_path, text)
    prefill = streams[0]
    assert prefill.steps["ready"].tolist() == [FIRST_CLOCK + 800, FIRST_CLOCK + 1600]
    assert prefill.steps["count"].tolist() == [1, 2]
    assert len(remarks) == 1
    assert "1 of 3 rows come after the end of the run" in remarks[0]


def test_a_memory_trace_beyond_the_run_is_refused(compiled, tmp_path):
    (tmp_path / "batch.csv").write_text("time_ns,op,bytes\n200000,R,64\n")
    text = '[traffic.prefill]\npattern = "trace"\nfile = "batch.csv"\nstart = "0 ns"\n'
    with pytest.raises(UserError, match=r"first one is in clock 161,024; raise --clocks"):
        planned(compiled, tmp_path, text)
    assert planned(compiled, tmp_path, text, end=161_025)


@pytest.mark.parametrize(("phase", "least"), [("prefill", 0.01), ("decode", 0.5)])
def test_a_phase_of_a_service_ends_with_the_run(compiled, tmp_path, phase, least):
    text = generate_trace("mooncake", requests=30, seed=3)
    (tmp_path / "t.jsonl").write_text(text)
    table = (
        f'[traffic.decode-a]\npattern = "trace"\nfile = "t.jsonl"\nmodel = "llama-3-8b"\n'
        f'phase = "{phase}"\nrequests = 30\nstart = "0 ns"\n'
    )
    streams, remarks = planned(compiled, tmp_path, table)
    stream = next(each for each in streams if each.name == "decode-a")
    assert stream.closed
    assert (stream.requests["beats"] <= 4).all()
    assert stream.steps["ready"].min() >= FIRST_CLOCK
    assert stream.steps["ready"].max() < END
    # A quarter of the channel is what the idealised schedule gives it; beats are rounded up.
    part = stream.requests["beats"].sum() * 32 / ((END - FIRST_CLOCK) * 64 / 4)
    assert least < part < 1.5
    assert bool(remarks) == (phase == "decode")
    assert all("more than the trace, because amounts scaled by" in each for each in remarks)


def test_kinds_of_traces_are_told_apart(compiled, tmp_path):
    (tmp_path / "batch.csv").write_text("time_ns,op,bytes\n0,R,64\n")
    (tmp_path / "t.jsonl").write_text(generate_trace("mooncake", requests=5, seed=1))
    table = '[traffic.decode-a]\npattern = "trace"\nfile = "{}"\n'
    with pytest.raises(UserError, match="or have a model and a phase in the traffic file"):
        planned(compiled, tmp_path, table.format("t.jsonl"))
    served = 'model = "llama-3-8b"\nphase = "decode"\n'
    with pytest.raises(UserError, match="must be a Mooncake or Azure trace beside model"):
        planned(compiled, tmp_path, table.format("batch.csv") + served)
