"""What a viewer shows around one clock, as a picture: the arbiter and the tenants it is about."""

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np

from mcos_policy.diagnostics import printable
from mcos_policy.files import write_text
from mcos_sim.errors import UserError
from mcos_sim.report.colours import VIOLATION
from mcos_sim.waves.groups import groups
from mcos_sim.waves.reading import NO_VALUE, Waveform
from mcos_sim.waves.rules import Violation
from mcos_sim.waves.signals import CLASS_NAMES, Radix, Sampler, Signal

__all__ = ["write_drawing"]


_CLOCKS, _CLOCK = 20, 52
"""Clocks shown, and pixels of one."""

_ROW, _WAVE = 22, 14
"""Pixels of a row, and of the wave in it."""

_LABELS = 150
"""Pixels of the labels on the left."""

_LETTER = 7.3
"""Pixels of a letter of the values; what does not fit is cut, as a viewer does."""

_MOST_TENANTS = 4

_BACKGROUND, _RULE, _LABEL, _TITLE = "#10151b", "#2a333d", "#c7d0da", "#ffffff"
_BIT, _BUS = "#4ccf7a", "#6fb7ff"
"""Colours of a viewer: signals of one bit and of more, on black."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Trace:
    """One row: its label, and what it shows in each clock; None where there is no value."""

    label: str
    is_bit: bool
    values: list[str | None]


def write_drawing(
    path: Path, waveform: Waveform, *, at: int, violations: Sequence[Violation] = ()
) -> None:
    """Draw the groups of the viewers' files around a clock as SVG.

    Shown are the arbiter, and at most four tenants: those that violations in this clock are about,
    those that are granted in the clocks shown, those that wait. Clocks of violations are red.

    Parameters
    ----------
    path : pathlib.Path
        The picture.
    waveform : Waveform
        What to show.
    at : int
        Clock; a quarter of the picture lies before it.
    violations : Sequence[Violation]
        What is wrong.

    Raises
    ------
    UserError
        If the clock is not shown.
    OSError
        If the picture cannot be written.
    """
    clocks = waveform.clocks
    if at not in clocks:
        raise UserError(
            f"--at must be a clock that is shown, not {at}; the waveform has {len(clocks)} of "
            f"{clocks[0]}:{clocks[-1] + 1}"
        )
    row = int(np.searchsorted(clocks, at))
    first = max(0, min(row - _CLOCKS // 4, len(clocks) - _CLOCKS))
    view = waveform.rows(slice(first, first + _CLOCKS))
    tags = _tenants(view, at, violations)
    marks = {each.clock for each in violations}
    write_text(path, "\n".join(_svg(view, list(_traces(view, tags)), at, marks)) + "\n")


def _tenants(view: Waveform, at: int, violations: Sequence[Violation]) -> list[int]:
    """Tags of the tenants whose groups are shown."""
    wrong = [tag for each in violations if each.clock == at for tag in (each.tenant, each.other)]
    granted = view.channel["tenant"][view.channel["granted"] == 1].tolist()
    waiting = np.flatnonzero(view.tenants["serviceable"].any(axis=0)).tolist()
    known = [tag for tag in dict.fromkeys([*wrong, *granted, *waiting]) if tag in view.names]
    return sorted(known[:_MOST_TENANTS])


def _traces(view: Waveform, tags: list[int]) -> Iterator[tuple[str, list[_Trace]]]:
    """Groups by title, as the viewers' files have them."""
    sampler = Sampler(view.config, view.names)
    scopes = {sampler.scopes[tag]: tag for tag in tags}
    for title, members in groups(sampler.signals).items():
        kind, _, scope = title.partition(".")
        if title == "arbiter":
            yield title, [_trace(view, label, signal, None) for label, signal in members]
        elif kind == "tenants" and scope in scopes:
            tag = scopes[scope]
            yield title, [_trace(view, label, signal, tag) for label, signal in members]


