"""Many random cases, side by side."""

import dataclasses
import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import ArbiterKind
from mcos_sim.engines.verilated import channel_library
from mcos_sim.lockstep.case import random_case
from mcos_sim.lockstep.compare import Difference, compare
from mcos_sim.verilated.build import Library

__all__ = [
    "Design",
    "Finding",
    "Report",
    "campaign",
]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Design:
    """Hardware to compare: its sizes and its arbiter."""

    config: ChannelConfig
    arbiter: ArbiterKind = ArbiterKind.MCOS


@dataclasses.dataclass(frozen=True, kw_only=True)
class Finding:
    """A seed whose case differs."""

    design: Design
    seed: int
    clocks: int
    difference: Difference


@dataclasses.dataclass(frozen=True, kw_only=True)
class Report:
    """What a campaign gave: clocks compared, cases run, and what differs."""

    clocks: int
    cases: int
    findings: tuple[Finding, ...]


def campaign(
    designs: Sequence[Design],
    *,
    first_seed: int,
    cases: int,
    clocks: int,
    workers: int,
    on_progress: Callable[[int], None] | None = None,
) -> Report:
    """Run cases of consecutive seeds on the designs in turn.

    Parameters
    ----------
    designs : Sequence[Design]
        What the seeds are dealt to.
    first_seed, cases : int
        Which seeds.
    clocks : int
        Clocks with traffic of each case.
    workers : int
        Processes.
    on_progress : Callable or None
        Called after every case with the clocks compared in it.
    """
    libraries = {design: channel_library(design.config, design.arbiter).path for design in designs}
    total = 0
    findings = []
    # A fork would share what numba and Verilator keep per process.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        futures = {}
        for seed in range(first_seed, first_seed + cases):
            design = designs[seed % len(designs)]
            future = pool.submit(_run, design, libraries[design], seed, clocks)
            futures[future] = (design, seed)
        for future in as_completed(futures):
            compared, difference = future.result()
            total += compared
            if difference is not None:
                design, seed = futures[future]
                findings.append(
                    Finding(design=design, seed=seed, clocks=clocks, difference=difference)
                )
            if on_progress is not None:
                on_progress(compared)
    findings.sort(key=lambda finding: finding.seed)
    return Report(clocks=total, cases=cases, findings=tuple(findings))


def _run(design: Design, library: Path, seed: int, clocks: int) -> tuple[int, Difference | None]:
    case = random_case(design.config, arbiter=design.arbiter, seed=seed, clocks=clocks)
    outcome = compare(case, Library(library))
    return outcome.clocks, outcome.difference
