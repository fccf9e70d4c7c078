"""The power governor: who may pass more than its guarantee while power is scarce."""

from collections.abc import Sequence
from functools import reduce
from operator import add

from amaranth import *
from amaranth.hdl import Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.config import FabricConfig
from mcos_hw.link.live import Live, live_signature
from mcos_hw.link.power import PowerCap, power_cap_signature, power_status_layout
from mcos_hw.registers import channel_map

__all__ = [
    "CLOSING_CLOCKS",
    "PowerGovernor",
    "debt_width",
    "step_width",
]


CLOSING_CLOCKS = 2
"""Clocks from a lower rate at an input to the clock in which every tenant is closed."""

_SUMMANDS = 4
"""Channels whose beats one clock adds up."""

_PRIORITY_WIDTH = 4


def step_width(fabric: FabricConfig) -> int:
    """log2 of a step of the account in bytes: eight longest requests of each channel.

    It is more than what a channel grants between the clock in which the account crosses a step and
    the one in which a close shows in what is counted, so that the account stays within a step of
    where one priority is closed and the next one is not.
    """
    return fabric.block_width + 3 + fabric.channel_width


def debt_width(fabric: FabricConfig) -> int:
    """log2 of the largest debt in bytes: a deepest bucket of each channel.

    It is no less than the most that the account holds, a step more than there are priorities.
    """
    return max(fabric.channel.depth_width + fabric.channel_width, step_width(fabric) + 5)


