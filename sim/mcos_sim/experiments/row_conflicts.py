"""A tenant with a guarantee beside tenants of whom every request misses a row.

Its guarantee is kept where theirs were admitted at what their bytes take of the memory, and is not
where bytes were counted.
"""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from mcos_hw.registers import ArbiterKind, channel_map
from mcos_policy.compiler import Compiled
from mcos_policy.explain import explain
from mcos_policy.image import encode
from mcos_policy.quantize import quantize
from mcos_sim.engines.model import run_scenario
from mcos_sim.experiments.behind import behind
from mcos_sim.experiments.contention import Setting
from mcos_sim.experiments.memory_figures import memory_figures
from mcos_sim.memory.name import MemoryName
from mcos_sim.scenario import FIRST_CLOCK, Channel, Scenario, TenantResult, one_port
from mcos_sim.traffic.stream import REQUEST, STEP, Stream

__all__ = [
    "RUNS",
    "measure_row_conflicts",
]


RUNS = 3
"""Runs of a measurement."""

_WINDOW = 256
"""Requests that an adversary keeps outstanding."""

_BEHAVED_WINDOW = 1024

_PAGES = 60_000
"""Pages that an adversary jumps about in: nearly all of its colours."""

_PAGE_BURSTS = 128


def measure_row_conflicts(
    compiled: Compiled,
    *,
    clocks: int,
    seed: int = 1,
    on_progress: Callable[[int], None] | None = None,
) -> dict[str, Any]:
    """Three runs of the same traffic on HBM3, and the adversaries alone.

    The first tenant of the contract reads along its pages at its guaranteed rate; all others keep
    256 requests of a burst outstanding, reads and writes, each of another row.

    Parameters
    ----------
    compiled : Compiled
        Contract with costs.
    clocks : int
        Length of each run.
    seed : int
        Seed of addresses and directions.
    on_progress : Callable or None
        Called now and then with the clocks that the runs have got on by; they are ``RUNS`` times
        ``clocks`` in all.

    Returns
    -------
    dict[str, Any]
        ``adversaries_alone`` (``bytes_per_clock``, ``row_changes`` and ``cost``: the contract's
        rate over that, which the contract's costs must cover), ``compiled_cost`` (the contract),
        and ``byte_charging``, where each adversary's guarantee is multiplied by its cost, as
        counted in bytes it would be admitted. Of a run: ``guaranteed_bytes_per_clock``,
        ``bytes_per_clock``, ``of_guarantee``, ``delay_clocks`` (the longest from the first offer to
        the grant), ``delay_bound_clocks``, ``adversary_bytes_per_clock``, ``row_changes``.
    """
    run = functools.partial(_run, clocks=clocks, seed=seed, on_progress=on_progress)
    alone = run(compiled, behaved=False)
    rate = compiled.settings.channel.pacer_rate / (1 << compiled.config.rate_fraction)
    alone["cost"] = rate / alone["bytes_per_clock"]
    return {
        "adversaries_alone": alone,
        "compiled_cost": run(compiled),
        "byte_charging": run(_in_bytes(compiled)),
    }


def _in_bytes(compiled: Compiled) -> Compiled:
    """The contract as it would be if guarantees were admitted by their bytes."""
    tenants = {}
    for position, tenant in compiled.contract.tenants.items():
        promise = tenant.bandwidth
        changed = dataclasses.replace(
            promise,
            guaranteed=promise.guaranteed * promise.cost,
            burst=max(promise.burst, promise.guaranteed * promise.cost),
            cost=type(promise.cost)(1),
        )
        tenants[position] = dataclasses.replace(tenant, bandwidth=changed)
    contract = dataclasses.replace(compiled.contract, tenants=tenants)
    config = compiled.config
    settings = quantize(contract, config, waits={})
    image = encode(config, channel_map(config), settings, compiled.image.label)
    return dataclasses.replace(
        compiled, contract=contract, settings=settings, image=image, objectives={}
    )


