"""The command: exit codes, one line for each error, and files."""

import errno
import json
import re
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path

import pytest

from mcos_policy.samples import SAMPLES
from mcos_sim.__main__ import main as start
from mcos_sim.cli import COMMANDS, main
from mcos_sim.commands.compile import compile_for
from mcos_sim.errors import HardwareError, InternalError, UserError

CONTRACT = str(SAMPLES["decode-prefill"])
PLAIN = str(SAMPLES["sixteen"])
"""A contract without a remark."""


def _run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    code = caught.value.code
    return code if isinstance(code, int) else 0


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("--help") == 0
    shown = capsys.readouterr().out
    assert COMMANDS
    for name in COMMANDS:
        assert name in shown


@pytest.mark.parametrize("name", COMMANDS)
def test_each_help_ends_with_an_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(name, "--help") == 0
    assert f"Example: mcos {name} " in capsys.readouterr().out


def test_help_needs_no_heavy_package() -> None:
    code = (
        "import sys, mcos_sim.cli; "
        "print(sorted({'amaranth', 'cocotb', 'matplotlib', 'numpy', 'tree_sitter'} "
        "& set(sys.modules)))"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert shown.stdout == "[]\n"


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("--version") == 0
    assert capsys.readouterr().out.startswith("mcos ")


@pytest.mark.parametrize(
    "arguments",
    [
        ["compile"],
        ["compile", CONTRACT],
        ["compile", CONTRACT, "-o"],
        ["compile", CONTRACT, "-o", "x", "--tenants", "many"],
        ["explain", CONTRACT, "--colour"],
        ["conpile"],
        [],
    ],
)
def test_usage_errors(arguments: list[str]) -> None:
    assert _run(*arguments) == 2


def test_compile(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    image, summary = tmp_path / "a" / "x.img", tmp_path / "b" / "x.json"
    assert _run("compile", PLAIN, "-o", str(image), "--json", str(summary)) == 0
    shown = capsys.readouterr()
    record = json.loads(summary.read_text())
    assert shown.err == ""
    assert shown.out == (
        f"{image}: {record['words']} words, label {record['label']}, CRC {record['crc']}\n"
    )
    assert record["files"] == [str(image), f"{image}.json", f"{image}.hex"]
    assert len(image.read_bytes()) == 4 * record["words"]


def test_compile_for_another_number_of_tags(tmp_path: Path) -> None:
    sizes = []
    for tenants in ("4", "8", "16"):
        image = tmp_path / tenants
        assert _run("compile", CONTRACT, "-o", str(image), "--tenants", tenants) == 0
        sizes.append(image.stat().st_size)
    assert sizes[2] - sizes[1] == 2 * (sizes[1] - sizes[0]) > 0


def test_faulty_contract(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    contract, image = tmp_path / "c.toml", tmp_path / "x.img"
    contract.write_text("[fabric]\nchannels = 0\nextra = 1\n")
    assert _run("compile", str(contract), "-o", str(image)) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    lines = shown.err.splitlines()
    assert [line.split(" error: ")[0] for line in lines] == [
        f"{contract}:1:1:",
        f"{contract}:2:12:",
        f"{contract}:3:1:",
    ]
    assert list(tmp_path.iterdir()) == [contract]


def test_warnings_go_to_stderr_and_do_not_stop(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    contract, image = tmp_path / "c.toml", tmp_path / "x.img"
    text = Path(CONTRACT).read_text(encoding="utf-8")
    contract.write_text(text.replace('"25 us"', '"40 ns"'))
    assert _run("compile", str(contract), "-o", str(image)) == 0
    told = [line.split(":")[3] for line in capsys.readouterr().err.splitlines()]
    assert told == [" warning"] * 3 + [" note"]
    assert image.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["explain", CONTRACT, "--tenants", "5"],
            "mcos: error: tenants must be a power of two, not 5; the hardware has 4, 8 or 16 tags",
        ),
        (
            ["explain", CONTRACT, "--tenants", "32"],
            "mcos: error: tenants must be in 4..16, not 32; the hardware has 4, 8 or 16 tags",
        ),
        (
            ["compile", PLAIN, "-o", "{folder}"],
            (
                "mcos: error: {folder} must be a file that can be written, not this "
                "(Is a directory); choose another"
            ),
        ),
        (
            ["explain", CONTRACT, "--json", "{folder}/file/y/x.json"],
            (
                "mcos: error: {folder}/file/y/x.json must be a file that can be written, not this "
                "(Not a directory); choose another"
            ),
        ),
    ],
)
def test_user_errors(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert _run(*(argument.format(folder=tmp_path) for argument in arguments)) == 2
    assert capsys.readouterr().err == message.format(folder=tmp_path) + "\n"


@pytest.mark.parametrize("arguments", [("explain",), ("compile", "-o", "{folder}/x.img")])
def test_notes_are_said_and_in_the_record(
    arguments: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "x.json"
    command, *more = (argument.format(folder=tmp_path) for argument in arguments)
    assert _run(command, CONTRACT, *more, "--json", str(path)) == 0
    (note,) = json.loads(path.read_text())["notes"]
    assert "note: priority orders nothing here" in note
    assert capsys.readouterr().err == note + "\n"


@pytest.mark.parametrize("notes", [True, False])
def test_notes_can_be_left_out(notes: bool, capsys: pytest.CaptureFixture[str]) -> None:
    compiled = compile_for(Path(CONTRACT), notes=notes)
    assert len(compiled.notes) == 1
    assert ("priority orders nothing" in capsys.readouterr().err) == notes


@pytest.mark.parametrize("arguments", [("explain",), ("compile", "-o", "{folder}/x.img")])
def test_an_epoch_that_counters_do_not_outlast(
    arguments: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    contract, path = tmp_path / "c.toml", tmp_path / "x.json"
    text = Path(CONTRACT).read_text(encoding="utf-8")
    contract.write_text(re.sub('epoch = ".*"', 'epoch = "50 ms"', text), encoding="utf-8")
    command, *more = (argument.format(folder=tmp_path) for argument in arguments)
    assert _run(command, str(contract), *more, "--json", str(path)) == 0
    (warning,) = json.loads(path.read_text())["warnings"]
    assert "epoch should be at most 41.94 ms, not 50 ms, because GRANT_BYTES could" in warning
    assert warning in capsys.readouterr().err


def _fails(error: BaseException) -> Callable[..., None]:
    def fail(*_: object, **__: object) -> None:
        raise error

    return fail


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (UserError("no\nline"), 2, "mcos: error: no\\nline\n"),
        (HardwareError("differs; log:\n\x1b[1mlast"), 1, "differs; log:\n\\x1b[1mlast\n"),
        (InternalError("the step must end"), 3, "open an issue where you got it, with the log"),
        (OSError(errno.ENOSPC, "No space left on device"), 2, "(No space left on device)"),
        (
            OSError(errno.ELOOP, "Loop", "a\x1bb"),
            2,
            "error: a\\x1bb must be usable, and is not (Loop)",
        ),
        (MemoryError(), 2, "mcos: error: this machine must have more memory free"),
        (RecursionError("deep"), 3, "RecursionError: deep; the fault is in MCOS"),
        (FileNotFoundError(errno.ENOENT, "No such file"), 2, "the working directory must exist"),
        (FileNotFoundError(errno.ENOENT, "No such file", "own"), 3, "the fault is in MCOS"),
        (KeyboardInterrupt(), 130, ""),
    ],
    ids=lambda value: type(value).__name__,
)
def test_every_failure_ends_in_a_line(
    error: BaseException,
    code: int,
    told: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("mcos_policy.explain.explain", _fails(error))
    assert _run("explain", CONTRACT) == code
    shown = capsys.readouterr()
    assert (shown.out, told in shown.err) == ("", True), shown.err
    assert "Traceback" not in shown.err
    kept = list(tmp_path.rglob("*.txt"))
    assert len(kept) == (code == 3 and not isinstance(error, InternalError))
    for path in kept:
        assert str(path) in shown.err
        assert path.stat().st_mode & 0o077 == 0
        assert "Traceback" in path.read_text()


def test_a_crash_is_told_where_no_traceback_can_be_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr("tempfile.mkstemp", _fails(PermissionError()))
    monkeypatch.setattr("mcos_policy.explain.explain", _fails(RuntimeError("x")))
    assert _run("explain", CONTRACT) == 3
    assert capsys.readouterr().err.endswith("please open an issue where you got it\n")


STREAMS = [
    ("explain {contract}", "| head -c 10", 0, ""),
    (
        "explain {contract}",
        ">/dev/full",
        2,
        "standard output must be writable, and is not (No space",
    ),
    ("explain {contract}", ">&-", 0, ""),
    ("explain {contract}", ">/dev/null 2>&-", 0, ""),
    ("explain missing", "2>/dev/full", 2, ""),
    ("explain {contract} --json /dev/stdout", "| tail -n 3 >/dev/null", 0, ""),
    ("--help", "| head -c 10", 0, ""),
    ("--version", ">/dev/full", 2, "(No space left on device)"),
]
"""A command, what the shell does with its streams, its exit code and what it says."""


@pytest.mark.parametrize(("command", "streams", "code", "told"), STREAMS)
def test_streams_that_are_closed_or_full(
    command: str, streams: str, code: int, told: str, tmp_path: Path
) -> None:
    line = f"{sys.executable} -m mcos_sim {command.format(contract=PLAIN)} {streams}"
    done = subprocess.run(
        ["bash", "-c", f"{line}; exit ${{PIPESTATUS[0]}}"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert (done.returncode, told in done.stderr) == (code, True), done.stderr
    assert done.stderr == "" or told


def test_ctrl_c_while_the_command_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow(types.ModuleType):
        def __getattr__(self, name: str) -> object:
            raise KeyboardInterrupt

    monkeypatch.setitem(sys.modules, "mcos_sim.cli", Slow("mcos_sim.cli"))
    with pytest.raises(SystemExit) as caught:
        start()
    assert caught.value.code == 130


def test_the_help_says_where_the_pages_are(capsys):
    assert _run("--help") == 0
    (folder,) = re.findall(r"as docs/:\s+(\S+)", capsys.readouterr().out)
    assert (Path(folder) / "contract.md").is_file()
