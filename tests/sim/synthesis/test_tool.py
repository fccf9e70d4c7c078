"""Running tools."""

import json
import sys
from pathlib import Path

import pytest

from mcos_sim.errors import InternalError, UserError
from mcos_sim.synthesis.tool import (
    ToolTookTooLong,
    cell_counts,
    require_module,
    run_tool,
    script,
)


def test_output_is_returned_and_kept(tmp_path):
    printed = run_tool([sys.executable, "-c", "print(7)"], directory=tmp_path, log="seven.log")
    assert printed == "7\n"
    assert (tmp_path / "seven.log").read_text() == "7\n"


def test_failure_tells_the_end_of_the_log(tmp_path):
    program = "print('ignored\\n' * 9 + 'no room'); raise SystemExit(3)"
    with pytest.raises(InternalError) as caught:
        run_tool([sys.executable, "-c", program], directory=tmp_path, log="place.log")
    text = str(caught.value)
    assert text.startswith("the step place must end with exit code 0, not 3; log in ")
    assert text.endswith("no room")
    assert text.count("ignored") == 4


def test_missing_package_is_named():
    with pytest.raises(UserError, match="needs the Python package no-such, which is not installed"):
        require_module("no_such", "no-such")


def test_cells_by_type(tmp_path):
    path = tmp_path / "cells.json"
    path.write_text(json.dumps({"modules": {"\\mcos": {"num_cells_by_type": {"INVx1": 3}}}}))
    assert cell_counts(path, top="mcos") == {"INVx1": 3}


def test_commands_of_wheels_are_found_whatever_the_path_is(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert Path(script("mcos")).exists()


def test_a_tool_that_does_not_end_is_stopped(tmp_path):
    program = "import time; print('here', flush=True); time.sleep(60)"
    with pytest.raises(ToolTookTooLong, match="the step place must end within 2 s; log in "):
        run_tool(
            [sys.executable, "-c", program], directory=tmp_path, log="place.log", limit_seconds=2
        )
    assert (tmp_path / "place.log").read_text() == "here\n"
