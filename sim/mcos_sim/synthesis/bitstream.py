"""The bitstream of a board: synthesised by Yosys, placed and routed by nextpnr, packed."""

import dataclasses
import json
import os
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from mcos_hw.targets import ulx3s
from mcos_sim.errors import HardwareError, InternalError
from mcos_sim.synthesis.cache import Cache
from mcos_sim.synthesis.ecp5 import ROUTABLE, utilisation
from mcos_sim.synthesis.tool import (
    PLACER,
    SYNTHESISER,
    require_module,
    run_tool,
    run_yosys,
    script,
    versions,
)

__all__ = [
    "MARGIN",
    "Build",
    "Placement",
    "Synthesis",
    "build",
    "require_met",
    "require_tools",
    "synthesise",
    "worst_of",
]


MARGIN = 1.1
"""By how much faster than its clock a board must be."""

_PACKER = "yowasp-ecppack"
"""Makes bits of what nextpnr routed; comes with nextpnr's wheel."""

_LIMIT_SECONDS = 4 * 3600
"""Time of one placement; the router of a design that does not fit ends nowhere."""

_PASSES = (
    f"read_verilog {ulx3s.TOP}.v",
    f"hierarchy -top {ulx3s.TOP}",
    # A larger LUT is a cluster of cells: with them a full device is not routed.
    f"synth_ecp5 -top {ulx3s.TOP} -nowidelut -json synthesised.json",
)

_SIZES = {"LFE5U-25F": "--25k", "LFE5U-45F": "--45k", "LFE5U-85F": "--85k"}

