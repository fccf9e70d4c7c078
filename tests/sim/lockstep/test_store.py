"""Recorded cases that are damaged, or of somebody who would like to see what happens."""

import copy
import json
import random

import pytest

from mcos_hw.config import ChannelConfig
from mcos_sim.errors import UserError
from mcos_sim.lockstep.case import random_case
from mcos_sim.lockstep.store import case_record, read_case

VALUES = (None, [], {}, "x", 5, -1, 10**26, 1.5, True, float("nan"), [1], {"a": 1}, 2**63, 10**12)


@pytest.fixture(scope="module")
def record():
    case = random_case(ChannelConfig(tenants=4), seed=3, clocks=200)
    return json.loads(json.dumps(case_record(case)))


def _places(value, path=()):
    """Ways to the values of a record; of long lists, to the first of them."""
    yield path
    rows = value.items() if isinstance(value, dict) else enumerate(value[:3])
    for key, inner in rows:
        if isinstance(inner, dict | list):
            yield from _places(inner, (*path, key))
        else:
            yield (*path, key)


def _changed(record, path, value):
    found = copy.deepcopy(record)
    place = found
    for key in path[:-1]:
        place = place[key]
    if value is KeyError:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return found


def test_whatever_a_value_becomes_is_read_or_refused(record, tmp_path):
    path = tmp_path / "case.json"
    places = [place for place in _places(record) if place]
    generator = random.Random(1)
    refused = 0
    for place in generator.sample(places, 60):
        for value in (*generator.sample(VALUES, 5), KeyError):
            path.write_text(json.dumps(_changed(record, place, value)))
            try:
                read_case(path)
            except UserError as error:
                refused += str(path) in str(error)
    assert refused > 250


@pytest.mark.parametrize(
    ("place", "value", "told"),
    [
        (("scenario", "clocks"), 20_000_000, None),
        (("scenario", "clocks"), 20_000_001, "scenario.clocks: Input should be less than or equal"),
        (("scenario", "name"), "../x", "scenario.name: String should match"),
        (("config", "tenants"), 8, "settings must be of 8 tenants each"),
        (("commits",), [], "commits: List should have at least 1 item"),
        (("colour",), 1, "colour: Extra inputs are not permitted"),
        (("streams", 0, "tag"), 15, "tags must be under 4"),
        (("arbiter",), "\x1b[31m", "arbiter: String should match"),
    ],
)
def test_what_is_wrong_is_named(record, place, value, told, tmp_path):
    path = tmp_path / "case.json"
    path.write_text(json.dumps(_changed(record, place, value)))
    if told is None:
        assert read_case(path).scenario.clocks == value
        return
    with pytest.raises(UserError, match="must be a case as mcos lockstep writes it") as caught:
        read_case(path)
    assert told in str(caught.value)
