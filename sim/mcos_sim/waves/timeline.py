"""A waveform as a page to zoom in: requests of every tenant, queues and buckets beside them."""

from pathlib import Path

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from mcos_policy.files import replacing
from mcos_sim.waves.reading import Waveform
from mcos_sim.waves.signals import CLASS_NAMES
from mcos_sim.waves.spans import Span, spans

__all__ = ["write_timeline"]


_QUEUED = "#c9ced6"
_CLASS_COLOURS = {
    "conforming": "#2a6f97",
    "burst": "#e09f3e",
    "scavenged": "#9e2a2b",
    "none": "#000000",  # a grant that should not be
}
_TENANT_COLOURS = ("#2a6f97", "#e09f3e", "#9e2a2b", "#4f772d", "#7b2cbf", "#495057")


def write_timeline(path: Path, waveform: Waveform, *, focus: int | None = None) -> None:
    """Write one HTML page that needs nothing else.

    On top are the requests of each tenant, as many lanes as it has requests at a time: a request is
    grey from its acceptance to its grant, and has the colour of its class from there to its
    response. Below are queue levels, committed buckets and bytes in flight. All have the same
    clocks; dragging zooms, a double click shows everything.

    Parameters
    ----------
    path : pathlib.Path
        The page.
    waveform : Waveform
        What to show.
    focus : int or None
        Clock around which the page opens; None for all of it.

    Raises
    ------
    OSError
        If the page cannot be written.
    """
    figure = make_subplots(
        rows=4,
        shared_xaxes=True,
        vertical_spacing=0.03,
        row_heights=[0.55, 0.15, 0.15, 0.15],
        subplot_titles=("requests", "queued", "committed bytes", "bytes in flight"),
    )
    end = int(waveform.clocks[-1]) + 1
    lanes, middles = _lanes(waveform, end)
    every = list(lanes)
    _bars(figure, lanes, "queued", _QUEUED, [(s, s.accepted, s.granted or end) for s in every])
    for code, name in CLASS_NAMES.items():
        granted = [
            (each, each.granted, each.answered or end)
            for each in every
            if each.granted is not None and each.grant_class == code
        ]
        if granted:
            _bars(figure, lanes, name, _CLASS_COLOURS[name], granted)
    for place, (tag, name) in enumerate(sorted(waveform.names.items())):
        colour = _TENANT_COLOURS[place % len(_TENANT_COLOURS)]
        levels = waveform.tenants["committed"][:, tag] >> waveform.config.rate_fraction
        _steps(figure, 2, name, colour, waveform, waveform.tenants["queued"][:, tag])
        _steps(figure, 3, name, colour, waveform, levels)
    _steps(figure, 4, "in flight", "#495057", waveform, waveform.channel["in_flight"])
    figure.update_layout(
        barmode="overlay", height=900, template="plotly_white", title="MCOS channel, clocks"
    )
    figure.update_yaxes(
        autorange="reversed",
        tickvals=list(middles.values()),
        ticktext=list(middles),
        row=1,
        col=1,
    )
    if focus is not None:
        figure.update_xaxes(range=[focus - 64, focus + 64])
    with replacing(path) as partial:
        figure.write_html(partial, include_plotlyjs=True, full_html=True)


def _lanes(waveform: Waveform, end: int) -> tuple[dict[Span, int], dict[str, float]]:
    """The first free lane for each request, and the middle of the lanes of each tenant."""
    lanes: dict[Span, int] = {}
    middles = {}
    base = 0
    for tag, name in sorted(waveform.names.items()):
        free_from: list[int] = []
        for span in spans(waveform, tag):
            lane = next(
                (k for k, clock in enumerate(free_from) if clock <= span.accepted), len(free_from)
            )
            if lane == len(free_from):
                free_from.append(0)
            free_from[lane] = span.answered or end
            lanes[span] = base + lane
        used = max(1, len(free_from))
        middles[name] = base + (used - 1) / 2
        base += used + 1
    return lanes, middles


def _bars(
    figure: go.Figure,
    lanes: dict[Span, int],
    name: str,
    colour: str,
    parts: list[tuple[Span, int, int]],
) -> None:
    """Bars of a part of each request."""
    figure.add_trace(
        go.Bar(
            name=name,
            orientation="h",
            y=[lanes[span] for span, _, _ in parts],
            width=0.8,
            base=[begin for _, begin, _ in parts],
            x=[end - begin for _, begin, end in parts],
            marker={"color": colour, "line": {"width": 0}},
            hovertext=[
                f"id {span.request_id}, {span.size} B at {span.address:#x}<br>"
                f"accepted {span.accepted}, granted {span.granted}, answered {span.answered}"
                for span, _, _ in parts
            ],
            hoverinfo="text",
        ),
        row=1,
        col=1,
    )


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
            line={"color": colour, "width": 1.2},
            showlegend=row == 2,
        ),
        row=row,
        col=1,
    )
