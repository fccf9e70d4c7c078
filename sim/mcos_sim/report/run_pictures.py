"""How the tenants of a run were served, as pictures."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, NullLocator

from mcos_sim.report.amounts import UNITS, duration, time_unit
from mcos_sim.report.colours import VIOLATION, tenant_colour
from mcos_sim.report.drawing import (
    INK,
    LEAST_TEXT,
    LINE,
    NARROW,
    SOFT,
    WIDE,
    axis_from_zero,
    fitted,
    honest_axis,
    svg,
    text_width,
)
from mcos_sim.report.served import Outcome, Served

__all__ = [
    "histogram_picture",
    "served_picture",
]


PANEL = (300, 120)
"""Width and height in pixels of the histogram of one tenant."""

_TICK = 0.28
"""Half the height of a mark across the line of a tenant, in lines."""

_BELOW = 10
"""Pixels from the line of a tenant to the mark of its bound."""

_MOST_NAME = 260
"""Widest name in pixels that stands beside its line; wider ones stand above."""


def served_picture(tenants: Sequence[Served], clock_khz: int, *, narrow: bool = False) -> str:
    """Latency of each tenant with its objective and bound, and its bandwidth beside.

    A line goes from the median to the largest latency. The axis of latency is logarithmic where
    that is needed and says so; that of bandwidth begins at zero.

    Parameters
    ----------
    tenants : Sequence[Served]
        The tenants, from above.
    clock_khz : int
        The clock in kHz.
    narrow : bool
        Whether it is for a phone.

    Returns
    -------
    str
        SVG.
    """
    size = 12 if narrow else 14
    least = max(text_width(each.name, LEAST_TEXT) for each in tenants)
    above = narrow or least > _MOST_NAME
    width, high = (NARROW if narrow else WIDE), (42 if above else 30)
    shown = [value for each in tenants for value in _times(each)]
    nanoseconds = 1e6 / clock_khz
    unit = time_unit(max(shown, default=1) * nanoseconds)
    scale = nanoseconds / UNITS[unit]

    def draw(figure: Figure) -> None:
        latency, rates = figure.subplots(1, 2, width_ratios=(5, 3), sharey=True)
        for line, tenant in enumerate(tenants):
            colour = tenant_colour(line)
            _latency(latency, line, tenant, colour, scale, below=_BELOW / high)
            _bandwidth(rates, line, tenant, colour)
            late = tenant.outcome is Outcome.LATE
            if above:
                room = width - text_width(tenant.status, size, bold=True) - 28
                _beside(latency, line, (0, 17), fitted(tenant.name, size, room))
                _beside(rates, line, (0, 17), (tenant.status, size), right=1, late=late)
            else:
                _beside(latency, line, (-8, 0), fitted(tenant.name, size, _MOST_NAME), right=0)
                _beside(rates, line, (-12, 0), (tenant.status, size), right=0, late=late)
        latency.set_yticks([])
        latency.set_ylim(len(tenants) - (0.6 if above else 0.4), -0.85 if above else -0.6)
        honest_axis(latency, [value * scale for value in shown], f"latency, {unit}", narrow=narrow)
        most = max(
            max(0 if each.asks_for_all else each.asked, each.granted, each.guaranteed)
            for each in tenants
        )
        rates.set_xlim(0, 1.12 * most or 1)
        axis_from_zero(rates, ticks=2 if narrow else 5, last=most)
        rates.set_xlabel("GB/s")
        for axes in (latency, rates):
            axes.spines["left"].set_visible(False)

    height = high * len(tenants) + 50
    return svg(f"served {narrow}", (width, height), draw, text=size)


def _times(tenant: Served) -> list[float]:
    """Every time that is shown of a tenant; on a logarithmic axis there is no zero."""
    latency = tenant.latency
    times = [tenant.slo, tenant.bound]
    times += [latency.p50, latency.p99, latency.max] if latency else []
    return [time for time in times if time]


def _latency(
    axes: Axes, line: int, tenant: Served, colour: str, scale: float, *, below: float
) -> None:
    """The dots of a tenant, its objective, and its bound so many lines below."""
    if tenant.latency is not None:
        p50, p99, most = (
            scale * value for value in (tenant.latency.p50, tenant.latency.p99, tenant.latency.max)
        )
        late = tenant.outcome is Outcome.LATE
        axes.hlines(line, p50, most, colour, lw=3, alpha=0.45, zorder=2)
        axes.plot(p50, line, "o", ms=8, mfc="none", mec=colour, mew=1.8, zorder=3)
        axes.plot(p99, line, "o", ms=8, color=colour, zorder=4)
        axes.plot(most, line, "D", ms=7, color=VIOLATION if late else colour, zorder=5)
    if tenant.bound:
        # Below the line, so that no dot hides it.
        axes.plot(tenant.bound * scale, line + below, "^", ms=7, mfc="none", mec=INK, zorder=6)
    if tenant.slo:
        axes.vlines(tenant.slo * scale, line - _TICK, line + _TICK, INK, lw=2.2, zorder=6)


def _bandwidth(axes: Axes, line: int, tenant: Served, colour: str) -> None:
    axes.barh(line, tenant.granted, 0.46, color=colour, alpha=0.75, zorder=2)
    if tenant.asks_for_all:
        across = axes.get_yaxis_transform()
        axes.plot(0.98, line, ">", ms=8, mfc="none", mec=INK, mew=1.6, transform=across)
    elif tenant.requests:
        axes.plot(tenant.asked, line, "o", ms=8, mfc="none", mec=INK, mew=1.6, zorder=4)
    if tenant.guaranteed:
        axes.vlines(tenant.guaranteed, line - _TICK, line + _TICK, INK, lw=2.2, zorder=3)


def _beside(
    axes: Axes,
    line: int,
    offset: tuple[float, float],
    text: tuple[str, float],
    *,
    right: float | None = None,
    late: bool | None = None,
) -> None:
    """Text beside or above the line of a tenant.

    Parameters
    ----------
    axes : Axes
        Its panel.
    line : int
        The line.
    offset : tuple[float, float]
        Pixels to the right and up.
    text : tuple[str, float]
        The text and its size.
    right : float or None
        Where it ends in parts of the panel; None where it begins at its left side.
    late : bool or None
        Whether it says that a tenant is late; None for a name.
    """
    written = axes.annotate(
        text[0],
        (right or 0, line),
        offset,
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        va="center",
        ha="left" if right is None else "right",
        annotation_clip=False,
        fontsize=text[1],
        color=INK if late is None else VIOLATION if late else SOFT,
        fontweight="bold" if late else "normal",
    )
    # Text above a line needs no room beside the panel.
    written.set_in_layout(not offset[1])


def histogram_picture(
    tenant: Served, clock_khz: int, *, place: int, limits: tuple[float, float]
) -> str:
    """The requests of a tenant by latency; those later than its objective are marked.

    The axis of latency is logarithmic, as the bins are; that of requests begins at zero. A bin with
    few requests has a foot, so that it is seen.

    Parameters
    ----------
    tenant : Served
        The tenant, whose histogram is not None.
    clock_khz : int
        The clock in kHz.
    place : int
        Its place among the tenants, which gives the colour.
    limits : tuple[float, float]
        Least and largest latency in clocks of the axis; the same for all tenants of a page.
    """
    histogram = tenant.histogram
    if histogram is None:
        raise ValueError(f"tenant must have a histogram, {tenant.name!r} has none")
    bins = [
        (low, high, count)
        for low, high, count in zip(
            histogram.edges[:-1], histogram.edges[1:], histogram.counts, strict=True
        )
        if count
    ]

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for low, high, count in bins:
            # The first bin may begin at zero, which a logarithmic axis has not.
            low = max(low, limits[0])
            late = tenant.slo is not None and low >= tenant.slo
            colour = VIOLATION if late else tenant_colour(place)
            axes.bar(low, count, high - low, align="edge", color=colour)
            axes.hlines(0, low, high, colour, lw=5, clip_on=False)
        if tenant.slo:
            axes.axvline(tenant.slo, color=INK, lw=2)
        axes.set_xscale("log", base=2)
        axes.set_xlim(*limits)
        ticks = _ticks(limits, clock_khz)
        axes.set_xticks(ticks, [duration(tick, clock_khz) for tick in ticks])
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_minor_formatter(NullFormatter())
        most = max((count for *_, count in bins), default=1)
        axes.set_yticks([0, most], ["0", f"{most:,}"])
        axes.set_ylim(0, most * 1.05)
        axes.grid(axis="x", color=LINE)
        axes.tick_params("y", labelcolor=SOFT)

    return svg(f"histogram {place}", PANEL, draw, text=12)


def _ticks(limits: tuple[float, float], clock_khz: int) -> list[float]:
    """At most four round times within limits, in clocks."""
    clocks_per_ns = clock_khz / 1e6
    for steps in ((1, 2, 5), (1, 3), (1,)):
        round_times = [step * 10.0**power * clocks_per_ns for power in range(11) for step in steps]
        ticks = [tick for tick in round_times if limits[0] <= tick <= limits[1]]
        if len(ticks) <= 4:
            return ticks
    return ticks[:: -(-len(ticks) // 4)]
