"""The clocks in which a grant may be made after another one."""

import pytest

from mcos_hw.channel.spacing import GrantSpacing
from mcos_hw.config import ChannelConfig
from tests.hw.channel.bench import simulate


@pytest.mark.parametrize("interval", [4, 8])
def test_a_grant_opens_the_next_clock_but_one_interval_later(interval):
    config = ChannelConfig(tenants=4, lateness=0, grant_interval=interval)

    async def testbench(bench):
        for _ in range(3):
            assert bench.get("open_then")
            bench.set(**{"grant.valid": 1})
            assert not bench.get("open_then")
            await bench.tick()
            bench.set(**{"grant.valid": 0})
            # ``open_then`` of a clock speaks of the next one.
            for _ in range(interval - 2):
                assert not bench.get("open_then")
                await bench.tick()

    simulate(GrantSpacing(config), testbench)
