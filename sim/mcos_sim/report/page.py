"""The result of a comparison as one HTML page that needs nothing else."""

import dataclasses
import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from mcos_policy.files import write_text
from mcos_sim.report.marks import marks
from mcos_sim.report.pictures import latency_picture, share_picture, sweep_picture
from mcos_sim.report.rows import RUNS, flatten, rows

__all__ = [
    "write",
]


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Sweep:
    key: str
    title: str
    label: str
    rows: Sequence[Mapping[str, Any]]


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Picture:
    svg: Markup
    caption: str


SWEEPS = {
    "window": ("prefill_window", "Requests that the prefill keeps outstanding", "window"),
    "credit": ("credit_factor", "Port credit over the contract's, pacer off", "credit, pacer off"),
}
"""Swept member of a row, title and column heading of each sweep that a result may have."""


def write(
    result: Mapping[str, Any],
    contract_text: str,
    files: Mapping[str, str],
    path: Path,
    *,
    command: str,
) -> None:
    """Write the page: headline ratios, pictures, tables, contract, settings, how to repeat it.

    The page holds its pictures and style itself, needs no script, asks for nothing over a network
    and is the same for the same result.

    Parameters
    ----------
    result : Mapping[str, Any]
        Result of a comparison.
    contract_text : str
        The contract, as its author wrote it.
    files : Mapping[str, str]
        Files that the comparison wrote, as people should read them, by what they are.
    path : Path
        The page.
    command : str
        The command that repeats the comparison.

    Raises
    ------
    OSError
        If the page cannot be written.
    """
    sweeps = list(_sweeps(result))
    environment = Environment(
        loader=PackageLoader("mcos_sim.report", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["number"] = _number
    text = environment.get_template("page.html.j2").render(
        result=result,
        runs=RUNS,
        marks=_grouped(marks(result), lambda mark: mark.scope),
        pictures=list(_pictures(result, sweeps)),
        tables=[
            (scenario, _grouped(rows(result, scenario), lambda row: row.tenant))
            for scenario in result["scenarios"]
        ],
        sweeps=sweeps,
        contract=contract_text,
        settings=[
            ("Run", list(flatten(result["settings"]))),
            ("Channel", list(flatten(result["config"]))),
        ],
        command=command,
        files=files,
    )
    write_text(path, text)


def _sweeps(result: Mapping[str, Any]) -> Iterator[_Sweep]:
    for name, found in result.get("sweeps", {}).items():
        key, title, label = SWEEPS[name]
        yield _Sweep(key=key, title=title, label=label, rows=found)


def _pictures(result: Mapping[str, Any], sweeps: Iterable[_Sweep]) -> Iterator[_Picture]:
    yield _picture(
        "latency",
        latency_picture(result),
        "p99 step latency of each decoder. Over each bar: its ratio to the decoder alone.",
    )
    yield _picture(
        "share",
        share_picture(result),
        "Share of each tenant. Black lines: what it should get.",
    )
    for sweep in sweeps:
        yield _picture(
            sweep.key,
            sweep_picture(sweep.rows, sweep.key, sweep.title),
            f"Sensitivity to the {sweep.label}. Black line: what the prefill must get.",
        )


def _picture(name: str, svg: str, caption: str) -> _Picture:
    """A picture that can stand beside others in one page, as wide as its column."""
    svg = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", svg[svg.index("<svg") :])
    svg = svg.replace("<svg", f'<svg role="img" aria-label="{escape(caption)}"', 1)
    return _Picture(svg=Markup(svg), caption=caption)


def _grouped(items: Iterable[Any], key: Callable[[Any], str]) -> list[tuple[str, list[Any]]]:
    return [(name, list(group)) for name, group in itertools.groupby(items, key)]


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)
