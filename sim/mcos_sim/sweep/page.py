"""A sweep as one page of plots: a section for each axis, a plot for each metric and tenant."""

import dataclasses
import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from mcos_sim.report.colours import ARBITERS
from mcos_sim.report.drawing import LINE, LOG_FROM, SOFT
from mcos_sim.report.rendering import write_page as write_template
from mcos_sim.report.rows import RUNS
from mcos_sim.sweep.findings import findings, middles
from mcos_sim.sweep.grid import AXES, Contender, Grid

__all__ = ["write_page"]


_METRICS = {"p99_clocks": "p99 of steps, clocks", "share": "share of bandwidth"}

_LEFT_OUT = {
    "ports": "one for each of several channels",
    "prefill_beats": "its own",
    "decoder_beats": "its own",
}
"""What an axis has where it was given no value."""

_HEIGHT = 230
"""Height of a plot in pixels; its width is what the page has for it."""

_MOST_TICKS = 5
"""Ticks below a plot, so that they do not run into each other on a phone."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Plot:
    tenant: str
    html: Markup


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Row:
    """The plots of one axis and metric, all with the same vertical axis."""

    title: str
    plots: Sequence[_Plot]


def write_page(path: Path, grid: Grid, rows: Sequence[dict[str, Any]]) -> None:
    """Write one HTML page that needs nothing else.

    It opens with what was found in a sentence. Each plot has the values of one axis below, one
    tenant's metric beside, and a line an arbiter: the median over everything else that varied, with
    bars from the least to the largest. Values that are no numbers are not joined by a line.

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
    write_template(
        path,
        "sweep_page.html.j2",
        title="MCOS sweep",
        points=len({tuple(row[axis] for axis in AXES) for row in rows}),
        findings=findings(grid, rows),
        legend=[
            (RUNS[Contender(arbiter).run], ARBITERS[Contender(arbiter).run])
            for arbiter in grid.values["arbiter"]
        ],
        sections=[(_words(axis), list(_rows(grid, rows, axis))) for axis in axes],
        middles=middles(rows),
        axes=[
            (_words(axis), ", ".join(_LEFT_OUT[axis] if v is None else str(v) for v in values))
            for axis, values in grid.values.items()
        ],
        plotly=Markup(get_plotlyjs()),
    )


def _words(axis: str) -> str:
    return axis.replace("_", " ")


def _rows(grid: Grid, rows: Sequence[dict[str, Any]], axis: str) -> Iterator[_Row]:
    tenants = list(dict.fromkeys(row["tenant"] for row in rows))
    for metric, title in _METRICS.items():
        values = [row[metric] for row in rows if row[metric] is not None]
        if not values:
            continue
        steep = metric == "p99_clocks" and max(values) >= LOG_FROM * max(1, min(values))
        plots = []
        for tenant in tenants:
            lines = [
                line
                for arbiter in grid.values["arbiter"]
                if (line := _line(rows, axis, grid.values[axis], metric, tenant, arbiter))
            ]
            if lines:
                figure = go.Figure(lines)
                _lay_out(figure, axis, grid.values[axis], values, steep=steep)
                name = f"plot-{axis}-{metric}-{tenants.index(tenant)}"
                plots.append(_Plot(tenant=tenant, html=_html(figure, name)))
        yield _Row(title=f"{title}, log axis" if steep else title, plots=plots)


def _place(axis: str, value: Any, values: Sequence[Any]) -> str:
    """A value that is no number, as it stands below a plot; files by their name if that is enough.

    Values that read the same would be one place.
    """
    if value is None:
        return "own"
    text = str(value)
    names = [Path(str(each)).stem for each in values]
    if axis == "contract" and len(set(names)) == len(names):
        text = Path(text).stem
    return text


def _is_numeric(values: Sequence[Any]) -> bool:
    return all(isinstance(value, int) and not isinstance(value, bool) for value in values)


def _lay_out(
    figure: go.Figure,
    axis: str,
    places: Sequence[Any],
    values: Sequence[float],
    *,
    steep: bool,
) -> None:
    """Axes that say what they are; that of values is the same for all tenants."""
    below: dict[str, Any] = {
        "title": _words(axis),
        "fixedrange": True,
        "showgrid": False,
        "linecolor": SOFT,
    }
    if not _is_numeric(places):
        below |= {"type": "category"}
    else:
        ordered = sorted(places)
        wide = ordered[0] > 0 and ordered[-1] >= LOG_FROM * ordered[0]
        every = -(-len(ordered) // _MOST_TICKS)
        below |= {"tickvals": ordered[::-1][::every], "tickformat": "d"}
        if wide:
            below |= {"type": "log", "title": f"{_words(axis)}, log axis"}
    figure.update_xaxes(**below)
    figure.update_yaxes(fixedrange=True, gridcolor=LINE, zerolinecolor=SOFT, automargin=True)
    if steep:
        low, high = 0.8 * min(values), 1.25 * max(values)
        ticks = [step * 10**power for power in range(12) for step in (1, 2, 5)]
        ticks = [tick for tick in ticks if low <= tick <= high]
        figure.update_yaxes(
            type="log",
            range=[math.log10(low), math.log10(high)],
            tickvals=ticks[:: -(-len(ticks) // _MOST_TICKS)] if ticks else None,
            tickformat=",d",
        )
    else:
        figure.update_yaxes(range=[0, 1.08 * max(values) or 1], nticks=5)
    if all(0 <= value <= 1.01 for value in values):
        figure.update_yaxes(tickformat=".0%")
    figure.update_layout(
        template="plotly_white",
        height=_HEIGHT,
        margin={"l": 8, "r": 12, "t": 8, "b": 8},
        showlegend=False,
        font={"size": 12, "color": SOFT},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
    )


def _html(figure: go.Figure, name: str) -> Markup:
    config = {"responsive": True, "displayModeBar": False}
    return Markup(
        figure.to_html(
            full_html=False,
            include_plotlyjs=False,
            div_id=name,
            config=config,
            default_height=f"{_HEIGHT}px",
        )
    )


def _line(
    rows: Sequence[Mapping[str, Any]],
    axis: str,
    values: Sequence[Any],
    metric: str,
    tenant: str,
    arbiter: Contender,
) -> go.Scatter | None:
    """A metric along an axis, None where there is none of it."""
    numeric = _is_numeric(values)
    found: dict[Any, list[float]] = {}
    for value in sorted(values) if numeric else values:
        samples = [
            row[metric]
            for row in rows
            if row["tenant"] == tenant
            and row["arbiter"] == arbiter
            and row[axis] == value
            and row[metric] is not None
        ]
        if samples:
            found[value if numeric else _place(axis, value, values)] = samples
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
        mode="lines+markers" if numeric else "markers",
        name=str(arbiter),
        marker={"size": 8},
        line={"color": ARBITERS[arbiter.run]},
    )
