"""The result of a comparison as tables for a terminal."""

import itertools
from collections.abc import Mapping
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from mcos_sim.report.marks import Mark, marks
from mcos_sim.report.rows import RUNS, rows

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
        For ``Console.print``; 80 columns are enough.
    """
    found = marks(result)
    parts: list[RenderableType] = []
    for scenario, runs in result["scenarios"].items():
        used = ", ".join(f"{name} {runs[run]['utilisation']:.1%}" for run, name in RUNS.items())
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
    table = Table(
        title=f"{scenario}: step latency and share",
        title_justify="left",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        pad_edge=False,
        show_edge=False,
    )
    table.add_column("tenant, arbiter", overflow="fold")
    for column in COLUMNS:
        table.add_column(column, justify="right", no_wrap=True)
    for tenant, of_tenant in itertools.groupby(rows(result, scenario), lambda row: row.tenant):
        table.add_section()
        table.add_row(tenant)
        for row in of_tenant:
            table.add_row(
                f" {RUNS[row.run]}",
                f"{row.steps:,}",
                _number(row.p50_clocks, ",d"),
                _number(row.p50_us, ",.2f"),
                _number(row.p99_clocks, ",d"),
                _number(row.p99_us, ",.2f"),
                _number(row.over_alone, ".2f"),
                f"{row.share:.1%}",
                f"{row.target_share:.1%}",
                style="bold" if row.run == "mcos" else "",
            )
    return table


def _marks(found: list[Mark]) -> Text:
    text = Text()
    for mark in found:
        text.append("  pass " if mark.passed else "  FAIL ", "green" if mark.passed else "bold red")
        text.append(f"{mark.label} {mark.text} ({mark.rule})\n")
    text.rstrip()
    return text


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)
