"""What commands share: outputs are checked before any work is done."""

import io
from pathlib import Path

import pytest
from rich.panel import Panel
from rich.table import Table

from mcos_sim.console import errors, output, require_outputs, say, tell
from mcos_sim.errors import UserError


def test_outputs_that_can_be_written_leave_nothing_behind(tmp_path):
    new, old = tmp_path / "deep" / "new.json", tmp_path / "old.json"
    old.write_text("kept")
    require_outputs([new, None, old], inputs=[tmp_path / "contract.toml"])
    assert not new.exists()
    assert old.read_text() == "kept"


@pytest.mark.parametrize(
    ("outputs", "inputs"),
    [(["./contract.toml"], ["contract.toml"]), (["contract.toml", "contract.toml"], [])],
)
def test_an_output_that_is_an_input_or_another_output_is_refused(tmp_path, outputs, inputs):
    path = tmp_path / "contract.toml"
    path.write_text("kept")
    written, read = ([tmp_path / name for name in names] for names in (outputs, inputs))
    with pytest.raises(UserError, match=r"contract\.toml must not be written, because"):
        require_outputs(written, inputs=read)
    assert path.read_text() == "kept"


def test_an_output_that_is_a_folder_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"must be a file that can be written, not this"):
        require_outputs([tmp_path])


@pytest.mark.parametrize("link", ["symlink_to", "hardlink_to"])
def test_a_link_to_an_input_is_the_input(tmp_path, link):
    path, other = tmp_path / "contract.toml", tmp_path / "other"
    path.write_text("kept")
    getattr(other, link)(path)
    for written, read in ((other, path), (path, other)):
        with pytest.raises(UserError, match=r"must not be written, because this command reads it"):
            require_outputs([written], inputs=[read])
    assert path.read_text() == "kept"


def test_a_file_cannot_be_a_folder_of_another_output(tmp_path):
    for outputs, folders in (
        ([tmp_path / "a", tmp_path / "a" / "b"], []),
        ([tmp_path / "a" / "b" / "c", tmp_path / "a"], []),
        ([tmp_path / "a"], [tmp_path / "a"]),
        ([tmp_path / "a"], [tmp_path / "a" / "b"]),
    ):
        with pytest.raises(UserError, match="because it is a folder of another output"):
            require_outputs(outputs, folders=folders)
    assert list(tmp_path.iterdir()) == []
    require_outputs([tmp_path / "a" / "b"], folders=[tmp_path / "a"])


def test_a_terminal_or_a_pipe_may_be_read_and_written(tmp_path):
    require_outputs([Path("/dev/null"), Path("/dev/null")], inputs=[Path("/dev/null")])


def test_leftovers_beside_outputs_are_removed(tmp_path):
    left = tmp_path / ".x.json.0123abcd.partial"
    left.write_text("{")
    require_outputs([tmp_path / "y.json"])
    assert not left.exists()


STRANGE = {
    "[red]x[/red]": "[red]x[/red]",
    ":smile:": ":smile:",
    "\x1b[31mx": r"\x1b[31mx",
    "\x1b]0;title\x07": r"\x1b]0;title\x07",
    "\x9b31m": r"\x9b31m",
    "a\u202eb": r"a\u202eb",
    "a\u2028b": r"a\u2028b",
    "\udcff": r"\udcff",
    "a\rb": r"a\rb",
    "a\tb": r"a\tb",
    "µ é 漢": "µ é 漢",
}
"""Names as they may come from a stranger, and how they are shown."""


@pytest.mark.parametrize(("name", "shown"), STRANGE.items(), ids=ascii)
def test_nothing_in_a_name_reaches_the_terminal(name, shown, capsys):
    table = Table("column", title=name)
    table.add_column(name)
    table.add_row(name, Panel(name))
    for show in (say, tell, output.print, errors.print):
        show(name)
        assert shown + "\n" in "".join(capsys.readouterr())
    output.print(table)
    text = capsys.readouterr().out
    assert text.count(shown) == 4
    assert set(text) & set("\x1b\x07\x9b\u202e\u2028\udcff\r\t") == set()


def test_a_line_break_in_a_name_makes_no_line(capsys):
    say("a\nb")
    tell("a\nb")
    assert "".join(capsys.readouterr()) == "a\\nb\na\\nb\n"


LINE = "the guarantee of decode-prefill must be less: " + "p" * 30


@pytest.mark.parametrize("console", [output, errors], ids=["tell", "say"])
def test_a_line_is_broken_at_spaces_on_a_terminal_only(console, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    show = tell if console is output else say
    for file, lines in (
        (io.StringIO(), [LINE]),
        (Terminal(), ["the guarantee of", "decode-prefill must", "be less:", "p" * 30]),
    ):
        monkeypatch.setattr(console, "_file", file)
        monkeypatch.setattr(console, "_width", 20)
        show(LINE)
        assert [line.rstrip() for line in file.getvalue().splitlines()] == lines
