# amaranth: UnusedElaboratable=no
"""The compact arbiter against a model with tags that never wrap."""

import random
from collections import Counter

import pytest

from mcos_hw.channel.arbiter.wf2q.compact.arbiter import CompactArbiter
from mcos_hw.config import ChannelConfig
from mcos_hw.link.request import request_layout
from tests.hw.channel.arbiter.wf2q.compact.compact_model import CompactModel
from tests.hw.channel.arbiter.wf2q.queued_arbiter import QueuedArbiter, Traffic
from tests.hw.channel.arbiter.wf2q.wfq_model import Arrival
from tests.hw.channel.bench import simulate

EVENTS = (
    "jump",
    "ineligible",
    "tie",
    "promoted",
    "withdrawn",
    "lead",
    "depth-1",
    "stale",
    "stale idle",
    "anchor",
    "waits",
    "follows at once",
)
"""Two heads with one start tag ahead of V are too rare: the proof of the order has them."""


def cost_of(config, beats, inverse):
    """s / w, rounded down to a tag unit."""
    exact = beats * config.beat_bytes * inverse << config.tag_fraction
    return exact >> config.reciprocal_fraction


async def lockstep(bench, model, traffic, clocks):
    """Runs arbiter and model side by side."""
    config = model.config
    modulus = 1 << config.tag_width
    for clock in range(clocks):
        if clock % 150 == 0:
            traffic.spell()
        lanes = model.lanes
        for name in ("start", "finish"):
            tags = [getattr(lane, name) % modulus for lane in lanes]
            assert bench.get(f"state.{name}") == tags, (clock, name)
        assert bench.get("state.virtual_time") == model.time % modulus, clock
        arrival, codes, _, promote, open_then = traffic.clock(bench.get("full"))
        if promote is not None and not lanes[promote].queue:
            promote = None
        bench.set(
            live=traffic.live,
            **{"classes.codes": codes, "request.valid": arrival is not None},
            promote=0 if promote is None else 1 << promote,
            open_then=open_then,
        )
        given = None
        if arrival is not None:
            tenant, beats, recent = arrival
            inverse = traffic.live["tenants"][tenant]["inverse_weight"]
            cost = cost_of(config, beats, inverse)
            given = Arrival(tenant=tenant, beats=beats, recent=recent, cost=cost)
            fields = dict.fromkeys(request_layout(config).members, 0)
            bench.set(**{"request.payload": fields | {"tenant": tenant, "beats": beats}})
            bench.set(recent=recent << tenant)
        model.begin(codes=codes, promote=promote)
        granted = model.granted
        assert bench.get("grant.tenants") == (1 << granted[0] if granted else 0), clock
        assert bench.get("grant.promoted") == bool(granted and granted[1]), clock
        model.end(live=traffic.live, arrival=given, open_then=open_then)
        await bench.tick()


@pytest.mark.parametrize(("interval", "seeds"), [(4, 2), (6, 3)])
def test_grants_and_tags_agree_with_the_model(interval, seeds):
    config = ChannelConfig(tenants=4, queue_depth=4, lateness=0, grant_interval=interval)
    seen = Counter()
    for seed in range(1, seeds + 1):
        rng = random.Random(seed)
        model = CompactModel(config)
        traffic = Traffic(config, rng)

        async def testbench(bench, model=model, traffic=traffic, seed=seed):
            # What a reset in their midst leaves of other clocks must be nothing.
            other = Traffic(config, random.Random(-seed))
            await lockstep(bench, CompactModel(config), other, 100)
            await bench.reset()
            await lockstep(bench, model, traffic, 4000)

        simulate(QueuedArbiter(config), testbench)
        assert model.time >> config.tag_width > 1
        seen += model.seen
    # Every rule had its say.
    missing = [event for event in EVENTS if not seen[event]]
    assert not missing, (missing, seen)


def test_it_is_for_compact_channels_only():
    with pytest.raises(ValueError, match=r"grant_interval must be more than 1 .* not 1"):
        CompactArbiter(ChannelConfig())
