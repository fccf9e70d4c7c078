"""The channel in ASAP7, a predictive 7 nm library, after synthesis at the slow corner."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mcos_hw.targets.generic import TOP
from mcos_sim.errors import InternalError
from mcos_sim.synthesis import memories
from mcos_sim.synthesis.design import Design
from mcos_sim.synthesis.library import CORNER, cell_areas, find_library, unpack
from mcos_sim.synthesis.paths import Route, bundles
from mcos_sim.synthesis.result import Measurement, path_rows
from mcos_sim.synthesis.sta import run_sta
from mcos_sim.synthesis.tool import cell_counts, has_opensta, run_yosys

__all__ = [
    "FLIP_FLOP",
    "Asap7",
    "abc_delay_ps",
    "is_queue",
]


FLIP_FLOP = "DFFHQNx1_ASAP7_75t_R"
"""The quickest flip-flop of the library; its output is inverted."""

_FLIP_FLOP_PS = 110
"""Clock-to-output and setup of it, for where only abc tells the delay between registers."""

_DRIVER = "INVx1_ASAP7_75t_R"
"""What abc takes registers and ports for: about as weak as the flip-flop."""

_LOAD_FF = 1.0
"""What abc loads outputs with: a flip-flop's or a memory's pin."""

_AVOIDED = ("HB*", "CKINV*", "*xp33_*", "*xp25_*")
"""Cells that abc must not use: delay cells and clock inverters, and the weakest of each kind."""

_ADDERS = "+/choices/kogge-stone.v"

_MAPPING = (
    "strash",
    # Fewer levels by way of six-input functions, whose sums of products are balanced.
    *(3 * ("if -g -K 6", "strash")),
    "dch -f",
    "map -B 0.9",
    "topo",
    "buffer -c",
    "topo",
    "upsize",
    "dnsize",
    # A second round, as the first changed what is critical.
    "buffer -c",
    "topo",
    "upsize",
    "dnsize",
    "upsize",
    "stime -p",
)
"""abc's commands: of those tried, the ones that gave the quickest netlist of the whole channel.

With two rounds of ``if -g`` it is 4 % slower, with one or none 6 %; ``&syn3`` before ``dch`` makes
it 18 % slower, ``&synch2`` 3 %. ``&nf`` in place of ``map -B 0.9`` was 18 % slower and 15 %
smaller, ``map`` without ``-B`` 12 % slower, ``dch`` without ``-f`` 1 %; buffers and sizes made the
mapped netlist 20 % quicker, the second round 1 %.
"""

_FLIP_FLOP_MAP = f"""
module \\$_DFF_P_ (input D, input C, output Q);
  wire d, n;
  \\$_BUF_ data (.A(D), .Y(d));
  {FLIP_FLOP} _TECHMAP_REPLACE_ (.CLK(C), .D(d), .QN(n));
  \\$_NOT_ invert (.A(n), .Y(Q));
