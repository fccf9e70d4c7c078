"""The verilated engine: scenarios on the emitted Verilog, without Python between its clocks."""

import contextlib
import functools
import threading
import time
from collections.abc import Callable, Generator
from pathlib import Path

import numpy as np

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import ArbiterKind, channel_map
from mcos_sim.building.fabric import blocks_of
from mcos_sim.building.index import looked_up
from mcos_sim.engines.recording import Recording, Unrecorded, by_channel
from mcos_sim.environment import layout as env
from mcos_sim.environment.environment import (
    counts_of,
    environment,
    require_sound,
    tenant_results,
)
from mcos_sim.errors import HardwareError
from mcos_sim.model.probe import probe_words
from mcos_sim.ported.lanes import Lanes
from mcos_sim.ported.settings import image_words, port_writes
from mcos_sim.ported.sizes import Ports, fabric_around
from mcos_sim.scenario import FIRST_CLOCK, LIVE_CLOCK, ChannelResult, RunResult, Scenario
from mcos_sim.verilated.build import Library, build_library, library_in, recipe
from mcos_sim.verilated.crossings import port_words, probe_rows, shown_words
from mcos_sim.verilated.hardware import Hardware, image_writes, writes_before
from mcos_sim.verilated.monitors import monitor_addresses
from mcos_sim.verilated.top import ProbedTop

__all__ = [
    "build",
    "channel_library",
    "run_scenario",
    "started_hardware",
]


PROGRESS_CLOCKS = 500_000
"""Clocks between two notes of progress, of one channel; those of several take longer."""


@functools.cache
def channel_library(
    config: ChannelConfig, arbiter: ArbiterKind, ports: Ports = (), channels: int = 1
) -> Library:
    """The library of a controller with the given arbiter, built or found in the user's cache."""

    def make() -> Path:
        top = ProbedTop(config, arbiter=arbiter, ports=ports, channels=channels)
        blocks = blocks_of(fabric_around(config, ports, channels)) if channels > 1 else ()
        return build_library(top, config, top.lanes, blocks).path.parent

    return library_in(
        looked_up(
            "mcos_probed",
            recipe(config, Lanes()),
            config,
            arbiter,
            make,
            ports=ports,
            channels=channels,
        )
    )


def build(
    config: ChannelConfig, arbiter: ArbiterKind, ports: Ports = (), channels: int = 1
) -> None:
    """Build the library of a controller with the given arbiter, or find it."""
    channel_library(config, arbiter, ports, channels)


@contextlib.contextmanager
def started_hardware(library: Library, scenario: Scenario) -> Generator[Hardware, None, None]:
    """Hardware in the scenario's first clock, its image live.

    Parameters
    ----------
    library : Library
        What the scenario runs on.
    scenario : Scenario
        The scenario.
    """
    config = scenario.config
    with Hardware(library, config) as hardware:
        words = image_words(scenario)
        longer = len(words) - len(scenario.image)
        writes = image_writes(words, config, live=LIVE_CLOCK, longer=longer)
        if scenario.axi:
            ports = port_writes(config, scenario.axi_ports, len(scenario.channels))
            writes = writes_before(ports, writes)
        hardware.run(FIRST_CLOCK, writes=writes)
        yield hardware


def run_scenario(
    scenario: Scenario,
    *,
    directory: Path | None = None,
    recording: Recording | None = None,
    on_progress: Callable[[int], None] | None = None,
    stop: threading.Event | None = None,
) -> RunResult:
    """Run a scenario on the emitted Verilog.

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
        If the hardware does what its requesters or its memory do not allow.
    HardwareError
        If it refuses the image, or is stopped.
    UserError
        If no engine runs the scenario, or if the run ends before its window begins.
    """
    scenario.require_runnable("verilated")
    config = scenario.config
    e = environment(scenario)
    window = recording or Unrecorded(scenario, e)
    library = channel_library(config, scenario.arbiter, scenario.axi_ports, len(scenario.channels))
    with started_hardware(library, scenario) as hardware:
        report = on_progress or (lambda clocks: None)
        step = PROGRESS_CLOCKS // (len(scenario.channels) * max(1, len(scenario.axi_ports)))
        report(FIRST_CLOCK)
        begun = time.perf_counter()
        while hardware.clock < scenario.clocks and not e[env.DONE]:
            before = hardware.clock
            if window.begins(before):
                window.record(functools.partial(_shown, hardware, e, scenario))
            else:
                until = window.before(min(before + step, scenario.clocks))
                hardware.run(until, environment=e)
            moved = hardware.clock - before
            require_sound(e)
            report(moved)
            if stop is not None and stop.is_set():
                raise HardwareError(f"{scenario.name} was stopped in clock {hardware.clock}")
        seconds = time.perf_counter() - begun
        window.require_written()
        clocks = hardware.clock
        monitors = [
            {name: [hardware.read(address) for address in words] for name, words in each.items()}
            for each in monitor_addresses(config, len(scenario.channels))
        ]
        if hardware.read_array("GENERATION") != [1]:
            status = channel_map(config)["IMAGE_STATUS"].unpack(
                hardware.read_array("IMAGE_STATUS")[0]
            )
            raise HardwareError(f"the image must be taken, not refused with code {status['code']}")
    return RunResult(
        clocks=clocks,
        tenants=tenant_results(scenario, e),
        channels=tuple(
            ChannelResult(registers=registers, memory=counts_of(scenario, e, channel))
            for channel, registers in enumerate(monitors)
        ),
        seconds=seconds,
    )


def _shown(hardware: Hardware, e: np.ndarray, scenario: Scenario, rows: np.ndarray) -> int:
    """Run a clock a row; the clock in which something is wrong at a port is shown as well."""
    channels = len(scenario.channels)
    shown = rows
    if scenario.fabric:
        shown = np.zeros((len(rows), shown_words(scenario.config, channels)), dtype=np.uint64)
    clocks = hardware.run(hardware.clock + len(rows), environment=e, rows=shown)
    clocks += int(e[env.FAULT] != 0)
    if scenario.fabric:
        words = probe_words(scenario.config)
        for c, of_channel in enumerate(by_channel(rows[:clocks], scenario)):
            of_channel[:, :words] = probe_rows(shown[:clocks], scenario.config, c)
            crossing = port_words(shown[:clocks], scenario.config, channels, c)
            of_channel[:, words:] = crossing.view(np.uint64)
    return clocks
