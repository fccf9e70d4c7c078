"""The channel in an ECP5 LFE5U-85F, placed and routed by nextpnr."""

import json
import os
import re
import statistics
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from mcos_hw.targets.generic import TOP
from mcos_sim.errors import InternalError
from mcos_sim.synthesis.design import SCANNED, Design
from mcos_sim.synthesis.paths import Path as TimingPath
from mcos_sim.synthesis.paths import Route
from mcos_sim.synthesis.result import Measurement, path_rows
from mcos_sim.synthesis.tool import (
    PLACER,
    ToolTookTooLong,
    require_module,
    run_tool,
    run_yosys,
    script,
)

__all__ = [
    "ROUTABLE",
    "Ecp5",
    "critical_path",
    "design_name",
    "fmax_mhz",
    "placed_cells",
    "register_name",
    "utilisation",
    "without_indices",
]


_GOAL_MHZ = 40
"""What nextpnr aims at. With more the placer packs closer than the router finds wires, and the
frequency reached is the same."""

_LIMIT_SECONDS = 5400
"""Time of one placement. A router that has not found wires for all nets by then goes round in
circles: 16 tenants take 35 minutes of an idle core, and as much again of a busy one."""

_PASSES = (
    "read_rtlil design.il",
    f"hierarchy -top {SCANNED}",
    # LUTs of more than four inputs are clusters of cells: with them 16 tenants are not routed.
    f"synth_ecp5 -top {SCANNED} -nowidelut -json synthesised.json",
)

_PINS = """\
LOCATE COMP "clk" SITE "G2";
LOCATE COMP "scan_clk" SITE "P3";
"""
"""Clocks come in at pins made for them. From other pins there may be no way to the clock's net."""

ROUTABLE = ("--placer", "static", "--router", "router2", "--router2-alt-weights")
"""Options of nextpnr with which large designs are routed.

The default placer leaves five times the overused wires, and the default router ends nowhere.
"""

_PLACEMENT = (
    "--85k",
    "--package",
    "CABGA381",
    "--lpf",
    "pins.lpf",
    "--lpf-allow-unconstrained",
    *ROUTABLE,
    "--timing-allow-fail",
    "--freq",
    str(_GOAL_MHZ),
)

_SYNTHESIS = "ecp5"
"""Name of the step that all speed grades share."""

_CELL = re.compile(r"(.+?)_(?:TRELLIS_FF|DP16KD|TRELLIS_DPR16X4|MULT18X18D)(?:_.*)?")
"""Yosys calls a cell as the net it drives, with its type and port behind it."""

_INDEXED = re.compile(r"(?<=\s)(\\\S*)\[(\d+)\](?=\s)")
"""A name in RTLIL that ends like a bit of a vector."""

_CLOCK = re.compile(r"(?<![a-z_])clk\b")
"""The clock of the design in nextpnr's names, ``posedge $glbnet$clk``; not that of the ports."""

_KINDS = {
    "luts": "TRELLIS_COMB",
    "ffs": "TRELLIS_FF",
    "brams": "DP16KD",
    "dsps": "MULT18X18D",
    "lutram_cells": "TRELLIS_RAMW",
}


def without_indices(rtlil: str) -> str:
    """RTLIL in which no name ends like a bit of a vector: ``[3]`` becomes ``{3}`` there.

    Yosys takes ``\\x[3]`` for a bit of ``\\x`` when it takes over what abc9 has mapped, and stops
    where that has another width.
    """
    return _INDEXED.sub(r"\1{\2}", rtlil)


def design_name(name: str) -> str:
    """The name in the design of a net that was named by :func:`without_indices`."""
    return re.sub(r"\{(\d+)\}", r"[\1]", name).removeprefix(f"{TOP}.")


def register_name(cell: str) -> str:
    """The register in the name of a cell, as near as Yosys keeps it."""
    match = _CELL.fullmatch(cell)
    return design_name(match[1] if match else cell)


def fmax_mhz(report: Mapping[str, Any]) -> float:
    """The frequency that a placement reached, in MHz.

    Parameters
    ----------
    report : Mapping[str, Any]
        nextpnr's report.

    Raises
    ------
    InternalError
        If it does not tell of the clock of the design.
    """
    clocks = {name: clock["achieved"] for name, clock in report["fmax"].items()}
    found = [mhz for name, mhz in clocks.items() if _CLOCK.search(name)]
    if len(found) != 1:
        raise InternalError(f"nextpnr must report the clock clk once, not {sorted(clocks)!r}")
    return round(found[0], 2)


def utilisation(report: Mapping[str, Any]) -> dict[str, int]:
    """Cells used: ``luts`` (with those that are carries and memory), ``ffs``, ``brams``, ``dsps``.

    ``lutram_cells`` are memories of 16 x 4 bits, of which each also takes four of the ``luts``.
    """
    used = report["utilization"]
    return {name: used.get(kind, {"used": 0})["used"] for name, kind in _KINDS.items()}


def placed_cells(log: str) -> dict[str, int]:
    """The same from nextpnr's log, where no report was written."""
    found = dict(re.findall(r"(\w+): *(\d+)/ *\d+", log))
    return {name: int(found.get(kind, 0)) for name, kind in _KINDS.items()}


