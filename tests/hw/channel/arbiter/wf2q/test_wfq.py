# amaranth: UnusedElaboratable=no
"""WF2Q+ against a model with tags that never wrap."""

import random
from collections import Counter

from mcos_hw.config import ChannelConfig
from mcos_hw.link.request import request_layout
from mcos_hw.registers import GrantClass
from tests.hw.channel.arbiter.wf2q.queued_arbiter import QueuedArbiter, Traffic
from tests.hw.channel.arbiter.wf2q.wfq_model import Arrival, Model
from tests.hw.channel.bench import simulate
from tests.hw.channel.every_lateness import EVERY_LATENESS

SMALL = ChannelConfig(tenants=4, queue_depth=4)


EVENTS = (
    *(("class", grant_class) for grant_class in GrantClass),
    "jump",
    "ineligible",
    "tie",
    "promoted",
    "lead",
    "depth-1",
    "stale",
    "stale idle",
    "anchor",
    "alone",
    "no candidate",
    "same start",
)


async def lockstep(bench, model, traffic, clocks):
    """Runs arbiter and model side by side."""
    config = model.config
    modulus = 1 << config.tag_width
    for clock in range(clocks):
        if clock % 100 == 0:
            traffic.spell()
        lanes = model.lanes
        # Stale tags go their own way on the modular scale.
        for name, stale in (("start", 0), ("finish", 1)):
            tags = bench.get(f"state.{name}")
            for i, lane in enumerate(lanes):
                if not lane.stale[stale]:
                    assert tags[i] == getattr(lane, name) % modulus, (clock, name, i)
        granted = model.granted
        assert bench.get("grant.tenants") == (1 << granted[0] if granted else 0), clock
        assert bench.get("grant.promoted") == bool(granted and granted[1]), clock
        arrival, codes, next_code, promote, open_then = traffic.clock(bench.get("full"))
        if promote is not None and not lanes[promote].queue:
            promote = None
        bench.set(
            live=traffic.live,
            **{"classes.codes": codes, "classes.next_code": next_code},
            **{"request.valid": arrival is not None},
            promote=0 if promote is None else 1 << promote,
            open_then=open_then,
        )
        given = None
        if arrival is not None:
            tenant, beats, recent = arrival
            inverse = traffic.live["tenants"][tenant]["inverse_weight"]
            cost = model.cost(beats, inverse, config.reciprocal_fraction)
            given = Arrival(tenant=tenant, beats=beats, recent=recent, cost=cost)
            fields = dict.fromkeys(request_layout(config).members, 0)
            bench.set(**{"request.payload": fields | {"tenant": tenant, "beats": beats}})
            bench.set(recent=recent << tenant)
        model.clock(
            live=traffic.live,
            arrival=given,
            codes=codes,
            next_code=next_code,
            promote=promote,
            open_then=open_then,
        )
        await bench.tick()
        assert (
            bench.get("state.virtual_time") == model.virtual_time % modulus or not config.lateness
        )


@EVERY_LATENESS
def test_grants_and_tags_agree_with_the_model(lateness):
    config = ChannelConfig(tenants=4, queue_depth=4, lateness=lateness)
    seen = Counter()
    for seed in (1, 2, 3):
        rng = random.Random(seed)
        model = Model(config)
        traffic = Traffic(config, rng)

        async def testbench(bench, model=model, traffic=traffic, seed=seed):
            # What a reset in their midst leaves of other clocks must be nothing.
            await lockstep(bench, Model(config), Traffic(config, random.Random(-seed)), 250)
            await bench.reset()
            await lockstep(bench, model, traffic, 3000)

        simulate(QueuedArbiter(config), testbench)
        assert model.times[-1] >> config.tag_width > 2
        seen += model.seen
    # Every rule had its say.
    missing = [event for event in EVENTS if not seen[event]]
    assert not missing, (missing, seen)
