"""``python -m mcos_sim.report.readme RESULT PATH``: README's picture from the demo's result."""

import json
import sys
from pathlib import Path

from mcos_policy.files import write_text
from mcos_sim.report.drawing import svg_file
from mcos_sim.report.pictures import lead_picture

__all__ = [
    "write_picture",
]


def write_picture(result: Path, path: Path) -> None:
    """Draw the first picture of the report, to stand alone.

    Parameters
    ----------
    result : Path
        Result of a comparison.
    path : Path
        The SVG.

    Raises
    ------
    OSError
        If one cannot be read or the other cannot be written.
    """
    found = json.loads(result.read_text(encoding="utf-8"))
    write_text(path, svg_file(lead_picture(found, next(iter(found["scenarios"])))))


if __name__ == "__main__":
    write_picture(*(Path(word) for word in sys.argv[1:]))
