"""The picture of a timeline: requests in lanes, levels below them, and what is wrong."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from mcos_hw.config import ChannelConfig
from mcos_sim.report.colours import CLASSES, QUEUED, VIOLATION, tenant_colour
from mcos_sim.waves.reading import Waveform
from mcos_sim.waves.rules import Violation
from mcos_sim.waves.signals import CLASS_NAMES
from mcos_sim.waves.spans import Span
from mcos_sim.waves.views.lanes import Lanes

__all__ = [
    "BEFORE",
    "IN_FLIGHT",
    "timeline_figure",
]


BEFORE = "#eef0f3"
"""Colour of what a request went through before the waveform, with stripes."""

IN_FLIGHT = "#59636e"
"""Colour of the bytes in flight, which are no tenant's."""

_STRIPES = "#8a939e"

_SHOWN = 18
"""Characters of a tenant's name beside its lanes."""

_ROOM = 1.06
"""An axis of levels ends so far above its capacity."""


def timeline_figure(
    waveform: Waveform,
    violations: Sequence[Violation],
    sentences: Sequence[str],
    late: Sequence[int],
) -> go.Figure:
    """Draw a waveform.

    On top are the requests of each tenant, as many lanes as it has requests at a time. Below are
    queue levels, committed buckets and bytes in flight, each on an axis from 0 to what there is
    room for. All have the same clocks.

    Parameters
    ----------
    waveform : Waveform
        What to show.
    violations, sentences : Sequence[Violation], Sequence[str]
        What is wrong and how it is said: a mark each on top, and a line through all.
    late : Sequence[int]
        Clocks of responses later than an objective, as marks on their requests.
    """
    figure = make_subplots(
        rows=4,
        shared_xaxes=True,
        vertical_spacing=0.04,
        row_heights=[0.58, 0.14, 0.14, 0.14],
        subplot_titles=(
            "requests",
            "requests queued",
            "bytes in the committed bucket",
            "bytes in flight",
        ),
    )
    lanes = Lanes(waveform)
    _requests(figure, lanes)
    config = waveform.config
    tops = [
        config.queue_depth,
        _deepest(waveform),
        max(image.channel.port_credit for _, image in waveform.images),
    ]
    for place, (tag, name) in enumerate(sorted(waveform.names.items())):
        colour = tenant_colour(place)
        levels = waveform.tenants["committed"][:, tag].astype(np.int64) >> config.rate_fraction
        _steps(figure, 2, name, colour, waveform, waveform.tenants["queued"][:, tag])
        _steps(figure, 3, name, colour, waveform, levels)
    in_flight = waveform.channel["in_flight"]
    _steps(figure, 4, "in flight", IN_FLIGHT, waveform, in_flight)
    _late(figure, lanes, late)
    bottoms = [lanes.end, *tops]
    _violations(figure, violations, sentences, bottoms)
    for row, top in enumerate(tops, 2):
        figure.update_yaxes(range=[0, top * _ROOM], row=row, col=1)
    figure.update_xaxes(
        range=[int(waveform.clocks[0]), int(waveform.clocks[-1]) + 1],
        tickformat=",d",
        nticks=6,
    )
    figure.update_yaxes(fixedrange=True, nticks=4, automargin=True, tickformat=",d")
    figure.update_yaxes(
        range=[lanes.end, -3],
        tickvals=list(lanes.middles.values()),
        ticktext=[
            f'<span style="color:{tenant_colour(place)}"><b>{_short(name)}</b></span>'
            for place, name in enumerate(lanes.middles)
        ],
        row=1,
        col=1,
    )
    figure.update_xaxes(title="clock", row=4, col=1)
    figure.update_layout(
        barmode="overlay",
        template="plotly_white",
        showlegend=False,
        margin={"l": 8, "r": 8, "t": 28, "b": 8},
        font={"size": 12},
        hoverlabel={"align": "left"},
    )
    figure.update_annotations(x=0, xanchor="left", font={"size": 13})
    return figure


def _short(name: str) -> str:
    """A name that leaves room for the picture; plotly takes it as HTML."""
    name = name if len(name) <= _SHOWN else f"{name[: _SHOWN - 1]}…"
    return name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _deepest(waveform: Waveform) -> int:
    """Bytes of the deepest committed bucket of a tenant that is shown."""
    depths = [
        image.tenants[tag].committed_depth for _, image in waveform.images for tag in waveform.names
    ]
    return max(*depths, 1)


def _requests(figure: go.Figure, lanes: Lanes) -> None:
    """Bars: grey while queued, in the colour of the class from the grant on."""
    end, config = lanes.last, lanes.config
    older = [each for each in lanes.spans if each.is_older]
    younger = [each for each in lanes.spans if not each.is_older]
    waited = [(s, s.begins, s.granted or end) for s in older if s.is_queued]
    flew = [(s, s.begins, s.answered or end) for s in older if not s.is_queued]
    _bars(figure, lanes, "before", BEFORE, [*waited, *flew], config, stripes=True)
    _bars(
        figure, lanes, "queued", QUEUED, [(s, s.begins, s.granted or end) for s in younger], config
    )
    for code, name in CLASS_NAMES.items():
        granted = [
            (each, each.granted, each.answered or end)
            for each in lanes.spans
            if each.granted is not None and each.grant_class == code
        ]
        if granted:
            _bars(figure, lanes, name, CLASSES[name], granted, config)


