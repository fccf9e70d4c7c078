"""Tags and virtual time together: no tag that is compared leaves the modular window."""

from amaranth import *
from amaranth.hdl import Array, Assert, Assume, Cover, Value

from mcos_hw.channel.arbiter.wf2q.wfq import Tagger
from mcos_hw.config import ChannelConfig
from mcos_hw.link.arrival import terms_fraction
from mcos_hw.primitive.select import pick
from tests.formal.blocks.tags import assume_chosen
from tests.formal.property import Harness, Method, Property, at_most_one, implies, past_reset
from tests.planted import Bug

__all__ = ["PROPERTIES"]


CONFIG = ChannelConfig(
    tenants=4,
    beat_bytes=8,
    max_beats=2,
    tag_fraction=8,
    reciprocal_fraction=12,
    total_reciprocal_fraction=12,
)
"""Small, because all of it is one sum after another. No bound hangs on how many tenants there are,
or how long the longest request is."""

HISTORY = ("moved", "current", "before", "long_before")
"""V, and V without the last grant, the last two and the last three."""

NEW, OLD = 12, 8
"""How far a head that is not stale may be behind V as the choice sees it, in largest s / w: in its
first clock, and from then on."""


class WindowHarness(Harness):
    """Any one tenant, its queue as a count, and V as it was up to three grants ago.

    Who is granted is who :func:`assume_chosen` says, at any time and with any size; weights are
    any, and need not add up to W. In the first clock after reset nobody approaches. Distances are
    counted from V as the choice sees it without a grant, in ``unit``, the largest s / w.
    """

    def elaborate(self, platform):
        m = Module()
        config = self.config
        tagger = Tagger(config)
        self.prove(m, tagger)
        width = config.tag_width
        unit = config.l_max << config.tag_fraction
        tenant = self.any_constant(m, config.tenant_width, name="any_tenant")
        tags, stale = tagger.tags[tenant], tagger.stale[tenant]

        def of(bits):
            return bits.bit_select(tenant, 1)

        granted, enters = of(tagger.turn.granted), of(tagger.entry)
        count, was_granted = self._surround(m, tagger, tenant)
        m.d.sync += count.eq(count + enters - granted)

        # V as it was n grants ago, and what is kept of the tenant.
        times = [self.look(f"virtual_time.{name}", width) for name in HISTORY]
        ended = of(self.look("tenant_tags.ended", config.tenants))
        end_sum = self.look("tenant_tags.end_sum", width)
        ends = [self.look(f"tenant_tags.end_{i}", width) for i in range(config.tenants)]
        behind_again = self.look("tenant_tags.behind_again", 2 * width)
        behind_again_stale = self.look("staleness.behind_again", 2)
        anchor = self.look("staleness.anchor", width)
        anchored = self.look("staleness.anchored", 1)
        past_grant, otherwise = (
            Array(self.look(f"staleness.scale.{name}_{i}", 2) for i in range(config.tenants))[
                tenant
            ]
            for name in ("past_grant", "otherwise")
        )
        last = Signal(width)
        new = Signal()
        m.d.comb += last.eq(Mux(ended, end_sum, Array(ends)[tenant]))
        m.d.sync += new.eq(of(tagger.enters))

        def ahead(tag):
            """How far a tag is ahead."""
            return (tag - times[3])[:width].as_signed()

        def goes(start, end):
            return (end - start)[:width]

        def at_most(tag, spare):
            """It is no further ahead than ``spare + n`` of V without the last n grants."""
            bounds = [goes(times[3], times[n]) + (spare + n) * unit for n in range(4)]
            return Cat(ahead(tag) <= bound for bound in bounds).all()

        def quarter(time):
            return goes(tags.start, time)[-2:]

        fresh, second_fresh, third_fresh = (~stale[k] for k in range(3))
        alone = count <= 1
        # What enters becomes the first or second request.
        joins = enters & (count - granted <= 1)
        entering = tagger.entering.start

        # V moves by s / W, and jumps to what is at most three units ahead of it.
        m.d.comb += self.invariant(
            *(goes(times[k], times[n]) <= (3 + k - n) * unit for k in range(4) for n in range(k)),
            past_grant == quarter(times[2]),
            otherwise == quarter(times[3]),
            ahead(anchor) <= goes(times[3], times[1]).as_unsigned(),
            ahead(anchor) >= goes(times[3], times[2]).as_unsigned() - 4 * unit,
            implies(ended, of(was_granted)),
            implies(
                granted & tagger.turn.again,
                (behind_again == Cat(tags.finish, last)) & (behind_again_stale == stale[1:]),
            ),
        )
        # The second request, the third, and the one that enters go on from each other.
        m.d.comb += self.invariant(
            implies(stale[1], stale[0]),
            implies(stale[2], stale[1]),
            implies(new, count != 0),
            implies(second_fresh, goes(tags.finish, last) <= unit),
            implies(second_fresh & alone, last == tags.finish),
            implies(fresh & (count == 0), tags.finish == tags.start),
            implies(joins & ~anchored & third_fresh, entering == last),
            implies(joins & anchored, ahead(entering) > -OLD * unit),
            implies(joins & anchored & (count == 0), at_most(entering, 3)),
            implies(
                joins & anchored & (count != 0),
                at_most(entering, 1) | (fresh & (entering == last)),
            ),
        )
        # What is not stale behind a stale head is as old as that one's start tag says.
        m.d.comb += self.invariant(
            implies(stale[0] & second_fresh, at_most(tags.finish, 2)),
            implies(stale[0] & second_fresh, tags.finish == tags.start),
            implies(stale[1] & third_fresh, at_most(last, Mux(alone, 1, 2))),
            implies(stale[1] & third_fresh, goes(tags.start, last) <= Mux(alone, 0, unit)),
        )
        # All of this holds for the tenant that is granted too.
        leaving = pick(tagger.turn.granted, [each.start for each in tagger.tags])
        leaving_fresh = (tagger.turn.granted & ~Cat(each[0] for each in tagger.stale)).any()
        self.instance(
            m,
            implies(leaving_fresh, at_most(leaving, 3) & (ahead(leaving) > -NEW * unit)),
        )

        m.d.comb += [
            Assert(implies(fresh, ahead(tags.start) > Mux(new, -NEW * unit, -OLD * unit))),
            Assert(implies(fresh, at_most(tags.start, 3))),
            Assert(implies(fresh, goes(tags.start, tags.finish) <= unit)),
            Cover(fresh & (ahead(tags.start) == 6 * unit) & (count != 0)),
            Cover(stale[1] & third_fresh & (count == 2)),
        ]
        return m

    def _surround(self, m: Module, tagger: Tagger, tenant: Signal) -> tuple[Signal, Value]:
        """Grants and queues as the channel has them.

        Returns how many requests the tenant has, and who was granted in the clock before.
        """
        config = self.config
        unit = config.l_max << config.tag_fraction
        granted, was_granted = assume_chosen(m, tagger)
        approached = Signal(config.tenants)
        told = past_reset(m)
        m.d.sync += approached.eq(tagger.approach.tenants)
        early, fraction = tagger.approach.early, terms_fraction(config)
        price = (early[0] + early[1])[: config.tag_width + fraction]
        m.d.comb += [
            Assume(tagger.turn.granted == granted),
            Assume(told | ~tagger.approach.tenants.any()),
            Assume(tagger.approach.tenants_copy == tagger.approach.tenants),
            Assume(tagger.turn.grant == tagger.turn.granted.any()),
            Assume((tagger.turn.granted & ~tagger.queued.heads) == 0),
            Assume(at_most_one(tagger.approach.tenants)),
            Assume(tagger.entry == approached),
            Assume(tagger.cost <= unit),
            Assume(price <= unit << fraction),
            *(Assume(mark <= unit) for mark in tagger.marks),
            Assume(tagger.beats <= config.max_beats),
            Assume(tagger.inverse_total_weight <= 1 << config.total_reciprocal_fraction),
        ]
        count = Signal(6)
        m.d.comb += [
            Assume(~count[1:].all()),
            *(
                Assume(each.bit_select(tenant, 1) == (count >= least))
                for least, each in enumerate(
                    (tagger.queued.heads, tagger.queued.seconds, tagger.queued.thirds), 1
                )
            ),
        ]
        return count, was_granted


PROPERTIES = (
    Property(
        name="tagger.window",
        claim=(
            "A head that is not stale starts less than 12 longest requests at w = 1 behind V as "
            "the choice sees it, of 16 that the scale has, and at most 3 ahead of V; from its "
            "second clock on less than 8 behind."
        ),
        block="mcos_hw.channel.arbiter.wf2q.wfq.Tagger",
        config=CONFIG,
        harness=WindowHarness,
        method=Method.INDUCTION,
        depth=2,
        bug=Bug(
            module="mcos_hw.channel.arbiter.wf2q.virtual_time",
            text="step.to + step.cost, current + step.cost",
            instead="step.to + (step.cost << 4), current + (step.cost << 4)",
        ),
        reach=24,
        slow=True,
    ),
)
