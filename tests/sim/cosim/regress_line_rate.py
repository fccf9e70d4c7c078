"""A grant in every clock, or interval, for a million clocks in which everything changes.

Run by ``test_line_rate``.
"""

import json
import random

import cocotb
import numpy as np
from cocotb.triggers import ClockCycles

from mcos_hw.registers.image import ImageCode, ImageState
from mcos_sim.cosim.run_tests import folder, parameters
from mcos_sim.environment import layout as at
from mcos_sim.environment.environment import blocks_of
from mcos_sim.scenario import Channel
from tests.sim.cosim.recipes import (
    Bench,
    RatedMemory,
    contract,
    image,
    make_scenario,
    sizes,
    stream,
)

ALWAYS_ENABLED = 12
"""Tenants that no commit disables; one of them at least is backlogged at any time."""

PHASE_CLOCKS = 2_000
"""Clocks after which other tenants are backlogged."""

COMMIT_CLOCKS = 1_000
"""Clocks from one commit to the beginning of the next image."""

OPEN = 64
"""Window of a backlogged tenant."""

SETTLING_CLOCKS = 100
"""Clocks after the first offer that are not counted."""


def open_phase(e, backlogged):
    """Leaves a window to those that are backlogged in a phase, so that the others offer nothing."""
    for block in blocks_of(e):
        block[at.WINDOW] = OPEN if int(block[at.TAG]) in backlogged else 0
    e[at.WAKE] = 0  # whose window opens offers at once


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
async def grants_in_every_interval(dut):
    config = sizes()
    clocks = parameters()["clocks"]
    rng = random.Random(1)
    sets = backlogged_sets(config, clocks // PHASE_CLOCKS + 2, rng)
    # Three times the mean share, as shares differ.
    requests = 3 * clocks // config.tenants + 10 * PHASE_CLOCKS
    scenario = make_scenario(
        config,
        *(backlog(tag, requests) for tag in range(config.tenants)),
        # Never the limit: a longest request a clock, and room for all slots.
        channels=(
            Channel(
                memory=RatedMemory(config.l_max), latency=8, credit=config.slots * config.l_max
            ),
        ),
    )
    bench = Bench(dut, scenario)
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
    while bench.clock < begun + clocks:
        phase = bench.clock // PHASE_CLOCKS
        open_phase(bench.environment, sets[phase])
        await bench.run(min((phase + 1) * PHASE_CLOCKS, begun + clocks))
    task.cancel()

    granted = np.sort(np.concatenate([tenant.granted for tenant in bench.tenants]))
    counted = granted[granted >= begun + SETTLING_CLOCKS]
    span = int(counted[-1] - counted[0]) + 1
    gaps = np.diff(granted)
    assert np.all(gaps >= config.grant_interval), "two grants in one interval"
    result = {
        "config": config.hash,
        "tenants": config.tenants,
        "lateness": config.lateness,
        "grant_interval": config.grant_interval,
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