def critical_path(report: Mapping[str, Any], route: Route) -> TimingPath | None:
    """The slowest path between two clocked cells, or None where there is none."""
    clocked = [
        path
        for path in report["critical_paths"]
        if path["path"] and all(_CLOCK.search(path[end]) for end in ("from", "to"))
    ]
    if not clocked:
        return None

    def delay_ns(path: Mapping[str, Any]) -> float:
        return sum(part["delay"] for part in path["path"])

    worst = max(clocked, key=delay_ns)
    parts = worst["path"]
    return TimingPath(
        delay_ps=round(1000 * delay_ns(worst), 1),
        start=route.end(_driven(parts)),
        end=route.end(register_name(parts[-1]["to"]["cell"])),
        cells=sum(part["type"] == "logic" for part in parts),
    )


def _driven(parts: Sequence[Mapping[str, Any]]) -> str:
    """The net that the first register drives, or else the register's cell."""
    nets = [part["net"] for part in parts if part["type"] == "routing" and "net" in part]
    return design_name(nets[0]) if nets else register_name(parts[0]["from"]["cell"])


class Ecp5:
    """Clock frequency and utilisation after place and route.

    Ports are on scan chains of another clock, see
    :class:`mcos_sim.synthesis.harness.ScannedPorts`; what is timed lies between registers and
    memories of the design. The chains are counted with its cells: a flip-flop a port, and a LUT an
    output.

    Parameters
    ----------
    seeds : int
        Placements, each from another seed, 1 first; median, best and worst of their frequencies are
        told. One that is not routed in time stands as None among the seeds, and there is no worst.
    grade : int
        Speed grade: 6, 7 or 8, which is the fastest.
    """

    def __init__(self, *, seeds: int, grade: int = 8) -> None:
        self.seeds = seeds
        self.grade = grade
        self.name = f"ecp5-85k-{grade}"

    def missing(self) -> str | None:
        """It can always be measured."""
        return None

    def measure(self, design: Design, *, paths: int) -> Measurement:
        """Measure a design, with the slowest path of each of the first ``paths`` placements."""
        self._synthesised(design)
        route = Route(design.netlist)
        # Each placement is a process with one thread.
        with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
            seeds = range(1, self.seeds + 1)
            placed = [*pool.map(lambda seed: self._placed(design, seed, route), seeds)]
        figures = [result["fmax_mhz"] for result in placed]
        routed = [result for result in placed if result["fmax_mhz"] is not None]
        ranked = sorted(routed, key=lambda result: result["fmax_mhz"])
        middle = ranked[(len(ranked) - 1) // 2] if ranked else placed[0]
        reached = [result["fmax_mhz"] for result in ranked]
        used = middle["utilisation"]
        return Measurement(
            name=self.name,
            tenants=design.config.tenants,
            lateness=design.config.lateness,
            grant_interval=design.config.grant_interval,
            fmax_mhz=round(statistics.median(reached), 2) if reached else None,
            luts=used["luts"],
            ffs=used["ffs"],
            brams=used["brams"],
            dsps=used["dsps"],
            critical_path=middle["path"]["path"] if middle["path"] else None,
            more={
                "fmax_best_mhz": max(reached, default=None),
                "fmax_worst_mhz": min(reached) if len(reached) == self.seeds else None,
                "seeds": figures,
                "lutram_cells": used["lutram_cells"],
                "paths": [result["path"] for result in ranked if result["path"]][:paths],
            },
        )

    def _synthesised(self, design: Design) -> Path:
        inputs = {**design.inputs, "passes": _PASSES}

        def make(folder: Path) -> dict[str, Any]:
            text = without_indices(design.scanned())
            (folder / "design.il").write_text(text, encoding="utf-8")
            run_yosys(_PASSES, directory=folder, name="synthesis")
            return {}

        design.cache.step(_SYNTHESIS, inputs, make, files=["synthesised.json"])
        return design.cache.folder(_SYNTHESIS, inputs) / "synthesised.json"

    def _placed(self, design: Design, seed: int, route: Route) -> dict[str, Any]:
        def make(folder: Path) -> dict[str, Any]:
            require_module(PLACER.replace("-", "_"), PLACER)
            # The tool sees its own folder only, and none of /tmp.
            netlist = folder / "synthesised.json"
            netlist.write_bytes(self._synthesised(design).read_bytes())
            (folder / "pins.lpf").write_text(_PINS, encoding="utf-8")
            command = [script(PLACER), "--json", netlist.name, "--seed", str(seed)]
            command += ["--speed", str(self.grade), "--report", "report.json", *_PLACEMENT]
            try:
                run_tool(
                    command, directory=folder, log="placement.log", limit_seconds=_LIMIT_SECONDS
                )
            except ToolTookTooLong:
                text = (folder / "placement.log").read_text(encoding="utf-8")
                return {"fmax_mhz": None, "utilisation": placed_cells(text), "path": None}
            finally:
                netlist.unlink()
            report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
            slowest = critical_path(report, route)
            return {
                "fmax_mhz": fmax_mhz(report),
                "utilisation": utilisation(report),
                "path": path_rows([slowest], route)[0] if slowest else None,
            }

        inputs = {**design.inputs, "passes": _PASSES, "placement": (_PINS, *_PLACEMENT)}
        inputs |= {"seed": seed}
        return design.cache.step(f"{self.name}-seed{seed}", inputs, make)
