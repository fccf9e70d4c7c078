"""What requesters offer when, and what ends a step: the compiled step against a plain oracle."""

import random

import numpy as np
import pytest

from mcos_hw.config import ChannelConfig
from mcos_sim.environment import layout as at
from mcos_sim.environment.drive import environment_step
from mcos_sim.environment.environment import environment, require_sound, tenant_results
from mcos_sim.memory.simple import SIMPLE
from mcos_sim.traffic.stream import REQUEST, STEP, Stream
from tests.sim.cosim.recipes import make_scenario
from tests.sim.environment.oracle import Oracle, Taken

CONFIG = ChannelConfig(id_width=4)
IDS = 1 << CONFIG.id_width
WIDEST = 8
"""Widest window of a random requester."""

ALL = (1 << CONFIG.tenants) - 1
COLUMNS = ("offered", "taken", "completed", "step_started", "step_ended")


def stream(tag, steps, *, window=4, closed=True, until=None, stamp_age=0):
    """Steps of (requests, ready, compute)."""
    count = sum(step[0] for step in steps)
    requests = np.zeros(count, REQUEST)
    requests["op"] = np.arange(count) % 2
    requests["beats"] = np.arange(count) % 16 + 1
    requests["address"] = np.arange(count) * 512 + (1 << 35)
    rows = np.zeros(len(steps), STEP)
    rows["count"], rows["ready"], rows["compute"] = np.array(steps).reshape(-1, 3).T
    rows["first"] = np.cumsum(rows["count"]) - rows["count"]
    return Stream(
        name=f"t{tag}",
        tag=tag,
        window=window,
        closed=closed,
        requests=requests,
        steps=rows,
        until=until,
        stamp_age=stamp_age,
    )


def play(streams, *, clocks, answer, ready=lambda clock: ALL):
    """Step both through the same clocks, require the same of both, and return what they saw.

    ``answer(clock, outstanding)`` names the (tenant, id) that is answered in a clock, or None;
    ``ready(clock)`` has a bit for each queue that takes a request.
    """
    scenario = make_scenario(CONFIG, *streams)
    e, drive = environment(scenario), environment_step(SIMPLE.model).drive
    e[at.CLOCK] = 0
    oracle = Oracle(streams, IDS)
    outstanding: list[tuple[int, int]] = []
    requests = []
    for clock in range(clocks):
        response = answer(clock, outstanding)
        e[at.RESPONSE_VALID] = response is not None
        if response is not None:
            outstanding.remove(response)
            e[at.RESPONSE_TENANT], e[at.RESPONSE_ID] = response
        e[at.READY] = ready(clock)
        drive(e)
        require_sound(e)
        expected = oracle.step(clock, ready(clock), response)
        found = None
        if e[at.REQUEST_VALID]:
            places = (at.REQUEST_TENANT, at.REQUEST_ID, at.REQUEST_OP)
            places += (at.REQUEST_BEATS, at.REQUEST_ADDRESS, at.REQUEST_OFFERED)
            found = Taken(*(int(e[place]) for place in places))
            outstanding.append((found.tenant, found.request_id))
            requests.append((clock, found))
        assert found == expected, clock
        assert bool(e[at.DONE]) == oracle.done, clock
        if oracle.done:
            break
    results = tenant_results(scenario, e)
    for seen, requester in zip(results, oracle.requesters, strict=True):
        for name in COLUMNS:
            assert getattr(seen, name).tolist() == getattr(requester, name), (seen.name, name)
    return results, requests, oracle.done


def told(*responses):
    """Answers of tenant 5: (clock, id)."""
    ids = dict(responses)
    return lambda clock, outstanding: (5, ids[clock]) if clock in ids else None


@pytest.mark.parametrize("seed", range(12))
def test_random_requesters_do_as_the_oracle_says(seed):
    rng = random.Random(seed)
    streams = []
    for tag in rng.sample(range(CONFIG.tenants), rng.randint(1, 5)):
        ready = 0
        steps = []
        for _ in range(rng.randint(1, 8)):
            ready += rng.choice((0, 0, 5, 90))
            steps.append((rng.randint(1, 12), ready, rng.choice((0, 1, 30))))
        streams.append(
            stream(
                tag,
                steps,
                window=rng.choice((1, 3, WIDEST)),
                closed=rng.random() < 0.5,
                until=rng.choice((None, None, 120)),
                stamp_age=rng.choice((0, 40)),
            )
        )

    def answer(clock, outstanding):
        if not outstanding or rng.random() < 0.6:
            return None
        tag, _ = rng.choice(outstanding)
        mine = [each for each in outstanding if each[0] == tag]
        # An id must not come round while a request has it, so that the oldest one cannot wait long.
        span = (mine[-1][1] - mine[0][1]) % IDS
        return mine[0] if span >= IDS - WIDEST else rng.choice(mine)

    queues = [rng.getrandbits(CONFIG.tenants) | rng.getrandbits(CONFIG.tenants) for _ in range(999)]
    *_, done = play(streams, clocks=999, answer=answer, ready=queues.__getitem__)
    assert done


