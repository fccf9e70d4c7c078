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
    is_csv = path.suffix == ".csv"
    cells = [{name: _cell(value, is_csv) for name, value in row.items()} for row in rows]
    table = pa.Table.from_pylist(cells, schema=schema)
    # pyarrow opens no file whose name is not UTF-8.
    with writing(path), replacing(path) as partial, partial.open("wb") as file:
        _WRITERS[path.suffix](table, file)


def _cell(value: Any, is_csv: bool) -> Any:
    """A value as a cell; names are a stranger's, numbers are ours."""
    if not isinstance(value, str):
        return value
    text = value.encode(errors="backslashreplace").decode()
    return f"'{text}" if is_csv and text.startswith(_FORMULA) else text
