"""The commands of docs/verilog.md, run from top to bottom."""

import shutil
from pathlib import Path

import pytest

from tests.docs.transcript import Transcript

PAGE = Path(__file__).parents[2] / "docs" / "verilog.md"


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("iverilog") is None, reason="iverilog is not installed")
def test_the_page_is_what_is_printed(tmp_path):
    Transcript(PAGE, tmp_path).run()
