# amaranth: UnusedElaboratable=no
"""Who goes first among any heads, so many clocks later."""

import random

import pytest

from mcos_hw.channel.arbiter.wf2q.compact.structs import NO_RANK, key_layout
from mcos_hw.channel.arbiter.wf2q.compact.tournament import Tournament, rounds_by_clock
from mcos_hw.config import ChannelConfig
from tests.hw.channel.bench import simulate


@pytest.mark.parametrize(
    ("tenants", "interval", "rounds"),
    [
        (16, 4, [4]),
        (16, 5, [1, 3]),
        (16, 6, [0, 2, 2]),
        (16, 8, [0, 1, 1, 1, 1]),
        (8, 8, [0, 1, 1, 1]),
        (4, 5, [0, 2]),
    ],
)
def test_later_clocks_have_more_rounds(tenants, interval, rounds):
    config = ChannelConfig(tenants=tenants, lateness=0, grant_interval=interval)
    assert rounds_by_clock(config) == rounds


@pytest.mark.parametrize(("tenants", "interval"), [(16, 8), (16, 6), (8, 5), (4, 4)])
def test_the_least_key_goes_first_and_of_equals_the_lowest_tenant(tenants, interval):
    config = ChannelConfig(tenants=tenants, lateness=0, grant_interval=interval)
    rng = random.Random(interval)
    fields = {name: field.shape for name, field in key_layout(config)}

    def some_key():
        """Few values of each field, so that all of them decide and many are equal."""
        extremes = {name: (0, 1, (1 << width) - 1) for name, width in fields.items()}
        return {name: rng.choice(values) for name, values in extremes.items()}

    async def testbench(bench):
        expected = {}
        for clock in range(400):
            alike = some_key()
            keys = [rng.choice((alike, some_key())) for _ in range(tenants)]
            codes = [rng.randrange(4) for _ in keys]
            bench.set(
                entrants=[
                    {"key": key, "class_code": code} for key, code in zip(keys, codes, strict=True)
                ]
            )
            # The last field counts most.
            orders = [tuple(reversed(key.values())) for key in keys]
            tenant = min(range(tenants), key=lambda i: (orders[i], i))
            expected[clock + config.look_clocks] = {
                "present": int(keys[tenant]["rank"] != NO_RANK),
                "promoted": int(keys[tenant]["rank"] == 0),
                "tenants": 1 << tenant,
                "class_code": codes[tenant],
            }
            if clock in expected:
                assert bench.get("best") == expected[clock]
            await bench.tick()

    simulate(Tournament(config), testbench)
