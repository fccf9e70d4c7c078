"""The demo: both scenarios of the essay's experiment under every arbiter, and the share error."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from mcos_hw.registers import ArbiterKind
from mcos_policy.compiler import Compiled
from mcos_sim.engines.dispatch import Engine, rtl_engine, run_scenarios
from mcos_sim.experiments.backlog import backlog_scenario, share_error
from mcos_sim.experiments.behind import capacity
from mcos_sim.experiments.contention import (
    ARBITER_OF_RUN,
    Setting,
    compare,
    contention_scenario,
    workloads,
)
from mcos_sim.scenario import RunResult, Scenario, Window
from mcos_sim.traffic.essay import EssayWorkload

__all__ = [
    "Demo",
]


WINDOW_SWEEP = (16, 32, 64, 128, 256, 1200)
"""Prefill windows: 1, 2, 4, 8, 16 and 75 times the decoders', the essay's last."""

CREDIT_SWEEP = (1, 2, 4, 8)
"""Port credits in multiples of the contract's, with the pacer off so that credit matters."""

VARIANTS = (
    ("loaded", "prefill requests of 512 B", {"prefill_beats": 16}),
    ("saturated", "all steps of one size", {"step_jitter": 0}),
)
"""Changes of a workload that its figures are sensitive to: scenario, what, fields."""

SWEEP_RUNS = ("alone", "fcfs", "mcos")

