"""What commands print fits terminals of every width, with no name and no number torn."""

import ast
import re
from pathlib import Path

import pytest
from rich.cells import cell_len

import mcos_sim
from mcos_policy.samples import SAMPLES
from mcos_sim.console import output
from tests.sim.commands.command_line import run_command

PACKAGE = Path(mcos_sim.__file__).parent

WIDTHS = (20, 40, 60, 80, 100, 200)


def shown(monkeypatch, capsys, width: int, *arguments: object) -> list[str]:
    """Lines of a command on a terminal of so many columns."""
    monkeypatch.setattr(output, "_width", width)
    monkeypatch.setattr(output, "_force_terminal", True)
    assert run_command(*arguments) == 0
    return capsys.readouterr().out.splitlines()


def words(lines: list[str]) -> set[str]:
    """Words, without the rules below headings and the commas of lists."""
    found = re.split(r"[\s─]+", " ".join(lines))
    return {word.rstrip(",") for word in found}


def _names(sample: str) -> set[str]:
    """Names of a sample's tenants."""
    return set(re.findall(r'^name = "(.*)"', SAMPLES[sample].read_text("utf-8"), re.MULTILINE))


@pytest.mark.parametrize("sample", SAMPLES)
def test_explain_is_whole_at_every_width(sample, monkeypatch, capsys):
    names = _names(sample)
    widest = words(shown(monkeypatch, capsys, 200, "explain", sample))
    assert widest >= names
    for width in WIDTHS:
        lines = shown(monkeypatch, capsys, width, "explain", sample)
        assert max(map(cell_len, lines)) <= width
        missing = {w for w in widest - words(lines) if cell_len(w) <= width}
        assert missing == set(), f"torn at {width} columns"


def test_run_is_whole_at_every_width(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    line = "run sixteen --engine reference --clocks 5000"
    names = _names("sixteen")
    for width in (20, 40, 100):
        assert words(shown(monkeypatch, capsys, width, *line.split())) >= names


def test_tables_of_commands_are_made_in_one_place():
    """rich's own tear names and numbers where they are too wide."""
    allowed = {"tables.py", "progress.py"}
    files = sorted(PACKAGE.rglob("*.py"))
    assert files
    for path in files:
        text = path.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)) if "rich.table" in text else ():
            if isinstance(node, ast.ImportFrom) and node.module == "rich.table":
                assert path.name in allowed, f"{path} must use mcos_sim.tables"
