"""Reading waveforms: ours, of other names, damaged, and as FST."""

import json
import re
import shutil
import subprocess
import types
from typing import Any

import numpy as np
import pytest

from mcos_hw.config import ChannelConfig
from mcos_sim.cli import main
from mcos_sim.lockstep.case import random_case
from mcos_sim.waves.reading import read_waveform
from mcos_sim.waves.rules import check_waveform
from mcos_sim.waves.summary import not_shown
from tests.sim.waves.windows import write_case

CONFIG = ChannelConfig(tenants=4)


@pytest.fixture(scope="module")
def window(tmp_path_factory):
    path = tmp_path_factory.mktemp("waves") / "window.vcd"
    write_case(random_case(CONFIG, seed=4, clocks=1_500), path)
    return path


def mcos(*arguments) -> int:
    with pytest.raises(SystemExit) as caught:
        main([*map(str, arguments)])
    return caught.value.code or 0


def test_columns(window):
    waveform = read_waveform(window)
    assert waveform.config == CONFIG
    assert waveform.clocks[0] == 1024
    assert np.all(np.diff(waveform.clocks) == 1)
    granted = waveform.channel["granted"] == 1
    assert granted.any()
    assert (waveform.channel["tenant"][granted] >= 0).all()
    assert (waveform.channel["tenant"][~granted] == -1).all()
    assert waveform.tenants["queued"].shape == (len(waveform.clocks), 4)
    assert waveform.tenants["queued"].max() > 1


def test_the_command_lists_grants_and_writes_json(window, tmp_path, capsys):
    found = tmp_path / "found.json"
    assert mcos("waves", window, "--grants", "1024:1200", "--json", found) == 0
    assert "no rule is broken" in capsys.readouterr().out
    facts = json.loads(found.read_text())
    assert facts["violation_count"] == 0
    assert facts["grants"]
    assert sum(each["share"] for each in facts["tenants"]) == pytest.approx(1)


def test_a_foreign_waveform_through_a_mapping(window, tmp_path):
    """The same channel under names of its own."""
    foreign = tmp_path / "foreign.vcd"
    text = window.read_text().replace("$scope module mcos $end", "$scope module dut $end")
    foreign.write_text(re.sub(r" virtual_time \$end", " vtime $end", text))
    names = re.findall(r"\$var \w+ +\d+ \S+ (\S+) \$end", text)
    assert "virtual_time" in names
    (tmp_path / "state.json").write_text(window.with_suffix(".json").read_text())
    ours = _paths(text.replace("module dut", "module mcos"))
    rows = [f'"{name}" = "{_foreign(name)}"' for name in ours]
    mapping = tmp_path / "names.toml"
    mapping.write_text('state = "state.json"\n[signals]\n' + "\n".join(rows) + "\n")
    there = read_waveform(foreign, mapping=mapping)
    here = read_waveform(window)
    assert np.array_equal(there.channel["virtual_time"], here.channel["virtual_time"])
    assert check_waveform(there) == ([], 0)


def _foreign(name: str) -> str:
    return name.replace("mcos.", "dut.").replace("virtual_time", "vtime")


def _paths(text: str) -> list[str]:
    """Full names of all signals of a VCD."""
    scopes: list[str] = []
    found = []
    for line in text.splitlines():
        words = line.split()
        if words[:1] == ["$scope"]:
            scopes.append(words[2])
        elif words[:1] == ["$upscope"]:
            scopes.pop()
        elif words[:1] == ["$var"] and words[1] != "string":
            found.append(".".join([*scopes, words[4]]))
        elif words[:1] == ["$enddefinitions"]:
            break
    return found


@pytest.mark.skipif(shutil.which("vcd2fst") is None, reason="needs vcd2fst of GTKWave")
def test_fst(window, tmp_path):
    path = tmp_path / "window.fst"
    subprocess.run(["vcd2fst", str(window), str(path)], check=True)
    path.with_suffix(".json").write_text(window.with_suffix(".json").read_text())
    here, there = read_waveform(window), read_waveform(path)
    for name, column in here.channel.items():
        assert np.array_equal(column, there.channel[name]), name
    for name, column in here.tenants.items():
        assert np.array_equal(column, there.tenants[name]), name
    for name, column in here.events.items():
        assert np.array_equal(column, there.events[name]), name


def test_mistakes_are_one_line(window, tmp_path, capsys):
    state = window.with_suffix(".json").read_text()

    def complains(path, complaint, *arguments):
        assert mcos("waves", path, *arguments) == 2
        error = capsys.readouterr().err
        assert error.startswith("mcos: error: ")
        assert error.count("\n") == 1
        assert complaint in error

    complains(tmp_path / "none.vcd", "must be a waveform")
    alone = tmp_path / "alone.vcd"
    alone.write_text(window.read_text())
    complains(alone, "must be the state that the waveform starts from")

    cut = tmp_path / "cut.vcd"
    cut.write_text(window.read_text().rsplit(" ", 1)[0])
    line = cut.read_text().count("\n") + 1
    cut.with_suffix(".json").write_text(state)
    complains(cut, f"{cut}:{line}: a value must have an identifier")

    other = tmp_path / "other.vcd"
    other.write_text(window.read_text().replace("module mcos", "module dut"))
    other.with_suffix(".json").write_text(state)
    complains(other, "must have the signal mcos.arbiter.beats, and has not (nor ")

    mapping = tmp_path / "names.toml"
    mapping.write_text("[signal]\n")
    complains(
        window, "must have only state and the table signals, not 'signal'", "--mapping", mapping
    )
    mapping.write_text("signals = ")
    complains(window, "must be TOML", "--mapping", mapping)
    complains(window, "must be two clocks A:B", "--grants", "9:3")
    damaged = tmp_path / "damaged.fst"
    damaged.write_bytes(b"no waveform")
    damaged.with_suffix(".json").write_text(state)
    complains(damaged, "does not begin as one")
    damaged.write_bytes(b"\0no more than this")
    complains(damaged, "is cut off or damaged")


@pytest.mark.parametrize(("first", "end", "told"), [(10, 20, False), (9, 15, True), (15, 21, True)])
def test_clocks_of_grants_that_a_waveform_lacks_are_said(first, end, told):
    waveform: Any = types.SimpleNamespace(clocks=np.arange(10, 20))
    said = "the waveform has clocks 10:20; grants in the others are not listed"
    assert not_shown(waveform, first, end) == (said if told else None)