endmodule
"""
"""Flip-flops: every data pin its own output for abc, see :func:`memories.pin_buffers`."""

_TOLD = 100
"""Bundles of paths that are kept."""

_DELAY = re.compile(r"Delay =\s*([\d.]+) ps")


def is_queue(memory: str) -> bool:
    """Whether a memory holds queued requests."""
    return any(part.startswith("queue") for part in memory.split("."))


def abc_delay_ps(log: str) -> float:
    """Delay of the mapped logic in abc's last word on it, in ps.

    Raises
    ------
    InternalError
        If it said nothing.
    """
    found = _DELAY.findall(log)
    if not found:
        raise InternalError(
            "abc must end with the delay of what it mapped, not without; see map.log"
        )
    return float(found[-1])


class Asap7:
    """Post-synthesis timing and area.

    All memories are black boxes with a stated timing; those of the queues are so once, and once
    made of flip-flops. Area counts cells, not black boxes.

    Parameters
    ----------
    queues : str
        ``registers`` or ``blackbox``.
    """

    def __init__(self, *, queues: str) -> None:
        self.queues = queues
        self.name = f"asap7-{CORNER}-{queues}"

    def missing(self) -> str | None:
        """Why it cannot be measured here, or None if it can."""
        if find_library() is None:
            return (
                "the ASAP7 liberty files must be in pdk/asap7 below MCOS_SHARED, and are not; "
                f"{self.name} is left out"
            )
        return None

    def measure(self, design: Design, *, paths: int) -> Measurement:
        """Measure a design.

        Parameters
        ----------
        design : Design
            What to measure.
        paths : int
            Number of bundles of paths to tell about.
        """
        library = find_library()
        assert library is not None, "measured only where nothing is missing"
        liberties = unpack(library, design.cache.directory / "asap7")
        found = self._mapped(design, liberties)
        timed = self._timed(design, liberties)
        period = timed["period_ps"]
        return Measurement(
            name=self.name,
            tenants=design.config.tenants,
            lateness=design.config.lateness,
            grant_interval=design.config.grant_interval,
            fmax_mhz=round(1e6 / period, 1),
            ffs=found["flip_flops"],
            area_um2=found["area_um2"],
            critical_path=timed["paths"][0]["path"] if timed["paths"] else None,
            more={
                "cells": found["cells"],
                "memories": found["memories"],
                "memory_timing_ps": {
                    "access": memories.MEMORY_TIMING.access_ps,
                    "setup": memories.MEMORY_TIMING.setup_ps,
                },
                "period_ps": period,
                "input_ps": timed["input_ps"],
                "timed_by": timed["timed_by"],
                "paths": timed["paths"][:paths],
            },
        )

    def _inputs(self, design: Design) -> dict[str, Any]:
        return {
            **design.inputs,
            "queues": self.queues,
            "timing": repr(memories.MEMORY_TIMING),
            "passes": [self._to_gates(), self._to_cells({})],
            "mapping": _MAPPING,
        }

    def _to_gates(self) -> list[str]:
        return [
            "read_json boxed.json",
            f"hierarchy -top {TOP}",
            "memory_map",
            "setattr -unset init w:*",
            "opt -fast",
            "alumacc",
            "opt -fast",
            f"techmap -map +/techmap.v -map {_ADDERS}",
            "opt_clean -purge",
            "opt -fast",
            "dfflegalize -cell $_DFF_P_ x",
            # Not opt, which would find enables and resets again.
            "opt_expr",
            "opt_merge",
            "opt_clean",
            "rename -wire */t:$_DFF_P_",
            "techmap -map flip_flop.v -map pins.v",
        ]

    def _to_cells(self, liberties: Mapping[str, Path]) -> list[str]:
        avoided = " ".join(f"-dont_use {cell}" for cell in _AVOIDED)
        files = " ".join(
            f"-liberty {path}" for kind, path in sorted(liberties.items()) if kind != "SEQ"
        )
        return [
            f"abc -script map.abc -constr map.constr {avoided} {files}",
            "opt_clean -purge",
            "delete */t:$scopeinfo",
            # OpenSTA reads no concatenation on the left side.
            "write_verilog -noattr -noexpr -nohex -simple-lhs mapped.v",
            "tee -o cells.json stat -json",
        ]

    def _folder(self, design: Design) -> Path:
        return design.cache.folder(self.name, self._inputs(design))

    def _mapped(self, design: Design, liberties: Mapping[str, Path]) -> dict[str, Any]:
        def make(folder: Path) -> dict[str, Any]:
            netlist = json.loads(design.words.read_text(encoding="utf-8"))
            macros = memories.extract(
                netlist,
                top=TOP,
                chosen=lambda memory: self.queues == "blackbox" or not is_queue(memory),
            )
            files = {
                "boxed.json": json.dumps(netlist),
                "memories.lib": memories.liberty(macros),
                "pins.v": memories.pin_buffers(macros),
                "flip_flop.v": _FLIP_FLOP_MAP,
                "map.abc": "\n".join(_MAPPING) + "\n",
                "map.constr": f"set_driving_cell {_DRIVER}\nset_load {_LOAD_FF} [all_outputs]\n",
            }
            for name, text in files.items():
                (folder / name).write_text(text, encoding="utf-8")
            passes = [*self._to_gates(), *self._to_cells(liberties)]
            log = run_yosys(passes, directory=folder, name="map")
            counts = cell_counts(folder / "cells.json", top=TOP)
            areas = {
                cell: area
                for path in liberties.values()
                for cell, area in cell_areas(path.read_text(encoding="utf-8")).items()
            }
            return {
                "abc_delay_ps": abc_delay_ps(log),
                "area_um2": round(sum(areas.get(cell, 0) * n for cell, n in counts.items()), 1),
                "cells": sum(n for cell, n in counts.items() if cell in areas),
                "flip_flops": counts.get(FLIP_FLOP, 0),
                "memories": {macro.name: counts.get(macro.name, 0) for macro in macros},
            }

        read = ["mapped.v", "memories.lib"]
        return design.cache.step(self.name, self._inputs(design), make, files=read)

    def _timed(self, design: Design, liberties: Mapping[str, Path]) -> dict[str, Any]:
        mapped = self._folder(design)

        def make(folder: Path) -> dict[str, Any]:
            if not has_opensta():
                delay = self._mapped(design, liberties)["abc_delay_ps"]
                return {
                    "timed_by": "abc",
                    "period_ps": delay + _FLIP_FLOP_PS,
                    "input_ps": None,
                    "paths": [],
                }
            route = Route(design.netlist)
            inner, ports = run_sta(
                directory=folder,
                top=TOP,
                liberties=[*liberties.values(), mapped / "memories.lib"],
                netlist=str(mapped / "mapped.v"),
                route=route,
            )
            if not inner:
                raise InternalError(
                    f"OpenSTA must find paths, and found none; see {folder}/sta.log"
                )
            return {
                "timed_by": "opensta",
                "period_ps": max(path.delay_ps for path in inner),
                "input_ps": max((path.delay_ps for path in ports), default=None),
                "paths": path_rows(bundles(inner)[:_TOLD], route),
            }

        inputs = {**self._inputs(design), "opensta": has_opensta()}
        return design.cache.step(f"{self.name}-timing", inputs, make)
