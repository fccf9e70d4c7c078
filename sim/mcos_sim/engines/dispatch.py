"""The engines by name: the same scenario gives the same result on each.

An engine is a module of this folder with the functions of :class:`EngineModule`. It is imported
when it is asked for, because that takes a second.
"""

from __future__ import annotations

import contextlib
import enum
import importlib
import threading
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from mcos_hw.config import ChannelConfig
    from mcos_hw.registers import ArbiterKind
    from mcos_sim.engines.recording import Recording
    from mcos_sim.ported.sizes import Ports
    from mcos_sim.scenario import RunResult, Scenario

__all__ = [
    "Engine",
    "EngineModule",
    "build",
    "build_simulators",
    "engine_module",
    "rtl_engine",
    "run_scenario",
    "run_scenarios",
]


_BUILDERS = 2


class EngineModule(Protocol):
    """What the module of an engine offers."""

    def build(
        self,
        config: ChannelConfig,
        arbiter: ArbiterKind,
        ports: Ports = (),
        channels: int = 1,
    ) -> object:
        """Build what the engine runs a channel on, or find it.

        Parameters
        ----------
        config : ChannelConfig
            Sizes of the channel.
        arbiter : ArbiterKind
            Its arbiter.
        ports : Ports
            Tags at each AXI port in front of it; none without AXI.
        channels : int
            How many such channels there are.

        Raises
        ------
        BuildFailed
            If the hardware does not build.
        """
        ...

    def run_scenario(
        self,
        scenario: Scenario,
        *,
        directory: Path,
        recording: Recording | None = None,
        on_progress: Callable[[int], None] | None = None,
        stop: threading.Event | None = None,
    ) -> RunResult:
        """Run a scenario.

        Parameters
        ----------
        scenario : Scenario
            What to run.
        directory : pathlib.Path
            Folder of what a run under cocotb leaves.
        recording : Recording or None
            What looks at the run in place of the scenario's window; cocotb has no place for one.
        on_progress : Callable or None
            Called now and then with the clocks that the run has got on by.
        stop : threading.Event or None
            Stops the run when it is set.

        Raises
        ------
        HardwareError
            If the hardware does not build, fails a check, or is stopped.
        UserError
            If the scenario has more ports or channels than the engine runs.
        ValueError
            If a run under cocotb is to be watched.
        """
        ...


class Engine(enum.StrEnum):
    """What a scenario runs on."""

    COCOTB = "cocotb"
    VERILATED = "verilated"
    REFERENCE = "reference"

    @property
    def description(self) -> str:
        """The same for people."""
        return _ENGINES[self][1]


_ENGINES = {
    Engine.COCOTB: ("mcos_sim.engines.cocotb", "the RTL in cocotb"),
    Engine.VERILATED: ("mcos_sim.engines.verilated", "the verilated RTL"),
    Engine.REFERENCE: ("mcos_sim.engines.model", "the reference model"),
}
"""Module and description of each."""


def engine_module(engine: Engine) -> EngineModule:
    """The module of an engine."""
    return cast("EngineModule", importlib.import_module(_ENGINES[engine][0]))


def build(
    engine: Engine,
    config: ChannelConfig,
    arbiter: ArbiterKind,
    ports: Ports = (),
    channels: int = 1,
) -> None:
    """Build what an engine runs channels on; see :meth:`EngineModule.build`."""
    engine_module(engine).build(config, arbiter, ports, channels)


def run_scenario(
    engine: Engine,
    scenario: Scenario,
    *,
    directory: Path,
    recording: Recording | None = None,
    on_progress: Callable[[int], None] | None = None,
    stop: threading.Event | None = None,
) -> RunResult:
    """Run a scenario on an engine; see :meth:`EngineModule.run_scenario`."""
    return engine_module(engine).run_scenario(
        scenario, directory=directory, recording=recording, on_progress=on_progress, stop=stop
    )


def rtl_engine(scenario: Scenario) -> Engine:
    """The engine of the emitted Verilog that suits a scenario.

    One that writes a waveform runs under cocotb, whose bench checks every port. Any other runs as a
    shared library, which gives the same result sooner.
    """
    return Engine.VERILATED if scenario.window is None else Engine.COCOTB


def build_simulators(
    runs: Iterable[tuple[Engine, Scenario]], *, on_built: Callable[[float], None]
) -> None:
    """Build what some runs need, side by side.

    Parameters
    ----------
    runs : Iterable[tuple[Engine, Scenario]]
        What will be run, and on what.
    on_built : Callable
        Called with the part of the work that is done since the last call; 1 in all.

    Raises
    ------
    BuildFailed
        If the hardware does not build; no build begins after that.
    """
    wanted = {
        (engine, each.config, each.arbiter, each.axi_ports, len(each.channels)): None
        for engine, each in runs
    }
    # The compiler of one runs while the hardware of another is elaborated.
    with _threads(_BUILDERS) as pool:
        for future in as_completed([pool.submit(build, *each) for each in wanted]):
            future.result()
            on_built(1 / len(wanted))


def run_scenarios(
    runs: Sequence[tuple[Engine, Scenario]],
    *,
    directory: Path,
    workers: int = 2,
    on_progress: Callable[[int], None] | None = None,
) -> list[RunResult]:
    """Run scenarios side by side; results in their order.

    Parameters
    ----------
    runs : Sequence[tuple[Engine, Scenario]]
        What to run, and on what.
    directory : pathlib.Path
        Folder of what the runs under cocotb leave.
    workers : int
        Runs at the same time.
    on_progress : Callable or None
        Called now and then with the clocks that the runs have got on by.

    Raises
    ------
    HardwareError
        If a run fails; the others are stopped then.
    """
    build_simulators(runs, on_built=lambda part: None)
    stop = threading.Event()

    # No engine holds the interpreter's lock while it runs. Those under cocotb take longest.
    with _threads(workers) as pool:
        longest_first = sorted(range(len(runs)), key=lambda k: runs[k][0] is not Engine.COCOTB)
        futures = {
            k: pool.submit(
                run_scenario, *runs[k], directory=directory, on_progress=on_progress, stop=stop
            )
            for k in longest_first
        }
        try:
            return [futures[k].result() for k in range(len(runs))]
        except BaseException:
            stop.set()
            raise


@contextlib.contextmanager
def _threads(count: int) -> Generator[ThreadPoolExecutor, None, None]:
    """Threads that begin nothing more once something has failed."""
    with ThreadPoolExecutor(count) as pool:
        try:
            yield pool
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
