"""The result of a comparison as tables for a terminal."""

from collections.abc import Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from mcos_sim.report.marks import Mark, marks
from mcos_sim.report.rows import RUNS, Row, rows, runs_of
from mcos_sim.tables import Column, Table

__all__ = [
    "render",
]


COLUMNS = ("steps", "p50 clk", "p50 µs", "p99 clk", "p99 µs", "/ alone", "share", "target")


def render(result: Mapping[str, Any]) -> RenderableType:
    """Tables of both scenarios, their utilisation and marks, and the backlogged phase.

    Parameters
    ----------
    result : Mapping[str, Any]
        Result of a comparison.

    Returns
    -------
    RenderableType
        For ``Console.print``; nothing is transposed from 80 columns up.
    """
    found = marks(result)
    parts: list[RenderableType] = []
    for scenario, runs in result["scenarios"].items():
        used = ", ".join(f"{RUNS[run]} {runs[run]['utilisation']:.1%}" for run in runs_of(result))
        parts += [
            _latencies(result, scenario),
            Text(f"utilisation: {used}"),
            Text(_burst(runs["ratios"])),
            _marks([mark for mark in found if mark.scope == scenario]),
            Text(),
        ]
    error = result["backlogged"]["max_share_error_fcfs"]
    parts += [
        Text(f"backlogged: all tenants always waiting (FCFS share error {error:.1%})"),
        _marks([mark for mark in found if mark.scope == "backlogged"]),
    ]
    return Group(*parts)


def _burst(ratios: Mapping[str, float]) -> str:
    """The ratios over the steps that start while the prefill asks, in one line."""
    return (
        f"steps begun in the burst, / alone: FCFS p99 {ratios['fcfs_over_alone_in_burst']:.2f}, "
        f"MCOS p99 {ratios['mcos_over_alone_in_burst']:.3f}, "
        f"p50 {ratios['mcos_p50_over_alone_in_burst']:.3f}"
    )


def _latencies(result: Mapping[str, Any], scenario: str) -> Table:
    return Table(
        f"{scenario}: step latency and share",
        ["tenant", Column(heading="arbiter", name=True), *COLUMNS],
        [
            [Text(cell, "bold" if row.run == "mcos" else "") for cell in _cells(row)]
            for row in rows(result, scenario)
        ],
        grouped=True,
    )


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.tenant,
        RUNS[row.run],
        f"{row.steps:,}",
        _number(row.p50_clocks, ",d"),
        _number(row.p50_us, ",.2f"),
        _number(row.p99_clocks, ",d"),
        _number(row.p99_us, ",.2f"),
        _number(row.over_alone, ".2f"),
        f"{row.share:.1%}",
        f"{row.target_share:.1%}",
    )


def _marks(found: list[Mark]) -> Text:
    text = Text()
    for mark in found:
        text.append("  pass " if mark.passed else "  FAIL ", "green" if mark.passed else "bold red")
        text.append(f"{mark.label} {mark.text} ({mark.rule})\n")
    text.rstrip()
    return text


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)
