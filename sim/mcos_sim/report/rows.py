"""The result of a comparison, in the order in which people read it."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = [
    "RUNS",
    "Row",
    "flatten",
    "microseconds",
    "rows",
    "runs_of",
]


RUNS = {
    "alone": "alone",
    "fcfs": "FCFS",
    "round_robin": "round robin",
    "fixed_priority": "fixed priority",
    "mcos": "MCOS",
}
"""Runs that a scenario may have by their key in the result, as people call them; all but the first
compete."""

COMPARED = ("alone", "fcfs", "mcos")
"""Runs that the headline and the page's first picture are about."""


def runs_of(result: Mapping[str, Any]) -> tuple[str, ...]:
    """Keys of the runs that every scenario of a result has, in the order of :data:`RUNS`."""
    scenarios = result["scenarios"].values()
    return tuple(run for run in RUNS if all(run in runs for runs in scenarios))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Row:
    """What one tenant got in one run.

    Parameters
    ----------
    tenant : str
        Tenant name.
    run : str
        Key of the run, one of :data:`RUNS`.
    steps : int
        Steps measured.
    p50_clocks, p99_clocks : int or None
        Percentiles of the step latency in clocks; None without steps.
    p50_us, p99_us : float or None
        The same in microseconds.
    over_alone : float or None
        p99 over the tenant's p99 alone; None without either.
    share, target_share : float
        Share that the tenant got, and the share it should get.
    """

    tenant: str
    run: str
    steps: int
    p50_clocks: int | None
    p99_clocks: int | None
    p50_us: float | None
    p99_us: float | None
    over_alone: float | None
    share: float
    target_share: float


def microseconds(clocks: int | None, clock_khz: int) -> float | None:
    """Clocks as microseconds."""
    return None if clocks is None else clocks * 1000 / clock_khz


def rows(result: Mapping[str, Any], scenario: str) -> list[Row]:
    """Rows of a scenario: tenant by tenant in the order of the MCOS run, each run by run.

    Parameters
    ----------
    result : Mapping[str, Any]
        Result of a comparison.
    scenario : str
        One of its scenarios.
    """
    runs = result["scenarios"][scenario]
    clock_khz = result["config"]["clock_khz"]
    found = []
    for name in (tenant["name"] for tenant in runs["mcos"]["tenants"]):
        of_tenant = {
            run: tenant
            for run in runs_of(result)
            for tenant in runs[run]["tenants"]
            if tenant["name"] == name
        }
        alone = of_tenant.get("alone", {}).get("p99_clocks")
        for run, tenant in of_tenant.items():
            p50, p99 = tenant["p50_clocks"], tenant["p99_clocks"]
            found.append(
                Row(
                    tenant=name,
                    run=run,
                    steps=tenant["steps"],
                    p50_clocks=p50,
                    p99_clocks=p99,
                    p50_us=microseconds(p50, clock_khz),
                    p99_us=microseconds(p99, clock_khz),
                    over_alone=p99 / alone if p99 is not None and alone else None,
                    share=tenant["share"],
                    target_share=tenant["target_share"],
                )
            )
    return found


def flatten(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Leaves of nested mappings and sequences: dotted path and text.

    A sequence of plain values is one leaf.
    """
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from flatten(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list | tuple):
        if any(isinstance(inner, Mapping | list | tuple) for inner in value):
            for index, inner in enumerate(value):
                yield from flatten(inner, f"{path}[{index}]")
        else:
            yield path, ", ".join(str(inner) for inner in value)
    else:
        yield path, str(value)
