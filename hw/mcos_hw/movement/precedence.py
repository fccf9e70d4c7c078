"""Which of several jobs goes first."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.config import MovementConfig
from mcos_hw.link.job import Urgency

__all__ = ["Precedence"]


class Precedence(wiring.Component):
    """Chooses the most urgent job of those that may go, of equals the one that came first.

    Who came first is kept as a bit for each pair, so there is no count that runs over. The choice
    is made in the clock in which it is asked for.

    Parameters
    ----------
    movement : MovementConfig
        Sizes of the engines.

    Members
    -------
    begins : In(jobs)
        Bit j: job j comes in this clock. One comes at most.
    urgency : In(3)
        Its :class:`mcos_hw.link.job.Urgency`.
    may : In(jobs)
        Bit j: job j may go. It came in an earlier clock.
    first : Out(job_width)
        The first of them; 0 if there is none.
    first_urgency : Out(3)
        Its urgency.
    ahead : Out(1)
        One of them goes before the job that comes in this clock.
    """

    begins: Signal
    urgency: Signal
    may: Signal
    first: Signal
    first_urgency: Signal
    ahead: Signal

    def __init__(self, movement: MovementConfig) -> None:
        self.movement = movement
        super().__init__(
            {
                "begins": In(movement.jobs),
                "urgency": In(3),
                "may": In(movement.jobs),
                "first": Out(movement.job_width),
                "first_urgency": Out(3),
                "ahead": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        jobs = range(self.movement.jobs)
        urgencies = [Signal(3, name=f"urgency_{j}") for j in jobs]
        for j, urgency in enumerate(urgencies):
            with m.If(self.begins[j]):
                m.d.sync += urgency.eq(self.urgency)

        # Of the jobs of the least urgency that is there, the one that no other came before.
        there = Signal(len(Urgency))
        most = Signal(len(jobs))
        m.d.comb += [
            there.eq(
                Cat(Cat(self.may[j] & (urgencies[j] == u) for j in jobs).any() for u in Urgency)
            ),
            most.eq(self.may & Cat(urgency == self.first_urgency for urgency in urgencies)),
            self.ahead.eq(Cat(self.may[j] & (urgencies[j] <= self.urgency) for j in jobs).any()),
        ]
        for u in reversed(Urgency):
            with m.If(there[u]):
                m.d.comb += self.first_urgency.eq(u)
        for j in jobs:
            before = Signal(len(jobs), name=f"before_{j}")
            with m.If(self.begins[j]):
                m.d.sync += before.eq(-1)
            with m.Else():
                m.d.sync += before.eq(before & ~self.begins)
            with m.If(most[j] & ~(most & before & ~(1 << j)).any()):
                m.d.comb += self.first.eq(j)
        return m
