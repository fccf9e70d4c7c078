"""The help of every command fits the terminal: sentences go on, names are whole."""

import pytest
import typer

from mcos_sim.cli import COMMANDS, app, main
from mcos_sim.console import output


def helped(monkeypatch, capsys, width: int, *names: str) -> str:
    monkeypatch.setattr(output, "_width", width)
    with pytest.raises(SystemExit) as caught:
        main([*names, "--help"])
    assert not caught.value.code
    return capsys.readouterr().out


def paths() -> list[tuple[str, ...]]:
    """Every command, with those inside groups."""
    found: list[tuple[str, ...]] = [()]
    for name in COMMANDS:
        found.append((name,))
        command = typer.main.get_command(app).commands[name]  # ty: ignore[unresolved-attribute]
        found += [(name, each) for each in getattr(command, "commands", ())]
    assert len(found) > len(COMMANDS) + 1
    return found


@pytest.mark.parametrize("names", paths(), ids=" ".join)
@pytest.mark.parametrize("width", [40, 80])
def test_names_are_whole_and_lines_are_within_the_terminal(names, width, monkeypatch, capsys):
    narrow = helped(monkeypatch, capsys, width, *names)
    whole = helped(monkeypatch, capsys, 1_000, *names)
    assert max(map(len, narrow.splitlines())) <= width
    assert "…" not in narrow
    assert {*whole.split()} - {"─"} == {*narrow.split()} - {"─"}
    assert any("--help" in line.split() for line in narrow.splitlines())


def test_paragraphs_of_a_docstring_are_filled(monkeypatch, capsys):
    lines = helped(monkeypatch, capsys, 60, "lockstep").splitlines()
    assert lines[:8] == [
        "Usage: mcos lockstep [OPTIONS]",
        "",
        "Compare the emitted Verilog with the reference model in ",
        "every clock.",
        "",
        "Both run the same random contracts, commits and requests. ",
        "The first case that differs is made as short as possible and",
        "written to a file, with a waveform that has both sides.",
    ]


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("lockstep", "--cases N Random contracts and traffic. [default: 20; 1 to 1000000]"),
        ("lockstep", "-o, --output DIR Folder for what differs. [default: build/lockstep]"),
        (
            "lockstep",
            "--tenants N Sizes to compare. [may be repeated; default: 16, or 4 of several",
        ),
        ("waves", "FILE VCD or FST of a channel. [required]"),
        ("waves", "--limit N Violations that are printed. [default: 20; 1 or more]"),
        ("waves", "Usage: mcos waves [OPTIONS] FILE"),
        ("sweep", "--pacer / --no-pacer Hold granted bytes"),
        ("sweep", "--engine CHOICE What runs it. [cocotb, verilated, reference; may be repeated; "),
        ("sweep", "--scheduler ADDRESS Run on the workers"),
        ("memory", "check Serve each case's requests and compare"),
    ],
)
def test_an_option_says_what_it_takes(name, row, monkeypatch, capsys):
    assert row in " ".join(helped(monkeypatch, capsys, 200, name).split())
