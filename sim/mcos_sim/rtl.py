"""Scenarios on the emitted Verilog, each on the engine that suits it."""

import contextlib
import threading
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import ArbiterKind
from mcos_sim.engines import cocotb as cosim
from mcos_sim.engines import verilated as compiled
from mcos_sim.scenario import RunResult, Scenario

__all__ = [
    "build_simulators",
    "run_scenarios",
]

_BUILDERS = 2


def build_simulators(scenarios: Iterable[Scenario], *, on_built: Callable[[float], None]) -> None:
    """Build what the scenarios run on, or find it.

    Parameters
    ----------
    scenarios : Iterable[Scenario]
        What will be run.
    on_built : Callable
        Called with the part of the work that is done since the last call; 1 in all.
    """
    wanted = {(each.window is not None, each.arbiter, each.config): None for each in scenarios}

    def build(traced: bool, arbiter: ArbiterKind, config: ChannelConfig) -> None:
        find = cosim.build_harness if traced else compiled.channel_library
        find(config, arbiter)

    # The compiler of one runs while the hardware of another is elaborated.
    with _threads(_BUILDERS) as pool:
        for future in as_completed([pool.submit(build, *each) for each in wanted]):
            future.result()
            on_built(1 / len(wanted))


def run_scenarios(
    scenarios: Sequence[Scenario],
    *,
    directory: Path,
    workers: int = 2,
    on_progress: Callable[[int], None] | None = None,
) -> list[RunResult]:
    """Run scenarios side by side; results in their order.

    Those that write a waveform run under cocotb, all others on the compiled engine, which gives the
    same result sooner.

    Parameters
    ----------
    scenarios : Sequence[Scenario]
        What to run.
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
    build_simulators(scenarios, on_built=lambda part: None)

    stop = threading.Event()

    def run(scenario: Scenario) -> RunResult:
        if scenario.window is None:
            return compiled.run_scenario(scenario, on_progress=on_progress, stop=stop)
        return cosim.run_scenario(
            scenario,
            directory=directory,
            on_progress=on_progress,
            stop=stop,
        )

    # Neither engine holds the interpreter's lock while it runs. Those under cocotb take longest.
    with _threads(workers) as pool:
        longest_first = sorted(range(len(scenarios)), key=lambda k: scenarios[k].window is None)
        futures = {k: pool.submit(run, scenarios[k]) for k in longest_first}
        try:
            return [futures[k].result() for k in range(len(scenarios))]
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
