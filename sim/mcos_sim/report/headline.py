"""What a comparison of arbiters found, in a sentence that is true of every result."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from mcos_sim.report.amounts import enumerated, percent, rounded, span
from mcos_sim.report.marks import FCFS_OVER_ALONE, PREFILL_OF_TARGET, UTILISATION_OVER_FCFS, marks
from mcos_sim.report.rows import COMPARED

__all__ = [
    "Standing",
    "headline",
]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Standing:
    """Where the decoders and the prefill of a scenario stand.

    Parameters
    ----------
    decoders : Mapping[str, Mapping[str, int]]
        p99 of the steps in clocks under each run by decoder; only runs in which it ended a step.
    prefill_of_target : float
        Share of the prefill under MCOS over its target.
    utilisation : Mapping[str, float]
        Part of the channel in use, by run.
    utilisation_over_fcfs : float
        Of MCOS, over that of FCFS.
    alone_utilisation : float
        Part of the channel that the decoders alone use.
    """

    decoders: Mapping[str, Mapping[str, int]]
    prefill_of_target: float
    utilisation: Mapping[str, float]
    utilisation_over_fcfs: float
    alone_utilisation: float

    @classmethod
    def of(cls, result: Mapping[str, Any], scenario: str) -> "Standing":
        """Read a scenario of a result."""
        runs = result["scenarios"][scenario]
        names = [tenant["name"] for tenant in runs["alone"]["tenants"]]
        return cls(
            decoders={
                name: {
                    run: tenant["p99_clocks"]
                    for run in COMPARED
                    for tenant in runs[run]["tenants"]
                    if tenant["name"] == name and tenant["p99_clocks"] is not None
                }
                for name in names
            },
            prefill_of_target=runs["ratios"]["prefill_of_target"],
            utilisation={run: runs[run]["utilisation"] for run in COMPARED},
            utilisation_over_fcfs=runs["mcos_utilisation_over_fcfs"],
            alone_utilisation=runs["honesty"]["alone_utilisation"],
        )

    @property
    def complete(self) -> bool:
        """Whether every decoder ended a step in every run that is compared."""
        return bool(self.decoders) and all(
            len(runs) == len(COMPARED) for runs in self.decoders.values()
        )

    @property
    def helped(self) -> list[str]:
        """Decoders whose p99 is smaller under MCOS than under FCFS."""
        return [name for name, runs in self.decoders.items() if runs["mcos"] < runs["fcfs"]]

    def over_alone(self, run: str) -> list[float]:
        """p99 of each decoder under a run over its p99 alone."""
        return [runs[run] / runs["alone"] for runs in self.decoders.values()]


def headline(result: Mapping[str, Any], scenario: str) -> str:
    """Say what happened in a scenario, by how much, and what was paid for it.

    Parameters
    ----------
    result : Mapping[str, Any]
        Result of a comparison.
    scenario : str
        One of its scenarios.

    Returns
    -------
    str
        One sentence; a second one where FCFS hardly hurts, so that there was little to mend.
        Latencies are the range over the decoders.
    """
    standing = Standing.of(result, scenario)
    if not standing.complete:
        missing = [name for name, runs in standing.decoders.items() if len(runs) < len(COMPARED)]
        return (
            f"The runs were too short to compare: {enumerated(missing or ['no decoder'])} did not "
            "end a step under every arbiter."
        )
    clock_khz = result["config"]["clock_khz"]
    p99 = {run: [runs[run] for runs in standing.decoders.values()] for run in COMPARED}
    times = {run: span(clocks, clock_khz) for run, clocks in p99.items()}
    if times["mcos"] == times["alone"] and p99["mcos"] != p99["alone"]:
        # What is not equal must not read so.
        times |= {run: span(p99[run], clock_khz, digits=3) for run in ("alone", "mcos")}
    count, helped = len(standing.decoders), len(standing.helped)
    subject = "With a prefill burst beside them the decoders' slowest steps (p99) take"
    under = f"{times['fcfs']} under FCFS and {times['mcos']} under MCOS"
    alone = f"{times['alone']} being what they take alone"
    if helped == count:
        happened = f"{subject} {under}, {alone}"
    elif helped:
        happened = f"MCOS helps {helped} of {count} decoders: {_small(subject)} {under}, {alone}"
    else:
        happened = f"MCOS does not help: {_small(subject)} {under}, {alone}"
    happened += _beyond(result, scenario, standing)
    weak = min(standing.over_alone("fcfs"))
    doubt = "" if weak >= FCFS_OVER_ALONE else f" {_little(weak)}"
    return f"{happened}; {_paid(standing)}.{doubt}"


def _small(text: str) -> str:
    return text[0].lower() + text[1:]


def _beyond(result: Mapping[str, Any], scenario: str, standing: Standing) -> str:
    """How far MCOS is from alone, where that is more than its mark allows."""
    for mark in marks(result):
        if (mark.scope, mark.label) == (scenario, "MCOS p99 / alone") and not mark.passed:
            worst = max(standing.over_alone("mcos"))
            return (
                f", so that MCOS makes them up to {rounded(worst)} times as long, "
                f"where {rounded(mark.limit)} is allowed"
            )
    return ""


def _paid(standing: Standing) -> str:
    """What the channel and the prefill lost, or that they lost nothing."""
    full = standing.utilisation_over_fcfs >= UTILISATION_OVER_FCFS
    served = standing.prefill_of_target >= PREFILL_OF_TARGET
    mcos, fcfs = (percent(standing.utilisation[run]) for run in ("mcos", "fcfs"))
    share = percent(standing.prefill_of_target)
    used = (
        f"the channel is as full ({mcos})"
        if full and mcos == fcfs
        else (f"the channel is {'as' if full else 'less'} full ({mcos}; {fcfs} under FCFS)")
    )
    got = f"the prefill gets {'' if served else 'only '}{share} of its share"
    if full and served:
        return f"{used} and {got}"
    if full:
        return f"it is paid for: {got}, while {used}"
    if served:
        return f"it is paid for: {used}, while {got}"
    return f"it is paid for: {used} and {got}"


def _little(over_alone: float) -> str:
    """That there was little to mend."""
    if over_alone <= 1:
        return "Under FCFS not every decoder is slower than alone, so there was little to mend."
    return (
        f"FCFS makes a decoder only {rounded(over_alone)} times as slow as alone, so there was "
        "little to mend."
    )
