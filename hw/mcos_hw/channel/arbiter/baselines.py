"""The arbiters that MCOS is compared with: FCFS, round robin and fixed priority.

They sit in the same shell, with the same queues, pacer and port credit. They know no contracts.
"""

from amaranth import *

from mcos_hw.channel.arbiter.base import Arbiter
from mcos_hw.primitive.select import modular_less, select_least
from mcos_hw.registers import ArbiterKind, GrantClass

__all__ = [
    "FcfsArbiter",
    "FixedPriorityArbiter",
    "RoundRobinArbiter",
]


class _Baseline(Arbiter):
    """An arbiter that chooses in the clock of the grant and knows no contracts."""

    enforces_contracts = False
    mark = "offered"
    mark_ahead = 0

    def _grant(self, m, candidates, found, tenant):
        m.d.comb += [
            self.state.candidates.eq(candidates),
            self.grant.valid.eq(self.open & found),
            self.grant.tenants.eq(self.grant.valid << tenant),
            self.grant.beats.eq(self.view.heads[tenant].beats),
        ]
        if self.config.compact:
            m.d.comb += [
                self.nominates.eq(self.grant.valid),
                self.nominee.eq(self.grant.tenants),
            ]
        for i in range(self.config.tenants):
            code = self.classes.codes[i]
            m.d.comb += [
                self.grant.conforming[i].eq(code == GrantClass.CONFORMING),
                self.grant.burst[i].eq(code == GrantClass.BURST),
            ]


class FcfsArbiter(_Baseline):
    """First come, first served, by the clock in which a request was first offered.

    The stamp is taken before any back-pressure, and a tenant's requests arrive in the order of
    their stamps, so the least stamp among the heads is the least of all that have been accepted.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.

    Members
    -------
    See :class:`mcos_hw.channel.arbiter.base.Arbiter`.
    """

    kind = ArbiterKind.FCFS

    def elaborate(self, platform):
        m = Module()
        serviceable = Cat(head.present for head in self.view.heads)
        stamps = [self.marks[i] for i in range(self.config.tenants)]
        found, tenant = select_least(m, serviceable, stamps, name="first", less=modular_less)
        self._grant(m, serviceable, found, tenant)
        return m


def _next_in_turn(m, serviceable, last, *, name):
    """The lowest serviceable tag after ``last``, wrapping around."""
    tags = [Const(i, len(last)) for i in range(len(serviceable))]
    after = Cat(Const(0, 1), (serviceable[i] & (last < i) for i in range(1, len(serviceable))))
    found_after, tenant_after = select_least(m, after, tags, name=f"{name}_after")
    found, tenant = select_least(m, serviceable, tags, name=f"{name}_any")
    return found, Mux(found_after, tenant_after, tenant)


class RoundRobinArbiter(_Baseline):
    """One request of each tenant in turn.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.

    Members
    -------
    See :class:`mcos_hw.channel.arbiter.base.Arbiter`.
    """

    kind = ArbiterKind.ROUND_ROBIN

    def elaborate(self, platform):
        m = Module()
        serviceable = Cat(head.present for head in self.view.heads)
        last = Signal(self.config.tenant_width)
        found, tenant = _next_in_turn(m, serviceable, last, name="turn")
        self._grant(m, serviceable, found, tenant)
        with m.If(self.grant.valid):
            m.d.sync += last.eq(tenant)
        return m


class FixedPriorityArbiter(_Baseline):
    """The highest priority first, round robin among equals.

    The form of CUDA stream priorities if they reached the memory controller; a busy tenant of
    high priority starves every lower one.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.

    Members
    -------
    See :class:`mcos_hw.channel.arbiter.base.Arbiter`.
    """

    kind = ArbiterKind.FIXED_PRIORITY

    def elaborate(self, platform):
        m = Module()
        tenants = range(self.config.tenants)
        serviceable = Cat(head.present for head in self.view.heads)
        priorities = [self.live.tenants[i].priority for i in tenants]
        _, best = select_least(m, serviceable, priorities, name="best")
        best_priority = Signal(4)
        m.d.comb += best_priority.eq(self.live.tenants[best].priority)
        candidates = Cat(serviceable[i] & (priorities[i] == best_priority) for i in tenants)
        last = Signal(self.config.tenant_width)
        found, tenant = _next_in_turn(m, candidates, last, name="turn")
        self._grant(m, candidates, found, tenant)
        with m.If(self.grant.valid):
            m.d.sync += last.eq(tenant)
        return m
