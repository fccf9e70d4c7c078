"""What ``mcos run`` prints: a table with a row a tenant, and a sentence an objective."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mcos_sim.console import print_table, tell
from mcos_sim.engines.dispatch import Engine
from mcos_sim.experiments.run_words import (
    UNITS,
    objective_sentence,
    time_words,
    unit_for,
)
from mcos_sim.report.amounts import channels_words, rounded
from mcos_sim.tables import Column

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["show_run"]


def show_run(found: Mapping[str, Any]) -> None:
    """Print what a run found.

    Parameters
    ----------
    found : Mapping[str, Any]
        What is written as JSON.
    """
    facts = found["workload"]
    if found["traffic"] == "trace":
        tell(
            f"{facts['trace_requests']:,} requests of {facts['source']} on "
            f"{_of_channels(found['channels_run'], facts['channels'])}, {facts['model']}: "
            f"{_scaling(facts)}, "
            f"{facts['rounded_up']:,} amounts rounded up to one beat "
            f"({facts['rounded_up_bytes']:,} B), offered load {facts['offered_load']:.1%}"
        )
    khz = found["clock_khz"]
    unit = _unit(found)
    runs_on = Engine(found["engine"]).description
    columns = (
        "tenant",
        Column(heading="traffic", justify="left"),
        "asked GB/s",
        "got GB/s",
        "promised GB/s",
        f"p50 {unit}",
        f"p99 {unit}",
        f"max {unit}",
        f"SLO {unit}",
        f"bound {unit}",
        # What the contract promises, whatever this run met: that is in the last column.
        Column(heading="by contract", justify="left"),
        "late",
    )
    rows = [
        [row["name"], _kind(row["traffic"]), *_cells(row, khz, unit)] for row in found["tenants"]
    ]
    span = time_words(found["clocks"], khz)
    title = f"{found['arbiter']}: {found['clocks']:,} clocks ({span}) of {runs_on}"
    print_table(title, columns, rows)
    capacity = found["capacity_gbps"]
    used = capacity - found["idle_gbps"]
    tell(
        f"{rounded(used, 4)} of {rounded(capacity, 4)} GB/s used on "
        f"{channels_words(found['channels'])} "
        f"({used / capacity:.1%}), {found['grants']:,} requests granted on "
        f"{_simulated(found['channels_run'])}, seed {found['seed']}"
    )
    if found["channels_run"] > 1:
        tell("used of each channel: " + ", ".join(f"{u:.1%}" for u in found["channel_utilisation"]))
    memory = found["memory"]
    if "row_changes" in memory:
        tell(
            f"{memory['name']}: {memory['conflicts']:.2%} of the bursts in conflict, "
            f"{memory['closed']:.2%} to a closed bank, {memory['of_ceiling']:.1%} of what refresh "
            f"leaves, {memory['pj_per_byte']:.1f} pJ/B"
        )
    answered = [row for row in found["tenants"] if row["slo_clocks"] is not None]
    if answered and found["arbiter"] != "mcos":
        tell(f"{found['arbiter']} keeps no contract; what is promised is what mcos would keep")
    for row in answered:
        tell(objective_sentence(row, khz))


def _scaling(facts: Mapping[str, Any]) -> str:
    """What a trace was scaled by, and with how many channels it would not be."""
    if facts["scale"] == 1:
        return "nothing scaled"
    return (
        f"bytes and time scaled by {facts['scale']:.4g} (unscaled "
        f"{facts['unscaled_memory_requests']:,} memory requests, which --grants would hold if the "
        f"contract had about {facts['unscaled_channels']:,} channels)"
    )


def _simulated(run: int) -> str:
    return "the one simulated" if run == 1 else f"the {run} simulated"


def _of_channels(run: int, channels: int) -> str:
    return f"{'one' if run == 1 else run} of {channels:,} channels"


def _kind(words: str) -> str:
    """What kind of traffic some words tell of; the details are in the line above the table."""
    return (
        "trace" if words.startswith("trace ") else re.split(r": |, | at | from | until ", words)[0]
    )


def _unit(found: Mapping[str, Any]) -> str:
    """The unit of all times in the table: that of the longest median or objective."""
    clocks = [row["slo_clocks"] or 0 for row in found["tenants"]]
    clocks += [row["latency_clocks"]["p50"] for row in found["tenants"] if row["latency_clocks"]]
    return min(unit_for(max(clocks) * 1e6 / found["clock_khz"]), "us", key=list(UNITS).index)


def _cells(row: Mapping[str, Any], khz: int, unit: str) -> Iterator[str]:
    """Cells of a row behind the traffic."""

    def time(clocks: float | None) -> str:
        return "-" if clocks is None else time_words(clocks, khz, unit)

    latency = row["latency_clocks"] or dict.fromkeys(("p50", "p99", "max"))
    # How much a backlogged tenant has offered says how deep its window is.
    yield "all" if row["traffic"].startswith("backlogged") else rounded(row["asked_gbps"], 4)
    yield rounded(row["granted_gbps"], 4)
    yield "nothing" if row["best_effort"] else rounded(row["guaranteed_gbps"], 4)
    yield from (time(latency[key]) for key in ("p50", "p99", "max"))
    yield time(row["slo_clocks"])
    yield time(row["bound_clocks"])
    yield (row["verdict"] or "-").replace(" ", "\n")
    yield "-" if row["slo_clocks"] is None else f"{row['violations']:,}"
