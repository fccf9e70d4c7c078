"""Pictures as SVG that fits a page: text of a readable size, the page's own ink, no date."""

import dataclasses
import io
import math
import re
from collections.abc import Callable, Sequence
from typing import Any

import matplotlib as mpl
from markupsafe import Markup, escape
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextToPath
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator

from mcos_sim.report.colours import VIOLATION

__all__ = [
    "INK",
    "LEAST_TEXT",
    "LINE",
    "LOG_FROM",
    "NARROW",
    "SOFT",
    "WIDE",
    "Picture",
    "axis_from_zero",
    "fitted",
    "honest_axis",
    "svg",
    "svg_file",
    "text_width",
]


WIDE, NARROW = 920, 358
"""Widths in pixels of a picture for a desktop and for a phone of 390 pixels with its margins."""

INK, SOFT, LINE = "#1b1f24", "#59636e", "#d5dae0"
"""Text, text beside it, and rules; a page that is dark has its own."""

LEAST_TEXT = 10
"""Pixels; smaller text is not read on a phone."""

LOG_FROM = 8
"""Ratio of the largest value to the smallest from which an axis of dots is logarithmic."""

_FONTS = ["DejaVu Sans", "Verdana", "Arial"]

_STYLE: dict[Any, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": SOFT,
    "axes.labelcolor": SOFT,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "figure.dpi": 72,  # a point is a pixel
    "font.family": "sans-serif",
    "font.sans-serif": _FONTS,
    "grid.color": LINE,
    "legend.frameon": False,
    "svg.fonttype": "none",
    "text.color": INK,
    "text.parse_math": False,
    "xtick.color": SOFT,
    "xtick.labelcolor": SOFT,
    "ytick.color": SOFT,
    "ytick.labelcolor": INK,
}

_NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))
"""A picture says neither when nor with what it was made: the same numbers give the same bytes."""

_OF_THE_PAGE = {
    INK: "currentColor",
    **{
        colour: f"var(--{name}, {colour})"
        for name, colour in (("soft", SOFT), ("line", LINE), ("violation", VIOLATION))
    },
}
"""Colours of which a dark page has its own."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture of a page.

    Parameters
    ----------
    versions : Sequence[tuple[str, Markup]]
        CSS class and SVG of each version; the page shows the one for its width.
    caption : str
        What it shows.
    """

    versions: Sequence[tuple[str, Markup]]
    caption: str

    @classmethod
    def of(cls, name: str, caption: str, **versions: str) -> "Picture":
        """A picture that can stand beside others in one page.

        Parameters
        ----------
        name : str
            Word that no other picture of the page has.
        caption : str
            What it shows.
        versions : str
            SVG by CSS class, from :func:`svg`.
        """
        return cls(
            versions=[
                (kind, _inline(text, f"{name}-{kind}", caption)) for kind, text in versions.items()
            ],
            caption=caption,
        )


def svg(
    name: str, size: tuple[float, float], draw: Callable[[Figure], None], *, text: float = 14
) -> str:
    """Draw a picture.

    Parameters
    ----------
    name : str
        What it is; other names give other identifiers.
    size : tuple[float, float]
        Width and height in pixels.
    draw : Callable[[Figure], None]
        Draws; one unit of a line or a text is one pixel.
    text : float
        Size of text in pixels.

    Returns
    -------
    str
        SVG, the same bytes for the same drawing.
    """
    with mpl.rc_context():
        # Not those of a matplotlibrc, which is looked for in the working directory first.
        mpl.rcdefaults()
        sizes: dict[Any, Any] = {"font.size": text, "axes.titlesize": text, "legend.fontsize": text}
        mpl.rcParams.update({**_STYLE, **sizes, "svg.hashsalt": f"mcos {name}"})
        figure = Figure(figsize=(size[0] / 72, size[1] / 72), layout="constrained")
        draw(figure)
        file = io.StringIO()
        figure.savefig(file, format="svg", transparent=True, metadata=_NO_METADATA)
    return file.getvalue()


