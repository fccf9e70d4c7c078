"""What ``mcos run`` runs: a contract and its traffic as a scenario."""

import dataclasses
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mcos_hw.registers import ArbiterKind
from mcos_policy.compiler import Compiled
from mcos_policy.objectives import idle_latency
from mcos_sim.experiments.behind import behind
from mcos_sim.experiments.contention import Setting, contention_scenario, workloads
from mcos_sim.experiments.replay import replay_scenario
from mcos_sim.memory.name import MemoryName
from mcos_sim.ported.sizes import Ports
from mcos_sim.scenario import FIRST_CLOCK, Channel, Scenario, Window, one_port
from mcos_sim.traffic.essay import PREFILL
from mcos_sim.traffic.inference import inference_streams
from mcos_sim.traffic.models import find_model
from mcos_sim.traffic.plan import plan_traffic
from mcos_sim.traffic.requesters import plan_streams
from mcos_sim.traffic.trace import read_trace

__all__ = [
    "Common",
    "Prepared",
    "prepare_plan",
    "prepare_trace",
    "prepare_workload",
]


WAY_CLOCKS = 32
"""Clocks of an idle channel's latency that are not the memory's: the way there and back, the bytes
themselves, and a margin. With the contract's default of 180 ns the memory then answers 116 clocks
after a command's last byte, as in :class:`~mcos_sim.experiments.contention.Setting`."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Common:
    """What every run has, whatever its traffic.

    Parameters
    ----------
    name : str
        Names the run's folder.
    arbiter : ArbiterKind
        Arbiter of the hardware.
    seed : int
        Seed of everything random.
    memory : MemoryName
        What is behind the port.
    window : Window or None
        Waveform to write.
    channels : int
        Channels of the contract that are run.
    axi_ports : Ports
        Tags at each AXI port; without any, requests come in at the channel itself.
    """

    name: str
    arbiter: ArbiterKind
    seed: int
    memory: MemoryName
    window: Window | None
    channels: int = 1
    axi_ports: Ports = ()

    def placed(self, scenario: Scenario, compiled: Compiled) -> Scenario:
        """A scenario of one channel with the run's channels, memory and ports."""
        scenario = dataclasses.replace(scenario, channels=scenario.channels * self.channels)
        scenario = behind(scenario, self.memory, compiled)
        return scenario.behind_axi(self.axi_ports) if self.axi_ports else scenario


@dataclasses.dataclass(frozen=True, kw_only=True)
class Prepared:
    """A run that is ready to begin.

    Parameters
    ----------
    compiled : Compiled
        The contract.
    scenario : Scenario
        What to run.
    expected : int
        Clocks that it takes, about.
    kind : str
        Who says the traffic: ``"file"``, ``"options"``, ``"default"``, ``"workload"`` or
        ``"trace"``.
    facts : dict
        What is known of the traffic, ready for JSON.
    words : dict[str, str]
        Traffic of each tenant in words, by name; tenants without an entry are idle.
    remarks : list[str]
        What is odd, a sentence each.
    files : list[Path]
        Files that the traffic was read from, beside those on the command line.
    """

    compiled: Compiled
    scenario: Scenario
    expected: int
    kind: str
    facts: dict[str, Any]
    words: dict[str, str]
    remarks: list[str]
    files: list[Path] = dataclasses.field(default_factory=list)


def prepare_plan(
    compiled: Compiled, *, file: Path | None, options: Iterable[str], clocks: int, common: Common
) -> Prepared:
    """A run of any contract, with traffic by a file, by options, or by default.

    The simple memory answers within the contract's latency, because its bounds suppose that.

    Raises
    ------
    ContractError
        If the traffic file or an option is at fault.
    UserError
        If a trace file is, or there is too much traffic.
    """
    config = compiled.config
    run_clocks = clocks - FIRST_CLOCK
    plan = plan_traffic(compiled, file=file, options=options, run_clocks=run_clocks)
    streams, remarks = plan_streams(
        plan,
        compiled,
        first=FIRST_CLOCK,
        end=clocks,
        seed=common.seed,
        channels=common.channels,
    )
    latency = Setting().memory_latency
    if common.memory is MemoryName.SIMPLE:
        latency = max(1, math.floor(idle_latency(compiled.contract, config)) - WAY_CLOCKS)
    scenario = Scenario(
        name=common.name,
        arbiter=common.arbiter,
        config=config,
        image=compiled.image.words,
        ports=one_port(streams),
        clocks=clocks,
        channels=(Channel(latency=latency, credit=compiled.settings.channel.port_credit),),
        seed=common.seed,
        contract=compiled.origin["name"],
        window=common.window,
    )
    words = {each.tenant.name: each.pattern.words for each in plan.asking}
    return Prepared(
        compiled=compiled,
        scenario=common.placed(scenario, compiled),
        expected=clocks,
        kind=plan.kind,
        facts={"sentence": plan.sentence()},
        words=words,
        remarks=remarks,
        files=plan.files,
    )


def prepare_workload(compiled: Compiled, *, workload: str, clocks: int, common: Common) -> Prepared:
    """A run of the essay's workload.

    Raises
    ------
    UserError
        If the contract has not the essay's tenants under the essay's tags.
    """
    setting = Setting(
        clocks=clocks,
        seed=common.seed,
        memory=common.memory,
        channels=common.channels,
        axi_ports=common.axi_ports,
    ).for_channels(common.channels, compiled.config)
    found = workloads(common.memory, compiled.config)[workload]
    scenario = contention_scenario(
        compiled, found, "mcos", setting, name=common.name, window=common.window
    )
    part = f"{PREFILL}: workload {workload}", f"decoder: workload {workload}"
    return Prepared(
        compiled=compiled,
        scenario=dataclasses.replace(scenario, arbiter=common.arbiter),
        expected=clocks,
        kind="workload",
        facts={"workload": workload},
        words={each.name: part[each.name != PREFILL] for each in scenario.streams},
        remarks=[],
    )


def prepare_trace(
    compiled: Compiled,
    *,
    trace: Path,
    model: str,
    requests: int,
    grants: int,
    common: Common,
) -> Prepared:
    """A run of a service that serves a trace.

    Raises
    ------
    UserError
        If the contract lacks a tenant of the service, the trace is at fault, or too large.
    """
    geometry = find_model(model)
    requested = read_trace(trace, seed=common.seed)
    workload = inference_streams(
        requested,
        geometry,
        config=compiled.config,
        channels=compiled.contract.fabric.channels,
        run=common.channels,
        requests=requests,
        grants=grants,
    )
    scenario = replay_scenario(
        compiled,
        workload,
        memory_latency=Setting().memory_latency,
        name=common.name,
        arbiter=common.arbiter,
        seed=common.seed,
        window=common.window,
    )
    part = "prefill: its part of the trace", "decode: its part of the trace"
    return Prepared(
        compiled=compiled,
        scenario=common.placed(scenario, compiled),
        expected=workload.facts["schedule_clocks"],
        kind="trace",
        facts=workload.facts,
        words={each.name: part[each.name != PREFILL] for each in scenario.streams},
        remarks=[f"{trace}: warning: {remark}" for remark in requested.remarks],
    )
