"""Figures of speed and size that were measured before, to look up without building anything."""

import dataclasses
import datetime
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mcos_sim.errors import UserError
from mcos_sim.synthesis.result import merged
from mcos_sim.tables import Column, Table

__all__ = [
    "FIGURES",
    "KEYS",
    "Wanted",
    "read",
    "recorded",
    "render",
]


FIGURES = Path(__file__).with_name("figures.json")
"""The table that comes with the package; ``make timing`` writes it."""

KEYS = (
    "design",
    "data_bits",
    "outstanding",
    "name",
    "tenants",
    "lateness",
    "grant_interval",
    "fmax_mhz",
    "fmax_worst_mhz",
    "seeds",
    "luts",
    "ffs",
    "brams",
    "dsps",
    "area_um2",
    "measured",
    "source_hash",
)
"""What a row has: of a measurement, its date, and the hash of the hardware's sources."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which rows to show; None where any will do.

    Parameters
    ----------
    target : str or None
        Target, by the beginning of its name: ``ecp5``, ``ecp5-85k-6``, ``asap7``.
    tenants, grant_interval : int or None
        Sizes.
    """

    target: str | None = None
    tenants: int | None = None
    grant_interval: int | None = None

    def of(self, rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """The rows that are wanted.

        Raises
        ------
        UserError
            If there are none: says what was measured.
        """
        found = [row for row in rows if self._takes(row)]
        if found or not rows:
            return found
        asked = {
            "--target": (self.target, sorted({row["name"] for row in rows})),
            "--tenants": (self.tenants, sorted({row["tenants"] for row in rows})),
            "--grant-interval": (
                self.grant_interval,
                sorted({row["grant_interval"] for row in rows}),
            ),
        }
        told = ", ".join(f"{key} {value}" for key, (value, _) in asked.items() if value is not None)
        known = "; ".join(
            f"{key} {', '.join(map(str, values))}" for key, (_, values) in asked.items()
        )
        raise UserError(
            f"figures must be of a size that was measured, not of {told}: there are {known}; "
            "leave one out, or measure with mcos timing"
        )

    def _takes(self, row: Mapping[str, Any]) -> bool:
        return (
            (self.target is None or row["name"].startswith(self.target))
            and self.tenants in (None, row["tenants"])
            and self.grant_interval in (None, row["grant_interval"])
        )


def read(path: Path = FIGURES) -> list[dict[str, Any]]:
    """Rows of a table of figures; none if there is no such file.

    Raises
    ------
    UserError
        If the file is something else.
    """
    if not path.is_file():
        return []
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))["figures"]
        return [{key: row[key] for key in KEYS if key in row} for row in merged(rows, [])]
    except (KeyError, RecursionError, TypeError, ValueError) as error:
        raise UserError(
            f"{path} must be a table of figures as mcos timing --record writes it, not something "
            f"else ({error}); remove it or choose another name"
        ) from None


def recorded(
    rows: Sequence[Mapping[str, Any]],
    measured: Sequence[Mapping[str, Any]],
    *,
    source_hash: str,
    date: datetime.date,
) -> list[dict[str, Any]]:
    """Rows of a table with those of a measurement in their place."""
    stamp = {"measured": date.isoformat(), "source_hash": source_hash}
    new = [{**row, **stamp, "seeds": len(row.get("seeds", ())) or None} for row in measured]
    return [{key: row[key] for key in KEYS if key in row} for row in merged(rows, new)]


def render(rows: Sequence[Mapping[str, Any]]) -> Table:
    """The rows for a terminal."""

    def cell(value: float | None, form: str = ",.0f") -> str:
        return "" if value is None else format(value, form)

    def what(row: Mapping[str, Any]) -> str:
        if row["design"] == "channel":
            return "channel"
        return f"port of {row['data_bits']} bits, {row['outstanding']} under way"

    return Table(
        "Speed and size as measured",
        [
            *(Column(heading=name, name=True) for name in ("target", "what", "measured")),
            *("tenants", "L", "N", "MHz", "worst", "seeds", "LUT", "FF", "BRAM", "DSP", "µm²"),
        ],
        [
            (
                row["name"],
                what(row),
                row["measured"],
                *(str(row[key]) for key in ("tenants", "lateness", "grant_interval")),
                cell(row["fmax_mhz"], ",.1f"),
                cell(row.get("fmax_worst_mhz"), ",.1f"),
                *(cell(row.get(key)) for key in ("seeds", "luts", "ffs", "brams", "dsps")),
                cell(row["area_um2"]),
            )
            for row in rows
        ],
    )
