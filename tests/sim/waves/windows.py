"""Waveforms of random cases, of the model or of hardware with a mistake in it."""

from pathlib import Path

import numpy as np

from mcos_sim.engines.recording import row_words, write_rows
from mcos_sim.environment import layout as env
from mcos_sim.lockstep.case import Case
from mcos_sim.lockstep.sides import HardwareSide, ModelSide
from mcos_sim.scenario import FIRST_CLOCK
from mcos_sim.verilated.build import Library

__all__ = [
    "write_case",
    "write_case_of_hardware",
]


def write_case(case: Case, path: Path) -> None:
    """Write the waveform of a case on the model."""
    side = ModelSide(case)
    side.rest(FIRST_CLOCK)
    rows = _rows(case)
    _write(case, rows[: side.run(rows)], path)


def write_case_of_hardware(case: Case, library: Library, path: Path) -> None:
    """Write the waveform of a case on verilated hardware, up to what its surroundings refuse."""
    rows = _rows(case)
    with HardwareSide(case, library) as side:
        side.rest(FIRST_CLOCK)
        ran = side.run(case.scenario.clocks, rows)
    # The clock in which something is wrong at a port is shown as well.
    _write(case, rows[: ran + int(side.environment[env.FAULT] != 0)], path)


def _rows(case: Case) -> np.ndarray:
    scenario = case.scenario
    return np.zeros((scenario.clocks - FIRST_CLOCK, row_words(scenario)), dtype=np.uint64)


def _write(case: Case, rows: np.ndarray, path: Path) -> None:
    write_rows(
        path,
        rows,
        case.scenario,
        first=FIRST_CLOCK,
        images=[(each.clock, each.settings) for each in case.accepted],
    )
