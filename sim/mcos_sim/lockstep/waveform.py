"""Both sides of a difference in one waveform."""

from pathlib import Path

import numpy as np
from vcd import VCDWriter

from mcos_hw.config import ChannelConfig
from mcos_policy.files import replacing
from mcos_sim.model.probe import probe_fields

__all__ = [
    "write_both",
]


def write_both(
    path: Path, sides: dict[str, np.ndarray], *, first: int, config: ChannelConfig
) -> None:
    """Write a VCD with a scope a side and, in each, a variable a field of the probe.

    Parameters
    ----------
    path : pathlib.Path
        VCD file; one clock is 10 ns.
    sides : dict[str, numpy.ndarray]
        Rows of :func:`mcos_sim.model.probe.pack` of consecutive clocks, by name of the side.
    first : int
        Clock of the first row.
    config : ChannelConfig
        Sizes.
    """
    fields = probe_fields(config)
    with (
        replacing(path) as partial,
        partial.open("w", encoding="ascii") as file,
        VCDWriter(file, timescale="1 ns", date="") as writer,
    ):
        clock_variable = writer.register_var("lockstep", "clock", "integer", size=64)
        differs = writer.register_var("lockstep", "differs", "wire", size=1)
        variables = {
            (side, name): writer.register_var(f"lockstep.{side}.{scope}", field, "wire", size=width)
            for side in sides
            for name, (scope, field, _, width) in fields.items()
        }
        rows = list(sides.values())
        for k in range(len(rows[0])):
            time = 10 * (first + k)
            writer.change(clock_variable, time, first + k)
            writer.change(differs, time, int(any((row[k] != rows[0][k]).any() for row in rows)))
            for side, row in sides.items():
                whole = int.from_bytes(row[k].tobytes(), "little")
                for name, (_, _, offset, width) in fields.items():
                    writer.change(variables[side, name], time, whole >> offset & (1 << width) - 1)
