"""``mcos demo`` of eight channels behind eight ports of 512 bits, on the emitted Verilog."""

import os
import subprocess
import sys

import pytest

from mcos_sim.building.fabric import blocks_of
from mcos_sim.ported.sizes import fabric_around
from tests.sim.fabric.scenarios import CONFIG

MOST_CPU_SECONDS = 2 * 25 * 60
"""Twenty-five minutes of two cores."""

MOST_KIB = 8 << 20
"""Memory of any one process of it; two of them are large at the same time."""


@pytest.mark.parametrize(
    ("channels", "ports", "blocks"),
    [(2, 2, []), (4, 4, ["mcos_channel", "mcos_port_0"]), (2, 8, ["mcos_channel", "mcos_port_0"])],
)
def test_what_is_compiled_once(channels, ports, blocks):
    assert blocks_of(fabric_around(CONFIG, ((0, 1),) * ports, channels)) == blocks


@pytest.mark.soak
def test_the_marks_hold_for_eight_channels(tmp_path):
    environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    command = [sys.executable, "-m", "mcos_sim", "demo", "--channels", "8", "-o", str(tmp_path)]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    text = (tmp_path / "log").read_text()
    assert process.returncode == 0, text
    seconds = used.ru_utime + used.ru_stime
    print(text, f"{seconds:.0f} s of processor time, {used.ru_maxrss >> 10} MiB")
    assert seconds < MOST_CPU_SECONDS
    assert used.ru_maxrss < MOST_KIB // 2
