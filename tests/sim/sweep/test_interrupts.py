"""What is told of destructors around a Ctrl-C."""

import subprocess
import sys

import pytest

PROGRAM = """
import os, signal
from mcos_sim.sweep.interrupts import interrupts_kept

class Torn:
    def __del__(self):
        raise AttributeError("torn")

with interrupts_kept() as interrupted:
    if {stops}:
        try:
            os.kill(os.getpid(), signal.SIGINT)
        except KeyboardInterrupt:
            assert interrupted.is_set()
    Torn()
"""


@pytest.mark.parametrize("stops", [False, True])
def test_a_destructor_that_fails_is_heard_until_the_first_one(stops):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(stops=stops)], capture_output=True, text=True
    )
    assert done.returncode == 0
    assert ("torn" in done.stderr) != stops
