# amaranth: UnusedElaboratable=no
"""WF2Q+ against a model with tags that never wrap."""

import random
from collections import Counter

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from mcos_hw.channel.arbiter.base import arbiter_state_signature
from mcos_hw.channel.arbiter.wf2q.wfq import WfqArbiter
from mcos_hw.channel.intake import Intake
from mcos_hw.channel.queue import RequestQueues
from mcos_hw.config import ChannelConfig
from mcos_hw.link.classes import NO_CLASS, classes_signature
from mcos_hw.link.grant import grant_signature
from mcos_hw.link.live import live_signature
from mcos_hw.link.request import request_layout, request_signature
from mcos_hw.registers import GrantClass, channel_map
from tests.hw.channel.arbiter.wf2q.wfq_model import Arrival, Model
from tests.hw.channel.bench import simulate
from tests.hw.channel.every_lateness import EVERY_LATENESS

SMALL = ChannelConfig(tenants=4, queue_depth=4)


class QueuedArbiter(wiring.Component):
    """The arbiter with its queues, classes from outside."""

    def __init__(self, config):
        self.config = config
        super().__init__(
            {
                "request": In(request_signature(config)),
                "recent": In(config.tenants),
                "live": In(live_signature(channel_map(config))),
                "classes": In(classes_signature(config)),
                "open_then": In(1),
                "promote": In(config.tenants),
                "full": Out(config.tenants),
                "grant": Out(grant_signature(config)),
                "state": Out(arbiter_state_signature(config)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        config = self.config
        m.submodules.arbiter = arbiter = WfqArbiter(config)
        m.submodules.intake = intake = Intake(config)
        m.submodules.queues = queues = RequestQueues(
            config, mark=arbiter.mark, ahead=arbiter.mark_ahead
        )
        connect(m, flipped(self.live), intake.live, arbiter.live)
        connect(m, flipped(self.request), intake.request)
        connect(m, flipped(self.classes), arbiter.classes)
        connect(m, intake.arrival, queues.arrival, arbiter.arrival)
        connect(m, queues.view, arbiter.view)
        connect(m, arbiter.grant, queues.grant, flipped(self.grant))
        connect(m, arbiter.state, flipped(self.state))
        m.d.comb += [
            intake.full.eq(queues.full),
            intake.tails.eq(queues.tails),
            intake.recent.eq(self.recent),
            queues.taken.eq(intake.taken),
            arbiter.marks.eq(queues.marks),
            arbiter.open_then.eq(self.open_then),
            arbiter.promote.eq(self.promote),
            self.full.eq(queues.full),
        ]
        return m


def image(config, weights, *, total=None, overcommitted=0, priorities=None):
    """Live configuration of the given weights; ``total`` is W, their sum unless given."""
    tenants = [
        {"enable": 1, "inverse_weight": round(2**config.reciprocal_fraction / weight)}
        for weight in weights
    ]
    for tenant, priority in zip(tenants, priorities or (), strict=False):
        tenant["priority"] = priority
    inverse_total = round(2**config.total_reciprocal_fraction / (total or sum(weights)))
    channel = {"inverse_total_weight": inverse_total, "overcommitted": overcommitted}
    return {"channel": channel, "tenants": tenants}


class Traffic:
    """Random requests and classes, in spells of quiet and crowds."""

    def __init__(self, config, rng):
        self.config = config
        self.rng = rng
        self.favourite = 0
        self.codes = [GrantClass.CONFORMING] * config.tenants
        self.spell()

    def spell(self):
        """New contracts, and new habits of every tenant and of the port."""
        rng, tenants = self.rng, self.config.tenants
        weights = [rng.choice((1, 1, 255, rng.randint(1, 255))) for _ in range(tenants)]
        alike = rng.random() < 0.3
        if alike:
            weights = [weights[0]] * tenants
        self.live = image(
            self.config,
            weights,
            # W need not be the sum of the weights; a small one makes the tags wrap often.
            total=rng.choice((None, None, 1, 4)),
            overcommitted=rng.random() < 0.3,
            priorities=[rng.choice((0, 1, rng.randrange(16))) for _ in range(tenants)],
        )
        self.activity = [rng.choice((0, 0.02, 0.5, 5)) for _ in range(tenants)]
        self.sizes = [rng.choice(((1, 1), (16, 16), (1, 16))) for _ in range(tenants)]
        if alike:
            self.sizes = [(4, 4)] * tenants
        self.openness = rng.choice((0.3, 0.9, 1.0))
        self.promotions = rng.choice((0, 0, 0.1, 1))
        self.one_class = rng.random() < 0.5

    def clock(self, full):
        """Arrival or None, classes, next class, promoted tenant or None, open."""
        rng, tenants = self.rng, range(self.config.tenants)
        for i in tenants:
            if self.one_class:
                self.codes[i] = GrantClass.CONFORMING
            elif rng.random() < 0.1:
                self.codes[i] = rng.choice((*GrantClass, NO_CLASS))
        arrival = None
        tenant = rng.choices(tenants, [weight + 1e-6 for weight in self.activity])[0]
        if not full >> tenant & 1 and rng.random() < sum(self.activity):
            arrival = (tenant, rng.randint(*self.sizes[tenant]), rng.random() < 0.5)
        next_code = 0 if self.one_class else rng.choice((*GrantClass, NO_CLASS))
        if rng.random() < 0.05:
            self.favourite = rng.choice(tenants)
        promote = self.favourite if rng.random() < self.promotions else None
        return arrival, list(self.codes), next_code, promote, rng.random() < self.openness


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
