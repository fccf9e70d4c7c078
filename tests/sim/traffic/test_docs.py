"""The page about traffic names the keys that the code knows, and nothing else."""

import json
import re
from pathlib import Path

import pytest

from mcos_hw.config import ChannelConfig
from mcos_policy.compiler import compile_contract
from mcos_policy.keys import declared
from mcos_policy.samples import SAMPLES
from mcos_sim.traffic.limit import MAX_REQUESTS
from mcos_sim.traffic.memory_trace import COLUMNS
from mcos_sim.traffic.pattern import MOST_OUTSTANDING, MOST_SIZES, PATTERNS
from mcos_sim.traffic.plan import STAGGER, plan_traffic
from mcos_sim.traffic.table import OPTION
from tests.sim.commands.command_line import run_command

PAGE = (Path(__file__).parents[3] / "docs" / "traffic.md").read_text(encoding="utf-8")
SECTION = PAGE.split("## What each tenant asks for\n")[1].split("\n## ")[0]


def _rows(heading: str) -> list[list[str]]:
    """Cells of the table with that first column."""
    table = SECTION.split(f"\n| {heading} |")[1].split("\n\n")[0]
    rows = [line.strip("|").split("|") for line in table.splitlines()[2:]]
    return [[cell.strip() for cell in row] for row in rows]


def _keys(pattern: str) -> dict[str, str]:
    """Documented default of each key of a pattern."""
    found = {}
    for key, patterns, _, default, _ in _rows("key"):
        if pattern in re.findall(r"`([\w-]+)`", patterns):
            assert key not in found
            found[key.strip("`")] = default
    return found


def test_documented_patterns_are_the_patterns():
    assert [row[0].strip("`") for row in _rows("pattern")] == list(PATTERNS)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_documented_keys_are_the_keys(pattern):
    fields = declared(PATTERNS[pattern])
    documented = _keys(pattern)
    assert sorted([*documented, "pattern"]) == sorted(fields)
    for key, default in documented.items():
        assert fields[key].required == (default == ""), key
        if re.fullmatch(r"`[0-9]+`", default):
            assert fields[key].default == int(default.strip("`")), key


def test_the_example_is_a_traffic_file(tmp_path):
    (example,) = re.findall(r"```toml\n(.*?)```", SECTION, re.DOTALL)
    names = re.findall(r"^\[traffic\.([a-z]+)\]", example, re.MULTILINE)
    text = SAMPLES["sixteen"].read_text()
    for name, old in zip(names, re.findall(r'name = "([^"]+)"', text), strict=False):
        text = text.replace(f'"{old}"', f'"{name}"', 1)
    (tmp_path / "c.toml").write_text(text)
    (tmp_path / "t.toml").write_text(example)
    compiled = compile_contract(tmp_path / "c.toml", ChannelConfig())
    plan = plan_traffic(compiled, file=tmp_path / "t.toml", options=(), run_clocks=200_000)
    asked = {each.tenant.name: each.pattern.pattern for each in plan.asking}
    assert [asked[name] for name in names] == ["closed", "on-off", "steady", "trace", "idle"]
    assert set(asked.values()) == set(PATTERNS)


def test_documented_limits_are_the_limits():
    text = " ".join(SECTION.split())
    assert f"1 to {MOST_OUTSTANDING}" in text
    assert f"at most {MOST_SIZES}" in text
    assert f"at most {MAX_REQUESTS:,} requests" in text
    assert f"begins {STAGGER} clocks after" in text
    assert f"`{OPTION} NAME=PATTERN" in text
    assert all(f"`{column}`" in text for column in COLUMNS)


def test_documented_figures_are_the_figures(tmp_path):
    out = tmp_path / "run.json"
    arguments = ("run", "h200", "--engine", "reference", "--clocks", 2_000)
    assert run_command(*arguments, "--json", out, "-o", tmp_path) == 0
    answer = PAGE.split("## What a run answers\n")[1].split("\n## ")[0]
    table = answer.split("\n| key | meaning |")[1].split("\n\n")[0]
    first_cells = [line.split("|")[1] for line in table.splitlines()[2:]]
    documented = [key for cell in first_cells for key in re.findall(r"`(\w+)`", cell)]
    for row in json.loads(out.read_text())["tenants"]:
        assert sorted(documented) == sorted(row)
        assert row["worst"] is None or all(f"`{key}`" in answer for key in row["worst"])
