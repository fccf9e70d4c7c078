"""The ASAP7 liberty files: where they are, what they become before use."""

import gzip
import re
from collections.abc import Mapping
from pathlib import Path

from mcos_policy.files import write_text
from mcos_sim.errors import UserError
from mcos_sim.shared import shared_path

__all__ = [
    "CORNER",
    "cell_areas",
    "find_library",
    "timing_only",
    "unpack",
]


CORNER = "ss"
"""The corner of the files: slow transistors, 0.63 V, 100 C."""

_KINDS = ("AO", "INVBUF", "OA", "SEQ", "SIMPLE")
"""Groups of cells, one file each."""

_POWER = re.compile(
    r"\s*(leakage_power|internal_power|pg_pin|power_lut_template|(in|out)put_voltage)\s*\(.*\{\s*"
)

_CELL = re.compile(r"^\s*cell \((\w+)\) \{", re.MULTILINE)

_AREA = re.compile(r"^\s*area : ([\d.]+);", re.MULTILINE)


def find_library() -> dict[str, Path] | None:
    """The packed file of each group, or None where they are absent.

    Raises
    ------
    UserError
        If the folder is there, but not every group in it.
    """
    folder = shared_path("pdk", "asap7")
    if folder is None:
        return None
    found: dict[str, Path] = {}
    for kind in _KINDS:
        files = sorted(folder.glob(f"{kind}_RVT_SS_*.lib.gz"))
        if len(files) != 1:
            raise UserError(
                f"{folder} must hold one file {kind}_RVT_SS_*.lib.gz, not {len(files)}; "
                "complete the folder, or remove it to go without this target"
            )
        found[kind] = files[0]
    return found


def timing_only(text: str) -> str:
    """A liberty text without what is said about power, a third of its size."""
    kept: list[str] = []
    depth = 0
    for line in text.splitlines():
        if depth or _POWER.fullmatch(line):
            depth += line.count("{") - line.count("}")
        else:
            kept.append(line)
    return "\n".join(kept) + "\n"


def unpack(library: Mapping[str, Path], folder: Path) -> dict[str, Path]:
    """Unpack the files for the tools, once; returns the file of each group."""
    folder.mkdir(parents=True, exist_ok=True)
    unpacked: dict[str, Path] = {}
    for kind, packed in library.items():
        unpacked[kind] = folder / packed.name.removesuffix(".gz")
        if not unpacked[kind].exists():
            with gzip.open(packed, "rt", encoding="utf-8") as file:
                text = timing_only(file.read())
            write_text(unpacked[kind], text)
    return unpacked


def cell_areas(text: str) -> dict[str, float]:
    """Area of each cell of a liberty text, in its own unit."""
    starts = [*_CELL.finditer(text)]
    ends = [*(match.start() for match in starts[1:]), len(text)]
    areas: dict[str, float] = {}
    for match, end in zip(starts, ends, strict=True):
        area = _AREA.search(text, match.end(), end)
        areas[match[1]] = float(area[1]) if area else 0.0
    return areas
