"""Lockstep and waveform rules on simulators of mutants."""

import contextlib
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from mcos_hw.config import ChannelConfig
from mcos_sim.lockstep.case import random_case
from mcos_sim.lockstep.compare import compare
from mcos_sim.scenario import FIRST_CLOCK
from mcos_sim.verilated.build import Library
from mcos_sim.waves.reading import read_waveform
from mcos_sim.waves.rules import check_waveform
from tests.mutants.mutant import Mutant
from tests.mutants.simulators import library_of_all, library_of_one
from tests.planted_hardware import live_bug
from tests.sim.waves.windows import write_case_of_hardware

__all__ = ["simulate"]

CASES = 250
"""Lockstep: seeds from 1 on, as the tests run them."""

CLOCKS = 5_000
"""Clocks of traffic in each."""

WAVEFORMS = 6
"""Cases whose waveforms are checked."""

WAVEFORM_CLOCKS = 3_000


def simulate(
    group: Sequence[Mutant], wanted: Sequence[str], tell: Callable[[dict[str, Any]], None]
) -> None:
    """What lockstep and the rules of waveforms see of mutants that share a simulator.

    Parameters
    ----------
    group : Sequence[Mutant]
        Who shares it. If it is one alone, this process has it already.
    wanted : Sequence[str]
        Names of those that are looked at.
    tell : Callable
        Called for each of them with its ``name``; ``lockstep`` and ``waves``: whether it is seen;
        ``case``, ``clock`` and ``fields``: where lockstep sees it; ``rule``: what a waveform shows.
    """
    config = ChannelConfig(tenants=group[0].tenants, lateness=group[0].lateness)
    shared = group[0].is_expression
    library = library_of_all(group, config) if shared else library_of_one(config)
    if shared and _difference(config, library, cases=3):
        raise ValueError("hardware in which no mutant is live must not differ from the model")
    for place, mutant in enumerate(group):
        if mutant.name not in wanted:
            continue
        begun = time.monotonic()
        with live_bug(place) if shared else contextlib.nullcontext():
            found = {"lockstep": False, **_difference(config, library, cases=CASES)}
            compared = time.monotonic()
            rule = _violation(config, library)
        tell(
            {
                "name": mutant.name,
                **found,
                "waves": rule is not None,
                "rule": rule,
                "lockstep_seconds": round(compared - begun, 1),
                "waves_seconds": round(time.monotonic() - compared, 1),
            }
        )


def _difference(config: ChannelConfig, library: Library, *, cases: int) -> dict[str, Any]:
    """Where the first case that differs does; nothing if none does."""
    for seed in range(1, cases + 1):
        difference = compare(random_case(config, seed=seed, clocks=CLOCKS), library).difference
        if difference is not None:
            return {
                "lockstep": True,
                "case": seed,
                "clock": difference.clock - FIRST_CLOCK,
                "fields": sorted(difference.values)[:4],
            }
    return {}


def _violation(config: ChannelConfig, library: Library) -> str | None:
    """The first rule that a waveform of the first cases breaks."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mutant.vcd"
        for seed in range(1, WAVEFORMS + 1):
            case = random_case(config, seed=seed, clocks=WAVEFORM_CLOCKS)
            write_case_of_hardware(case, library, path)
            violations, _ = check_waveform(read_waveform(path))
            if violations:
                return violations[0].rule.text
    return None
