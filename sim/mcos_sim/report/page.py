"""The result of a comparison as one HTML page that needs nothing else."""

import dataclasses
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mcos_sim.report.amounts import percent
from mcos_sim.report.drawing import Picture
from mcos_sim.report.headline import headline
from mcos_sim.report.marks import marks
from mcos_sim.report.pictures import latency_picture, lead_picture, share_picture, sweep_picture
from mcos_sim.report.rendering import write_page
from mcos_sim.report.rows import RUNS, flatten, rows, runs_of

__all__ = [
    "write",
]


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Sweep:
    key: str
    title: str
    label: str
    rows: Sequence[Mapping[str, Any]]
    picture: Picture


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
    """Write the page: what happened in a sentence and a picture, then the proof, then the rest.

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
    found = marks(result)
    shown = {run: RUNS[run] for run in runs_of(result)}
    headlines = [(name, headline(result, name)) for name in result["scenarios"]]
    first = headlines[0][0]
    write_page(
        path,
        "page.html.j2",
        title="MCOS against three arbiters" if len(shown) > 3 else "MCOS against FCFS",
        result=result,
        runs=shown,
        marks=found,
        failed=[mark for mark in found if not mark.passed],
        grouped=_grouped(found, lambda mark: mark.scope),
        headlines=headlines,
        lead=_lead(result, first),
        pictures=list(_pictures(result)),
        tables=[
            (scenario, _grouped(rows(result, scenario), lambda row: row.tenant))
            for scenario in result["scenarios"]
        ],
        sweeps=list(_sweeps(result)),
        contract=contract_text,
        settings=[
            ("Run", list(flatten(result["settings"]))),
            ("Channel", list(flatten(result["config"]))),
        ],
        command=command,
        files=files,
    )


def _lead(result: Mapping[str, Any], scenario: str) -> Picture:
    used = result["scenarios"][scenario]["alone"]["utilisation"]
    return Picture.of(
        "lead",
        f"Scenario {scenario}: the decoders alone use {percent(used)} of the channel. "
        "Bars begin at zero.",
        wide=lead_picture(result, scenario),
        narrow=lead_picture(result, scenario, narrow=True),
    )


def _pictures(result: Mapping[str, Any]) -> Iterator[Picture]:
    yield Picture.of(
        "latency",
        "p99 of each decoder's steps. The line joins the fastest and the slowest run.",
        every=latency_picture(result),
    )
    yield Picture.of(
        "share",
        "Share of each tenant, and its target: what it should get under MCOS.",
        every=share_picture(result),
    )


def _sweeps(result: Mapping[str, Any]) -> Iterator[_Sweep]:
    for name, found in result.get("sweeps", {}).items():
        key, title, label = SWEEPS[name]
        yield _Sweep(
            key=key,
            title=title,
            label=label,
            rows=found,
            picture=Picture.of(
                key,
                f"Sensitivity to the {label}. Black line: what the prefill must get.",
                every=sweep_picture(found, key, label),
            ),
        )


def _grouped(items: Iterable[Any], key: Callable[[Any], str]) -> list[tuple[str, list[Any]]]:
    return [(name, list(group)) for name, group in itertools.groupby(items, key)]
