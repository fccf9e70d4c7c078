"""``python -m mcos_sim.report.readme RESULT PATH``: README's pictures from the demo's result."""

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
    """Draw the first picture of the report, to stand alone, and beside it that for a phone.

    Parameters
    ----------
    result : Path
        Result of a comparison.
    path : Path
        The SVG; the one for a phone has ``-phone`` after its name.

    Raises
    ------
    OSError
        If one cannot be read or the other cannot be written.
    """
    found = json.loads(result.read_text(encoding="utf-8"))
    scenario = next(iter(found["scenarios"]))
    for narrow, name in ((False, path.stem), (True, f"{path.stem}-phone")):
        picture = svg_file(lead_picture(found, scenario, narrow=narrow))
        write_text(path.with_name(f"{name}{path.suffix}"), picture)


if __name__ == "__main__":
    write_picture(*(Path(word) for word in sys.argv[1:]))
