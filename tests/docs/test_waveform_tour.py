"""docs/waveform-tour.md, run from top to bottom on hardware with its mistake."""

import importlib
import inspect
import re
from pathlib import Path

import pytest

from mcos_sim.waves.rules import Rule
from tests import tour
from tests.docs.transcript import Transcript

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "waveform-tour.md"


def test_the_page_shows_the_line_that_is_planted():
    """And the sound one, which is that of the sources."""
    (wrong,) = re.findall(r"^-( .*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    (right,) = re.findall(r"^\+( .*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    source = inspect.getsource(importlib.import_module(tour.BUG.module))
    assert source.splitlines().count(right) == 1
    assert right.replace(tour.BUG.text, tour.BUG.instead) == wrong
    assert tour.RULE is Rule.TAG_PRICE


def test_pictures_of_the_page_are_there():
    pictures = re.findall(r"\]\(([\w-]+\.svg)\)", PAGE.read_text(encoding="utf-8"))
    assert len(pictures) == 2
    assert all((PAGE.parent / name).is_file() for name in pictures)


@pytest.mark.slow
def test_the_tour_is_what_it_says(tmp_path, monkeypatch):
    """Every command prints what the page shows, and draws its pictures to the byte."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    Transcript(PAGE, tmp_path).run()
    for name in ("worst", "violation"):
        drawn = (tmp_path / f"{name}.svg").read_text(encoding="utf-8")
        shown = (PAGE.parent / f"{PAGE.stem}-{name}.svg").read_text(encoding="utf-8")
        assert drawn == shown, f"{name}.svg has changed: look at it, then copy it to docs/"
    assert (tmp_path / "timeline.html").is_file()
