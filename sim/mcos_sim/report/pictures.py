"""The result of a comparison as pictures: SVG text, the same bytes for the same numbers."""

import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.container import BarContainer
from matplotlib.figure import Figure
from matplotlib.ticker import (
    FuncFormatter,
    LogLocator,
    NullFormatter,
    NullLocator,
    PercentFormatter,
)

from mcos_sim.report.colours import ARBITERS
from mcos_sim.report.marks import PREFILL_OF_TARGET
from mcos_sim.report.rows import RUNS, Row, rows

__all__ = [
    "latency_picture",
    "share_picture",
    "sweep_picture",
]


WIDTH = 5.8
"""Inches; about the width of a phone's screen at its own scale."""

LOG_FROM = 8
"""Ratio of the longest bar to the shortest from which latency has a logarithmic axis."""

STYLE: dict[Any, Any] = {
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 10,
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial"],
    "font.size": 9,
    "grid.color": "#dddddd",
    "legend.frameon": False,
    "svg.fonttype": "none",
    "text.parse_math": False,
}

NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))
"""A picture says neither when nor with what it was made: the same numbers give the same bytes."""


def latency_picture(result: Mapping[str, Any]) -> str:
    """p99 step latency of each decoder in each run, a panel a scenario.

    The number over a bar is its ratio to the decoder alone. A panel's axis is logarithmic if its
    bars differ :data:`LOG_FROM` times.

    Parameters
    ----------
    result : Mapping[str, Any]
        Result of a comparison.

    Returns
    -------
    str
        SVG.
    """

    def draw(axes: Axes, scenario: str) -> None:
        measured = [row for row in rows(result, scenario) if row.p99_us is not None]
        latencies = [row.p99_us for row in measured if row.p99_us is not None]
        bars = _bars(axes, measured, tuple(RUNS), latencies)
        for row, bar in zip(measured, bars, strict=True):
            if row.run != "alone" and row.over_alone is not None:
                axes.bar_label(bar, [f"{row.over_alone:.2f}"], fontsize=6.5, padding=1)
        if latencies and max(latencies) >= LOG_FROM * min(latencies):
            axes.set_yscale("log")
            axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            axes.yaxis.set_minor_formatter(NullFormatter())
        axes.set_ylabel("p99 step latency, µs")

    return _scenarios("latency", result, draw)


def share_picture(result: Mapping[str, Any]) -> str:
    """Share of each tenant under each arbiter beside its target, a panel a scenario.

    Parameters
    ----------
    result : Mapping[str, Any]
        Result of a comparison.

    Returns
    -------
    str
        SVG.
    """

    def draw(axes: Axes, scenario: str) -> None:
        competing = [row for row in rows(result, scenario) if row.run != "alone"]
        _bars(axes, competing, tuple(RUNS)[1:], [row.share for row in competing])
        targets = {row.tenant: row.target_share for row in competing if row.run == "mcos"}
        label = "target"
        for group, target in enumerate(targets.values()):
            axes.hlines(target, group - 0.45, group + 0.45, "black", lw=1.2, label=label)
            label = "_"
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.set_ylabel("share")

    return _scenarios("share", result, draw)


def sweep_picture(sweep: Sequence[Mapping[str, Any]], key: str, label: str) -> str:
    """Slowdown of the decoders and share of the prefill over a setting.

    Parameters
    ----------
    sweep : Sequence[Mapping[str, Any]]
        One of the result's sweeps.
    key : str
        Member of its rows that was swept.
    label : str
        What people call it.

    Returns
    -------
    str
        SVG.
    """

    def draw(figure: Figure) -> None:
        slowdown, target = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
        scenarios = list(dict.fromkeys(row["scenario"] for row in sweep))
        for scenario, style in zip(scenarios, ("-", "--", ":"), strict=False):
            points = sorted(
                (row for row in sweep if row["scenario"] == scenario), key=lambda row: row[key]
            )
            settings = [row[key] for row in points]
            for run in ("fcfs", "mcos"):
                ratios = [row[f"{run}_over_alone"] for row in points]
                slowdown.plot(
                    settings,
                    ratios,
                    style,
                    color=ARBITERS[run],
                    marker="o",
                    markersize=4,
                    label=f"{RUNS[run]}, {scenario}",
                )
            shares = [row["prefill_of_target"] for row in points]
            target.plot(settings, shares, style, color=ARBITERS["mcos"], marker="o", markersize=4)
        target.axhline(PREFILL_OF_TARGET, color="black", lw=0.8)
        slowdown.set_ylabel("decoder p99 / alone")
        slowdown.set_ylim(bottom=0)
        target.set_ylabel("prefill / target")
        target.set_xscale("log", base=2)
        ticks = sorted({row[key] for row in sweep})
        target.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        target.xaxis.set_minor_locator(NullLocator())
        target.set_xlabel(label)
        figure.legend(loc="outside upper center", ncols=2)

    return _svg(key, (WIDTH, 4.4), draw)


def _scenarios(name: str, result: Mapping[str, Any], draw: Callable[[Axes, str], None]) -> str:
    """A panel a scenario, one above the other, with one legend."""
    scenarios = list(result["scenarios"])

    def draw_all(figure: Figure) -> None:
        for axes, scenario in zip(
            figure.subplots(len(scenarios), 1, squeeze=False)[:, 0], scenarios, strict=True
        ):
            draw(axes, scenario)
            axes.set_title(scenario)
        legend = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
        figure.legend(legend.values(), legend.keys(), loc="outside upper center", ncols=5)

    return _svg(name, (WIDTH, 0.4 + 2.4 * len(scenarios)), draw_all)


def _bars(
    axes: Axes, shown: Sequence[Row], runs: Sequence[str], heights: Sequence[float]
) -> list[BarContainer]:
    """A bar for each row, grouped by tenant and coloured by run."""
    tenants = list(dict.fromkeys(row.tenant for row in shown))
    width = 0.9 / len(runs)
    bars = []
    for row, height in zip(shown, heights, strict=True):
        middle = runs.index(row.run) - (len(runs) - 1) / 2
        at = tenants.index(row.tenant) + middle * width
        colour = ARBITERS[row.run]
        bars.append(axes.bar(at, height, width * 0.92, color=colour, label=RUNS[row.run]))
    axes.set_xticks(range(len(tenants)), tenants)
    axes.tick_params("x", length=0)
    return bars


def _svg(name: str, size: tuple[float, float], draw: Callable[[Figure], None]) -> str:
    with mpl.rc_context():
        # Not those of a matplotlibrc, which is looked for in the working directory first.
        mpl.rcdefaults()
        mpl.rcParams.update(STYLE | {"svg.hashsalt": f"mcos {name}"})
        figure = Figure(figsize=size, layout="constrained")
        draw(figure)
        text = io.StringIO()
        figure.savefig(text, format="svg", transparent=True, metadata=NO_METADATA)
    return text.getvalue()