def _bars(
    figure: go.Figure,
    lanes: Lanes,
    name: str,
    colour: str,
    parts: list[tuple[Span, int, int]],
    config: ChannelConfig,
    *,
    stripes: bool = False,
) -> None:
    """Bars of a part of each request."""
    marker: dict = {"color": colour, "line": {"width": 0}}
    if stripes:
        marker["pattern"] = {"shape": "/", "fgcolor": _STRIPES, "size": 5, "solidity": 0.25}
    figure.add_trace(
        go.Bar(
            name=name,
            orientation="h",
            y=[lanes.of[span] for span, _, _ in parts],
            width=0.8,
            base=[begin for _, begin, _ in parts],
            x=[end - begin for _, begin, end in parts],
            marker=marker,
            hovertext=[_told(span, lanes.names[span.tag], config) for span, _, _ in parts],
            hoverinfo="text",
        ),
        row=1,
        col=1,
    )


def _told(span: Span, name: str, config: ChannelConfig) -> str:
    """A request, for people who point at it."""

    def clock(value: int | None, none: str) -> str:
        return none if value is None else f"{value:,}"

    parts = [f"<b>{_short(name)}</b>"]
    if span.request_id is not None:
        parts[0] += f", id {span.request_id}"
    if span.size is not None:
        where = "" if span.address is None else f" at {span.address:#x}"
        parts.append(f"{span.size:,} B{where}")
    if span.is_older:
        parts.append("accepted before the window")
    else:
        parts.append(f"offered {clock(span.offered, '-')}, accepted {clock(span.accepted, '-')}")
    before = "not in the window" if span.is_queued else "before the window"
    parts.append(f"granted {clock(span.granted, before)}")
    parts.append(f"answered {clock(span.answered, 'not in the window')}")
    if span.latency is not None:
        nanoseconds = span.latency * 1_000_000 / config.clock_khz
        parts.append(f"{span.latency:,} clocks from offer to answer ({nanoseconds:,.0f} ns)")
    return "<br>".join(parts)


def _late(figure: go.Figure, lanes: Lanes, late: Sequence[int]) -> None:
    """Marks at the answers that are later than an objective."""
    clocks = set(late)
    spans = [each for each in lanes.spans if each.answered in clocks]
    if not spans:
        return
    figure.add_trace(
        go.Scatter(
            name="late",
            x=[each.answered for each in spans],
            y=[lanes.of[each] for each in spans],
            mode="markers",
            marker={
                "symbol": "diamond",
                "size": 9,
                "color": VIOLATION,
                "line": {"width": 1, "color": "#fff"},
            },
            hovertext=[
                f"later than its SLO<br>{_told(each, lanes.names[each.tag], lanes.config)}"
                for each in spans
            ],
            hoverinfo="text",
        ),
        row=1,
        col=1,
    )


def _violations(
    figure: go.Figure,
    violations: Sequence[Violation],
    sentences: Sequence[str],
    tops: Sequence[float],
) -> None:
    """A line through all levels in each clock in which a rule is broken, and a mark on top."""
    clocks = sorted({each.clock for each in violations})
    if not clocks:
        return
    for row, top in enumerate(tops, 1):
        figure.add_trace(
            go.Scatter(
                name="violation line",
                x=[x for clock in clocks for x in (clock, clock, None)],
                y=[y for _ in clocks for y in (-3 if row == 1 else 0, top * _ROOM, None)],
                mode="lines",
                line={"color": VIOLATION, "width": 1},
                opacity=0.45,
                hoverinfo="skip",
            ),
            row=row,
            col=1,
        )
    by_clock: dict[int, list[str]] = {clock: [] for clock in clocks}
    for violation, sentence in zip(violations, sentences, strict=True):
        by_clock[violation.clock].append(sentence)
    figure.add_trace(
        go.Scatter(
            name="violation",
            x=clocks,
            y=[-1.6] * len(clocks),
            mode="markers",
            marker={"symbol": "triangle-down", "size": 12, "color": VIOLATION},
            hovertext=[_wrapped(by_clock[clock]) for clock in clocks],
            hoverinfo="text",
        ),
        row=1,
        col=1,
    )


def _wrapped(sentences: Sequence[str]) -> str:
    """Sentences as lines of a hover box, at most three of them."""
    lines: list[str] = []
    for sentence in sentences[:3]:
        line = ""
        for word in sentence.split():
            if line and len(line) + len(word) > 60:
                lines.append(line)
                line = ""
            line += f"{word} "
        lines.append(line)
    if len(sentences) > 3:
        lines.append(f"and {len(sentences) - 3:,} more in this clock")
    text = "\n".join(lines)
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace("\n", "<br>")


def _steps(
    figure: go.Figure, row: int, name: str, colour: str, waveform: Waveform, values: np.ndarray
) -> None:
    """A level, where its slope changes and in the last clock."""
    bends = np.diff(values.astype(np.int64), n=2, prepend=[values[0] - 1, values[0] + 1]) != 0
    bends |= np.roll(bends, -1)
    bends[[0, -1]] = True
    figure.add_trace(
        go.Scatter(
            name=name,
            x=waveform.clocks[bends],
            y=values[bends],
            mode="lines",
            line={"color": colour, "width": 1.4},
            hovertemplate="%{y:,d}<extra>" + _short(name) + "</extra>",
        ),
        row=row,
        col=1,
    )
