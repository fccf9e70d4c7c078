"""What the channel takes of an UltraScale+ part, estimated by synthesis."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mcos_hw.targets.generic import TOP
from mcos_sim.synthesis.design import Design
from mcos_sim.synthesis.result import Measurement
from mcos_sim.synthesis.tool import cell_counts, run_yosys

__all__ = [
    "LUTS_OF_MEMORY",
    "UltraScalePlus",
    "resources",
]


LUTS_OF_MEMORY: Mapping[str, int] = {
    "RAM32M": 4,
    "RAM32M16": 8,
    "RAM32X1D": 2,
    "RAM32X1S": 1,
    "RAM64M": 4,
    "RAM64M8": 8,
    "RAM64X1D": 2,
    "RAM64X1S": 1,
    "RAM64X8SW": 8,
    "RAM128X1D": 4,
    "RAM128X1S": 2,
    "RAM256X1D": 8,
    "RAM256X1S": 4,
    "RAM512X1S": 8,
}
"""LUTs that each distributed memory takes (AMD UG974)."""

_PASSES = (
    "read_rtlil design.il",
    f"synth_xilinx -family xcup -flatten -top {TOP}",
    "tee -o cells.json stat -json",
)


def resources(counts: Mapping[str, int]) -> dict[str, int]:
    """Resources by kind, from the number of cells of each type.

    ``luts`` are LUTs of logic and of memory, ``lutrams`` the latter alone; ``brams`` are blocks of
    36 Kb, two of 18 Kb being one.
    """

    def total(*prefixes: str) -> int:
        return sum(n for cell, n in counts.items() if cell.startswith(prefixes))

    lutrams = sum(n * counts.get(cell, 0) for cell, n in LUTS_OF_MEMORY.items())
    shifts = total("SRL")
    halves = total("RAMB18")
    return {
        "luts": total("LUT", "INV") + lutrams + shifts,
        "lutrams": lutrams,
        "ffs": total("FD"),
        "carries": total("CARRY"),
        "brams": total("RAMB36") + (halves + 1) // 2,
        "dsps": total("DSP48"),
    }


class UltraScalePlus:
    """Resources after synthesis for UltraScale+; no open tool places or times it."""

    name = "ultrascale+"

    def missing(self) -> str | None:
        """It can always be measured."""
        return None

    def measure(self, design: Design, *, paths: int) -> Measurement:
        """Measure a design; there are no ``paths`` to tell about."""

        def make(folder: Path) -> dict[str, Any]:
            (folder / "design.il").write_text(design.rtlil, encoding="utf-8")
            run_yosys(_PASSES, directory=folder, name="synthesis")
            return resources(cell_counts(folder / "cells.json", top=TOP))

        found = design.cache.step(self.name, {**design.inputs, "passes": _PASSES}, make)
        return Measurement(
            name=self.name,
            tenants=design.config.tenants,
            lateness=design.config.lateness,
            grant_interval=design.config.grant_interval,
            luts=found["luts"],
            ffs=found["ffs"],
            brams=found["brams"],
            dsps=found["dsps"],
            more={"carries": found["carries"], "lutrams": found["lutrams"]},
        )
