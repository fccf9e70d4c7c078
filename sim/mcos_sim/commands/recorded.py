"""What ``mcos run`` records: windows of a waveform, and the options that choose them."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mcos_sim.commands.options import clock_span
from mcos_sim.console import say
from mcos_sim.engines.dispatch import Engine
from mcos_sim.errors import UserError

if TYPE_CHECKING:
    from mcos_sim.experiments.prepare import Prepared
    from mcos_sim.scenario import RunResult, Window
    from mcos_sim.waves.worst import Percentile

__all__ = [
    "RecordOptions",
    "Recorded",
    "run_watched",
    "tell_files",
]


_MOST_WINDOW_CLOCKS = 1_000_000
"""Clocks of a waveform: half a gigabyte while it is recorded."""

_VIOLATION = "violation"
"""What ``--record`` is given to look for a broken rule."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recorded:
    """What is to be recorded.

    Parameters
    ----------
    waves : Path or None
        File of the waveform; None if nothing is recorded.
    window : Window or None
        Clocks that are known before the run.
    request : Percentile or None
        The request around which clocks are recorded in a second run.
    watched : bool
        Whether every rule is checked, and the first violation is recorded.
    """

    waves: Path | None = None
    window: Window | None = None
    request: Percentile | None = None
    watched: bool = False

    def files(self, channels: int) -> list[Path]:
        """All files of the waveforms, of each channel."""
        from mcos_sim.waves.window import channel_paths, window_files

        waves = [] if self.waves is None else channel_paths(self.waves, channels)
        return [file for each in waves for file in window_files(each)]

    def require_engine(self, engine: Engine, channels: int) -> None:
        """Refuse to record several channels in cocotb.

        Raises
        ------
        UserError
            If something is to be recorded there.
        """
        recorded = self.watched or self.window is not None
        if recorded and engine is Engine.COCOTB and channels > 1:
            raise UserError(
                f"--waves of {channels} channels must be with --engine verilated, which is the "
                "same hardware, or reference, not cocotb; choose one"
            )


@dataclasses.dataclass(frozen=True, kw_only=True)
class RecordOptions:
    """Which clocks become a waveform."""

    waves: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="VCD to write, with --window.", show_default=False),
    ] = None
    window: Annotated[
        str | None,
        typer.Option(metavar="A:B", help="Clocks A up to B of the waveform.", show_default=False),
    ] = None
    record: Annotated[
        str | None,
        typer.Option(
            metavar="worst:pN[:TENANT]|violation",
            help="Run again and write the waveform around the request of that percentile, or "
            "around the first clock in which a rule is broken.",
            show_default=False,
        ),
    ] = None

    def chosen(self, *, directory: Path, engine: Engine, clocks: int | None) -> Recorded:
        """What is to be recorded.

        Parameters
        ----------
        directory : Path
            Folder of the run's files.
        engine : Engine
            What the run is of.
        clocks : int or None
            Length of the run; None where it is not known before.

        Raises
        ------
        UserError
            If the options do not go together.
        """
        from mcos_sim.waves.worst import Percentile

        if self.record is None:
            window = _given_window(self.waves, self.window, clocks)
            return Recorded(waves=self.waves, window=window)
        if self.window is not None:
            raise UserError("--record chooses the window itself; leave --window out")
        watched = self.record == _VIOLATION
        request = None if watched else Percentile.parse(self.record)
        if watched and engine is Engine.COCOTB:
            raise UserError(
                "--record violation needs --engine verilated, which is the same hardware, or "
                "reference"
            )
        waves = self.waves or directory / ("violation.vcd" if watched else "worst.vcd")
        _require_vcd(waves)
        return Recorded(waves=waves, request=request, watched=watched)


def tell_files(waves: Path, channels: int = 1) -> None:
    """Name a waveform and what was written beside it, of each channel."""
    from mcos_sim.waves.window import channel_paths, window_files

    kinds = ("waveform", "state", "GTKWave save file", "Surfer command file")
    for channel, path in enumerate(channel_paths(waves, channels)):
        of = f" of channel {channel}" if channels > 1 else ""
        for what, file in zip(kinds, window_files(path), strict=True):
            say(f"{what}{of}: {file}")


def run_watched(run: Callable[..., RunResult], prepared: Prepared, waves: Path) -> RunResult:
    """Run with every rule checked in every clock; at a violation, record it and exit with 1."""
    from mcos_sim.engines.watching import MARGIN_CLOCKS, Seen, Watch
    from mcos_sim.environment.environment import EnvironmentFault
    from mcos_sim.scenario import FIRST_CLOCK, Window

    scenario, expected = prepared.scenario, prepared.expected
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
    tell_files(waves, len(scenario.channels))
    raise typer.Exit(1)


def _require_vcd(waves: Path) -> None:
    """Refuse a waveform of another kind.

    Raises
    ------
    UserError
        If the name does not end in .vcd.
    """
    if waves.suffix != ".vcd":
        raise UserError(f"--waves must name a .vcd file, not {str(waves)!r}; add .vcd")


def _given_window(waves: Path | None, window: str | None, clocks: int | None) -> Window | None:
    """The window to record in a run of ``clocks``, None where its length is not known before."""
    from mcos_sim.scenario import FIRST_CLOCK, Window

    if waves is None and window is None:
        return None
    if waves is None or window is None:
        raise UserError("--waves FILE and --window A:B must be given together; add the other one")
    first, end = clock_span("--window", window)
    _require_vcd(waves)
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
