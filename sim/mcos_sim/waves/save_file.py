"""GTKWave save file of a waveform window: what to show, in which groups, from where."""

import math
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from vcd.gtkw import GTKWSave

from mcos_policy.files import replacing
from mcos_sim.waves.groups import VISIBLE_CLOCKS, groups
from mcos_sim.waves.signals import ROOT, Signal

__all__ = [
    "write_save_file",
]


WAVES_PIXELS = 1000
"""Pixels that it has for them in a window of the size below."""

FRAME_PIXELS = 200
"""Pixels that GTKWave's zoom counts by: a zoom of ``-z`` puts ``2**z`` units of time into them."""

WINDOW_SIZE = 1600, 1000
SIGNALS_WIDTH = 320


def write_save_file(
    path: Path,
    *,
    vcd: Path,
    signals: Sequence[Signal],
    start: int,
    clock: Fraction,
    focus: int | None = None,
) -> None:
    """Write a save file that opens a window at its start, or at a time in it.

    Groups: those of :func:`mcos_sim.waves.groups.groups`, the arbiter on top.

    Parameters
    ----------
    path : Path
        The save file.
    vcd : Path
        The waveform, in the same folder.
    signals : Sequence[Signal]
        Signals of the waveform.
    start : int
        Time that the window starts at, in the VCD's units.
    clock : Fraction
        Length of a clock, in the VCD's units.
    focus : int or None
        Time that the marker stands at, a quarter of the view behind its left edge; the start if
        None.
    """
    marker = start if focus is None else focus
    left = max(start, marker - int(clock * VISIBLE_CLOCKS / 4))
    # GTKWave takes the bytes of the file's name, whatever they are.
    with (
        replacing(path) as partial,
        partial.open("w", encoding="utf-8", errors="surrogateescape") as file,
    ):
        save = GTKWSave(file)
        save.dumpfile(vcd.name, abspath=False)
        save.savefile(path.name, abspath=False)
        save.timestart(left)
        frame = clock * VISIBLE_CLOCKS * FRAME_PIXELS / WAVES_PIXELS
        save.zoom_markers(-math.log2(frame), marker)
        save.size(*WINDOW_SIZE)
        save.signals_width(SIGNALS_WIDTH)
        save.treeopen(ROOT)
        for title, members in groups(signals).items():
            with save.group(title):
                for label, signal in members:
                    bits = f"[{signal.width - 1}:0]" if signal.width > 1 else ""
                    save.trace(signal.path + bits, alias=label, datafmt=signal.radix.value)
