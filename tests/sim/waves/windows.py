"""Waveforms of random cases, of the model or of hardware with a mistake in it."""

from pathlib import Path

import numpy as np

from mcos_sim.compiled.build import Library
from mcos_sim.compiled.hardware import Hardware, image_writes
from mcos_sim.environment import layout as env
from mcos_sim.environment.environment import environment
from mcos_sim.lockstep.case import Case
from mcos_sim.reference.channel import commit
from mcos_sim.reference.engine import rest_until, watch
from mcos_sim.reference.probe import probe_places
from mcos_sim.reference.state import image_rows, reset_state
from mcos_sim.scenario import FIRST_CLOCK
from mcos_sim.waves.recording import row_words, write_rows

__all__ = [
    "write_case",
    "write_case_of_hardware",
]


def write_case(case: Case, path: Path) -> None:
    """Write the waveform of a case on the model."""
    scenario = case.scenario
    config = scenario.config
    s = reset_state(config, scenario.arbiter)
    e = environment(scenario)
    places = probe_places(config)
    images = [(each.clock, image_rows(each.settings, config)) for each in case.accepted]
    while images and images[0][0] < FIRST_CLOCK:
        clock, image = images.pop(0)
        rest_until(s, e, clock)
        commit(s, image)
    rest_until(s, e, FIRST_CLOCK)
    rows = np.zeros((scenario.clocks - FIRST_CLOCK, row_words(scenario)), dtype=np.uint64)
    done = 0
    while done < len(rows):
        if images and images[0][0] == FIRST_CLOCK + done:
            commit(s, images.pop(0)[1])
        stop = min(len(rows), images[0][0] - FIRST_CLOCK) if images else len(rows)
        part = rows[done:stop].view(np.int64)
        moved = watch(s, e, places, part)
        done += moved
        if moved < len(part):
            break
    _write(case, rows[:done], path)


def write_case_of_hardware(case: Case, library: Library, path: Path) -> None:
    """Write the waveform of a case on compiled hardware, up to what its surroundings refuse."""
    scenario = case.scenario
    config = scenario.config
    e = environment(scenario)
    rows = np.zeros((scenario.clocks - FIRST_CLOCK, row_words(scenario)), dtype=np.uint64)
    writes = [
        row for each in case.commits for row in image_writes(each.loaded, config, live=each.clock)
    ]
    with Hardware(library, config) as hardware:
        hardware.run(FIRST_CLOCK, writes=writes)
        rest = [row for row in writes if row[0] >= FIRST_CLOCK]
        ran = hardware.run(scenario.clocks, environment=e, writes=rest, rows=rows)
    # The clock in which something is wrong at a port is shown as well.
    _write(case, rows[: ran + int(e[env.FAULT] != 0)], path)


def _write(case: Case, rows: np.ndarray, path: Path) -> None:
    write_rows(
        path,
        rows,
        case.scenario,
        first=FIRST_CLOCK,
        images=[(each.clock, each.settings) for each in case.accepted],
    )
