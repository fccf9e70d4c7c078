"""Outputs that would destroy an input or another output, or that cannot be written."""

import pytest

from tests.sim.commands.bad_inputs.pantry import FILES
from tests.sim.commands.bad_inputs.runner import check, ids

ROWS = [
    ("init file", "file must be a folder that can be written, not this (File exists)"),
    ("init file/new", "file/new must be a folder that can be written, not this (Not a directory)"),
    ("init loop", "loop must be a folder that can be written, not this"),
    ("init /proc/none", "/proc/none must be a folder that can be written, not this"),
    ("compile c.toml -o c.toml", "c.toml must not be written"),
    ("compile c.toml -o ./c.toml", "c.toml must not be written"),
    ("compile c.toml -o folder/../c.toml", "folder/../c.toml must not be written"),
    ("compile c.toml -o link.toml", "link.toml must not be written"),
    ("compile c.toml -o hard.toml", "hard.toml must not be written"),
    (
        "compile c.toml -o folder",
        "folder must be a file that can be written, not this (Is a directory)",
    ),
    ("compile c.toml -o file/x.img", "file/x.img must be a file that can be written, not this"),
    ("compile c.toml -o x.img --json x.img", "x.img must not be written"),
    ("compile c.toml -o x.img --json x.img.json", "x.img.json must not be written"),
    ("compile c.toml -o x.img --json x.img.hex", "x.img.hex must not be written"),
    ("compile c.toml -o x.img --json x.img/deep.json", "x.img must not be written as a file"),
    (
        "compile c.toml -o x.img --json /dev/full",
        "/dev/full must be a file that can be written, not this (No space left on device)",
    ),
    (
        "compile c.toml -o x.img --json loop",
        "loop must be a file that can be written, not this (Too many levels of symbolic links)",
    ),
    (
        "compile c.toml -o loop",
        "loop must be a file that can be written, not this (Too many levels of symbolic links)",
    ),
    (
        "compile c.toml -o socket",
        "socket must be a file that can be written, not this (Not a regular file)",
    ),
    (
        "compile c.toml -o /dev/full",
        "/dev/full must be a file that can be written, not this (No space left on device)",
    ),
    (
        "compile c.toml -o /proc/none/x.img",
        "/proc/none/x.img must be a file that can be written, not this (No such file or directory)",
    ),
    ("explain c.toml --json c.toml", "c.toml must not be written"),
    ("explain c.toml --json link.toml", "link.toml must not be written"),
    ("explain c.toml --json hard.toml", "hard.toml must not be written"),
    ("explain link.toml --json c.toml", "c.toml must not be written"),
    (
        "explain c.toml --json folder",
        "folder must be a file that can be written, not this (Is a directory)",
    ),
    (
        "explain c.toml --json file/x.json",
        "file/x.json must be a file that can be written, not this",
    ),
    (
        "explain c.toml --json /dev/full",
        "/dev/full must be a file that can be written, not this (No space left on device)",
    ),
    (
        "explain c.toml --json loop",
        "loop must be a file that can be written, not this (Too many levels of symbolic links)",
    ),
    ("verilog -o file", "file must be a folder that can be written, not this"),
    ("verilog -o file/x", "file/x must be a folder that can be written, not this"),
    ("verilog -o loop", "loop must be a folder that can be written, not this"),
    ("verilog -o v --json v", "v must not be written as a file"),
    (
        "verilog -o v --json folder",
        "folder must be a file that can be written, not this (Is a directory)",
    ),
    ("verilog -o v --json v/mcos.v", "v/mcos.v must not be written"),
    ("verilog -o v --json v/mcos.json", "v/mcos.json must not be written"),
    ("run c.toml --engine reference --json c.toml", "c.toml must not be written"),
    (
        "run c.toml --engine reference --waves old.vcd --window 2000:3000 --json old.json",
        "old.json must not be written",
    ),
    (
        "run c.toml --engine reference --waves folder/../c.vcd --window 2000:3000 --json c.sucl",
        "c.sucl must not be written",
    ),
    (
        "run c.toml --engine reference --waves x.vcd --window 2000:3000 --json x.gtkw",
        "x.gtkw must not be written",
    ),
    (
        "run c.toml --engine reference -o file",
        "file must be a folder that can be written, not this",
    ),
    ("run c.toml --engine reference --trace t.jsonl --json t.jsonl", "t.jsonl must not be written"),
    ("metrics c.toml --json c.toml", "c.toml must not be written"),
    ("metrics --mmap file --json file", "file must not be written"),
    ("demo c.toml -o file", "file must be a folder that can be written, not this"),
    ("demo c.toml --json c.toml", "c.toml must not be written"),
    ("demo c.toml -o d --json d/report.html", "d/report.html must not be written"),
    ("demo c.toml -o d --json d/window.vcd", "d/window.vcd must not be written"),
    ("demo c.toml -o d --json d/window.json", "d/window.json must not be written"),
    (
        "sweep c.toml -o s --table s/sweep.html.csv --json s/sweep.html",
        "s/sweep.html must not be written",
    ),
    ("sweep c.toml -o s --table s/t.csv --json s/t.csv", "s/t.csv must not be written"),
    ("sweep c.toml -o s --json s", "s must not be written as a file"),
    ("sweep c.toml -o file", "file must be a folder that can be written, not this"),
    ("memory colours c.toml --json c.toml", "c.toml must not be written"),
    ("memory conflicts c.toml --json c.toml", "c.toml must not be written"),
    ("trace t.jsonl --json t.jsonl", "t.jsonl must not be written"),
    (
        "trace --generate mooncake -o folder",
        "folder must be a file that can be written, not this (Is a directory)",
    ),
    ("trace --generate mooncake -o file/x", "file/x must be a file that can be written, not this"),
    (
        "trace --generate mooncake -o /dev/full",
        "/dev/full must be a file that can be written, not this (No space left on device)",
    ),
    (
        "trace --generate mooncake -o loop",
        "loop must be a file that can be written, not this (Too many levels of symbolic links)",
    ),
    ("timing -o file", "file must be a folder that can be written, not this"),
    (
        "timing --target ecp5 --json folder",
        "folder must be a file that can be written, not this (Is a directory)",
    ),
    ("lockstep --reproduce list.json --json list.json", "list.json must not be written"),
    ("lockstep -o file", "file must be a folder that can be written, not this"),
    ("lockstep -o l --json l/case.json", "l/case.json must not be written"),
    (
        "lockstep --json folder",
        "folder must be a file that can be written, not this (Is a directory)",
    ),
    ("soak --json folder", "folder must be a file that can be written, not this (Is a directory)"),
    ("soak --json file/x.json", "file/x.json must be a file that can be written, not this"),
    ("bench c.toml --json c.toml", "c.toml must not be written"),
    ("bench c.toml -o file", "file must be a folder that can be written, not this"),
    ("bench c.toml --json /dev/full/x", "/dev/full/x must be a file that can be written, not this"),
    ("fullscale c.toml --json c.toml", "c.toml must not be written"),
]


@pytest.mark.parametrize(("line", "says"), ROWS, ids=ids(ROWS))
def test_a_bad_input_is_one_line(line, says, tmp_path, capsys, monkeypatch):
    check(line, says, FILES, tmp_path, capsys, monkeypatch)
