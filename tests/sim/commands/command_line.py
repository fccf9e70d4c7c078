"""Running the ``mcos`` command inside a test."""

from pathlib import Path

import pytest

from mcos_sim.cli import main

__all__ = ["ROOT", "run_command"]


ROOT = Path(__file__).parents[3]


def run_command(*arguments: object) -> int:
    """The exit code of ``mcos`` with these arguments."""
    with pytest.raises(SystemExit) as caught:
        main([str(argument) for argument in arguments])
    code = caught.value.code
    return code if isinstance(code, int) else 0
