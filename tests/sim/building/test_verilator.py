"""Tools of a build that are missing, or that fail."""

import pytest

from mcos_sim.building.verilator import BuildFailed, run_command
from mcos_sim.errors import UserError


@pytest.fixture
def tools(tmp_path, monkeypatch):
    """A PATH on which every tool fails."""
    for name in ("make", "perl", "g++"):
        tool = tmp_path / name
        tool.write_text("#!/bin/sh\necho broken\nexit 1\n")
        tool.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("name", ["make", "perl", "g++"])
def test_a_missing_tool_is_for_the_user_to_install(tools, name):
    (tools / name).unlink()
    with pytest.raises(UserError, match=rf"^{name.replace('+', '[+]')} must be on PATH"):
        run_command(["make"])


@pytest.mark.parametrize("said", ["x.o: No space left on device", "Killed signal", "not so"])
def test_a_machine_without_room_is_the_users(tools, said):
    (tools / "make").write_text(f"#!/bin/sh\necho '{said}'\nexit 1\n")
    error, text = (
        (BuildFailed, said) if said == "not so" else (UserError, "must have disk and memory")
    )
    with pytest.raises(error, match=text):
        run_command(["make"])


def test_a_tool_that_fails_is_our_fault(tools):
    with pytest.raises(BuildFailed, match="make must accept the design:\nbroken"):
        run_command(["make"])
