"""Results that are kept to be used again: whole and as they were written, or not used."""

import hashlib
import json
from pathlib import Path
from typing import Any

from mcos_policy.files import write_text
from mcos_sim.inputs import read_whole

__all__ = [
    "digest",
    "read_record",
    "write_record",
]


def digest(value: Any) -> str:
    """SHA-256 of a value that JSON can hold, in hexadecimal digits."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def write_record(path: Path, key: str, value: Any) -> None:
    """Keep a value that JSON can hold, with what it is the result of.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    write_text(path, json.dumps({"key": key, "sum": digest([key, value]), "value": value}) + "\n")


def read_record(path: Path, key: str) -> Any | None:
    """The value of a record, or None.

    None stands for a record that is missing, damaged, of another key or not a record at all: what
    it would have told has to be found again. The sum is against accidents. Whoever may write the
    folder may also write a record.
    """
    try:
        found = json.loads(read_whole(path).decode())
        if not isinstance(found, dict) or set(found) != {"key", "sum", "value"}:
            return None
        whole = found["key"] == key and found["sum"] == digest([key, found["value"]])
    except (OSError, ValueError, RecursionError):
        return None
    return found["value"] if whole else None