def svg_file(text: str) -> str:
    """A picture of :func:`svg` that stands alone, on white."""
    begin = text.index(">", text.index("<svg")) + 1
    return f'{text[:begin]}\n <rect width="100%" height="100%" fill="#ffffff"/>{text[begin:]}'


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """Width in pixels of a line of text of a size in pixels."""
    font = FontProperties(family=_FONTS[0], size=size, weight="bold" if bold else "normal")
    # Mathematics is not parsed: a name is only a name.
    return TextToPath().get_text_width_height_descent(text, font, ismath=False)[0]


def fitted(text: str, size: float, room: float, *, bold: bool = False) -> tuple[str, float]:
    """A line of text that fits.

    Parameters
    ----------
    text : str
        The text.
    size, room : float
        Size that it should have and width that there is, in pixels.
    bold : bool
        Whether it is bold.

    Returns
    -------
    tuple[str, float]
        The text and its size, at least :data:`LEAST_TEXT`; where that is too wide the text is cut.
    """
    wide = text_width(text, size, bold=bold)
    if wide <= room:
        return text, size
    if wide * LEAST_TEXT / size <= room:
        return text, size * room / wide
    while len(text) > 1 and text_width(f"{text}…", LEAST_TEXT, bold=bold) > room:
        text = text[:-1]
    return f"{text}…", LEAST_TEXT


def axis_from_zero(axes: Axes, *, ticks: int = 5, last: float | None = None) -> None:
    """Give a horizontal linear axis that begins at zero, with a line at each tick.

    Parameters
    ----------
    axes : Axes
        Whose right limit is set already.
    ticks : int
        About how many.
    last : float or None
        Largest value shown, beyond which no tick is needed; None for the right limit.
    """
    axes.set_xlim(left=0)
    most = axes.get_xlim()[1] if last is None else last
    at = MaxNLocator(ticks, steps=[1, 2, 5, 10]).tick_values(0, most)
    axes.set_xticks([tick for tick in at if tick <= most * 1.1 and tick <= axes.get_xlim()[1]])
    axes.xaxis.set_major_formatter(FuncFormatter(_plain))
    axes.grid(axis="x")


def honest_axis(axes: Axes, values: Sequence[float], label: str, *, narrow: bool) -> None:
    """Give dots a horizontal axis that says what it is.

    Parameters
    ----------
    axes : Axes
        Where the dots are.
    values : Sequence[float]
        Every value shown, above 0. The axis is logarithmic if they differ :data:`LOG_FROM` times,
        else linear from zero.
    label : str
        What they are, with the unit.
    narrow : bool
        Whether there is room for few ticks only.
    """
    if values and max(values) >= LOG_FROM * min(values):
        axes.set_xscale("log")
        axes.set_xlim(min(values) / 1.3, max(values) * 1.3)
        few = narrow or max(values) >= 500 * min(values)
        low, high = (math.log10(limit) for limit in axes.get_xlim())
        # One tick alone does not say how long a decade is.
        alone = math.floor(high) - math.ceil(low) < 1
        subs = ((1, 3) if alone else (1,)) if few else (1, 2, 5)
        axes.xaxis.set_major_locator(LogLocator(subs=subs))
        axes.xaxis.set_major_formatter(FuncFormatter(_plain))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.xaxis.set_minor_locator(NullLocator())
        axes.grid(axis="x")
        axes.set_xlabel(f"{label}, log axis")
    else:
        axes.set_xlim(0, max(values, default=1) * 1.08)
        axis_from_zero(axes, ticks=3 if narrow else 5)
        axes.set_xlabel(label)


def _plain(value: float, _: object = None) -> str:
    """A tick as people write it: no powers, no sign of a minus."""
    return f"{value:,.10g}"


def _inline(text: str, name: str, caption: str) -> Markup:
    """The picture as a part of a page, as wide as its column and at most as drawn."""
    text = text[text.index("<svg") :]
    text = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", text)
    for colour, own in _OF_THE_PAGE.items():
        text = text.replace(f": {colour}", f": {own}")
    # Text has no colour of its own where matplotlib takes black for granted.
    text = re.sub(r' (width|height)="[\d.]+pt"', "", text, count=2)
    wide = re.search(r'viewBox="0 0 ([\d.]+) ', text)
    style = f"max-width: {float(wide[1]) if wide else WIDE:g}px"
    return Markup(
        text.replace("<svg", f'<svg role="img" aria-label="{escape(caption)}" style="{style}"', 1)
    )