_PLACEMENT = (
    _SIZES[ulx3s.DEVICE],
    *("--package", ulx3s.PACKAGE),
    *("--speed", str(ulx3s.SPEED_GRADE)),
    *("--lpf", "pins.lpf"),
    *ROUTABLE,
    "--timing-allow-fail",
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Synthesis:
    """A synthesised design.

    Parameters
    ----------
    netlist : Path
        Its cells, Yosys's JSON.
    seconds : float
        Time that it took when it was made.
    """

    netlist: Path
    seconds: float


@dataclasses.dataclass(frozen=True, kw_only=True)
class Placement:
    """A placed and routed design.

    Parameters
    ----------
    seed : int
        Seed of its placer.
    achieved_mhz : float
        Clock that it reaches.
    utilisation : Mapping[str, int]
        Cells used, see :func:`mcos_sim.synthesis.ecp5.utilisation`.
    seconds : float
        Time that it took when it was made.
    configuration : Path
        What the packer takes.
    """

    seed: int
    achieved_mhz: float
    utilisation: Mapping[str, int]
    seconds: float
    configuration: Path


@dataclasses.dataclass(frozen=True, kw_only=True)
class Build:
    """A board that was built.

    Parameters
    ----------
    clock_mhz : float
        Clock that it is to have.
    placements : tuple[Placement, ...]
        One for each seed, in their order.
    seconds : float
        Time that the synthesis took when it was made.
    bitstream : Path
        The bits of the fastest placement.
    """

    clock_mhz: float
    placements: tuple[Placement, ...]
    seconds: float
    bitstream: Path

    @property
    def row(self) -> dict[str, Any]:
        """What a JSON file has of it."""
        return {
            "bitstream": self.bitstream.name,
            "clock_mhz": self.clock_mhz,
            "margin": MARGIN,
            "seeds": [
                {
                    "achieved_mhz": each.achieved_mhz,
                    "seconds": each.seconds,
                    "seed": each.seed,
                    "utilisation": dict(each.utilisation),
                }
                for each in self.placements
            ],
            "synthesis_seconds": self.seconds,
            "tools": versions(),
        }


def require_tools() -> None:
    """Refuse to begin without the tools.

    Raises
    ------
    UserError
        If one is missing.
    """
    for package in (SYNTHESISER, PLACER):
        require_module(package.replace("-", "_"), package)


def synthesise(verilog: str, *, directory: Path) -> Synthesis:
    """Synthesise the board ULX3S, or take from the folder what was synthesised before.

    Parameters
    ----------
    verilog : str
        Its design.
    directory : Path
        Folder of a :func:`build`.

    Raises
    ------
    UserError
        If Yosys is missing.
    InternalError
        If it fails.
    """
    cache = Cache(directory / "steps")
    inputs = _inputs(verilog)

    def make(folder: Path) -> dict[str, Any]:
        (folder / f"{ulx3s.TOP}.v").write_text(verilog, encoding="utf-8")
        began = time.monotonic()
        run_yosys(_PASSES, directory=folder, name="synthesis")
        return {"seconds": round(time.monotonic() - began)}

    found = cache.step("synthesis", inputs, make, files=["synthesised.json"])
    folder = cache.folder("synthesis", inputs)
    return Synthesis(netlist=folder / "synthesised.json", seconds=found["seconds"])


def _inputs(verilog: str) -> dict[str, Any]:
    """Everything that a synthesis depends on."""
    return {"tools": versions(), "passes": _PASSES, "verilog": verilog}


def build(
    verilog: str,
    *,
    clock_khz: int,
    seeds: int,
    directory: Path,
    on_step: Callable[[str], None],
) -> Build:
    """Build the board ULX3S; steps that were done before are taken from the folder.

    Parameters
    ----------
    verilog : str
        Its design, with the ports of :data:`mcos_hw.targets.ulx3s.PINS`.
    clock_khz : int
        Clock that it is to have.
    seeds : int
        Placements, each from another seed, 1 first.
    directory : Path
        Folder of the bitstream and of everything that leads to it.
    on_step : Callable[[str], None]
        Called with the name of each step before it.

    Raises
    ------
    UserError
        If a tool is missing.
    InternalError
        If a tool fails.
    """
    require_tools()
    on_step("synthesising")
    synthesis = synthesise(verilog, directory=directory)
    cache = Cache(directory / "steps")

    def placed(seed: int) -> Placement:
        key = {**_inputs(verilog), "placement": _PLACEMENT, "margin": MARGIN, "seed": seed}

        def place(folder: Path) -> dict[str, Any]:
            return _place(folder, synthesis.netlist, seed)

        on_step(f"placing and routing with seed {seed}")
        found = cache.step(f"seed{seed}", key, place, files=["board.config"])
        folder = cache.folder(f"seed{seed}", key)
        return Placement(seed=seed, configuration=folder / "board.config", **found)

    # Each placement is a process with one thread.
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        placements = tuple(pool.map(placed, range(1, seeds + 1)))
    best = max(placements, key=lambda each: (each.achieved_mhz, -each.seed))
    on_step("packing")
    bitstream = directory / f"{ulx3s.TOP}.bit"
    packed = best.configuration.with_name("board.bit")
    command = [script(_PACKER), "--compress", best.configuration.name, packed.name]
    run_tool(command, directory=packed.parent, log="packing.log")
    shutil.copyfile(packed, bitstream)
    return Build(
        clock_mhz=clock_khz / 1000,
        placements=placements,
        seconds=synthesis.seconds,
        bitstream=bitstream,
    )


def _place(folder: Path, netlist: Path, seed: int) -> dict[str, Any]:
    """Place and route a netlist in a folder; what the record of a placement has."""
    # The tool sees its own folder only, and none of /tmp.
    (folder / "pins.lpf").write_text(ulx3s.constraints(margin=MARGIN), encoding="utf-8")
    here = folder / "synthesised.json"
    shutil.copyfile(netlist, here)
    command = [script(PLACER), "--json", here.name, "--seed", str(seed), *_PLACEMENT]
    command += ["--textcfg", "board.config", "--report", "report.json"]
    began = time.monotonic()
    try:
        run_tool(command, directory=folder, log="placement.log", limit_seconds=_LIMIT_SECONDS)
    finally:
        here.unlink()
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    return {
        "achieved_mhz": _achieved(report),
        "utilisation": utilisation(report),
        "seconds": round(time.monotonic() - began),
    }


def _achieved(report: Mapping[str, Any]) -> float:
    """The frequency of the slowest clock, in MHz."""
    clocks = [clock["achieved"] for clock in report["fmax"].values()]
    if not clocks:
        raise InternalError("nextpnr must report a clock, not none")
    return round(min(clocks), 2)


def worst_of(placements: Sequence[Placement]) -> Placement:
    """The slowest placement."""
    return min(placements, key=lambda each: (each.achieved_mhz, each.seed))


def require_met(built: Build) -> None:
    """Refuse a board of which a seed is not so much faster than its clock.

    Raises
    ------
    HardwareError
        If the worst seed is slower; the text says by how much.
    """
    worst = worst_of(built.placements)
    wanted = round(MARGIN * built.clock_mhz, 2)
    if worst.achieved_mhz < wanted:
        raise HardwareError(
            f"the worst seed must reach {wanted:.1f} MHz, {built.clock_mhz:g} MHz and "
            f"{100 * (MARGIN - 1):.0f} % to spare, not {worst.achieved_mhz:.1f} MHz (seed "
            f"{worst.seed}), which is {wanted - worst.achieved_mhz:.1f} MHz short; lower the clock "
            "in mcos_hw.targets.ulx3s"
        )
