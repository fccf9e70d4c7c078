"""A sweep as one page of plots: a figure for each axis and metric, a part for each tenant."""

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from mcos_policy.files import replacing
from mcos_sim.report.colours import ARBITERS
from mcos_sim.sweep.grid import Contender, Grid

__all__ = ["write_page"]


_METRICS = {"p99_clocks": "p99 of steps, clocks", "share": "share of the channel"}

_CELL = (260, 240)
"""Width and height of one plot in pixels."""


def write_page(path: Path, grid: Grid, rows: Sequence[dict[str, Any]]) -> None:
    """Write one HTML page that needs nothing else.

    Each plot has the values of one axis below, one tenant's metric beside, and a line an arbiter:
    the median over everything else that varied, with bars from the least to the largest.

    Parameters
    ----------
    path : pathlib.Path
        The page.
    grid : Grid
        What was varied. Seeds are an axis only where nothing else is, and so is the arbiter.
    rows : Sequence[dict]
        The sweep's table.

    Raises
    ------
    OSError
        If the page cannot be written.
    """
    varied = [name for name in grid.varied if name != "arbiter"] or ["arbiter"]
    # Seeds are samples, not something to look along, unless there is nothing else.
    axes = [name for name in varied if name != "seed"] or varied
    tenants = list(dict.fromkeys(row["tenant"] for row in rows))
    places = [(axis, metric) for axis in axes for metric in _METRICS]
    figure = make_subplots(
        rows=len(places),
        cols=len(tenants),
        row_titles=[_METRICS[metric] for _, metric in places],
        column_titles=tenants,
        vertical_spacing=0.35 / len(places) if len(places) > 1 else 0.2,
        horizontal_spacing=0.06,
    )
    told = set()
    for line, (axis, metric) in enumerate(places, start=1):
        for column, tenant in enumerate(tenants, start=1):
            for arbiter in grid.values["arbiter"]:
                trace = _line(rows, axis, grid.values[axis], metric, tenant, arbiter)
                if trace is not None:
                    trace.showlegend = arbiter not in told
                    told.add(arbiter)
                    figure.add_trace(trace, row=line, col=column)
            figure.update_xaxes(title_text=axis.replace("_", " "), row=line, col=column)
            figure.update_yaxes(rangemode="tozero", row=line, col=column)
    width, height = _CELL
    figure.update_layout(
        template="plotly_white",
        title=f"MCOS sweep, {len(rows):,} rows",
        width=width * len(tenants) + 220,
        height=height * len(places) + 140,
    )
    with replacing(path) as partial:
        figure.write_html(partial, include_plotlyjs=True)


def _line(
    rows: Sequence[dict[str, Any]],
    axis: str,
    values: Sequence[Any],
    metric: str,
    tenant: str,
    arbiter: Contender,
) -> go.Scatter | None:
    """A metric along an axis, None where there is none of it."""
    found: dict[str, list[float]] = {}
    for value in values:
        samples = [
            row[metric]
            for row in rows
            if row["tenant"] == tenant
            and row["arbiter"] == arbiter
            and row[axis] == value
            and row[metric] is not None
        ]
        if samples:
            found["own" if value is None else str(value)] = samples
    if not found:
        return None
    middle = [statistics.median(samples) for samples in found.values()]
    return go.Scatter(
        x=list(found),
        y=middle,
        error_y={
            "type": "data",
            "symmetric": False,
            "array": [max(s) - m for s, m in zip(found.values(), middle, strict=True)],
            "arrayminus": [m - min(s) for s, m in zip(found.values(), middle, strict=True)],
        },
        mode="lines+markers",
        name=str(arbiter),
        legendgroup=str(arbiter),
        line={"color": ARBITERS[arbiter.run]},
    )