class PowerGovernor(wiring.Component):
    """Closes tenants of low priority while the fabric passes more bytes than its power allows.

    Every byte takes the same energy, so a power budget is a rate: docs/power.md has the formula.
    The governor keeps an *account*. In every clock it gains what the rate in force allows all
    channels, and pays the bytes that left for memory. A tenant of priority p is open while the
    account holds more than p whole steps (:func:`step_width`), else it is *closed*: the fabric
    holds it to its guarantee, see :class:`mcos_hw.fabric.held.Held`. So the lowest priority is
    closed first, and what the budget leaves beside guarantees and higher priorities is passed by
    the one priority that opens and closes. Committed rates and the pacer stay as they are.

    The account holds at most one step more than opens the lowest priority of an enabled tenant. It
    may owe: guarantees saved up in committed buckets may exceed the rate for a while, and are paid
    back by the tenants that can be closed. While the guarantees themselves are over the rate the
    status says ``infeasible``, and the account owes nothing, as nobody could pay it back.

    A lower rate, and a rate where there was none, closes every tenant in ``CLOSING_CLOCKS``; then
    they open by priority as the account grows. So a cap holds from that clock on, whatever the
    account held. Sum and lowest priority are those of the live image ``2 x tenants`` clocks after a
    commit, if every tenant is visited in turn.

    ::

        clock          0      1       2
        cap           |lower
        rate                 |lower
        closed                       |all

    It does not look at classes: a closed tenant's conforming requests are paid for like all others.

    Parameters
    ----------
    fabric : FabricConfig
        Sizes.

    Members
    -------
    live : In(Live)
        Priorities of enabled tenants, and the generation.
    turn : Out(tenant_width)
        The tenant whose committed rate is wanted.
    visited : In(tenant_width)
        The tenant whose committed rate is there; others than ``turn`` are passed over.
    committed_rate : In(rate_width)
        That rate, as the image has it.
    enable : In(1)
        The image sets a budget.
    rate : In(rate_width)
        The budget: bytes per clock of each channel, with ``rate_fraction`` fraction bits.
    cap : In(PowerCap)
        What the power manager broadcasts; the lower of both is in force.
    beats : In(beats_width), an array with one for each channel
        Beats of the command that left for memory in this clock, else 0.
    closed : Out(tenants)
        Bit i: tenant i is held to its guarantee.
    status : Out(power_status_layout)
        What is in force.
    """

    live: Live
    turn: Signal
    visited: Signal
    committed_rate: Signal
    enable: Signal
    rate: Signal
    cap: PowerCap
    beats: Sequence[Signal]
    closed: Signal
    status: data.View

    def __init__(self, fabric: FabricConfig) -> None:
        self.fabric = fabric
        channel = fabric.channel
        super().__init__(
            {
                "live": In(live_signature(channel_map(channel))),
                "turn": Out(channel.tenant_width),
                "visited": In(channel.tenant_width),
                "committed_rate": In(channel.rate_width),
                "enable": In(1),
                "rate": In(channel.rate_width),
                "cap": In(power_cap_signature(fabric)),
                "beats": In(channel.beats_width).array(fabric.channels),
                "closed": Out(channel.tenants),
                "status": Out(power_status_layout(fabric)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        tenants = self.live.tenants
        status = self.status
        restart = self._force(m)
        lowest = self._visit(m)
        level = self._account(m, restart, lowest)

        closes = [status.governs & (restart | (each.priority >= level)) for each in tenants]
        m.d.sync += self.closed.eq(Cat(closes))
        m.d.comb += [
            status.infeasible.eq(status.governs & (status.guaranteed > status.rate)),
            status.closes.eq((self.closed & Cat(each.enable for each in tenants)).any()),
        ]
        return m

    def _force(self, m: Module) -> Signal:
        """The rate in force, and whether it is lower than the one before."""
        status, cap = self.status, self.cap
        governs, capped, restart = Signal(), Signal(), Signal()
        rate = Signal.like(self.rate)
        m.d.comb += [
            governs.eq(self.enable | cap.valid),
            capped.eq(cap.valid & (~self.enable | (cap.rate < self.rate))),
            rate.eq(Mux(capped, cap.rate, self.rate)),
        ]
        m.d.sync += [
            status.governs.eq(governs),
            status.capped.eq(capped),
            status.rate.eq(rate),
            restart.eq(governs & (~status.governs | (rate < status.rate))),
        ]
        return restart

    def _visit(self, m: Module) -> Signal:
        """Visits the tenants: the sum of their committed rates, and their lowest priority."""
        channel, status, turn = self.fabric.channel, self.status, self.turn
        sum_width = channel.rate_width
        commits = Signal()
        committed = Signal(channel.rate_width + channel.tenant_width)
        committed_then = Signal.like(committed)
        least, least_then, lowest = (
            Signal(_PRIORITY_WIDTH, name=name) for name in ("least", "least_then", "lowest")
        )
        tenant = Array(self.live.tenants)[turn]
        m.d.comb += [committed_then.eq(committed), least_then.eq(least)]
        with m.If(tenant.enable):
            m.d.comb += committed_then.eq(committed + self.committed_rate)
            with m.If(tenant.priority > least):
                m.d.comb += least_then.eq(tenant.priority)
        with m.If(self.visited == turn):
            m.d.sync += [turn.eq(turn + 1), committed.eq(committed_then), least.eq(least_then)]
            with m.If(turn == channel.tenants - 1):
                m.d.sync += [
                    committed.eq(0),
                    least.eq(0),
                    status.guaranteed.eq(
                        committed_then[:sum_width]
                        | committed_then[sum_width:].any().replicate(sum_width)
                    ),
                    lowest.eq(least_then),
                ]
        # A commit adds one to the generation. No sum mixes two images.
        m.d.sync += commits.eq(self.live.generation[0])
        with m.If(commits != self.live.generation[0]):
            m.d.sync += [turn.eq(0), committed.eq(0), least.eq(0)]
        return lowest

    def _account(self, m: Module, restart: Value, lowest: Value) -> Signal:
        """Whole steps that the account holds; 0 where it owes."""
        fabric, status = self.fabric, self.status
        fraction = fabric.channel.rate_fraction
        step = step_width(fabric) + fraction
        owed = debt_width(fabric) + fraction
        account = Signal(signed(1 + owed))
        change = Signal(signed(1 + owed))
        sum_then = Signal(signed(2 + owed))
        most = Signal(_PRIORITY_WIDTH + 1)

        beats = Signal(fabric.channel.beats_width + fabric.channel_width)
        m.d.comb += beats.eq(self._sum(m))
        paid = beats << ((fabric.beat_bytes - 1).bit_length() + fraction)
        m.d.sync += change.eq((status.rate << fabric.channel_width) - paid)

        m.d.comb += [most.eq(lowest + 2), sum_then.eq(account + change)]
        level = account[step:-1]
        with m.If(~status.governs | (restart & ~account[-1])):
            m.d.sync += account.eq(0)
        with m.Elif(sum_then[-1] & (status.infeasible | ~sum_then[-2])):
            m.d.sync += account.eq(Mux(status.infeasible, 0, -(1 << owed)))
        with m.Elif(~sum_then[-1] & (sum_then[step:-1] >= most)):
            m.d.sync += account.eq(most << step)
        with m.Else():
            m.d.sync += account.eq(sum_then)
        return Mux(account[-1], 0, level)

    def _sum(self, m: Module) -> Value:
        """Beats of all channels, a few more of them added up in each clock."""
        terms: Sequence[Value] = self.beats
        stage = 0
        while len(terms) > 1:
            groups = [terms[k : k + _SUMMANDS] for k in range(0, len(terms), _SUMMANDS)]
            sums = []
            for k, group in enumerate(groups):
                added = reduce(add, group)
                sums.append(Signal(len(added), name=f"beats_{stage}_{k}"))
                m.d.sync += sums[-1].eq(added)
            terms, stage = sums, stage + 1
        return terms[0]
