"""The reference engine: scenarios on the model."""

import dataclasses
import functools
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import ArbiterKind, channel_map
from mcos_policy.image import Image, unpack
from mcos_sim.compiling import compiled
from mcos_sim.engines.channels import run_channels, watch_channels
from mcos_sim.engines.recording import Recording, Unrecorded
from mcos_sim.environment import layout as env
from mcos_sim.environment.drive import environment_step
from mcos_sim.environment.environment import (
    counts_of,
    environment,
    model_of,
    require_sound,
    tenant_results,
)
from mcos_sim.errors import HardwareError
from mcos_sim.memory.memory import MemoryModel
from mcos_sim.model import layout as at
from mcos_sim.model.channel import advance, begin, commit, is_idle, skip
from mcos_sim.model.ports import show
from mcos_sim.model.probe import pack, probe_places
from mcos_sim.model.registers import read_monitor
from mcos_sim.model.state import image_rows, reset_state
from mcos_sim.ported.sizes import FABRIC_PORT_CLOCKS, PORT_CLOCKS, Ports
from mcos_sim.scenario import FIRST_CLOCK, LIVE_CLOCK, ChannelResult, RunResult, Scenario

__all__ = [
    "build",
    "run_scenario",
    "started",
    "started_channel",
]


PROGRESS_CLOCKS = 10_000_000
"""Clocks between two notes of progress."""


@compiled
def rest_until(s, e, until):
    """Clocks in which nothing is asked for, such as those in which an image is loaded."""
    e[env.REQUEST_VALID] = 0
    e[env.COMPLETION_VALID] = 0
    e[env.COMMAND_READY] = 0
    while s[at.CLOCK] < until:
        begin(s)
        advance(s, e)


@dataclasses.dataclass(frozen=True)
class _Loops:
    """Loops over clocks with a certain memory; both are compiled."""

    run: Callable
    watch: Callable


@functools.cache
def _loops(memory: MemoryModel) -> _Loops:
    """The loops around a model of a memory."""
    step = environment_step(memory)
    drive, quiet_until = step.drive, step.quiet_until

    @compiled
    def run(s, e, until):
        while s[at.CLOCK] < until:
            begin(s)
            show(s, e)
            drive(e)
            if e[env.DONE] or e[env.FAULT]:
                return
            advance(s, e)
            if is_idle(s):
                quiet = min(quiet_until(e), until)
                if quiet > s[at.CLOCK]:
                    skip(s, quiet)
                    e[env.CLOCK] = s[at.CLOCK]

    @compiled
    def watch(s, e, places, rows):
        last = places[len(places) - 1]
        words = (last[0] + last[1] + 63) // 64
        for k in range(len(rows)):
            begin(s)
            pack(s, places, rows[k])
            show(s, e)
            drive(e)
            if len(rows[k]) >= words + env.PORTS_LENGTH:
                for port in range(env.PORTS_LENGTH):
                    rows[k, words + port] = e[env.PORTS + port]
            if e[env.DONE] or e[env.FAULT]:
                return k
            advance(s, e)
        return len(rows)

    return _Loops(run=run, watch=watch)


def run(s: np.ndarray, e: np.ndarray, until: int) -> None:
    """Run clocks up to ``until``, or until all is done, and look at nothing on the way."""
    _loops(model_of(e)).run(s, e, until)


def watch(s: np.ndarray, e: np.ndarray, places: np.ndarray, rows: np.ndarray) -> int:
    """Run up to ``len(rows)`` clocks, put the probe of each into its row, return how many ran.

    If a row has room behind the probe, it gets what crosses the ports as well.
    """
    return int(_loops(model_of(e)).watch(s, e, places, rows))


def _watch_channels(states: np.ndarray, e: np.ndarray, places: np.ndarray, rows: np.ndarray) -> int:
    """The same of several channels; a row has those of each, one behind the other."""
    lanes = rows.view(np.int64).reshape(len(rows), len(states), -1)
    return watch_channels(states, e, places, lanes)


def started_channel(scenario: Scenario) -> np.ndarray:
    """The model of a channel at the scenario's first clock, its image live."""
    config = scenario.config
    s = reset_state(config, scenario.arbiter)
    nothing = np.zeros(env.LANE, dtype=np.int64)
    settings = unpack(channel_map(config), Image(words=scenario.image))
    rest_until(s, nothing, LIVE_CLOCK)
    commit(s, image_rows(settings))
    rest_until(s, nothing, FIRST_CLOCK)
    return s


def started(scenario: Scenario) -> tuple[np.ndarray, np.ndarray]:
    """Models of all channels, a row each, and environment at the scenario's first clock."""
    state = started_channel(scenario)
    states = np.repeat(state[np.newaxis], len(scenario.channels), axis=0)
    clocks = FABRIC_PORT_CLOCKS if scenario.fabric else PORT_CLOCKS
    return states, environment(scenario, port_clocks=clocks if scenario.axi else (0, 0))


def build(
    config: ChannelConfig, arbiter: ArbiterKind, ports: Ports = (), channels: int = 1
) -> None:
    """Nothing: the model takes any sizes and any arbiter."""


def run_scenario(
    scenario: Scenario,
    *,
    directory: Path | None = None,
    recording: Recording | None = None,
    on_progress: Callable[[int], None] | None = None,
    stop: threading.Event | None = None,
) -> RunResult:
    """Run a scenario on the model.

    Parameters
    ----------
    scenario : Scenario
        What to run.
    directory : pathlib.Path or None
        Not used: it leaves no files.
    recording : Recording or None
        What looks at the run in place of the scenario's window.
    on_progress : Callable or None
        Called now and then with the clocks that the run has got on by.
    stop : threading.Event or None
        Stops the run when it is set.

    Raises
    ------
    EnvironmentFault
        If the model does what its requesters or its memory do not allow.
    HardwareError
        If it is stopped.
    UserError
        If no engine runs the scenario, or it ends before its window begins.
    """
    scenario.require_runnable("reference")
    states, e = started(scenario)
    s = states[0]
    window = recording or Unrecorded(scenario, e)
    places = probe_places(scenario.config)
    if scenario.fabric:
        go = functools.partial(run_channels, states, e)
        look = functools.partial(_watch_channels, states, e, places)
    else:
        go = functools.partial(run, s, e)
        look = functools.partial(watch, s, e, places)
    report = on_progress or (lambda clocks: None)
    report(FIRST_CLOCK)
    begun = time.perf_counter()
    while s[at.CLOCK] < scenario.clocks and not e[env.DONE]:
        before = int(s[at.CLOCK])
        if window.begins(before):
            window.record(look)
        else:
            go(window.before(min(before + PROGRESS_CLOCKS, scenario.clocks)))
        require_sound(e)
        report(int(s[at.CLOCK]) - before)
        if stop is not None and stop.is_set():
            raise HardwareError(f"{scenario.name} was stopped in clock {s[at.CLOCK]}")
    seconds = time.perf_counter() - begun
    window.require_written()
    return RunResult(
        clocks=int(s[at.CLOCK]),
        tenants=tenant_results(scenario, e),
        channels=tuple(
            ChannelResult(
                registers=read_monitor(state, scenario.config),
                memory=counts_of(scenario, e, channel),
            )
            for channel, state in enumerate(states)
        ),
        seconds=seconds,
    )
