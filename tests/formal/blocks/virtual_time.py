"""Virtual time: never goes back, reaches what is granted, and is seen L grants late."""

import dataclasses

from amaranth import *
from amaranth.hdl import Assert, Assume, Cover

from mcos_hw.channel.arbiter.wf2q.virtual_time import VirtualTime
from mcos_hw.config import ChannelConfig
from mcos_hw.primitive.select import modular_less
from tests.formal.property import Harness, Method, Property, implies
from tests.planted import Bug

__all__ = ["PROPERTIES"]


CONFIG = ChannelConfig()
BLOCK = "mcos_hw.channel.arbiter.wf2q.virtual_time.VirtualTime"
VIRTUAL_TIME = "mcos_hw.channel.arbiter.wf2q.virtual_time"


class SeenHarness(Harness):
    """V by its definition, with every grant's step at once, and as earlier grants left it.

    Any sizes, tags and weights. ``history[n]`` is V without the last n grants.
    """

    def elaborate(self, platform):
        m = Module()
        config = self.config
        block = VirtualTime(config)
        self.prove(m, block)
        current = self.look("current", config.tag_width)
        moved = self.look("moved", config.tag_width)
        before = self.look("before", config.tag_width)
        long_before = self.look("long_before", config.tag_width)

        inverse = Signal(config.total_reciprocal_width)
        to = Signal(config.tag_width)
        cost = Signal(config.tag_width)
        reached = Signal(config.tag_width)
        history = [Signal(config.tag_width, name=f"history_{n}") for n in range(4)]
        lead = config.tag_lead << config.tag_fraction
        size = block.beats * config.beat_bytes
        m.d.comb += [
            Assume(block.beats <= config.max_beats),
            to.eq(Mux(block.promoted, block.start - lead, block.start)),
            cost.eq((size * inverse) >> (config.total_reciprocal_fraction - config.tag_fraction)),
            reached.eq(Mux(~block.reached & modular_less(history[0], to), to, history[0]) + cost),
        ]
        m.d.sync += inverse.eq(block.inverse_total_weight)
        with m.If(block.grant):
            m.d.sync += Cat(history).eq(Cat(reached, *history[:-1]))

        late = config.lateness
        past_grant = [reached, *history][late]
        waits = int(late >= 2)
        m.d.comb += [
            self.invariant(
                current == history[waits],
                before == history[waits + 1],
                *([moved == history[0]] if waits else []),
                *([long_before == history[3]] if late == 3 else []),
            ),
            Assert(block.seen.past_grant == past_grant),
            Assert(block.seen.now == Mux(block.grant, past_grant, history[late])),
        ]
        if late == 3:
            then = Signal(config.tag_width)
            m.d.sync += then.eq(block.seen.next)
            m.d.comb += Assert(block.seen.past_grant == then)
        jumped = Signal(3)
        with m.If(block.grant):
            m.d.sync += jumped.eq(
                Cat(~block.reached & ~block.promoted & (reached != history[0] + cost), jumped)
            )
        m.d.comb += Cover(jumped.all() & (block.seen.now > 1 << config.tag_fraction))
        return m


class ForwardHarness(Harness):
    """Grants whose start tags are in the window around V, unless they are told as reached.

    V counts with the jump of a grant that still waits, as requests that arrive see it (``later``).
    """

    def elaborate(self, platform):
        m = Module()
        config = self.config
        block = VirtualTime(config)
        self.prove(m, block)
        moved = self.look("moved", config.tag_width)
        one = 1 << config.tag_fraction

        later = Signal(config.tag_width)
        distance = Signal(signed(config.tag_width))
        m.d.comb += [
            later.eq(Mux(block.arrivals.jumps, block.arrivals.jump, block.arrivals.value)),
            distance.eq(block.start - later),
            Assume(block.beats <= config.max_beats),
            Assume(block.inverse_total_weight <= 1 << config.total_reciprocal_fraction),
            Assume(
                ~block.grant
                | block.reached
                | (
                    (distance < config.stale_after * one)
                    & (-3 * config.stale_after * one < 2 * distance)
                )
            ),
        ]

        known = Signal()
        value = Signal(config.tag_width)
        before = Signal(config.tag_width)
        reaches = Signal()
        start = Signal(config.tag_width)
        m.d.sync += [
            known.eq(1),
            value.eq(block.arrivals.value),
            before.eq(later),
            reaches.eq(block.grant & ~block.reached & ~block.promoted),
            start.eq(block.start),
        ]

        def goes(first, then):
            """How far it is from one to the other, on the modular scale."""
            return (then - first)[: config.tag_width]

        half = config.stale_after * 2 * one
        m.d.comb += [
            self.invariant(
                goes(block.arrivals.value, later) <= config.stale_after * one,
                goes(later, moved) <= config.l_max * one,
            ),
            Assert(implies(known, goes(value, block.arrivals.value) < half)),
            Assert(implies(known, goes(before, later) < half)),
            Assert(implies(reaches, goes(start, later) < half)),
            Cover(reaches & block.arrivals.jumps & (value != block.arrivals.value)),
        ]
        return m


PROPERTIES = (
    *(
        Property(
            name=f"virtual_time.seen_{late}_late",
            claim=(
                "The choice of a grant sees V as its definition has it, but without the last "
                f"{late} grants before it."
            ),
            block=BLOCK,
            config=dataclasses.replace(CONFIG, lateness=late),
            harness=SeenHarness,
            method=Method.INDUCTION,
            depth=2,
            bug=Bug(module=VIRTUAL_TIME, text=text, instead=instead),
            reach=8,
            slow=True,
        )
        for late, text, instead in (
            (0, "step.jumps.eq(~self.reached)", "step.jumps.eq(1)"),
            (1, "1: (current, before)", "1: (before, long_before)"),
            (2, "modular_less(current, step.to)", "modular_less(step.to, current)"),
            (3, "step.to + step.cost, current + step.cost", "step.to, current + step.cost"),
        )
    ),
    Property(
        name="virtual_time.forward",
        claim=(
            "V never goes back, and reaches the start tag of what is granted, unless that is "
            "told as reached or promoted, while start tags are in the modular window."
        ),
        block=BLOCK,
        config=CONFIG,
        harness=ForwardHarness,
        method=Method.INDUCTION,
        depth=2,
        bug=Bug(
            module=VIRTUAL_TIME,
            text="Mux(self.promoted, self.start - lead, self.start)",
            instead="self.start - lead",
        ),
        reach=6,
    ),
)
