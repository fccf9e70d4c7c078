"""How many random mutations of the hardware's netlist lockstep sees, and waveforms alone.

``python -m tests.mutants.netlist --count 50``: mutations are made by Yosys in the flattened
channel of four tenants, one at a time. What is not seen may be equivalent to the original.
"""

import argparse
import json
import tempfile
from pathlib import Path

import pyosys.libyosys as yosys
from amaranth.back import rtlil

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import ArbiterKind
from mcos_sim.building.verilator import BuildFailed
from mcos_sim.lockstep.case import random_case
from mcos_sim.lockstep.compare import compare
from mcos_sim.scenario import FIRST_CLOCK
from mcos_sim.verilated.build import library_of
from mcos_sim.verilated.top import ProbedTop
from mcos_sim.waves.reading import read_waveform
from mcos_sim.waves.rules import check_waveform
from tests.sim.waves.windows import write_case_of_hardware

CONFIG = ChannelConfig(tenants=4)
TOP = "mcos_probed"
CASES = 40
WAVEFORM_CASES = 6
CLOCKS = 5_000


def flattened(folder: Path) -> Path:
    """The channel as one module, in Yosys's language."""
    source, flat = folder / "design.il", folder / "flat.il"
    source.write_text(
        rtlil.convert(ProbedTop(CONFIG, arbiter=ArbiterKind.MCOS), name=TOP, emit_src=False)
    )
    design = yosys.Design()
    for command in (
        f"read_rtlil {source}",
        f"hierarchy -top {TOP}",
        "proc",
        "flatten",
        "memory_collect",
        "opt_clean",
        f"write_rtlil {flat}",
    ):
        design.run_pass(command)
    return flat


def mutations(flat: Path, count: int, seed: int) -> list[str]:
    """Commands that each make one mutation."""
    listed = flat.with_name("list.txt")
    design = yosys.Design()
    design.run_pass(f"read_rtlil {flat}")
    design.run_pass(f"mutate -list {count} -seed {seed} -o {listed}")
    return listed.read_text().splitlines()


def mutated(flat: Path, command: str) -> str:
    """Verilog of the channel with one mutation."""
    file = flat.with_name("mutant.v")
    design = yosys.Design()
    for each in (f"read_rtlil {flat}", command, f"write_verilog -noattr {file}"):
        design.run_pass(each)
    return file.read_text()


def first_difference(library) -> int | None:
    """Clocks of traffic up to the first difference in any case."""
    for seed in range(1, CASES + 1):
        difference = compare(random_case(CONFIG, seed=seed, clocks=CLOCKS), library).difference
        if difference is not None:
            return max(0, difference.clock - FIRST_CLOCK)
    return None


def first_violation(library, folder: Path) -> str | None:
    """Name of the first rule that is broken in a waveform of any case."""
    for seed in range(1, WAVEFORM_CASES + 1):
        path = folder / "mutant.vcd"
        write_case_of_hardware(random_case(CONFIG, seed=seed, clocks=CLOCKS), library, path)
        violations, _ = check_waveform(read_waveform(path))
        if violations:
            return violations[0].rule.text
    return None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, default=Path("build/mutants/netlist.json"))
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        flat = flattened(folder)
        control = library_of(mutated(flat, "opt_clean"), CONFIG)
        assert first_difference(control) is None, "without a mutation nothing may differ"
        assert first_violation(control, folder) is None, "without a mutation no rule is broken"
        for k, command in enumerate(mutations(flat, options.count, options.seed)):
            try:
                library = library_of(mutated(flat, command), CONFIG)
            except BuildFailed:
                # A loop of gates, which no simulator takes.
                rows.append({"mutation": command, "seen": False, "built": False, "violation": None})
                print(f"{k + 1:3} does not build: {command}")
                continue
            clocks = first_difference(library)
            seen = clocks is not None
            rule = first_violation(library, folder)
            rows.append(
                {
                    "mutation": command,
                    "clocks": clocks,
                    "seen": seen,
                    "built": True,
                    "violation": rule,
                }
            )
            told = f"seen after {clocks}" if seen else "NOT SEEN"
            print(f"{k + 1:3} {told}, waveform {rule or 'clean'}: {command}", flush=True)
    options.json.parent.mkdir(parents=True, exist_ok=True)
    seen = sum(row["seen"] for row in rows)
    built = sum(row["built"] for row in rows)
    in_waveforms = sum(row["violation"] is not None for row in rows)
    found = {
        "mutations": built,
        "not_built": len(rows) - built,
        "seen": seen,
        "seen_in_waveforms": in_waveforms,
        "rows": rows,
        "config_hash": CONFIG.hash,
    }
    options.json.write_text(json.dumps(found, indent=2) + "\n")
    print(f"{seen} of {built} mutations seen by lockstep, {in_waveforms} in waveforms alone")


if __name__ == "__main__":
    main()
