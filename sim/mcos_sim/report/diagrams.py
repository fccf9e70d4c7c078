"""``python -m mcos_sim.report.diagrams FOLDER``: block diagrams as SVG, from Graphviz's text."""

import hashlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

from mcos_policy.files import write_text

__all__ = [
    "draw_diagrams",
    "source_mark",
]

_STYLE = """<style>
text { fill: #1b1f24; font-family: Arial, "Liberation Sans", Helvetica, sans-serif; }
.graph > polygon { fill: #ffffff; stroke: none; }
.node path { fill: #f3f5f7; stroke: #59636e; }
.cluster polygon { fill: none; stroke: #8b949e; stroke-dasharray: 4 3; }
.cluster text { fill: #59636e; }
.edge path { stroke: #59636e; }
.edge polygon { fill: #59636e; stroke: #59636e; }
.choice path { fill: #cfe6f5; stroke: #0072b2; }
.outside text { font-style: italic; }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3; }
.graph > polygon { fill: #0d1117; }
.node path { fill: #1c2229; stroke: #9aa4af; }
.cluster text { fill: #9aa4af; }
.edge path { stroke: #9aa4af; }
.edge polygon { fill: #9aa4af; stroke: #9aa4af; }
.choice path { fill: #103a56; stroke: #56b4e9; }
}
</style>"""
"""Colours by class and not by attribute, so that a dark page has its own."""


def source_mark(source: Path) -> str:
    """The comment that ties a picture to the text it was drawn from.

    Parameters
    ----------
    source : Path
        Graphviz's text.
    """
    return f"<!-- {source.name}, SHA-256 {hashlib.sha256(source.read_bytes()).hexdigest()} -->"


def draw_diagrams(folder: Path) -> None:
    """Draw each ``.dot`` file of a folder to the ``.svg`` beside it.

    Parameters
    ----------
    folder : Path
        Where they are.

    Raises
    ------
    OSError
        If Graphviz is not there, or a file cannot be read or written.
    """
    program = shutil.which("dot")
    if program is None:
        raise FileNotFoundError(
            "diagrams need Graphviz's dot: install it (Debian and Ubuntu: apt install graphviz)"
        )
    for source in sorted(folder.glob("*.dot")):
        drawn = subprocess.run(
            [program, "-Tsvg", str(source)], stdout=subprocess.PIPE, text=True, check=True
        ).stdout
        drawn = drawn[drawn.index("<svg") :]
        # The colours of attributes are those of a light page; the style has both.
        drawn = re.sub(r' (?:fill|stroke)="(?:black|white|transparent)"', "", drawn)
        drawn = re.sub(r' font-family="[^"]*"', "", drawn)
        drawn = re.sub(r' xlink:title="[^"]*"', "", drawn)
        drawn = drawn.replace(">", f">\n{source_mark(source)}\n{_STYLE}", 1)
        write_text(source.with_suffix(".svg"), drawn)


if __name__ == "__main__":
    try:
        draw_diagrams(Path(sys.argv[1]))
    except OSError as error:
        sys.exit(str(error))