def _trace(view: Waveform, label: str, signal: Signal, tag: int | None) -> _Trace:
    column = {"class": "class_code", "tenant_name": "tenant"}.get(label, label)
    if tag is not None:
        values = view.tenants[column][:, tag]
    else:
        values = view.channel["granted_class" if label == "class" else column]
    absent = tag is None and column in ("tenant", "beats", "promoted", "class_code")
    shown = []
    for value, granted in zip(values.tolist(), view.channel["granted"].tolist(), strict=True):
        if value == NO_VALUE or (absent and not granted):
            shown.append(None)
        elif label == "class":
            shown.append(CLASS_NAMES[value])
        elif label == "tenant_name":
            shown.append(printable(view.names.get(value, f"tag {value}")))
        else:
            shown.append(f"{value:x}" if signal.radix is Radix.HEXADECIMAL else str(value))
    is_bit = signal.width == 1 and signal.radix is not Radix.TEXT
    return _Trace(label=label, is_bit=is_bit, values=shown)


def _svg(
    view: Waveform, found: list[tuple[str, list[_Trace]]], at: int, marks: set[int]
) -> Iterator[str]:
    """Lines of the picture."""
    clocks = view.clocks.tolist()
    rows = 1 + sum(1 + len(traces) for _, traces in found)
    width, height = _LABELS + len(clocks) * _CLOCK + 8, rows * _ROW + 8
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" role="img" font-family="DejaVu Sans Mono, Menlo, '
        f'Consolas, monospace" font-size="12">'
    )
    yield f"<title>Clocks {clocks[0]:,} to {clocks[-1] + 1:,}, around clock {at:,}</title>"
    yield f'<rect width="{width}" height="{height}" fill="{_BACKGROUND}"/>'
    for place, clock in enumerate(clocks):
        x = _LABELS + place * _CLOCK
        yield f'<path d="M{x} {_ROW}V{height - 4}" stroke="{_RULE}"/>'
        if clock in marks:
            yield (
                f'<rect x="{x}" y="{_ROW}" width="{_CLOCK}" height="{height - _ROW - 4}" '
                f'fill="{VIOLATION}" fill-opacity="0.35"/>'
            )
        if clock % 4 == 0 or clock == at:
            colour = VIOLATION if clock in marks else _TITLE if clock == at else _LABEL
            yield _text(x + 2, 15, f"{clock:,}", colour)
    y = _ROW
    for title, traces in found:
        yield _text(6, y + 15, title, _TITLE, bold=True)
        y += _ROW
        for trace in traces:
            yield _text(18, y + 15, trace.label, _LABEL)
            yield from _wave(trace, y + (_ROW - _WAVE) // 2)
            y += _ROW
    yield "</svg>"


def _wave(trace: _Trace, y: int) -> Iterator[str]:
    """One signal: a line of one bit, or a box with its value as long as it stays."""
    if trace.is_bit:
        yield from _line(trace.values, y)
        return
    begin = 0
    for place in range(1, len(trace.values) + 1):
        if place < len(trace.values) and trace.values[place] == trace.values[begin]:
            continue
        value = trace.values[begin]
        x, long = _LABELS + begin * _CLOCK, (place - begin) * _CLOCK
        if value is None:
            yield f'<path d="M{x} {y + _WAVE // 2}h{long}" stroke="{_RULE}" stroke-width="2"/>'
        else:
            half = _WAVE // 2
            yield (
                f'<path d="M{x} {y + half}l3 -{half}h{long - 6}l3 {half}l-3 {half}h-{long - 6}z" '
                f'fill="none" stroke="{_BUS}"/>'
            )
            letters = int((long - 8) / _LETTER)
            shown = value if len(value) <= letters else f"{value[: letters - 1]}+"
            yield _text(x + 5, y + 11, shown, _TITLE)
        begin = place


def _line(values: list[str | None], y: int) -> Iterator[str]:
    """A bit: high and filled, low, or in the middle where it has no value."""
    steps = []
    for place, value in enumerate(values):
        level = y + (_WAVE // 2 if value is None else 0 if value == "1" else _WAVE)
        x = _LABELS + place * _CLOCK
        if value == "1":
            yield (
                f'<rect x="{x}" y="{y}" width="{_CLOCK}" height="{_WAVE}" fill="{_BIT}" '
                f'fill-opacity="0.25"/>'
            )
        steps.append(f"{'L' if steps else 'M'}{x} {level}H{x + _CLOCK}")
    yield f'<path d="{"".join(steps)}" fill="none" stroke="{_BIT}" stroke-width="1.5"/>'


def _text(x: float, y: float, text: str, colour: str, *, bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return f'<text x="{x}" y="{y}" fill="{colour}"{weight}>{escape(text)}</text>'
