"""The MCOS arbiter: WF2Q+ over three classes of heads."""

from amaranth import *

from mcos_hw.channel.arbiter import Arbiter
from mcos_hw.channel.select import modular_less, select_least
from mcos_hw.registers import ArbiterKind, GrantClass

__all__ = ["WfqArbiter"]


class WfqArbiter(Arbiter):
    """Worst-case fair weighted fair queueing with virtual finish times, L = 0.

    WF2Q+ (Bennett and Zhang, "Hierarchical packet fair queueing algorithms", IEEE/ACM ToN 5(5),
    1997). Each tenant has a start tag S and a finish tag F = S + s / w of its head. The class set
    K is the conforming serviceable heads if there are any, else the burst ones, else the
    scavenging ones. Heads of K with S <= V are candidates; if there are none, V jumps to the least
    S in K. The candidate with the least F is granted, ties to the lowest tag, and V += s / W. While
    ``overcommitted`` is set, a tenant's priority goes before F.

    S of a new head is F of the head before it while the queue stays backlogged. For a request to
    an empty queue it is max(F, V), or max(F, V - s / w) where it follows the tenant's last
    response closely (depth-1 rule), with V after the grant of that clock.

    A promoted head, which is serviceable like any other, is granted whatever its class and tags; V
    does not jump for it.

    Tags are modular. At the end of every clock S is held within ``tag_lag`` behind and ``tag_lead``
    ahead of V: behind, because idle tenants and heads that wait in a lower class must not go out of
    range; ahead, because promotions could run a light tenant's tag on without end. With
    F - S <= l_max all live tags then lie within half the modular range.

    Latency: combinational from heads to grant. One grant per clock.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.

    Members
    -------
    See :func:`mcos_hw.channel.arbiter.arbiter_signature`.
    """

    kind = ArbiterKind.MCOS
    enforces_contracts = True

    def elaborate(self, platform):
        m = Module()
        config = self.config
        tenants = range(config.tenants)

        def cost(beats, inverse, inverse_fraction):
            """Size times a reciprocal weight, in tag units, rounded down."""
            product = beats * config.beat_bytes * inverse
            return (product >> (inverse_fraction - config.tag_fraction))[: config.tag_width]

        def later(left, right):
            return Mux(modular_less(left, right), right, left)

        def earlier(left, right):
            return Mux(modular_less(left, right), left, right)

        virtual_time = self.virtual_time
        start = self.start
        for i in tenants:
            m.d.comb += self.finish[i].eq(
                start[i]
                + cost(
                    self.heads[i].beats,
                    self.live.tenants[i].inverse_weight,
                    config.reciprocal_fraction,
                )
            )

        # K: the best class that any serviceable head has.
        of_class = [Signal(config.tenants, name=f"of_class_{c.name.lower()}") for c in GrantClass]
        for grant_class, members in zip(GrantClass, of_class, strict=True):
            for i in tenants:
                head = self.heads[i]
                m.d.comb += members[i].eq(head.serviceable & (head.class_code == grant_class))
        eligible_class = Signal(config.tenants)
        m.d.comb += eligible_class.eq(
            Mux(of_class[0].any(), of_class[0], Mux(of_class[1].any(), of_class[1], of_class[2]))
        )

        # V as the choice sees it: after the jump, if K has no head with S <= V.
        any_head, first = select_least(
            m, eligible_class, [start[i] for i in tenants], name="first", less=modular_less
        )
        reached = Signal.like(virtual_time)
        m.d.comb += reached.eq(later(virtual_time, start[first]))
        with m.If(~any_head):
            m.d.comb += reached.eq(virtual_time)
        for i in tenants:
            m.d.comb += self.candidates[i].eq(eligible_class[i] & ~modular_less(reached, start[i]))

        # While not overcommitted all priorities count as equal.
        def before(left, right):
            left_priority, right_priority = left[config.tag_width :], right[config.tag_width :]
            earlier_finish = modular_less(left[: config.tag_width], right[: config.tag_width])
            return (left_priority < right_priority) | (
                (left_priority == right_priority) & earlier_finish
            )

        keys = []
        for i in tenants:
            priority = Signal(4, name=f"priority_{i}")
            with m.If(self.live.channel.overcommitted):
                m.d.comb += priority.eq(self.live.tenants[i].priority)
            keys.append(Cat(self.finish[i], priority))
        _, chosen = select_least(m, self.candidates, keys, name="chosen", less=before)

        m.d.comb += [
            self.grant.eq(self.open & any_head),
            self.grant_tenant.eq(Mux(self.promote, self.promote_tenant, chosen)),
        ]

        virtual_next = Signal.like(virtual_time)
        granted_cost = Signal.like(virtual_time)
        m.d.comb += [
            granted_cost.eq(
                cost(
                    self.heads[self.grant_tenant].beats,
                    self.live.channel.inverse_total_weight,
                    config.total_reciprocal_fraction,
                )
            ),
            virtual_next.eq(virtual_time),
        ]
        with m.If(self.grant):
            m.d.comb += virtual_next.eq(Mux(self.promote, virtual_time, reached) + granted_cost)
        m.d.sync += virtual_time.eq(virtual_next)

        arrival_credit = Signal.like(virtual_time)
        with m.If(self.arrival_recent):
            m.d.comb += arrival_credit.eq(
                cost(
                    self.arrival_beats,
                    self.live.tenants[self.arrival_tenant].inverse_weight,
                    config.reciprocal_fraction,
                )
            )
        floor = Signal.like(virtual_time)
        ceiling = Signal.like(virtual_time)
        entry = Signal.like(virtual_time)
        m.d.comb += [
            floor.eq(virtual_next - (config.tag_lag << config.tag_fraction)),
            ceiling.eq(virtual_next + (config.tag_lead << config.tag_fraction)),
            entry.eq(virtual_next - arrival_credit),
        ]
        for i in tenants:
            with m.If(self.grant & (self.grant_tenant == i)):
                m.d.sync += start[i].eq(earlier(later(self.finish[i], floor), ceiling))
            with m.Elif(self.arrival & (self.arrival_tenant == i)):
                m.d.sync += start[i].eq(later(start[i], entry))
            with m.Else():
                m.d.sync += start[i].eq(later(start[i], floor))
        return m
