"""The cocotb engine: a scenario in, a result out."""

import contextlib
import dataclasses
import fcntl
import functools
import threading
from collections.abc import Callable, Generator
from pathlib import Path

import numpy as np

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import ArbiterKind
from mcos_sim.building.index import looked_up
from mcos_sim.cosim.build import Built, recipe
from mcos_sim.cosim.build import build as build_simulator
from mcos_sim.cosim.harness import Harness
from mcos_sim.cosim.run_tests import run
from mcos_sim.engines.recording import Recording
from mcos_sim.environment import layout as env
from mcos_sim.environment.environment import counts_of, environment, tenant_results
from mcos_sim.errors import UserError
from mcos_sim.ported.settings import image_words, outstanding, port_writes
from mcos_sim.ported.sizes import Ports
from mcos_sim.scenario import ChannelResult, RunResult, Scenario

__all__ = [
    "build",
    "build_harness",
    "run_scenario",
]


POLL_SECONDS = 0.5


@functools.cache
def build_harness(
    config: ChannelConfig, arbiter: ArbiterKind, ports: Ports = (), channels: int = 1
) -> Built:
    """The simulator of a controller with the given arbiter, built or found in the user's cache."""
    name = f"mcos_{arbiter.name.lower()}"

    def make() -> Path:
        harness = Harness(config, arbiter=arbiter, ports=ports, channels=channels)
        return build_simulator(harness, name=name).directory

    found = looked_up(name, recipe(), config, arbiter, make, ports=ports, channels=channels)
    return Built(name=name, directory=found)


def build(
    config: ChannelConfig, arbiter: ArbiterKind, ports: Ports = (), channels: int = 1
) -> None:
    """Build the simulator of a controller with the given arbiter, or find it."""
    build_harness(config, arbiter, ports, channels)


def run_scenario(
    scenario: Scenario,
    *,
    directory: Path,
    recording: Recording | None = None,
    on_progress: Callable[[int], None] | None = None,
    stop: threading.Event | None = None,
) -> RunResult:
    """Runs one scenario on the emitted Verilog.

    Parameters
    ----------
    scenario : Scenario
        What to run.
    directory : pathlib.Path
        Folder of the run's inputs, log and results.
    recording : Recording or None
        Refused: the bench writes the scenario's window and nothing else looks at its clocks.
    on_progress : Callable or None
        Called now and then with the clocks that the run has got on by.
    stop : threading.Event or None
        Stops the run when it is set.

    Raises
    ------
    SimulationFailed
        If any check of the bench fails.
    UserError
        If no engine runs the scenario, or if another run is using the folder.
    ValueError
        If the run is to be watched.
    """
    if recording is not None:
        raise ValueError("only the verilated and the reference engine can be watched")
    scenario.require_runnable("cocotb")
    built = build_harness(
        scenario.config, scenario.arbiter, scenario.axi_ports, len(scenario.channels)
    )
    directory = (directory / scenario.name).absolute()
    directory.mkdir(parents=True, exist_ok=True)
    progress = directory / "progress"
    scenario = dataclasses.replace(scenario, keep_requests=True)
    with _own(directory):
        given = directory / "environment.npz"
        for stale in (progress, given, directory / "result.npz"):
            stale.unlink(missing_ok=True)
        np.savez(given, environment=environment(scenario))
        with _watched(progress, on_progress):
            run(
                built,
                test_module="mcos_sim.cosim.bench",
                directory=directory,
                seed=scenario.seed,
                parameters=_parameters(scenario),
                stop=stop,
            )
        return _read(scenario, directory / "result.npz")


@contextlib.contextmanager
def _own(directory: Path) -> Generator[None, None, None]:
    """Keeps a folder to one run; its files would be another's else."""
    with (directory / "lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(
                f"{directory} must not be in use by another run, and is; choose another -o"
            ) from None
        yield


def _parameters(scenario: Scenario) -> dict:
    window = scenario.window
    channels = len(scenario.channels)
    return {
        "arbiter": scenario.arbiter.name,
        "contract": scenario.contract,
        "config": dataclasses.asdict(scenario.config),
        "image": list(image_words(scenario)),
        "writes": port_writes(scenario.config, scenario.axi_ports, channels)
        if scenario.axi
        else [],
        "in_ports": outstanding(scenario.config) * len(scenario.axi_ports)
        if scenario.fabric
        else outstanding(scenario.config)
        if scenario.axi
        else 0,
        "names": {stream.tag: stream.name for stream in scenario.streams},
        "clocks": scenario.clocks,
        "memory_model": scenario.channel.memory.model.__name__,
        "window": window
        and {
            "path": str(window.path.absolute()),
            "first": window.first,
            "end": window.end,
        },
    }


def _read(scenario: Scenario, path: Path) -> RunResult:
    with np.load(path) as arrays:
        e = arrays["environment"]
        return RunResult(
            clocks=int(e[env.CLOCK]),
            seconds=float(arrays["seconds"]),
            tenants=tenant_results(scenario, e),
            channels=tuple(
                ChannelResult(
                    registers={
                        name.removeprefix(f"registers.{channel}."): arrays[name].tolist()
                        for name in arrays.files
                        if name.startswith(f"registers.{channel}.")
                    },
                    memory=counts_of(scenario, e, channel),
                )
                for channel in range(len(scenario.channels))
            ),
        )


@contextlib.contextmanager
def _watched(path: Path, on_progress: Callable[[int], None] | None) -> Generator[None, None, None]:
    """Reports what a run writes into its progress file while the block runs."""
    if on_progress is None:
        yield
        return
    ended = threading.Event()

    def watch() -> None:
        seen = 0
        last = False
        while not last:
            last = ended.wait(POLL_SECONDS)
            text = path.read_text() if path.exists() else ""
            if text.isdigit() and int(text) > seen:
                on_progress(int(text) - seen)
                seen = int(text)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
