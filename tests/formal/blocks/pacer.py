"""The pacer: granted bytes over any window of clocks stay within the rate."""

from amaranth import *
from amaranth.hdl import Assert, Assume, Cover

from mcos_hw.channel.pacer import Pacer
from mcos_hw.config import ChannelConfig
from tests.formal.property import Harness, Method, Property
from tests.planted import Bug

__all__ = ["PROPERTIES"]


CONFIG = ChannelConfig()


class WindowHarness(Harness):
    """Grants in any clock in which they are allowed, at a rate that may change in any clock.

    ``lead`` is the most that any window which ends with the last clock has over its rate: granted
    bytes less the rates of its clocks. The longest lead goes on with the next clock, or a window
    that begins there has a longer one.
    """

    def elaborate(self, platform):
        m = Module()
        config = self.config
        pacer = Pacer(config)
        self.prove(m, pacer)
        enable, rate = pacer.live.channel.pacer_enable, pacer.live.channel.pacer_rate
        full_rate = config.bytes_per_clock << config.rate_fraction
        longest = config.l_max << config.rate_fraction

        opened = Signal()
        rate_before = Signal(config.rate_width)
        lead = Signal(48)
        ahead = Signal(48)
        size = pacer.grant.beats * config.beat_bytes << config.rate_fraction
        m.d.comb += ahead.eq(lead + Mux(pacer.grant.valid, size, 0))
        m.d.sync += [
            opened.eq(pacer.open_then),
            rate_before.eq(rate),
            lead.eq(Mux(enable & (ahead > rate), ahead - rate, 0)),
        ]
        m.d.comb += [
            Assume(rate <= full_rate),
            Assume(pacer.grant.beats <= config.max_beats),
            Assume(opened | ~pacer.grant.valid),
            self.invariant(rate_before <= full_rate, ~opened | (lead < rate_before) | (lead == 0)),
            Assert(pacer.debt == lead),
            Assert(lead < longest + full_rate),
            Cover(lead >= longest),
        ]
        return m


class SteadyHarness(Harness):
    """Grants in any clock in which they are allowed, at any one rate, paced all the time.

    A window begins in any one clock; ``lead`` is what is granted in it less what it allows.
    """

    def elaborate(self, platform):
        m = Module()
        config = self.config
        pacer = Pacer(config)
        self.prove(m, pacer)
        enable = pacer.live.channel.pacer_enable
        rate = self.any_constant(m, config.rate_width, name="rate")
        begins = self.any_value(1, name="begins")
        longest = config.l_max << config.rate_fraction

        opened = Signal()
        within = Signal()
        lead = Signal(signed(64))
        granted = Signal(48)
        m.d.comb += granted.eq(
            Mux(pacer.grant.valid, pacer.grant.beats * config.beat_bytes << config.rate_fraction, 0)
        )
        m.d.sync += opened.eq(pacer.open_then)
        with m.If(within | begins):
            m.d.sync += [within.eq(1), lead.eq(lead + granted - rate)]
        m.d.comb += [
            Assume(enable),
            Assume(pacer.live.channel.pacer_rate == rate),
            Assume(rate <= config.bytes_per_clock << config.rate_fraction),
            Assume(pacer.grant.beats <= config.max_beats),
            Assume(opened | ~pacer.grant.valid),
            Assume(lead > -(1 << 62)),
            self.invariant(
                ~opened | (pacer.debt < rate) | (pacer.debt == 0),
                pacer.debt <= longest,
                lead <= pacer.debt,
                within | (lead == 0),
            ),
            Assert(lead <= longest),
            Cover(within & (lead > longest - (1 << config.rate_fraction))),
        ]
        return m


PROPERTIES = (
    Property(
        name="pacer.debt",
        claim=(
            "The debt is the most that any window of clocks has over its rate, stays under "
            "l_max + r and never wraps, however the rate changes."
        ),
        block="mcos_hw.channel.pacer.Pacer",
        config=CONFIG,
        harness=WindowHarness,
        method=Method.INDUCTION,
        depth=1,
        bug=Bug(
            module="mcos_hw.channel.pacer",
            text="self.debt - (rate << 1) + granted",
            instead="self.debt - (rate << 2) + granted",
        ),
        reach=6,
    ),
    Property(
        name="pacer.window",
        claim="At a steady rate, any t clocks have grants of at most rate * t + l_max bytes.",
        block="mcos_hw.channel.pacer.Pacer",
        config=CONFIG,
        harness=SteadyHarness,
        method=Method.INDUCTION,
        depth=1,
        bug=Bug(
            module="mcos_hw.channel.pacer",
            text="after.eq(self.debt - rate + granted)",
            instead="after.eq(granted - rate)",
        ),
        reach=6,
    ),
)
