# amaranth: UnusedElaboratable=no
"""Copies of a register: equal in every clock, and still there after synthesis."""

import random
import re

import pytest
from amaranth.back import rtlil

from mcos_hw.primitive.replicated import Replicated
from mcos_sim.synthesis.tool import run_yosys
from tests.hw.channel.bench import simulate


@pytest.mark.parametrize("copies", [0, 5])
def test_copies_must_be_told_apart(copies):
    with pytest.raises(ValueError, match=rf"^copies must be in 1\.\.4, not {copies}$"):
        Replicated(width=4, copies=copies)


def test_copies_are_equal_in_every_clock():
    rng = random.Random(1)

    async def testbench(bench):
        for _ in range(3):
            assert bench.get("copies") == [0] * 4
            for _ in range(20):
                value = rng.getrandbits(4)
                bench.set(value=value)
                await bench.tick()
                assert bench.get("copies") == [value] * 4
            await bench.reset()

    simulate(Replicated(width=4, copies=4), testbench)


@pytest.mark.parametrize(
    "lowered",
    [
        ("opt -full", "simplemap", "opt -full"),
        # As for a target without resets in its flip-flops.
        ("setattr -unset init w:*", "opt", "techmap", "dfflegalize -cell $_DFF_P_ x", "opt_merge"),
    ],
)
def test_yosys_keeps_every_copy(lowered, tmp_path):
    (tmp_path / "design.il").write_text(rtlil.convert(Replicated(width=4, copies=4)))
    passes = ("read_rtlil design.il", "proc", "flatten", *lowered, "opt_clean", "tee -o count stat")
    run_yosys(passes, directory=tmp_path, name="copies")
    counts = re.findall(r"(\d+) +\$_S?DFF\w*", (tmp_path / "count").read_text())
    assert sum(map(int, counts)) == 4 * 4
