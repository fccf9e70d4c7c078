"""Surfer command file of a waveform window: what to show, in which groups, from where."""

import math
from collections.abc import Sequence
from pathlib import Path

from mcos_policy.files import write_text
from mcos_sim.waves.groups import VISIBLE_CLOCKS, groups
from mcos_sim.waves.signals import Signal

__all__ = ["write_command_file"]


def write_command_file(path: Path, *, signals: Sequence[Signal], focus: int, clocks: int) -> None:
    """Write a command file that sets the cursor and shows some clocks around it.

    Surfer reads it with ``surfer window.vcd --command-file window.sucl``. Groups are those of the
    GTKWave save file, each behind a divider with its name.

    Parameters
    ----------
    path : Path
        The command file.
    signals : Sequence[Signal]
        Signals of the waveform.
    focus : int
        Time that the cursor stands at, in the waveform's units.
    clocks : int
        Clocks of the window. All of them are in view at first, and each step inwards halves them.
    """
    lines = []
    for title, members in groups(signals).items():
        lines.append(f"divider_add {title}")
        lines += [f"variable_add {signal.path}" for _, signal in members]
    steps = max(0, math.ceil(math.log2(clocks / VISIBLE_CLOCKS)))
    lines += ["zoom_fit", *["zoom_in"] * steps, f"cursor_set {focus}", "goto_cursor"]
    write_text(path, "\n".join(lines) + "\n")
