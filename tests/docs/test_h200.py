"""docs/h200.md, run from top to bottom."""

from pathlib import Path

import pytest

from tests.docs.transcript import Transcript

PAGE = Path(__file__).parents[2] / "docs" / "h200.md"


@pytest.mark.slow
def test_the_page_is_what_is_printed(tmp_path):
    Transcript(PAGE, tmp_path).run()
