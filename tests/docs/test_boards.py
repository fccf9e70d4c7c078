"""The commands of docs/boards.md, run from top to bottom."""

from pathlib import Path

import pytest

from tests.docs.transcript import Transcript
from tests.sim.constraints.small import NEEDS_TCL

PAGE = Path(__file__).parents[2] / "docs" / "boards.md"


@NEEDS_TCL
@pytest.mark.slow
def test_the_page_is_what_is_printed(tmp_path):
    Transcript(PAGE, tmp_path).run()
