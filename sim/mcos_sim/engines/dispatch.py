"""The three engines by name: the same scenario, the same result.

An engine is imported when it is asked for: each of them takes a second.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mcos_hw.config import ChannelConfig
    from mcos_hw.registers import ArbiterKind
    from mcos_sim.engines.recording import Recording
    from mcos_sim.scenario import RunResult, Scenario

__all__ = [
    "Engine",
    "build",
    "run_scenario",
]


class Engine(enum.StrEnum):
    """What a scenario runs on."""

    COCOTB = "cocotb"
    COMPILED = "compiled"
    REFERENCE = "reference"

    @property
    def description(self) -> str:
        """The same for people."""
        return {
            Engine.COCOTB: "the RTL in cocotb",
            Engine.COMPILED: "the compiled RTL",
            Engine.REFERENCE: "the reference model",
        }[self]


def build(engine: Engine, config: ChannelConfig, arbiter: ArbiterKind) -> None:
    """Build what an engine runs a channel on, or find it; the reference model needs nothing.

    Parameters
    ----------
    engine : Engine
        What will run.
    config : ChannelConfig
        Sizes of the channel.
    arbiter : ArbiterKind
        Its arbiter.

    Raises
    ------
    BuildFailed
        If the hardware does not build.
    """
    match engine:
        case Engine.COMPILED:
            from mcos_sim.engines.verilated import channel_library

            channel_library(config, arbiter)
        case Engine.COCOTB:
            from mcos_sim.engines.cocotb import build_harness

            build_harness(config, arbiter)


def run_scenario(
    engine: Engine,
    scenario: Scenario,
    *,
    directory: Path,
    recording: Recording | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> RunResult:
    """Run a scenario.

    Parameters
    ----------
    engine : Engine
        What to run it on.
    scenario : Scenario
        What to run.
    directory : pathlib.Path
        Folder of what a run under cocotb leaves.
    recording : Recording or None
        What looks at the run in place of the scenario's window; the cocotb engine has no place
        for one.
    on_progress : Callable or None
        Called now and then with the clocks that the run has got on by.

    Raises
    ------
    HardwareError
        If the hardware does not build, or fails a check.
    ValueError
        If a run under cocotb is to be watched.
    """
    match engine:
        case Engine.REFERENCE:
            from mcos_sim.engines import model as reference

            return reference.run_scenario(scenario, recording=recording, on_progress=on_progress)
        case Engine.COMPILED:
            from mcos_sim.engines import verilated as compiled

            return compiled.run_scenario(scenario, recording=recording, on_progress=on_progress)
        case Engine.COCOTB:
            from mcos_sim.engines import cocotb as cosim

            if recording is not None:
                raise ValueError("only the compiled and the reference engine can be watched")
            return cosim.run_scenario(scenario, directory=directory, on_progress=on_progress)
