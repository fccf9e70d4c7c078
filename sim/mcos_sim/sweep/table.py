"""The table of a sweep as a file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from mcos_policy.files import replacing
from mcos_sim.console import writing
from mcos_sim.errors import UserError
from mcos_sim.sweep.point import COLUMNS

__all__ = [
    "require_format",
    "write_table",
]


_TYPES = {
    **dict.fromkeys(("contract", "workload", "arbiter", "engine", "memory", "tenant"), pa.string()),
    **dict.fromkeys(("share", "utilisation", "row_changes"), pa.float64()),
    "pacer": pa.bool_(),
}
"""Types of columns; all others are int64."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What makes a spreadsheet compute a cell, or look into it for more."""

_WRITERS = {".csv": pyarrow.csv.write_csv, ".parquet": pyarrow.parquet.write_table}


def require_format(path: Path) -> None:
    """Check, before any work, that the name says how to write.

    Raises
    ------
    UserError
        If it does not.
    """
    if path.suffix not in _WRITERS:
        raise UserError(
            f"--table must name a {' or '.join(_WRITERS)} file, not {str(path)!r}; rename it"
        )


def write_table(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    """Write rows as CSV or Parquet, as the name of the file says; the same bytes for the same rows.

    Parameters
    ----------
    path : pathlib.Path
        File to write, ``.csv`` or ``.parquet``.
    rows : Sequence[dict]
        Rows by :data:`mcos_sim.sweep.point.COLUMNS`; None stands for nothing. In a CSV, text that a
        spreadsheet would take for a formula gets an apostrophe in front.

    Raises
    ------
    UserError
        If the file cannot be written.
    """
    schema = pa.schema([(name, _TYPES.get(name, pa.int64())) for name in COLUMNS])
    if path.suffix == ".csv":
        rows = [{name: _cell(value) for name, value in row.items()} for row in rows]
    table = pa.Table.from_pylist(list(rows), schema=schema)
    with writing(path), replacing(path) as partial:
        _WRITERS[path.suffix](table, partial)


def _cell(value: Any) -> Any:
    """A value as a cell of a CSV; names are a stranger's, numbers are ours."""
    formula = isinstance(value, str) and value.startswith(_FORMULA)
    return f"'{value}" if formula else value