def test_a_request_carries_its_fields():
    _, requests, _ = play(
        [stream(5, [(3, 7, 0)], stamp_age=2)], clocks=20, answer=told((15, 2), (16, 0))
    )
    assert requests == [
        (7 + i, Taken(5, i, op=i % 2, beats=i + 1, address=(1 << 35) + 512 * i, offered=5))
        for i in range(3)
    ]


def test_the_window_limits_what_is_outstanding():
    (seen,), _, done = play(
        [stream(5, [(7, 10, 0)], window=3)], clocks=30, answer=told((20, 0), (22, 1))
    )
    assert seen.offered.tolist() == [10, 10, 10, 20, 22]
    assert seen.completed.tolist() == [20, 22, -1, -1, -1]
    assert not done


def test_ids_wrap_and_come_back_in_any_order():
    def answer(clock, outstanding):
        return outstanding[clock % 2] if len(outstanding) > 3 else None

    (seen,), requests, _ = play([stream(5, [(40, 0, 0)], window=15)], clocks=200, answer=answer)
    assert [request.request_id for _, request in requests] == [i % IDS for i in range(40)]
    assert (np.diff(seen.completed[seen.completed >= 0]) < 0).any()


def test_the_window_fits_the_ids():
    message = r"^window of 't5' must be at most 15 with 4 id bits, not 16$"
    with pytest.raises(ValueError, match=message):
        environment(make_scenario(CONFIG, stream(5, [(1, 0, 0)], window=16)))
    environment(make_scenario(CONFIG, stream(5, [(1, 0, 0)], window=15)))


def test_a_closed_step_waits_for_the_last_response_and_computes():
    (seen,), _, done = play(
        [stream(5, [(2, 5, 0), (2, 0, 30), (1, 200, 1)])],
        clocks=300,
        answer=told((10, 1), (12, 0), (50, 2), (51, 3), (220, 4)),
    )
    assert seen.step_started.tolist() == [5, 42, 200]  # computed at 52, ready only at 200
    assert seen.step_ended.tolist() == [12, 51, 220]
    assert done


def test_open_steps_start_whatever_the_others_do():
    (seen,), _, done = play(
        [stream(5, [(3, 10, 0), (2, 20, 0), (1, 20, 0)], closed=False)],
        clocks=99,
        answer=told((30, 3), (40, 4), (41, 0), (42, 1), (43, 2), (50, 5)),
    )
    assert seen.step_started.tolist() == [10, 20, 20]
    assert seen.offered.tolist() == [10, 10, 10, 20, 30, 40]
    assert seen.step_ended.tolist() == [43, 40, 50]
    assert done


def test_nothing_new_is_asked_from_until_on():
    (seen,), _, done = play(
        [stream(5, [(6, 0, 0), (1, 0, 0)], window=2, until=10)],
        clocks=99,
        answer=told((9, 0), (10, 1), (15, 2)),
    )
    assert seen.offered.tolist() == [0, 0, 9]
    assert seen.step_ended.tolist() == [-1]
    assert done


def test_an_empty_stream_is_done():
    (seen,), _, done = play([stream(5, [])], clocks=2, answer=told())
    assert done
    assert not len(seen.offered)


def test_one_that_was_offered_in_between_waits_for_the_older():
    def answer(clock, outstanding):
        return (0, 0) if clock == 6 else None

    streams = [
        stream(0, [(4, 0, 0)], window=1),
        stream(1, [(4, 5, 0)], window=1),
    ]
    _, requests, _ = play(streams, clocks=20, answer=answer, ready=lambda c: ALL * (c != 5))
    assert [(clock, r.tenant) for clock, r in requests] == [(0, 0), (6, 1), (7, 0)]


def test_a_full_queue_holds_up_nobody_else():
    streams = [stream(0, [(4, 0, 0)]), stream(3, [(4, 1, 0)])]
    queues = {0: 0, 1: 0b1000, 2: 0b0110, 3: 0b0001}
    _, requests, _ = play(streams, clocks=4, answer=told(), ready=queues.__getitem__)
    assert [(clock, r.tenant) for clock, r in requests] == [(1, 3), (3, 0)]
