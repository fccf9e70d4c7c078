# amaranth: UnusedElaboratable=no
"""A register stage against a list."""

import random

import pytest
from amaranth.lib import data

from mcos_hw.primitive.skid import Skid
from tests.hw.channel.bench import boundary, simulate
from tests.hw.port.streams import Sink, Source

LAYOUT = data.StructLayout({"number": 8})


def test_signature():
    assert boundary(Skid(LAYOUT)) == {"in": {"i"}, "out": {"o"}}


@pytest.mark.parametrize(("offers", "takes"), [(1.0, 1.0), (0.9, 0.4), (0.4, 0.9), (0.6, 0.6)])
def test_items_pass_in_order(offers, takes):
    rng = random.Random(1)
    items = [{"number": rng.getrandbits(8)} for _ in range(150)]

    async def testbench(bench):
        source = Source(bench, "i", items, rng=rng, chance=offers)
        sink = Sink(bench, "o", rng=rng, chance=takes)
        for clock in range(600):
            source.drive()
            sink.drive()
            source.observe(clock)
            sink.observe(clock)
            await bench.tick()
        assert sink.items == items
        if offers == takes == 1.0:
            assert source.taken == list(range(150))
            assert sink.clocks == list(range(1, 151))

    simulate(Skid(LAYOUT), testbench)


def test_outputs_do_not_follow_inputs():
    """Neither side sees the other one in the same clock; two items are taken before ``i`` waits."""

    async def testbench(bench):
        for clock in range(5):
            for valid in (0, 1):
                for ready in (1, 0):
                    bench.set(i={"valid": valid, "payload": {"number": clock}})
                    bench.set(o={"ready": ready})
                    assert bench.get("i.ready") == (clock < 2)
                    assert bench.get("o.valid") == (clock > 0)
                    assert not clock or bench.get("o.payload") == {"number": 0}
            await bench.tick()
        await bench.reset()
        assert bench.get("i.ready")
        assert not bench.get("o.valid")

    simulate(Skid(LAYOUT), testbench)