TRACED_CLOCKS = 2_000
"""Length of the waveform: the decoders' first meeting with the prefill burst."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Case:
    """One comparison of the demo, and what its row in the result says of it."""

    workload: EssayWorkload
    setting: Setting
    runs: tuple[str, ...] = SWEEP_RUNS
    row: dict[str, Any] = dataclasses.field(default_factory=dict)

    def key(self, run: str) -> tuple:
        """Runs with one key are one run: alone does not depend on the prefill."""
        workload, setting = self.workload, self.setting
        if run == "alone":
            setting = dataclasses.replace(setting, prefill_window=1)
            workload = dataclasses.replace(workload, prefill_beats=1)
        return workload, setting, run


class Demo:
    """Everything that the demo runs.

    Parameters
    ----------
    compiled : Compiled
        The contract.
    setting : Setting
        What to run with.
    full : bool
        Also sweep the prefill's window and the port credit, and vary the workload.
    directory : pathlib.Path
        Folder of all outputs.
    engine : Engine or None
        What all runs are of; None chooses the engine of the RTL that suits each.

    Raises
    ------
    UserError
        If the contract has not the essay's tenants.
    """

    def __init__(
        self,
        compiled: Compiled,
        setting: Setting,
        *,
        full: bool,
        directory: Path,
        engine: Engine | None = None,
    ) -> None:
        self._engine = engine
        self.compiled = compiled
        self.setting = setting
        self.directory = directory
        self.window_path = directory / "window.vcd"
        self._workloads = workloads(setting.memory, compiled.config)
        self._main = [
            _Case(
                workload=workload,
                setting=setting,
                # Hardware with data takes minutes to build: the arbiters that the marks are about.
                runs=SWEEP_RUNS if setting.axi_ports else tuple(ARBITER_OF_RUN),
            )
            for workload in self._workloads.values()
        ]
        self._sweeps = _sweeps(setting, self._workloads) if full else {}
        self._variants = _variants(setting, self._workloads) if full else []
        self._scenarios: dict[tuple, Scenario] = {}
        for case in self._cases():
            for run in case.runs:
                if case.key(run) not in self._scenarios:
                    number = len(self._scenarios)
                    self._scenarios[case.key(run)] = self._scenario(case, run, number)
        for arbiter in (ArbiterKind.MCOS, ArbiterKind.FCFS):
            self._scenarios[("backlogged", arbiter)] = backlog_scenario(
                compiled,
                arbiter,
                memory_latency=setting.memory_latency,
                memory=setting.memory,
                seed=setting.seed,
                channels=setting.channels,
                axi_ports=setting.axi_ports,
                name=f"backlogged-{arbiter.name.lower()}",
            )

    @property
    def clocks(self) -> int:
        """Clocks of all runs together."""
        return sum(scenario.clocks for scenario in self._scenarios.values())

    @property
    def jobs(self) -> list[tuple[Engine, Scenario]]:
        """All runs, each with the engine that it runs on."""
        return [(self._engine or rtl_engine(each), each) for each in self._scenarios.values()]

    @property
    def runs(self) -> int:
        """Number of runs."""
        return len(self._scenarios)

    def run(self, *, on_progress: Callable[[int], None] | None = None) -> dict:
        """Runs everything and returns the result; its keys are those of ``result.json``.

        Raises
        ------
        HardwareError
            If a check of the bench fails.
        """
        found = run_scenarios(
            self.jobs,
            directory=self.directory / "runs",
            on_progress=on_progress,
        )
        results = dict(zip(self._scenarios, found, strict=True))
        config = self.compiled.config
        grants, mcos_error = share_error(self.compiled, results["backlogged", ArbiterKind.MCOS])
        _, fcfs_error = share_error(self.compiled, results["backlogged", ArbiterKind.FCFS])
        result = {
            "config_hash": config.hash,
            "config": dataclasses.asdict(config),
            "contract": self._contract(),
            "seed": self.setting.seed,
            "settings": self._settings(),
            "scenarios": {case.workload.name: self._compare(case, results) for case in self._main},
            "backlogged": {
                "grants": grants,
                "max_share_error_mcos": mcos_error,
                "max_share_error_fcfs": fcfs_error,
            },
        }
        if self._sweeps:
            result["sweeps"] = {
                name: [self._row(case, results) for case in cases]
                for name, cases in self._sweeps.items()
            }
            result["variants"] = [self._row(case, results) for case in self._variants]
        return result

    def _cases(self) -> Iterator[_Case]:
        yield from self._main
        for cases in self._sweeps.values():
            yield from cases
        yield from self._variants

    def _scenario(self, case: _Case, run: str, number: int) -> Scenario:
        window = None
        if case is self._main[0] and run == "mcos" and case.setting.channels == 1:
            first = round(case.workload.prefill_from * case.setting.clocks) - TRACED_CLOCKS // 2
            window = Window(path=self.window_path, first=first, end=first + TRACED_CLOCKS)
        return contention_scenario(
            self.compiled,
            case.workload,
            run,
            case.setting,
            name=f"{number:02d}-{case.workload.name}-{run}",
            window=window,
        )

    def _compare(self, case: _Case, results: dict[tuple, RunResult]) -> dict:
        runs = {run: results[case.key(run)] for run in case.runs}
        return compare(self.compiled, case.workload, case.setting, runs)

    def _row(self, case: _Case, results: dict[tuple, RunResult]) -> dict:
        return {"scenario": case.workload.name} | case.row | self._compare(case, results)["ratios"]

    def _contract(self) -> dict:
        tags = self.compiled.contract.tags()
        return {
            **self.compiled.origin,
            "image_label": f"0x{self.compiled.image.label:08x}",
            "image_crc": f"0x{self.compiled.image.crc:08x}",
            "tenants": {
                tenant.name: dataclasses.asdict(self.compiled.settings.tenants[tags[place]])
                for place, tenant in self.compiled.contract.tenants.items()
            },
        }

    def _settings(self) -> dict:
        return {
            "run": dataclasses.asdict(self.setting),
            "memory": {
                "name": self.setting.memory.value,
                "latency_clocks": self.setting.memory_latency,
                "bytes_per_clock": capacity(self.compiled, self.setting.memory),
                "port_credit_bytes": self.compiled.settings.channel.port_credit,
            },
            "slice": {
                "channels_of_contract": self.compiled.contract.fabric.channels,
                "run": self.setting.channels,
            },
            **{
                f"workload {name}": dataclasses.asdict(workload)
                for name, workload in self._workloads.items()
            },
        }


def _sweeps(setting: Setting, of: Mapping[str, EssayWorkload]) -> dict[str, list[_Case]]:
    def case(workload: EssayWorkload, row: dict[str, Any], **changes: Any) -> _Case:
        return _Case(workload=workload, setting=dataclasses.replace(setting, **changes), row=row)

    return {
        "window": [
            case(workload, {"prefill_window": window}, prefill_window=window)
            for workload in of.values()
            for window in WINDOW_SWEEP
        ],
        "credit": [
            case(
                workload,
                {"credit_factor": factor, "pacer": False},
                credit_factor=factor,
                pacer=False,
            )
            for workload in of.values()
            for factor in CREDIT_SWEEP
        ],
    }


def _variants(setting: Setting, of: Mapping[str, EssayWorkload]) -> list[_Case]:
    return [
        _Case(
            workload=dataclasses.replace(of[name], **changes),
            setting=setting,
            row={"variant": what},
        )
        for name, what, changes in VARIANTS
    ]
