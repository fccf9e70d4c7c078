"""What was measured, as rows of ``result.json``."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from mcos_sim.synthesis.paths import Path, Route

__all__ = [
    "Measurement",
    "merged",
    "path_rows",
]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Measurement:
    """One target at one size; None where a figure does not apply.

    Parameters
    ----------
    name : str
        Target, part or corner, and variant: ``ecp5-85k-8``, ``asap7-ss-blackbox``.
    tenants : int
        Tenants of the channel.
    lateness : int
        L, how many grants late eligibility is.
    grant_interval : int
        Clocks from a grant to the next.
    fmax_mhz : float or None
        Highest clock frequency; the median where several seeds were run.
    luts, ffs, brams, dsps : int or None
        Cells of the target.
    area_um2 : float or None
        Area of the cells, without memories that are black boxes.
    critical_path : str or None
        The path that limits the frequency, in the design's own words.
    more : Mapping[str, Any]
        Whatever else the target tells.
    """

    name: str
    tenants: int
    lateness: int
    grant_interval: int = 1
    fmax_mhz: float | None = None
    luts: int | None = None
    ffs: int | None = None
    brams: int | None = None
    dsps: int | None = None
    area_um2: float | None = None
    critical_path: str | None = None
    more: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def row(self) -> dict[str, Any]:
        """The row of ``targets[]``."""
        row = {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
            if field.name != "more"
        }
        return {**self.more, **row}


def path_rows(paths: Sequence[Path], route: Route) -> list[dict[str, Any]]:
    """Rows of ``paths[]``: ``ps``, ``start``, ``end``, ``cells`` and ``path`` in words."""
    return [
        {
            "ps": path.delay_ps,
            "start": str(path.start),
            "end": str(path.end),
            "cells": path.cells,
            "path": route.words(path),
        }
        for path in paths
    ]


def merged(old: Sequence[Mapping[str, Any]], new: Sequence[Mapping[str, Any]]) -> list[Any]:
    """Rows of an earlier run with those of this one in their place, sorted.

    A row is known by ``design``, ``data_bits`` and ``outstanding`` if it is a port, ``name``,
    ``tenants``, ``lateness`` and ``grant_interval``.
    """

    def key(row: Mapping[str, Any]) -> tuple[str, int, int, str, int, int, int]:
        port = row.get("data_bits", 0), row.get("outstanding", 0)
        place = row.get("design", "channel"), *port, row.get("name", "")
        return *place, row.get("grant_interval", 1), row["lateness"], row["tenants"]

    rows = {key(row): row for row in (*old, *new)}
    return [rows[k] for k in sorted(rows)]
