"""What a run says of each objective, in a sentence."""

from collections.abc import Mapping
from typing import Any

from mcos_sim.report.amounts import rounded
from mcos_sim.report.served import ASKS_MORE, NEARLY

__all__ = [
    "SHARED_PORTS",
    "UNITS",
    "breach_sentence",
    "objective_sentence",
    "supposed",
    "time_words",
    "unit_for",
]


UNITS = {"ns": 1.0, "us": 1e3, "ms": 1e6}
"""Nanoseconds of each unit of time."""

_SUPPOSED = (
    "MCOS is at fault, or the bound supposes what this run has not: the pacer, overcommitted = "
    "false, a memory that keeps [memory] rate and stall and [fabric] latency, tenants that do not "
    "fill their queues in the same clock; see docs/traffic.md"
)
"""What to say when a promise is broken."""

SHARED_PORTS = (
    "tenants share AXI ports, where one that waits holds up those behind it, whatever the arbiter "
    "does: what is promised supposes ports of their own (--own-ports with several channels, no "
    "--ports with one); see docs/port.md"
)
"""The same where tenants share ports."""

_OF_A_DEVICE = (
    "{} has rows and refresh: the bound holds on it only under [memory] rate and stall and "
    "[fabric] latency that it keeps, as the sample decode-prefill-hbm3 has them; see docs/memory.md"
)
"""The same where the memory is the model of a device."""

_MOST_NS = 10_000
"""Longest time that is told in ns."""


def unit_for(nanoseconds: float) -> str:
    """The unit in which a time has few digits before its point."""
    return "ns" if nanoseconds < _MOST_NS else "us" if nanoseconds < 1e3 * _MOST_NS else "ms"


def time_words(clocks: float, clock_khz: int, unit: str | None = None) -> str:
    """Clocks as a time: in ``unit`` without naming it, or else in one that fits."""
    nanoseconds = clocks * 1e6 / clock_khz
    chosen = unit or ("ns" if nanoseconds < UNITS["us"] else "us")
    scaled = nanoseconds / UNITS[chosen]
    shown = f"{scaled:,.0f}" if scaled >= 100 else f"{scaled:.3g}"
    return shown if unit else f"{shown} {chosen}"


def objective_sentence(row: Mapping[str, Any], clock_khz: int) -> str:
    """Whether a tenant's objective was kept, what its worst request met, and what is promised.

    Parameters
    ----------
    row : Mapping[str, Any]
        A tenant of :func:`mcos_sim.experiments.objectives.run_figures` with an objective.
    clock_khz : int
        Clock frequency.
    """

    def time(clocks: float) -> str:
        return time_words(clocks, clock_khz)

    name, worst, bound = row["name"], row["worst"], row["bound_clocks"]
    promised = "nothing is promised" if bound is None else f"promised {time(bound)}"
    if worst is None:
        return f"{name}: no request, and so none later than {time(row['slo_clocks'])}; {promised}"
    longest = f"worst {time(worst['latency_clocks'])}"
    if not row["violations"]:
        if row["breaches"]:
            return f"{name}: its SLO is kept, what is promised is not: {longest}, {promised}"
        return f"{name}: kept: {longest}, {promised}"
    least = f"{name}: {row['violations']:,} of {row['requests']:,} requests later than"
    pending = "" if worst["completed"] is not None else ", unanswered at the end"
    told = f"{least} {time(row['slo_clocks'])}; {longest} (request {worst['request']:,}{pending})"
    own = worst["own_queue_clocks"]
    if bound is None:
        return f"{told}; {promised} to best effort"
    if own * 2 < worst["latency_clocks"]:
        return f"{told}, {promised}"
    whole = own >= NEARLY * worst["latency_clocks"]
    told += f", {'all' if whole else time(own)} of that behind its own requests"
    if row["asked_gbps"] > ASKS_MORE * row["guaranteed_gbps"]:
        return (
            f"{told}: it asked for {rounded(row['asked_gbps'], 4)} GB/s and is promised "
            f"{rounded(row['guaranteed_gbps'], 4)}"
        )
    return f"{told}: it asks for more at once than its guarantee carries"


def breach_sentence(row: Mapping[str, Any], clock_khz: int) -> str:
    """That a tenant got less than its bound promises, and what may be the reason."""
    most = row["promised_clocks"]
    shown = "one is unanswered" if most is None else f"up to {time_words(most['max'], clock_khz)}"
    return (
        f"{row['name']}: {row['breaches']:,} of {row['requests']:,} requests waited longer than "
        f"the {time_words(row['bound_clocks'], clock_khz)} that are promised beside its own queue, "
        f"{shown}"
    )


def supposed(memory: str) -> str:
    """What to say when a promise is broken before a memory of that name."""
    return _SUPPOSED if memory == "simple" else _OF_A_DEVICE.format(memory)
