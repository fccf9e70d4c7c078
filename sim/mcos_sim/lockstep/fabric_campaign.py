"""Many random cases of several channels, side by side."""

import dataclasses
import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from mcos_sim.engines.verilated import channel_library
from mcos_sim.lockstep.campaign import Design, Finding, Report
from mcos_sim.lockstep.fabric import FabricOutcome, compare_fabric
from mcos_sim.lockstep.fabric_case import random_fabric_case
from mcos_sim.lockstep.ports import PortFigures
from mcos_sim.ported.sizes import Ports, dealt
from mcos_sim.verilated.build import Library

__all__ = [
    "FabricDesign",
    "FabricReport",
    "fabric_campaign",
]


@dataclasses.dataclass(frozen=True, kw_only=True)
class FabricDesign(Design):
    """Hardware of several channels to compare; every tenant asks at every port.

    Parameters
    ----------
    channels, ports : int
        How many.
    """

    channels: int
    ports: int

    @property
    def tags(self) -> Ports:
        """Tags at each port."""
        return dealt(range(self.config.tenants), self.ports, channels=self.channels)

    def build(self) -> Library:
        """Its library, built or found."""
        return channel_library(self.config, self.arbiter, self.tags, self.channels)


@dataclasses.dataclass(frozen=True, kw_only=True)
class FabricReport(Report):
    """What a campaign gave.

    Parameters
    ----------
    ports : PortFigures
        Requests of all ports.
    """

    ports: PortFigures


def fabric_campaign(
    design: FabricDesign,
    *,
    first_seed: int,
    cases: int,
    clocks: int,
    workers: int,
    on_progress: Callable[[int], None] | None = None,
) -> FabricReport:
    """Run cases of consecutive seeds.

    Parameters
    ----------
    design : FabricDesign
        What they run on.
    first_seed, cases : int
        Which seeds.
    clocks : int
        Clocks with traffic of each case.
    workers : int
        Processes.
    on_progress : Callable or None
        Called after every case with the clocks compared in it.
    """
    library = design.build().path
    total, ports = 0, PortFigures()
    findings = []
    # A fork would share what numba and Verilator keep per process.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(workers, cases), mp_context=context) as pool:
        futures = {
            pool.submit(_run, design, library, seed, clocks): seed
            for seed in range(first_seed, first_seed + cases)
        }
        for future in as_completed(futures):
            outcome = future.result()
            total += outcome.clocks
            ports += outcome.ports
            if outcome.difference is not None:
                found = {"seed": futures[future], "difference": outcome.difference}
                findings.append(Finding(design=design, clocks=clocks, **found))
            if on_progress is not None:
                on_progress(outcome.clocks)
    findings.sort(key=lambda finding: finding.seed)
    return FabricReport(clocks=total, cases=cases, findings=tuple(findings), ports=ports)


def _run(design: FabricDesign, library: Path, seed: int, clocks: int) -> FabricOutcome:
    case = random_fabric_case(
        design.config,
        ports=design.tags,
        channels=design.channels,
        arbiter=design.arbiter,
        seed=seed,
        clocks=clocks,
    )
    return compare_fabric(case, library=Library(library))
