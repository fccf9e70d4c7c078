# amaranth: UnusedElaboratable=no
"""The arbiter with its queues, and traffic that looks for its corners."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from mcos_hw.channel.arbiter.base import arbiter_state_signature
from mcos_hw.channel.intake import Intake
from mcos_hw.channel.queue import RequestQueues
from mcos_hw.channel.spacing import GrantSpacing
from mcos_hw.controller import arbiter_class
from mcos_hw.link.classes import NO_CLASS, classes_signature
from mcos_hw.link.grant import grant_signature
from mcos_hw.link.request import request_signature
from mcos_hw.registers import ArbiterKind, GrantClass
from tests.hw.channel.contracts import give_settings, settings_signature

__all__ = [
    "QueuedArbiter",
    "Traffic",
    "image",
]


class QueuedArbiter(wiring.Component):
    """The arbiter with its queues, classes from outside."""

    def __init__(self, config):
        self.config = config
        super().__init__(
            {
                "request": In(request_signature(config)),
                "recent": In(config.tenants),
                "live": In(settings_signature(config)),
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
        m.submodules.arbiter = arbiter = arbiter_class(config, ArbiterKind.MCOS)(config)
        m.submodules.intake = intake = Intake(config)
        m.submodules.queues = queues = RequestQueues(
            config, mark=arbiter.mark, ahead=arbiter.mark_ahead
        )
        give_settings(m, self.live, live=[intake.live, arbiter.live], reads=[intake.contract])
        connect(m, flipped(self.request), intake.request)
        connect(m, flipped(self.classes), arbiter.classes)
        connect(m, intake.arrival, queues.arrival, arbiter.arrival)
        connect(m, queues.view, arbiter.view)
        connect(m, arbiter.grant, queues.grant, flipped(self.grant))
        connect(m, arbiter.state, flipped(self.state))
        open_then = self.open_then
        if config.compact:
            m.submodules.spacing = spacing = GrantSpacing(config)
            connect(m, arbiter.grant, spacing.grant)
            open_then = open_then & spacing.open_then
        m.d.sync += arbiter.open.eq(open_then)
        m.d.comb += [
            intake.full.eq(queues.full),
            intake.tails.eq(queues.tails),
            intake.recent.eq(self.recent.bit_select(self.request.payload.tenant, 1)),
            queues.taken.eq(intake.taken),
            arbiter.marks.eq(queues.marks),
            arbiter.open_then.eq(open_then),
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
