"""Lockstep and waveform rules on a simulator of one mutant."""

import hashlib
import tempfile
import time
from pathlib import Path
from typing import Any

from amaranth.back import verilog

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import ArbiterKind
from mcos_sim.compiled.build import Library, library_of
from mcos_sim.compiled.top import ProbedTop
from mcos_sim.cosim.build import BuildFailed
from mcos_sim.lockstep.case import random_case
from mcos_sim.lockstep.compare import compare
from mcos_sim.scenario import FIRST_CLOCK
from mcos_sim.waves.reading import read_waveform
from mcos_sim.waves.rules import check_waveform
from tests.mutants.mutant import Mutant
from tests.sim.waves.windows import write_case_of_hardware

__all__ = ["simulate"]

CASES = 250
"""Lockstep: seeds from 1 on, as the tests run them."""

CLOCKS = 5_000
"""Clocks of traffic in each."""

WAVEFORMS = 6
"""Cases whose waveforms are checked."""

WAVEFORM_CLOCKS = 3_000

SIMULATORS = Path("build/mutants/sim")


def simulate(mutant: Mutant) -> dict[str, Any]:
    """What lockstep and the rules of waveforms see of the mutant that this process has.

    Returns
    -------
    dict[str, Any]
        ``lockstep`` and ``waves``: whether it is seen. ``case``, ``clock`` and ``fields``: where
        lockstep sees it. ``rule``: what a waveform shows. Seconds of each.
    """
    config = ChannelConfig(tenants=mutant.tenants, lateness=mutant.lateness)
    begun = time.monotonic()
    library = _library(mutant, config)
    built = time.monotonic()
    found: dict[str, Any] = {"lockstep": False, **_lockstep(config, library)}
    compared = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        rule = _violation(config, library, Path(folder))
    ended = time.monotonic()
    return {
        **found,
        "waves": rule is not None,
        "rule": rule,
        "build_seconds": round(built - begun, 1),
        "lockstep_seconds": round(compared - built, 1),
        "waves_seconds": round(ended - compared, 1),
    }


def _library(mutant: Mutant, config: ChannelConfig) -> Library:
    """The mutant's simulator, kept for when cases change."""
    top = ProbedTop(config, arbiter=ArbiterKind.MCOS)
    text = verilog.convert(top, name="mcos_probed", emit_src=False, strip_internal_attrs=True)
    SIMULATORS.mkdir(parents=True, exist_ok=True)
    path = SIMULATORS.absolute() / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.so"
    try:
        return Library(path) if path.exists() else library_of(text, config, path)
    except BuildFailed as error:
        raise ValueError(f"mutant {mutant.name!r} must build: {error}") from None


def _lockstep(config: ChannelConfig, library: Library) -> dict[str, Any]:
    """Where the first case that differs does."""
    for seed in range(1, CASES + 1):
        difference = compare(random_case(config, seed=seed, clocks=CLOCKS), library).difference
        if difference is not None:
            return {
                "lockstep": True,
                "case": seed,
                "clock": difference.clock - FIRST_CLOCK,
                "fields": sorted(difference.values)[:4],
            }
    return {}


def _violation(config: ChannelConfig, library: Library, folder: Path) -> str | None:
    """The first rule that a waveform of the first cases breaks."""
    for seed in range(1, WAVEFORMS + 1):
        path = folder / "mutant.vcd"
        case = random_case(config, seed=seed, clocks=WAVEFORM_CLOCKS)
        write_case_of_hardware(case, library, path)
        violations, _ = check_waveform(read_waveform(path))
        if violations:
            return violations[0].rule.text
    return None
