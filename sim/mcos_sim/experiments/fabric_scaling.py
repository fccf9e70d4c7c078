"""How area and simulation time of a fabric grow with its channels."""

import json
import math
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mcos_hw.config import CHANNELS, ChannelConfig, FabricConfig, PortConfig
from mcos_hw.targets.axi import TOP
from mcos_sim.axi.fabric import fabric_design, fabric_library
from mcos_sim.axi.library import Library
from mcos_sim.experiments.fabric_speed import PATTERNS, WARM, pattern_rates
from mcos_sim.stages import stage
from mcos_sim.synthesis.tool import run_yosys

__all__ = [
    "COUNTS",
    "cell_counts_of",
    "measure_scaling",
    "slope",
    "small_fabric",
]


COUNTS = CHANNELS
"""Channels, by default."""

_PORTS = 8

_CLOCKS = 2_000
"""Clocks of a run that is timed, after those of :data:`WARM`."""

_RUNS = 3
"""Runs of which the shortest counts: what else the machine does only makes them longer."""

_PASSES = (
    "read_rtlil design.il",
    f"hierarchy -top {TOP}",
    "proc",
    "opt -fast",
    "wreduce",
    "memory_collect",
    "opt_clean",
    "techmap",
    "opt -fast",
    "tee -q -o cells.json stat -json",
)
"""To gates and flip-flops, module by module; memories stay as they are."""


def small_fabric(channels: int, *, ports: int = _PORTS) -> FabricConfig:
    """A fabric with the smallest channels and ports that carry anything.

    Parameters
    ----------
    channels, ports : int
        How many.
    """
    channel = ChannelConfig(
        tenants=4,
        queue_depth=max(2, ports),
        bytes_per_clock=8,
        beat_bytes=8,
        max_beats=8,
        slots=16,
        lateness=0,
        loader_checks=False,
        monitors=False,
    )
    port = PortConfig(
        data_bytes=8,
        id_width=4,
        order_width=4,
        reads=16,
        read_units=16 * channels,
        writes=4,
        write_units=16 * channels,
        table_rows=2,
        landing=4,
    )
    return FabricConfig.around(channel, channels=channels, ports=(port,) * ports)


def cell_counts_of(design: str) -> Mapping[str, int]:
    """Cells of a design by their type, as many as all instances of its modules have together.

    Parameters
    ----------
    design : str
        RTLIL, as :func:`mcos_sim.axi.fabric.fabric_design` gives it.
    """
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        (directory / "design.il").write_text(design, encoding="utf-8")
        run_yosys(_PASSES, directory=directory, name="cells")
        found = json.loads((directory / "cells.json").read_text(encoding="utf-8"))
    return {
        kind: count
        for kind, count in found["design"]["num_cells_by_type"].items()
        if kind.startswith("$") and kind != "$scopeinfo"
    }


def slope(counts: Sequence[int], values: Sequence[float]) -> float:
    """Slope of the line through the logarithms: 1 is in proportion."""
    x, y = ([math.log(each) for each in row] for row in (counts, values))
    middle, height = sum(x) / len(x), sum(y) / len(y)
    moments = sum((a - middle) * (b - height) for a, b in zip(x, y, strict=True))
    return moments / sum((a - middle) ** 2 for a in x)


def _seconds(library: Library, fabric: FabricConfig) -> float:
    """Processor time of a run."""
    begun = time.process_time()
    pattern_rates(library, fabric, PATTERNS["uniform"], clocks=_CLOCKS)
    return time.process_time() - begun


def measure_scaling(
    counts: Sequence[int] = COUNTS, *, on_step: Callable[[], None] = lambda: None
) -> dict[str, Any]:
    """Cells and clocks a second for each number of channels, with eight ports.

    Parameters
    ----------
    counts : Sequence[int]
        Numbers of channels.
    on_step : Callable
        Called after each.

    Returns
    -------
    dict[str, Any]
        ``area_slope`` and ``time_slope``, and ``sizes[]`` with ``channels``, ``cells``,
        ``flip_flops``, ``memories`` and ``clocks_per_s``.
    """
    rows: list[dict[str, Any]] = []
    for count in counts:
        fabric = small_fabric(count)
        with stage(f"fabric of {_PORTS} ports and {count} channels"):
            design = fabric_design(fabric)
            kinds = cell_counts_of(design[0])
            library = fabric_library(fabric, design=design)
            seconds = min(_seconds(library, fabric) for _ in range(_RUNS))
        memories = sum(number for kind, number in kinds.items() if kind.startswith("$mem"))
        rows.append(
            {
                "cells": sum(kinds.values()) - memories,
                "channels": count,
                "clocks_per_s": round((WARM + _CLOCKS) / seconds),
                "config_hash": fabric.hash,
                "flip_flops": sum(number for kind, number in kinds.items() if "FF" in kind),
                "memories": memories,
            }
        )
        on_step()
    return {
        "area_slope": round(slope(counts, [row["cells"] for row in rows]), 4),
        "ports": _PORTS,
        "sizes": rows,
        "time_slope": round(slope(counts, [1 / row["clocks_per_s"] for row in rows]), 4),
    }
