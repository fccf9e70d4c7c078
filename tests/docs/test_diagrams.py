"""Each block diagram belongs to its text, and its boxes to modules. Needs no Graphviz."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from mcos_sim.report.diagrams import source_mark

FOLDER = Path(__file__).parents[2] / "docs" / "diagrams"
SOURCES = sorted(FOLDER.glob("*.dot"))


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_a_diagram_is_drawn_from_its_text(source: Path) -> None:
    drawn = source.with_suffix(".svg").read_text(encoding="utf-8")
    assert source_mark(source) in drawn, f"{source.name} has changed: run `make diagrams`"
    assert ElementTree.fromstring(drawn).tag.endswith("svg")


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.stem)
def test_boxes_are_modules_and_called_so(source: Path) -> None:
    boxes = re.findall(r'URL="([^"]+)", label=<<b>([^<]+)</b>', source.read_text(encoding="utf-8"))
    assert boxes
    for link, name in boxes:
        module = (FOLDER / link).resolve()
        assert module.is_file(), f"{source.name} links to {link}, which is not there"
        assert name.rstrip("/") in module.parts, f"{source.name} calls {link} {name}"
