"""What ``mcos run`` records: windows of a waveform, and the options that choose them."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from mcos_sim.commands.options import clock_span
from mcos_sim.console import say
from mcos_sim.errors import UserError

if TYPE_CHECKING:
    from mcos_sim.scenario import RunResult, Scenario, Window
    from mcos_sim.waves.worst import Percentile

__all__ = [
    "VIOLATION",
    "given_window",
    "require_vcd",
    "run_watched",
    "tell_files",
    "wanted_request",
]


_MOST_WINDOW_CLOCKS = 1_000_000
"""Clocks of a waveform: half a gigabyte while it is recorded."""

VIOLATION = "violation"
"""What ``--record`` is given to look for a broken rule."""


def tell_files(waves: Path) -> None:
    """Name a waveform and what was written beside it."""
    from mcos_sim.waves.window import window_files

    kinds = ("waveform", "state", "GTKWave save file", "Surfer command file")
    for what, file in zip(kinds, window_files(waves), strict=True):
        say(f"{what}: {file}")


def wanted_request(record: str | None, window: str | None) -> Percentile | None:
    """Which request is to be recorded, None where none is."""
    from mcos_sim.waves.worst import Percentile

    if record is None:
        return None
    if window is not None:
        raise UserError("--record chooses the window itself; leave --window out")
    return None if record == VIOLATION else Percentile.parse(record)


def run_watched(
    run: Callable[..., RunResult], scenario: Scenario, expected: int, waves: Path
) -> RunResult:
    """Run with every rule checked in every clock; at a violation, record it and exit with 1."""
    from mcos_sim.engines.watching import MARGIN_CLOCKS, Seen, Watch
    from mcos_sim.environment.environment import EnvironmentFault
    from mcos_sim.scenario import FIRST_CLOCK, Window

    try:
        result = run(scenario, expected, recording=Watch(scenario))
    except Seen as seen:
        clock, what = seen.violation.clock, seen.sentence
    except EnvironmentFault as fault:
        clock, what = fault.clock, str(fault)
    else:
        say(f"no rule is broken in {result.clocks:,} clocks; nothing was recorded")
        return result
    first, end = max(FIRST_CLOCK, clock - MARGIN_CLOCKS), clock + MARGIN_CLOCKS // 2
    window = Window(path=waves, first=first, end=min(scenario.clocks, end), focus=clock)
    # What is wrong may also end the run before the window does.
    with contextlib.suppress(EnvironmentFault):
        run(dataclasses.replace(scenario, window=window, clocks=window.end), window.end)
    say(what)
    tell_files(waves)
    raise typer.Exit(1)


def require_vcd(waves: Path) -> None:
    """Refuse a waveform of another kind.

    Raises
    ------
    UserError
        If the name does not end in .vcd.
    """
    if waves.suffix != ".vcd":
        raise UserError(f"--waves must name a .vcd file, not {str(waves)!r}; add .vcd")


def given_window(waves: Path | None, window: str | None, clocks: int | None) -> Window | None:
    """The window to record in a run of ``clocks``, None where its length is not known before."""
    from mcos_sim.scenario import FIRST_CLOCK, Window

    if waves is None and window is None:
        return None
    if waves is None or window is None:
        raise UserError("--waves FILE and --window A:B must be given together; add the other one")
    first, end = clock_span("--window", window)
    require_vcd(waves)
    if first < FIRST_CLOCK:
        raise UserError(
            f"--window must begin in clock {FIRST_CLOCK} or later, when the image is loaded, "
            f"not in clock {first}"
        )
    if clocks is not None and end > clocks:
        raise UserError(
            f"--window must end by clock {clocks}, where the run ends, not {end}; raise --clocks"
        )
    if end - first > _MOST_WINDOW_CLOCKS:
        raise UserError(
            f"--window must be at most {_MOST_WINDOW_CLOCKS:,} clocks long, not {end - first:,}; "
            "give a shorter one"
        )
    return Window(path=waves, first=first, end=end)
