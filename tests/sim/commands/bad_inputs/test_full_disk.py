"""Outputs for which there is no room: nothing under a final name, and the old file as it was."""

import contextlib
import resource

import pytest

from mcos_hw.config import ChannelConfig
from mcos_sim.lockstep.case import random_case
from tests.sim.commands.bad_inputs.pantry import CONTRACT_TEXT
from tests.sim.commands.bad_inputs.runner import check
from tests.sim.commands.command_line import run_command
from tests.sim.waves.windows import write_case

ROOM = 1_000
"""Bytes that a file may have; every output below is longer."""


@contextlib.contextmanager
def _room(size: int):
    """The system refuses to make a file longer, as it does on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture(scope="module")
def window(tmp_path_factory):
    path = tmp_path_factory.mktemp("waves") / "w.vcd"
    write_case(random_case(ChannelConfig(tenants=4), seed=4, clocks=100), path)
    # What is compiled when it is first called goes into the cache while there is room.
    assert run_command("waves", path) == 0
    contract = path.with_name("c.toml")
    contract.write_text(CONTRACT_TEXT)
    run = ("--engine", "reference", "--clocks", 2000, "-o", path.parent, "--window", "1100:1900")
    assert run_command("run", contract, *run, "--waves", path.with_name("x.vcd")) == 0
    return path.read_text(), path.with_suffix(".json").read_text()


ROWS = [
    ("compile c.toml -o x.img", "x.img.json must be a file that can be written"),
    ("compile c.toml -o x.img --json x.json", "must be a file that can be written"),
    ("explain c.toml --json x.json", "x.json must be a file that can be written"),
    ("trace --generate mooncake --requests 100 -o x.jsonl", "x.jsonl must be a file that can be"),
    ("trace --generate azure --requests 100 -o x.csv", "x.csv must be a file that can be written"),
    ("waves w.vcd --html x.html", "x.html must be a file that can be written"),
    ("waves w.vcd --perfetto x.json", "x.json must be a file that can be written"),
    (
        "run c.toml --engine reference --clocks 2000 --waves x.vcd --window 1100:1900 -o r",
        "x.vcd must be usable, and is not (File too large)",
    ),
    (
        "run c.toml --engine reference --clocks 2000 --json x.json -o r",
        "x.json must be a file that can be written",
    ),
]


@pytest.mark.parametrize(
    "old", ["", "x.img x.img.json x.img.hex x.json x.html x.vcd x.jsonl x.csv"]
)
@pytest.mark.parametrize(("line", "says"), ROWS)
def test_a_full_disk_loses_nothing(window, old, line, says, tmp_path, capsys, monkeypatch):
    for name in old.split():
        (tmp_path / name).write_text(f"old {name}")
    files = {"c.toml": CONTRACT_TEXT, "w.vcd": window[0], "w.json": window[1]}
    with monkeypatch.context() as patched:
        patched.setattr("tests.sim.commands.bad_inputs.runner.run_command", _in_little_room)
        check(line, says, files, tmp_path, capsys, monkeypatch)


def _in_little_room(*arguments: str) -> int:
    with _room(ROOM):
        return run_command(*arguments)


def test_a_waveform_is_not_new_without_its_state(tmp_path):
    """The VCD alone would belong to the state of an older one."""
    case = random_case(ChannelConfig(tenants=4), seed=4, clocks=2)
    path = tmp_path / "x.vcd"
    state = path.with_suffix(".json")
    write_case(case, path)
    size = state.stat().st_size
    assert path.stat().st_size < size
    path.write_text("old")
    state.write_text("old")
    with pytest.raises(OSError, match="File too large") as caught, _room(size - 1):
        write_case(case, path)
    assert caught.value.filename == str(state)
    assert (path.read_text(), state.read_text()) == ("old", "old")
    assert not list(tmp_path.glob(".*"))
    with _room(size):
        write_case(case, path)
    assert state.stat().st_size == size
