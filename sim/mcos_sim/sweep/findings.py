"""What a sweep found, in a sentence that is true of every table."""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from mcos_sim.report.amounts import enumerated, rounded
from mcos_sim.report.rows import RUNS
from mcos_sim.sweep.grid import AXES, Contender, Grid

__all__ = [
    "findings",
    "middles",
]


_OTHERS = tuple(axis for axis in AXES if axis != "arbiter")


def findings(grid: Grid, rows: Sequence[Mapping[str, Any]]) -> str:
    """Say what each arbiter does to the decoders' p99 over all points.

    Parameters
    ----------
    grid : Grid
        What was varied.
    rows : Sequence[Mapping[str, Any]]
        The sweep's table.

    Returns
    -------
    str
        One sentence, MCOS first; a second one names where MCOS is at its worst, a third one how
        many points are missing. Ratios are to the same decoder alone, with everything else equal.
    """
    said = [_compared(grid, rows)]
    if worst := _worst(grid, rows):
        said.append(worst)
    found = len({tuple(row[axis] for axis in AXES) for row in rows})
    asked = len(list(grid))
    if found < asked:
        said.append(f"{asked - found:,} of {asked:,} points are missing.")
    return " ".join(said)


def middles(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """For each arbiter and tenant: median, least and largest p99, None without steps, and share."""
    groups = dict.fromkeys((row["arbiter"], row["tenant"]) for row in rows)
    found = []
    for arbiter, tenant in groups:
        own = [row for row in rows if (row["arbiter"], row["tenant"]) == (arbiter, tenant)]
        late = [row["p99_clocks"] for row in own if row["p99_clocks"] is not None]
        found.append(
            {
                "arbiter": _name(arbiter),
                "tenant": tenant,
                "median": statistics.median(late) if late else None,
                "least": min(late, default=None),
                "largest": max(late, default=None),
                "share": statistics.median(row["share"] for row in own),
            }
        )
    return found


def _name(arbiter: str) -> str:
    return RUNS[Contender(arbiter).run]


def _compared(grid: Grid, rows: Sequence[Mapping[str, Any]]) -> str:
    arbiters = [each for each in grid.values["arbiter"] if each != Contender.ALONE]
    arbiters.sort(key=lambda each: each != Contender.MCOS)
    slowdowns = {each: [ratio for ratio, _ in _over_alone(rows, each)] for each in arbiters}
    told = [
        f"{_range(ratios)} {'' if place else 'times as long '}under {_name(each)}"
        for place, (each, ratios) in enumerate((a, r) for a, r in slowdowns.items() if r)
    ]
    if told:
        return f"Against alone, the decoders' slowest steps (p99) take {enumerated(told)}."
    told = [
        f"{_range(clocks)} clocks {'alone' if each == Contender.ALONE else f'under {_name(each)}'}"
        for each in sorted(grid.values["arbiter"], key=lambda each: each != Contender.MCOS)
        if (clocks := [row["p99_clocks"] for row in _measured(rows, each)])
    ]
    if told:
        return f"The decoders' slowest steps (p99) take {enumerated(told)}."
    return "No decoder ended a step at any point; give more clocks."


def _worst(grid: Grid, rows: Sequence[Mapping[str, Any]]) -> str:
    """Where MCOS slows a decoder most; nothing to say where only seeds were varied."""
    axes = [axis for axis in grid.varied if axis not in ("arbiter", "seed")]
    found = _over_alone(rows, Contender.MCOS)
    if not axes or not found:
        return ""
    ratio, row = max(found, key=lambda each: each[0])
    where = enumerated(f"{axis.replace('_', ' ')} {_written(row[axis])}" for axis in axes)
    return f"MCOS is at its worst, {rounded(ratio)} times, with {where}."


def _written(value: Any) -> str:
    return "of its own" if value is None else str(value)


def _measured(rows: Sequence[Mapping[str, Any]], arbiter: str) -> list[Mapping[str, Any]]:
    return [row for row in rows if row["arbiter"] == arbiter and row["p99_clocks"] is not None]


def _over_alone(
    rows: Sequence[Mapping[str, Any]], arbiter: str
) -> list[tuple[float, Mapping[str, Any]]]:
    """p99 of each decoder over the same alone, and its row."""

    def key(row: Mapping[str, Any]) -> tuple:
        return (row["tenant"], *(row[axis] for axis in _OTHERS))

    alone = {key(row): row["p99_clocks"] for row in _measured(rows, Contender.ALONE)}
    return [
        (row["p99_clocks"] / alone[key(row)], row)
        for row in _measured(rows, arbiter)
        if alone.get(key(row))
    ]


def _range(values: Sequence[float]) -> str:
    least, most = rounded(min(values)), rounded(max(values))
    return most if least == most else f"{least} to {most}"
