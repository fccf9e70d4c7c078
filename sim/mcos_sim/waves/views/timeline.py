"""A waveform as a page: one sentence, a picture to zoom in, and what is wrong as a list."""

from collections.abc import Sequence
from pathlib import Path

from markupsafe import Markup

from mcos_sim.report.colours import CLASSES, QUEUED, tenant_colour
from mcos_sim.report.rendering import write_page
from mcos_sim.waves.reading import Waveform
from mcos_sim.waves.rules import CLAIMS, Violation, Wording
from mcos_sim.waves.summary import TenantSummary
from mcos_sim.waves.views.figure import BEFORE, IN_FLIGHT, timeline_figure
from mcos_sim.waves.views.verdict import late_sentences, sentence

__all__ = [
    "LISTED",
    "write_timeline",
]


LISTED = 200
"""Violations that the page lists; all are marked in the picture."""

_MARGIN = 64
"""Clocks on either side of a violation at which the page opens."""


def write_timeline(
    path: Path,
    waveform: Waveform,
    *,
    file: Path,
    violations: Sequence[Violation],
    count: int,
    tenants: Sequence[TenantSummary],
    channel: int | None = None,
    pages: Sequence[Path] = (),
) -> None:
    """Write one HTML page that needs nothing else.

    It opens with a sentence: the file, its clocks, the arbiter, the contract, whether a rule is
    broken and which objectives are missed. The picture of :func:`timeline_figure` opens at the
    first violation; dragging zooms, a double click shows everything. Below it stand the violations,
    each with a button that shows its clock.

    Parameters
    ----------
    path : pathlib.Path
        The page.
    waveform : Waveform
        What to show.
    file : pathlib.Path
        The waveform's file, for its name.
    violations, count : Sequence[Violation], int
        What is wrong, by clock, and how many there are in all.
    tenants : Sequence[TenantSummary]
        Every tenant, with its objective.
    channel : int or None
        Which of several channels it is.
    pages : Sequence[pathlib.Path]
        Pages of all channels, in order and in the same folder; the page links to the others.

    Raises
    ------
    OSError
        If the page cannot be written.
    """
    wording = Wording(waveform)
    sentences = [wording.sentence(each) for each in violations]
    late = [clock for each in tenants for clock in each.late_clocks]
    figure = timeline_figure(waveform, violations, sentences, late)
    picture = figure.to_html(
        full_html=False,
        include_plotlyjs=True,
        div_id="timeline",
        config={"responsive": True, "displaylogo": False, "displayModeBar": False},
    )
    kinds = sorted({each.rule for each in violations})
    places = enumerate(sorted(waveform.names.items()))
    write_page(
        path,
        "timeline.html.j2",
        title=file.name,
        lead=sentence(file, waveform, violations, count, tenants),
        late=late_sentences(waveform, tenants),
        picture=Markup(picture),
        first=int(waveform.clocks[0]),
        end=int(waveform.clocks[-1]) + 1,
        margin=_MARGIN,
        focus=violations[0].clock if violations else None,
        classes={name: colour for name, colour in CLASSES.items() if name != "none"},
        colours={name: tenant_colour(place) for place, (_, name) in places},
        queued=QUEUED,
        before=BEFORE,
        in_flight=IN_FLIGHT,
        missed=len(late),
        listed=list(zip(violations, sentences, strict=True))[:LISTED],
        count=count,
        claims={rule.text: CLAIMS[rule] for rule in kinds},
        tenants=tenants,
        channel=channel,
        pages=[each.name for each in pages],
    )
