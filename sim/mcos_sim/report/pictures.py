"""The result of a comparison as pictures: SVG text, the same bytes for the same numbers."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from mcos_sim.report.amounts import percent, rounded
from mcos_sim.report.colours import ARBITERS
from mcos_sim.report.drawing import (
    INK,
    LINE,
    NARROW,
    SOFT,
    WIDE,
    axis_from_zero,
    fitted,
    honest_axis,
    svg,
)
from mcos_sim.report.marks import PREFILL_OF_TARGET
from mcos_sim.report.rows import COMPARED, RUNS, Row, rows, runs_of

__all__ = [
    "latency_picture",
    "lead_picture",
    "share_picture",
    "sweep_picture",
]


COLUMN = 416
"""Width in pixels of the other pictures: two fit beside each other, one fits a phone."""

_BAR = 19
"""Height in pixels of a bar with its gap."""

_LANE = 0.09
"""Distance of the dots of one tenant from each other across the axis, in parts of its line."""


def lead_picture(result: Mapping[str, Any], scenario: str, *, narrow: bool = False) -> str:
    """What the decoders wait under FCFS and MCOS, and what it costs the channel and the prefill.

    All bars begin at zero on linear axes, and say their value.

    Parameters
    ----------
    result : Mapping[str, Any]
        Result of a comparison.
    scenario : str
        One of its scenarios.
    narrow : bool
        Whether it is for a phone.

    Returns
    -------
    str
        SVG.
    """
    found = [row for row in rows(result, scenario) if row.run in COMPARED]
    waits = [
        (row.tenant, row.run, row.p99_us, f"{rounded(row.p99_us)} µs {RUNS[row.run]}")
        for row in found
        if row.p99_us is not None
    ]
    costs = list(_costs(result, scenario, found))
    targets = {
        row.tenant: 100 * row.target_share
        for row in found
        if row.run == "mcos" and row.p99_us is None
    }
    lines = [_lines(waits), _lines(costs) + len(targets)]
    size = 12 if narrow else 14
    titles = ("p99 of the decoders' steps, µs", "part of the channel, %")

    def draw(figure: Figure) -> None:
        if narrow:
            panels = figure.subplots(2, 1, height_ratios=lines)
            shown, across = lines, [NARROW - 16] * 2
        else:
            panels = figure.subplots(1, 2, width_ratios=(3, 2))
            # Bars of both panels are of one height.
            shown, across = [max(lines)] * 2, [0.56 * WIDE, 0.36 * WIDE]
        _bars(
            panels[0],
            waits,
            titles[0],
            shown[0],
            room=0.5 if narrow else 0.3,
            across=across[0],
            size=size,
        )
        _bars(
            panels[1],
            costs,
            titles[1],
            shown[1],
            room=0.5,
            across=across[1],
            size=size,
            targets=targets,
        )

    if narrow:
        return svg("lead narrow", (NARROW, _BAR * sum(lines) + 84), draw, text=size)
    return svg("lead wide", (WIDE, (_BAR + 2) * max(lines) + 48), draw, text=size)


def _costs(
    result: Mapping[str, Any], scenario: str, found: Iterable[Row]
) -> Iterable[tuple[str, str, float, str]]:
    for run in COMPARED[1:]:
        used = result["scenarios"][scenario][run]["utilisation"]
        yield "channel in use", run, 100 * used, f"{percent(used)} {RUNS[run]}"
    for row in found:
        if row.p99_us is None and row.run in COMPARED[1:]:
            yield row.tenant, row.run, 100 * row.share, f"{percent(row.share)} {RUNS[row.run]}"


def _lines(bars: Sequence[tuple[str, str, float, str]]) -> float:
    """Bars, and a little more than one for the name of each group."""
    return len(bars) + 1.2 * len({group for group, *_ in bars})


def _bars(
    axes: Axes,
    bars: Sequence[tuple[str, str, float, str]],
    title: str,
    lines: float,
    *,
    room: float,
    across: float,
    size: float,
    targets: Mapping[str, float] | None = None,
) -> None:
    """Bars from zero in groups under their names, each with what it says at its end.

    Right of the longest bar is ``room`` for that, in parts of the bar. The panel is about
    ``across`` pixels wide, text of ``size`` pixels.
    """
    line = 0.0
    groups = dict.fromkeys(group for group, *_ in bars)
    most = max((value for _, _, value, _ in bars), default=1) or 1
    for group in groups:
        name, fitting = fitted(group, size, across, bold=True)
        axes.text(0, line + 0.05, name, va="center", fontsize=fitting, fontweight="bold")
        first = line + 0.5
        for _, run, value, text in (bar for bar in bars if bar[0] == group):
            line += 1
            axes.barh(line, value, 0.78, color=ARBITERS[run])
            _beside(axes, value, line, text)
        if targets and group in targets:
            line += 1
            axes.vlines(targets[group], first, line + 0.4, INK, lw=2)
            _beside(axes, targets[group], line, f"{rounded(targets[group])} % is its share")
        line += 1.2
    axes.set_ylim(lines - 0.5, -0.5)
    axes.set_xlim(0, most * (1 + room))
    axis_from_zero(axes, ticks=4, last=most)
    axes.tick_params("y", left=False, labelleft=False)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(title)


def _beside(axes: Axes, value: float, line: float, text: str) -> None:
    """Text to the right of what ends at a value."""
    axes.annotate(text, (value, line), (4, 0), textcoords="offset points", va="center", ha="left")


def latency_picture(result: Mapping[str, Any]) -> str:
    """p99 step latency of each decoder in each run: a dot a run, a panel a scenario.

    Parameters
    ----------
    result : Mapping[str, Any]
        Result of a comparison.

    Returns
    -------
    str
        SVG.
    """
    measured = {
        scenario: [
            (row.tenant, row.run, row.p99_us)
            for row in rows(result, scenario)
            if row.p99_us is not None
        ]
        for scenario in result["scenarios"]
    }
    values = [value for dots in measured.values() for _, _, value in dots]

    def finish(axes: Axes) -> None:
        honest_axis(axes, values, "p99 of steps, µs", narrow=False)

    return _dots("latency", measured, runs_of(result), finish)


def share_picture(result: Mapping[str, Any]) -> str:
    """Share of each tenant under each arbiter, and its target: a panel a scenario.

    Parameters
    ----------
    result : Mapping[str, Any]
        Result of a comparison.

    Returns
    -------
    str
        SVG.
    """
    competing = {
        scenario: [row for row in rows(result, scenario) if row.run != "alone"]
        for scenario in result["scenarios"]
    }
    targets = {
        scenario: {row.tenant: 100 * row.target_share for row in found if row.run == "mcos"}
        for scenario, found in competing.items()
    }
    dots = {
        scenario: [(row.tenant, row.run, 100 * row.share) for row in found]
        for scenario, found in competing.items()
    }

    def finish(axes: Axes) -> None:
        axes.set_xlim(0, 103)
        axis_from_zero(axes)
        axes.set_xlabel("share of the channel, %")

    return _dots("share", dots, runs_of(result)[1:], finish, targets)


def _dots(
    name: str,
    panels: Mapping[str, Sequence[tuple[str, str, float]]],
    runs: Sequence[str],
    finish: Callable[[Axes], None],
    targets: Mapping[str, Mapping[str, float]] | None = None,
) -> str:
    """A line of dots under the name of each tenant, a panel a scenario."""
    lines = {scenario: len({tenant for tenant, *_ in dots}) for scenario, dots in panels.items()}

    def draw(figure: Figure) -> None:
        every = figure.subplots(
            len(panels),
            1,
            squeeze=False,
            sharex=True,
            height_ratios=[max(1, count) for count in lines.values()],
        )[:, 0]
        for axes, (scenario, dots) in zip(every, panels.items(), strict=True):
            axes.set_title(scenario, fontweight="bold")
            for line, tenant in enumerate(dict.fromkeys(tenant for tenant, *_ in dots)):
                values = {run: value for of, run, value in dots if of == tenant}
                axes.hlines(line, min(values.values()), max(values.values()), LINE, lw=3, zorder=1)
                for lane, (run, value) in enumerate(values.items()):
                    # Each a little lower than the one before, so that none is hidden.
                    at = line + _LANE * (lane - (len(values) - 1) / 2)
                    axes.plot(value, at, "o", markersize=8, color=ARBITERS[run], clip_on=False)
                target = None if targets is None else targets[scenario].get(tenant)
                if target is not None:
                    axes.vlines(target, line - 0.32, line + 0.32, INK, lw=2)
                name, size = fitted(tenant, 13, COLUMN - 24)
                axes.annotate(
                    name,
                    (0, line),
                    (2, 21),
                    xycoords=("axes fraction", "data"),
                    textcoords="offset points",
                    va="center",
                    fontsize=size,
                )
            axes.set_ylim(lines[scenario] - 0.55, -0.8)
            axes.tick_params("y", left=False, labelleft=False)
            axes.spines["left"].set_visible(False)
        finish(every[-1])
        for axes in every[:-1]:
            axes.grid(axis="x")
            axes.tick_params("x", labelbottom=False)
        handles = [
            Line2D([], [], marker="o", ls="", markersize=9, color=ARBITERS[run], label=RUNS[run])
            for run in runs
        ]
        if targets is not None:
            handles.append(
                Line2D([], [], marker="|", ls="", markersize=14, mew=2, color=INK, label="target")
            )
        figure.legend(handles=handles, loc="outside upper left", ncols=3, handletextpad=0.2)

    height = 110 + sum(30 + 46 * count for count in lines.values())
    return svg(name, (COLUMN, height), draw, text=13)


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
                slowdown.plot(
                    settings,
                    [row[f"{run}_over_alone"] for row in points],
                    style,
                    color=ARBITERS[run],
                    marker="o",
                    markersize=5,
                    label=f"{RUNS[run]}, {scenario}",
                )
            shares = [row["prefill_of_target"] for row in points]
            target.plot(settings, shares, style, color=ARBITERS["mcos"], marker="o", markersize=5)
        target.axhline(PREFILL_OF_TARGET, color=INK, lw=1)
        for axes, title in ((slowdown, "decoder p99 / alone"), (target, "prefill / target")):
            axes.set_title(f"{title} (a ratio)", color=SOFT)
            axes.set_ylim(bottom=0)
            axes.grid(axis="y")
            axes.tick_params("y", labelcolor=SOFT)
        target.set_xscale("log", base=2)
        ticks = sorted({row[key] for row in sweep})
        target.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        target.xaxis.set_minor_locator(NullLocator())
        target.set_xlabel(f"{label}, log axis")
        figure.legend(loc="outside upper left", ncols=2)

    return svg(key, (COLUMN, 420), draw, text=13)
