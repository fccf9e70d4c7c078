"""One grant in every clock, for a million clocks in which everything changes.

Run by ``test_line_rate``.
"""

import json
import random

import cocotb
import numpy as np
from cocotb.triggers import ClockCycles

from mcos_hw.registers.image import ImageCode, ImageState
from mcos_sim.cosim.requester import Requester
from mcos_sim.cosim.run_tests import folder, parameters
from mcos_sim.cosim.testbench import Testbench
from mcos_sim.memory import simple_port
from mcos_sim.memory.memory import MemoryPort
from mcos_sim.memory.simple import simple_state
from tests.sim.cosim.recipes import contract, image, sizes, stream

ALWAYS_ENABLED = 12
"""Tenants that no commit disables; one of them at least is backlogged at any time."""

PHASE_CLOCKS = 2_000
"""Clocks after which other tenants are backlogged."""

COMMIT_CLOCKS = 1_000
"""Clocks from one commit to the beginning of the next image."""

SETTLING_CLOCKS = 100
"""Clocks after the first offer that are not counted."""


class PhasedRequester(Requester):
    """Offers requests in its phases only.

    Parameters
    ----------
    stream, config
        As of the base.
    phases : list[bool]
        Whether it is backlogged in each phase.
    """

    def __init__(self, stream, config, phases):
        super().__init__(stream, config)
        self._phases = phases
        self._next_phase = 0

    def advance(self, clock):
        phase = clock // PHASE_CLOCKS
        self._next_phase = (phase + 1) * PHASE_CLOCKS
        if self._phases[phase]:
            super().advance(clock)

    def wakes_at(self):
        return None if self.stopped else self._next_phase


def backlogged_sets(config, phases, rng):
    """Tenants of each phase: all of them in every fourth one, one alone, and anything between."""
    sets = []
    for phase in range(phases):
        size = config.tenants if phase % 4 == 0 else rng.choice((1, 1, 2, 3, 8, 15))
        first = rng.randrange(ALWAYS_ENABLED)
        others = rng.sample([i for i in range(config.tenants) if i != first], size - 1)
        sets.append({first, *others})
    return sets


def backlog(tag, requests):
    """Requests of one beat, of sixteen, and of anything between."""
    made = stream(tag, requests=requests)
    kind = np.random.default_rng(tag).integers(0, 3, requests)
    made.requests["beats"] = np.choose(kind, (1, 16, made.requests["beats"]))
    return made


def random_image(config, label, rng):
    """New weights, new rates, and some tenants disabled."""
    enabled = [i for i in range(config.tenants) if i < ALWAYS_ENABLED or rng.random() < 0.7]
    parts = [rng.choice((1, 1, 4, 40)) for _ in enabled]
    rates = {i: max(1, 40 * part // sum(parts)) for i, part in zip(enabled, parts, strict=True)}
    channel = {"pacer_enable": 0, "port_credit": config.slots * config.l_max}
    return image(config, contract(config, rates, channel=channel), label=label)


@cocotb.test()
async def grants_in_every_clock(dut):
    config = sizes()
    clocks = parameters()["clocks"]
    rng = random.Random(1)
    sets = backlogged_sets(config, clocks // PHASE_CLOCKS + 2, rng)
    # Three times the mean share, as shares differ.
    requests = 3 * clocks // config.tenants + 10 * PHASE_CLOCKS
    requesters = [
        PhasedRequester(backlog(tag, requests), config, [tag in each for each in sets])
        for tag in range(config.tenants)
    ]
    bench = Testbench(
        dut,
        config,
        requesters=requesters,
        # Never the limit: a longest request a clock, and room for all slots.
        memory=MemoryPort(
            simple_port,
            simple_state(latency=8, bytes_per_clock=config.l_max, slots=config.slots),
            credit=config.slots * config.l_max,
        ),
    )
    await bench.reset()
    await bench.load(random_image(config, 1, rng).words)
    begun = bench.clock
    commits = 0

    async def commit_images():
        nonlocal commits
        while True:
            # The whole path, beside traffic: words, checks, commit.
            state, code = await bench.registers.load(random_image(config, commits + 2, rng).words)
            assert state is ImageState.STAGED, (state, code)
            state, code = await bench.registers.commit()
            assert code is ImageCode.NONE, code
            commits += 1
            await ClockCycles(dut.clk, COMMIT_CLOCKS)

    task = cocotb.start_soon(commit_images())
    await bench.run(begun + clocks)
    task.cancel()

    granted = np.sort(np.concatenate([np.array(each) for each in bench.checker.granted.values()]))
    counted = granted[granted >= begun + SETTLING_CLOCKS]
    span = int(counted[-1] - counted[0]) + 1
    assert np.all(np.diff(granted) > 0), "two grants in one clock"
    result = {
        "config": config.hash,
        "tenants": config.tenants,
        "lateness": config.lateness,
        "clocks": span,
        "grants": len(counted),
        "grants_per_clock": len(counted) / span,
        "longest_gap_clocks": int(np.diff(counted).max()) - 1,
        "commits": commits,
        "phases": len(sets) - 2,
        "seed": 1,
    }
    dut._log.info("%s", result)
    (folder() / "line_rate.json").write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
