"""Names of tenants as scopes of a waveform."""

import pytest

from mcos_sim.waves.signals import scope_names


@pytest.mark.parametrize(
    ("names", "scopes"),
    [
        ({1: "b", 0: "a"}, {0: "a", 1: "b"}),
        ({0: "decode a", 1: "kv.cache/é"}, {0: "decode_a", 1: "kv_cache__"}),
        ({0: "x-y", 5: "x.y", 7: "z"}, {0: "x_y_0", 5: "x_y_5", 7: "z"}),
        ({0: "x.y", 1: "x-y", 2: "x_y_0"}, {0: "x_y_0_0", 1: "x_y_1", 2: "x_y_0_2"}),
    ],
)
def test_scopes_are_distinct_and_plain(names, scopes):
    assert scope_names(names) == scopes
    assert list(scope_names(names)) == sorted(names)
