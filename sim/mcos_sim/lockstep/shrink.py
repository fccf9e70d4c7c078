"""From a case that differs to a short one that does."""

import dataclasses
from collections.abc import Iterator

import numpy as np

from mcos_sim.lockstep.case import Case, random_case
from mcos_sim.lockstep.compare import Difference, compare
from mcos_sim.scenario import FIRST_CLOCK
from mcos_sim.traffic.stream import Stream
from mcos_sim.verilated.build import Library

__all__ = [
    "shrink",
]


SHORT_CLOCKS = 400
"""Clocks of the fresh cases that are tried first: most faults need no more."""

_FRESH_CASES = 600
_ATTEMPTS = 300


def shrink(case: Case, difference: Difference, library: Library) -> tuple[Case, Difference]:
    """A case that still differs, of few clocks, tenants, commits and requests.

    Fresh short cases are tried first. What differs is then cut off behind the difference, and loses
    tenants, pauses, commits and its first requests as long as it goes on to differ, wherever.
    """
    case = _until(case, difference)
    if difference.clock - FIRST_CLOCK > SHORT_CLOCKS:
        case, difference = _fresh(case, difference, library)
    attempts = 0
    found = True
    while found and attempts < _ATTEMPTS:
        found = False
        for smaller in _smaller(case):
            attempts += 1
            outcome = compare(smaller, library)
            if outcome.difference is not None and outcome.difference.clock <= difference.clock:
                case, difference = _until(smaller, outcome.difference), outcome.difference
                found = True
                break
    return case, difference


def _fresh(case: Case, difference: Difference, library: Library) -> tuple[Case, Difference]:
    scenario = case.scenario
    for seed in range(_FRESH_CASES):
        fresh = random_case(
            scenario.config, arbiter=scenario.arbiter, seed=seed, clocks=SHORT_CLOCKS
        )
        outcome = compare(fresh, library)
        if outcome.difference is not None:
            return _until(fresh, outcome.difference), outcome.difference
    return case, difference


def _until(case: Case, difference: Difference) -> Case:
    """The same case without what comes after the difference."""
    end = max(difference.clock + 1, FIRST_CLOCK + 1)
    commits = tuple(each for each in case.commits if each.clock <= end) or case.commits[:1]
    return dataclasses.replace(
        case, scenario=dataclasses.replace(case.scenario, clocks=end), commits=commits
    )


def _smaller(case: Case) -> Iterator[Case]:
    """Cases with one thing less, the largest first."""
    scenario = case.scenario

    def having(**changes) -> Case:
        return dataclasses.replace(case, scenario=dataclasses.replace(scenario, **changes))

    def asking(streams: tuple[Stream, ...]) -> Case:
        return dataclasses.replace(case, scenario=scenario.with_streams(streams))

    streams = scenario.streams
    for k in range(len(streams)):
        yield asking(streams[:k] + streams[k + 1 :])
    for k in range(1, len(case.commits)):
        yield dataclasses.replace(case, commits=case.commits[:k] + case.commits[k + 1 :])
    if case.warm_clocks:
        yield dataclasses.replace(case, warm_clocks=0)
    if scenario.offer_pause:
        yield having(offer_pause=0.0)
    if scenario.command_pause:
        yield having(command_pause=0.0)
    for k, stream in enumerate(streams):
        for later in (len(stream.requests) // 2, 1):
            if 0 < later < len(stream.requests):
                cut = _from_request(stream, later)
                yield asking((*streams[:k], cut, *streams[k + 1 :]))


def _from_request(stream: Stream, first: int) -> Stream:
    """A stream without its first requests, its first step beginning when it did."""
    ends = stream.steps["first"].astype(np.int64) + stream.steps["count"]
    steps = stream.steps[ends > first].copy()
    begun = np.maximum(steps["first"].astype(np.int64), first)
    steps["count"] = ends[ends > first] - begun
    steps["first"] = begun - first
    steps["ready"][0] = stream.steps["ready"][0]
    return dataclasses.replace(stream, requests=stream.requests[first:], steps=steps)
