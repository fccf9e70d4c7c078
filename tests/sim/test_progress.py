"""Progress moves by itself, on a terminal and without, and leaves nothing behind."""

import io
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import threading
import time
from fcntl import ioctl

import pytest
from rich.console import Console

from mcos_sim.progress import Work, shown
from mcos_sim.stages import current, stage


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def work_at(*steps: tuple[float, float], total: float | None = 200.0, unit: str = "") -> Work:
    """Work that was done in amounts, each at a time after the beginning."""
    clock = Clock()
    work = Work("Running", total, unit=unit, now=clock)
    for seconds, amount in steps:
        clock.seconds = 100.0 + seconds
        work(amount)
    return work


@pytest.mark.parametrize(
    ("steps", "total", "line"),
    [
        ([], 200, "Running: 0 s"),
        ([(59, 0)], 200, "Running: 59 s"),
        ([(60, 0)], 200, "Running: 1 min 00 s"),
        ([(3599, 0)], 200, "Running: 59 min 59 s"),
        ([(3660, 0)], 200, "Running: 1 h 01 min"),
        ([(10, 50)], 200, "Running: 25% of 200 clocks, 10 s, about 30 s left, 5 clocks/s"),
        # A rate begins with the first amount: what came before was not running.
        (
            [(10, 50), (11, 50)],
            200,
            "Running: 50% of 200 clocks, 11 s, about 2 s left, 50 clocks/s",
        ),
        ([(10, 50), (12, 150)], 200, "Running: 100% of 200 clocks, 12 s, 75 clocks/s"),
        ([(10, 50), (12, 190)], 200, "Running: 100% of 200 clocks, 12 s, 95 clocks/s"),
        ([(10, 1)], 2, "Running: 50% of 2 clocks, 10 s, about 10 s left, 0.1 clocks/s"),
        # Little that came late, after something was compiled, tells nothing of the rest.
        ([(10, 19)], 200, "Running: 10% of 200 clocks, 10 s"),
        ([(10, 20)], 200, "Running: 10% of 200 clocks, 10 s, about 1 min 30 s left, 2 clocks/s"),
        (
            [(10, 19), (11, 1)],
            200,
            "Running: 10% of 200 clocks, 11 s, about 3 min 00 s left, 1 clocks/s",
        ),
        ([(10, 50)], None, "Running: 10 s"),
    ],
)
def test_a_line_says_what_is_known(steps, total, line):
    assert work_at(*steps, total=total, unit="clocks").line() == line


def test_no_rate_without_a_unit_and_no_control_code():
    assert work_at((10, 50)).line() == "Running: 25%, 10 s, about 30 s left"
    assert Work("a\x1b[2J", 1).line() == r"a\x1b[2J: 0 s"


def test_stages_are_told_while_they_last():
    work = work_at()
    with stage("compiling C++"):
        with stage("elaborating"), stage("compiling C++"):
            assert work.line() == "Running (compiling C++, elaborating): 0 s"
        assert current() == "compiling C++"
    assert current() == ""
    with pytest.raises(ValueError), stage("failing"):
        raise ValueError
    assert current() == ""


def printed(
    block, *, first: float = 0.05, seconds: float = 0.05, total: float | None = 4
) -> list[str]:
    """Lines that are printed elsewhere than on a terminal."""
    file = io.StringIO()
    console = Console(file=file, width=20)
    with shown(Work("Running", total), console, first_seconds=first, seconds=seconds) as work:
        block(work)
    return file.getvalue().splitlines()


def test_lines_without_a_terminal():
    def block(work):
        work(1)
        time.sleep(0.4)
        work(2)
        time.sleep(0.4)

    lines = printed(block)
    assert len(lines) > 3
    assert re.fullmatch(r"Running: 25%, \d s, about \d s left", lines[0])
    assert re.match(r"Running: 75%, \d s, ", lines[-2])
    assert re.fullmatch(r"Running: done in \d s", lines[-1])
    assert "\x1b" not in "".join(lines)


def test_the_first_line_comes_later_than_what_is_quick():
    assert printed(lambda work: work(4), first=60) == []
    lines = printed(lambda work: time.sleep(0.3), first=0.1, seconds=60)
    assert lines == ["Running: 0 s", "Running: done in 0 s"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_nothing_is_left_running_after_an_error(error):
    before = threading.active_count()

    def block():
        with shown(Work("Running", 1), Console(file=file), first_seconds=0):
            time.sleep(0.1)
            raise error

    file = io.StringIO()
    with pytest.raises(error):
        block()
    assert threading.active_count() == before
    assert file.getvalue().splitlines()[0] == "Running: 0 s"
    assert "done" not in file.getvalue()


PROGRAM = """
import sys, threading, time
from mcos_sim.console import errors, say, tell
from mcos_sim.progress import Work, shown
from mcos_sim.stages import stage

with shown(Work("Building the simulator", 1), errors, first_seconds=0.1, seconds=0.1) as work:
    with stage("compiling C++"):
        time.sleep(0 if "quick" in sys.argv else 1.2)
    say("a remark")
    work(1)
    if "quick" in sys.argv:
        sys.exit()
    if "fail" in sys.argv:
        raise KeyboardInterrupt
    time.sleep(0.3)
tell("a result")
assert threading.active_count() == 1
"""


def on_terminal(*arguments: str, columns: int, stdout: int | None = None) -> tuple[str, str]:
    """What the program writes on a terminal of so many columns, and to a pipe as stdout."""
    master, slave = pty.openpty()
    ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "TERM": "xterm"}
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments],
        stdin=slave,
        stdout=slave if stdout is None else stdout,
        stderr=slave,
        env={name: value for name, value in environment.items() if name != "COLUMNS"},
        text=True,
    ) as process:
        os.close(slave)
        shown_text = b""
        while True:
            try:
                read = os.read(master, 1 << 16)
            except OSError:  # nobody has the terminal any more
                break
            if not read:
                break
            shown_text += read
        piped = process.stdout.read() if process.stdout else ""
    os.close(master)
    return shown_text.decode(), piped


def test_a_bar_pulses_on_a_terminal():
    text, _ = on_terminal(columns=100)
    frames = re.findall(r"\r?\x1b\[2K([^\r\n]*Building[^\r\n]*)", text)
    pulses = {frame for frame in frames if "(compiling C++)" in frame}
    assert len(pulses) > 1, "the bar must move while nothing is known"
    assert re.search(r"100%, \d s", text)
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h") == 1
    assert re.search(r"\x1b\[2Ka remark\r\n", text)
    assert text.endswith("a result\r\n")


def test_what_is_quick_does_not_flicker():
    text, _ = on_terminal("quick", columns=100)
    assert text == "a remark\r\n"


def test_words_without_a_bar_on_a_narrow_terminal():
    text, _ = on_terminal(columns=40)
    assert "━" not in text
    assert "Building the simulator (compiling C++):" in text


def test_results_go_to_their_file_and_not_to_the_terminal():
    text, piped = on_terminal(columns=100, stdout=subprocess.PIPE)
    assert piped == "a result\n"
    assert "a result" not in text


def test_the_cursor_is_back_after_ctrl_c():
    text, _ = on_terminal("fail", columns=100)
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h") == 1


def test_no_control_codes_to_a_pipe():
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "FORCE_COLOR": "1"},
    )
    assert done.stdout == "a result\n"
    assert "\x1b" not in done.stderr
    assert done.stderr.startswith("Building the simulator (compiling C++): 0 s\n")
    assert re.fullmatch(r"Building the simulator: done in \d s", done.stderr.splitlines()[-1])
