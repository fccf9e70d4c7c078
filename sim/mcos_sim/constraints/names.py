"""Names that constraints mean, and the way out for those that nothing has."""

import difflib
import fnmatch
import math
import re
from collections.abc import Collection, Iterable
from fractions import Fraction

__all__ = [
    "CLOCK",
    "named",
    "near",
    "number",
]


CLOCK = "clk"
"""The clock of an emitted core; a board around it has clocks of other names and periods."""


def named(pattern: str, names: Iterable[str]) -> list[str]:
    """Names that a pattern of Tcl means: ``*`` and ``?`` stand for anything, ``[3]`` for itself."""
    escaped = pattern.replace("[", "\0").replace("\0", "[[]")
    return [name for name in names if fnmatch.fnmatchcase(name, escaped)]


def near(name: str, names: Collection[str]) -> str:
    """The way out for a name that is not there."""
    if f"{name}[0]" in names:
        return f"write {name}[*] for all of its bits"
    stem = re.sub(r"[\[*].*", "", name)
    stems = sorted({re.sub(r"\[.*", "", each) for each in names})
    found = difflib.get_close_matches(stem, stems, n=1, cutoff=0.6)
    return f"did you mean {found[0]}?" if found else f"known are {', '.join(stems[:8]) or 'none'}"


def number(text: str | None) -> Fraction | None:
    """A number of a constraint; None if it is none."""
    try:
        # A float first: a fraction of 1e999999999 has all its digits.
        return None if text is None or not math.isfinite(float(text)) else Fraction(text)
    except ValueError:
        return None
