"""docs/first-hour.md, run from top to bottom."""

from pathlib import Path

import pytest

from tests.docs.transcript import Transcript

PAGE = Path(__file__).parents[2] / "docs" / "first-hour.md"


@pytest.mark.slow
def test_the_first_hour_is_what_it_says(tmp_path):
    Transcript(PAGE, tmp_path).run()
    service = tmp_path / "service"
    for name in ("run/report.html", "late/report.html", "late/timeline.html", "late/worst.vcd"):
        assert (service / "build" / name).stat().st_size
