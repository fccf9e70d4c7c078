"""The requester: what it offers when, and what ends a step."""

import numpy as np
import pytest
from amaranth.lib import data

from mcos_hw.config import ChannelConfig
from mcos_hw.link.request import request_layout
from mcos_sim.cosim.requester import Requester
from mcos_sim.traffic.stream import REQUEST, STEP, Stream

CONFIG = ChannelConfig(id_width=4, stamp_width=16)


def requester(steps, *, config=CONFIG, window=4, closed=True, until=None):
    """A requester of tag 5 with steps of (requests, ready, compute)."""
    count = sum(step[0] for step in steps)
    requests = np.zeros(count, REQUEST)
    requests["op"] = np.arange(count) % 2
    requests["beats"] = np.arange(count) % 16 + 1
    requests["address"] = np.arange(count) * 512 + (1 << 35)
    rows = np.zeros(len(steps), STEP)
    rows["count"], rows["ready"], rows["compute"] = np.array(steps).reshape(-1, 3).T
    rows["first"] = np.cumsum(rows["count"]) - rows["count"]
    stream = Stream(
        name="five",
        tag=5,
        window=window,
        closed=closed,
        requests=requests,
        steps=rows,
        until=until,
    )
    return Requester(stream, config)


def offers(requester):
    """Takes everything that is pending: (clock, id) of each request."""
    layout = request_layout(CONFIG)
    taken = [(clock, data.Const(layout, word).id) for clock, word in requester.pending]
    requester.pending.clear()
    return taken


def test_a_request_carries_its_fields():
    r = requester([(3, 0, 0)])
    r.advance((1 << 16) + 9)
    words = [data.Const(request_layout(CONFIG), word) for _, word in r.pending]
    assert [word.tenant for word in words] == [5, 5, 5]
    assert [word.id for word in words] == [0, 1, 2]
    assert [word.op for word in words] == [0, 1, 0]
    assert [word.beats for word in words] == [1, 2, 3]
    assert [word.address for word in words] == [(1 << 35) + 512 * i for i in range(3)]
    assert [word.offered for word in words] == [9, 9, 9]  # modulo the width of a stamp
    assert [clock for clock, _ in r.pending] == [(1 << 16) + 9] * 3
    assert r.sizes == [32, 64, 96]


def test_the_window_limits_what_is_outstanding():
    r = requester([(7, 10, 0)], window=3)
    r.advance(9)
    assert not r.pending
    r.advance(10)
    assert offers(r) == [(10, 0), (10, 1), (10, 2)]
    r.advance(11)
    assert not r.pending
    r.respond(0, 20)
    r.respond(1, 20)
    r.advance(20)
    assert offers(r) == [(20, 3), (20, 4)]
    assert r.offered == [10, 10, 10, 20, 20]
    assert r.completed == [20, 20, -1, -1, -1]
    assert r.outstanding == 3


def test_ids_wrap_and_come_back_in_any_order():
    r = requester([(40, 0, 0)], window=15)
    seen = []
    for clock in range(60):
        r.advance(clock)
        seen += offers(r)
        if len(r.completed) > clock:
            r.respond(clock % 16, clock)
    assert [request_id for _, request_id in seen] == [i % 16 for i in range(40)]
    assert r.completed == list(range(40))
    assert r.done


def test_the_window_fits_the_ids():
    message = r"^window of 'five' must be at most 15 with 4 id bits, not 16$"
    with pytest.raises(ValueError, match=message):
        requester([(1, 0, 0)], window=16)
    assert requester([(1, 0, 0)], window=15).stream.window == 15


@pytest.mark.parametrize("request_id", [1, 9])
def test_a_response_must_be_to_an_outstanding_request(request_id):
    r = requester([(3, 0, 0)], window=2)
    r.advance(0)
    r.respond(1, 5)
    message = rf"^tenant 'five' got a response to id {request_id} in clock 6, which is not out"
    with pytest.raises(AssertionError, match=message):
        r.respond(request_id, 6)


def test_a_closed_step_waits_for_the_last_response_and_computes():
    r = requester([(2, 5, 0), (2, 0, 30), (1, 200, 1)])
    assert r.wakes_at() == 5
    r.advance(5)
    assert r.wakes_at() is None
    r.respond(1, 10)
    r.advance(10)
    assert offers(r) == [(5, 0), (5, 1)]
    r.respond(0, 12)
    assert r.wakes_at() == 42  # the last response and the second step's compute time
    r.advance(41)
    assert not r.pending
    r.advance(42)
    assert offers(r) == [(42, 2), (42, 3)]
    r.respond(2, 50)
    r.respond(3, 51)
    assert r.wakes_at() == 200  # computed at 52, ready only at 200
    r.advance(200)
    r.respond(4, 220)
    assert r.done
    assert r.wakes_at() is None
    assert r.step_started == [5, 42, 200]
    assert r.step_ended == [12, 51, 220]


def test_a_step_without_compute_time_starts_with_the_last_response():
    r = requester([(1, 0, 0), (1, 0, 0)])
    r.advance(0)
    r.respond(0, 8)
    r.advance(8)
    assert r.offered == [0, 8]


def test_open_steps_start_whatever_the_others_do():
    r = requester([(3, 10, 0), (2, 20, 0), (1, 20, 0)], window=4, closed=False)
    r.advance(10)
    assert r.wakes_at() == 20
    r.advance(25)  # later than it was ready: both steps start, the window holds one more
    assert r.step_started == [10, 25, 25]
    assert offers(r) == [(10, 0), (10, 1), (10, 2), (25, 3)]
    r.respond(3, 30)
    r.advance(30)
    assert r.step_ended == [-1, -1, -1]
    for request_id in (4, 0, 1, 2):
        r.respond(request_id, 40 + request_id)
    r.advance(45)
    r.respond(5, 50)
    assert r.step_ended == [42, 44, 50]
    assert r.done


def test_nothing_new_is_asked_from_until_on():
    r = requester([(6, 0, 0), (1, 0, 0)], window=2, until=10)
    r.advance(0)
    r.respond(0, 9)
    r.advance(9)
    assert r.offered == [0, 0, 9]
    r.respond(1, 10)
    r.advance(10)
    assert r.offered == [0, 0, 9]
    assert not r.done
    r.respond(2, 15)
    assert r.done
    assert r.step_ended == [-1]


def test_a_requester_that_stopped_wakes_nobody():
    r = requester([(1, 0, 0), (1, 0, 100)], until=50)
    r.advance(0)
    r.respond(0, 10)
    assert r.wakes_at() == 50
    r.advance(50)
    assert r.done
    assert r.wakes_at() is None
    r.advance(110)
    assert r.offered == [0]


def test_an_empty_stream_is_done():
    r = requester([])
    r.advance(0)
    assert r.done
    assert not r.offered