def _run(
    compiled: Compiled,
    *,
    clocks: int,
    seed: int,
    behaved: bool = True,
    on_progress: Callable[[int], None] | None = None,
) -> dict[str, Any]:
    tags = compiled.contract.tags()
    names = {tags[position]: tenant.name for position, tenant in compiled.contract.tenants.items()}
    first, *others = names
    unit = 1 << compiled.config.rate_fraction
    guaranteed = compiled.settings.tenants[first].committed_rate / unit
    streams = [_adversary(names[tag], tag, clocks, seed) for tag in others]
    if behaved:
        streams.insert(0, _behaved(names[first], first, guaranteed, clocks, compiled))
    scenario = Scenario(
        name="row-conflicts",
        arbiter=ArbiterKind.MCOS,
        config=compiled.config,
        image=compiled.image.words,
        ports=one_port(streams),
        clocks=clocks,
        channels=(
            Channel(latency=Setting().memory_latency, credit=compiled.settings.channel.port_credit),
        ),
        seed=seed,
    )
    scenario = behind(scenario, MemoryName.HBM3, compiled)
    result = run_scenario(scenario, on_progress=on_progress)
    elapsed = result.clocks - FIRST_CLOCK
    moved = {tenant.tag: tenant.bytes_granted / elapsed for tenant in result.tenants}
    changes = memory_figures(scenario, result, MemoryName.HBM3)["row_changes"]
    if not behaved:
        return {"bytes_per_clock": sum(moved.values()), "row_changes": changes}
    bounds = {tenant.tag: tenant.conforming_clocks for tenant in explain(compiled).tenants}
    return {
        "guaranteed_bytes_per_clock": guaranteed,
        "bytes_per_clock": moved[first],
        "of_guarantee": moved[first] / guaranteed,
        "delay_clocks": _longest_delay(result.tenants[0], streams[0]),
        "delay_bound_clocks": bounds[first],
        "adversary_bytes_per_clock": sum(moved[tag] for tag in others),
        "row_changes": changes,
    }


def _longest_delay(tenant: TenantResult, stream: Stream) -> int:
    """Clocks from when a request was due to its grant, or to the end where it has none."""
    due = stream.steps["ready"][: len(tenant.granted) + 1].astype(np.int64)
    granted = tenant.granted
    longest = int((granted - due[: len(granted)]).max(initial=0))
    if len(due) > len(granted):
        longest = max(longest, int(granted.max(initial=0)) - int(due[len(granted)]))
    return longest


def _behaved(name: str, tag: int, rate: float, clocks: int, compiled: Compiled) -> Stream:
    """Longest reads, one whenever the rate allows another."""
    config = compiled.config
    count = int((clocks - FIRST_CLOCK) * rate / config.l_max)
    requests = np.zeros(count, REQUEST)
    requests["beats"] = config.max_beats
    requests["address"] = np.arange(count) * config.l_max
    steps = np.zeros(count, STEP)
    steps["first"] = np.arange(count)
    steps["count"] = 1
    steps["ready"] = FIRST_CLOCK + np.arange(count) * config.l_max / rate
    return Stream(
        name=name,
        tag=tag,
        window=_BEHAVED_WINDOW,
        closed=False,
        requests=requests,
        steps=steps,
    )


def _adversary(name: str, tag: int, clocks: int, seed: int) -> Stream:
    """Requests of one burst, each in another page."""
    rng = np.random.default_rng((seed, tag))
    count = clocks
    requests = np.zeros(count, REQUEST)
    requests["beats"] = 1
    requests["op"] = rng.integers(2, size=count)
    page = rng.permutation(_PAGES)[np.arange(count) % _PAGES]
    requests["address"] = (page * _PAGE_BURSTS + rng.integers(_PAGE_BURSTS, size=count)) * 32
    return Stream(
        name=name,
        tag=tag,
        window=_WINDOW,
        closed=False,
        requests=requests,
        steps=np.array([(0, count, 0, 0)], STEP),
    )
