"""The power governor: whom it closes, when, and what a closed tenant's buckets still pass."""

from amaranth import *
from amaranth.hdl import Assert, Assume, Cover
from amaranth.lib import data

from mcos_hw.channel.bucket import TenantBuckets
from mcos_hw.config import ChannelConfig, FabricConfig, PortConfig
from mcos_hw.control.power import CLOSING_CLOCKS, PowerGovernor
from mcos_hw.fabric.held import held_peak
from tests.formal.property import Harness, Method, Property, implies, past_reset
from tests.planted import Bug

__all__ = ["PROPERTIES"]


CONFIG = ChannelConfig(
    tenants=4, beat_bytes=8, max_beats=2, bytes_per_clock=8, depth_width=12, stamp_width=16
)
GOVERNOR = "mcos_hw.control.power"
HELD = "mcos_hw.fabric.held"


class GovernorHarness(Harness):
    """A governor of two channels, of an image that stays; rates, cap and beats are any."""

    def begin(self, m: Module) -> PowerGovernor:
        """Add the governor."""
        config = self.config
        governor = PowerGovernor(
            FabricConfig(channel=config, channels=2, ports=(PortConfig(data_bytes=8),))
        )
        self.prove(m, governor)
        self.priorities = [
            self.any_constant(m, 4, name=f"priority_{k}") for k in range(config.tenants)
        ]
        for tenant, priority in zip(governor.live.tenants, self.priorities, strict=True):
            m.d.comb += Assume(tenant.priority == priority)
        return governor


class OrderHarness(GovernorHarness):
    """Priorities are any."""

    def elaborate(self, platform):
        m = Module()
        governor = self.begin(m)
        closed, priorities = governor.closed, self.priorities
        for i, first in enumerate(priorities):
            for j, second in enumerate(priorities):
                m.d.comb += Assert(implies(closed[i] & (second >= first), closed[j]))
        m.d.comb += Cover((closed != 0) & ~closed.all())
        return m


class CapHarness(GovernorHarness):
    """A rate falls, or one comes, in any clock; no sooner than that do tenants open again."""

    def elaborate(self, platform):
        m = Module()
        governor = self.begin(m)
        rate, governs = Signal(governor.rate.shape()), Signal()
        enabled, cap = governor.enable, governor.cap
        m.d.comb += [
            governs.eq(enabled | cap.valid),
            rate.eq(Mux(enabled, governor.rate, cap.rate)),
        ]
        with m.If(enabled & cap.valid & (cap.rate < governor.rate)):
            m.d.comb += rate.eq(cap.rate)
        before, governed = Signal.like(rate), Signal()
        m.d.sync += [before.eq(rate), governed.eq(governs)]
        fell = [Signal(name=f"fell_{k}") for k in range(CLOSING_CLOCKS + 1)]
        governs_since = [Signal(name=f"governs_{k}") for k in range(CLOSING_CLOCKS + 1)]
        m.d.comb += [
            fell[0].eq(governs & (~governed | (rate < before))),
            governs_since[0].eq(governs),
        ]
        for k in range(CLOSING_CLOCKS):
            m.d.sync += [fell[k + 1].eq(fell[k]), governs_since[k + 1].eq(governs_since[k])]
        # A tenant is closed by what governed in the clock before the last one.
        m.d.comb += [
            self.invariant(
                governor.status.governs == governed,
                implies(governed, governor.status.rate == before),
                implies(~governed, fell[0] == governs),
            ),
            Assert(implies(fell[-1] & governs_since[-2], governor.closed.all())),
            Assert(implies(~governs_since[-1], ~governor.closed.any())),
            Cover(fell[-1] & governs_since[-2] & ~fell[-2]),
        ]
        return m


class HeldHarness(Harness):
    """The buckets of a tenant that is closed and opened in any clock, at any one legal contract.

    What is charged was chosen in the same clock, or in the one before by what its charge left.
    """

    def elaborate(self, platform):
        m = Module()
        config = self.config
        block = TenantBuckets(config)
        self.prove(m, block)
        byte = 1 << config.rate_fraction
        longest = config.l_max * byte
        shape = data.StructLayout(
            {
                "committed_rate": config.rate_width,
                "committed_depth": config.depth_width,
                "peak_rate": config.rate_width,
                "peak_depth": config.depth_width,
            }
        )
        contract = data.View(shape, self.any_constant(m, shape.size, name="contract"))
        closed = self.any_value(1, name="closed")
        at_once = self.any_value(1, name="at_once")
        held = held_peak(config, contract, closed)
        most = (1 << config.depth_width) - 4 * config.l_max
        size = block.beats * config.beat_bytes << config.rate_fraction
        depths = contract.committed_depth, contract.peak_depth
        m.d.comb += [
            Assume(block.beats <= config.max_beats),
            Assume(block.committed_rate == contract.committed_rate),
            Assume(block.committed_depth == contract.committed_depth),
            Assume(block.peak_rate == held.rate),
            Assume(block.peak_depth == held.depth),
            Assume(contract.committed_rate <= contract.peak_rate),
            Assume(depths[0] <= depths[1]),
            Assume(contract.committed_depth <= most),
            *(
                Assume(Mux(rate == 0, depth == 0, depth >= config.l_max))
                for rate, depth in zip(
                    (contract.committed_rate, contract.peak_rate), depths, strict=True
                )
            ),
        ]

        # What is left of the levels, in integers too wide to wrap.
        kinds = ("committed", "peak")
        levels, lefts = (
            [Signal(signed(48), name=f"{kind}_{name}") for kind in kinds]
            for name in ("level", "left")
        )
        for level, left, kind in zip(levels, lefts, kinds, strict=True):
            charged = getattr(block, f"charge_{kind}")
            limit = getattr(block, f"{kind}_depth") << config.rate_fraction
            after = Signal(signed(48), name=f"{kind}_after")
            m.d.comb += after.eq(level - Mux(charged, size, 0) + getattr(block, f"{kind}_rate"))
            m.d.sync += [
                level.eq(Mux(block.fill | (after > limit), limit, after)),
                left.eq(level - Mux(charged, size, 0)),
            ]
        committed, peak = levels

        conforms, bursts = (
            Mux(at_once, level, left) >= size for level, left in zip(levels, lefts, strict=True)
        )
        burst = Signal()
        m.d.comb += [
            burst.eq(block.charge_peak & ~block.charge_committed),
            Assume(implies(block.charge_committed, conforms & block.charge_peak)),
            Assume(implies(burst, ~conforms & bursts)),
        ]
        # Bytes of bursts from the third clock on in which it is closed. What is charged in the
        # second one may have been chosen before its level was cut.
        was_closed, long_closed = Signal(), Signal()
        passed = Signal(48)
        was_filled = Signal()
        past = past_reset(m)
        m.d.sync += [
            was_closed.eq(closed),
            long_closed.eq(closed & was_closed),
            was_filled.eq(block.fill),
        ]
        with m.If(~(closed & long_closed) | block.fill):
            m.d.sync += passed.eq(0)
        with m.Elif(burst):
            m.d.sync += passed.eq(passed + size)
        ahead = lefts[1] - lefts[0]
        spent = Mux(ahead > 0, longest - ahead, 2 * longest)
        deep = contract.committed_depth * byte
        before = held_peak(config, contract, was_closed)

        def defined(left, rate, limit):
            return Mux(was_filled | (left + rate > limit), limit, left + rate)

        m.d.comb += [
            self.invariant(
                committed == Mux(past, defined(lefts[0], contract.committed_rate, deep), 0),
                peak == Mux(past, defined(lefts[1], before.rate, before.depth * byte), 0),
                past | ((lefts[0] == 0) & (lefts[1] == 0)),
                (past | ~was_closed) & (was_closed | ~long_closed),
                implies(was_closed, peak <= longest),
                implies(long_closed, (lefts[1] <= longest) & (passed <= spent)),
                implies(~long_closed | was_filled, passed == 0),
                (committed <= deep) & (lefts[0] <= committed) & (lefts[0] >= 0),
                peak <= contract.peak_depth * byte,
                lefts[1] <= contract.peak_depth * byte,
                committed - peak <= deep + longest,
            ),
            Assert(committed >= 0),
            Assert(block.committed == committed),
            Assert(block.peak == peak),
            Assert(peak >= -(deep + longest)),
            Assert(passed <= 2 * longest),
            Cover(long_closed & closed & (passed > longest)),
            Cover(was_closed & (peak < -2 * longest)),
        ]
        return m


PROPERTIES = (
    Property(
        name="power.order",
        claim="While a tenant is closed, so is every tenant of its priority and of lower ones.",
        block=f"{GOVERNOR}.PowerGovernor",
        config=CONFIG,
        harness=OrderHarness,
        method=Method.INDUCTION,
        depth=1,
        bug=Bug(module=GOVERNOR, text="each.priority >= level", instead="each.priority <= level"),
        reach=24,
        slow=True,
    ),
    Property(
        name="power.cap",
        claim=(
            "CLOSING_CLOCKS after a lower rate every tenant is closed, and without a rate none is."
        ),
        block=f"{GOVERNOR}.PowerGovernor",
        config=CONFIG,
        harness=CapHarness,
        method=Method.INDUCTION,
        depth=3,
        bug=Bug(module=GOVERNOR, text="(rate < status.rate)", instead="(rate > status.rate)"),
        reach=24,
        slow=True,
    ),
    Property(
        name="power.held_buckets",
        claim=(
            "However a tenant is closed and opened, its committed bucket is as if it were not, its "
            "peak level never wraps, and from the clock after it is closed it bursts with at most "
            "two longest requests."
        ),
        block="mcos_hw.channel.bucket.TenantBuckets",
        config=CONFIG,
        harness=HeldHarness,
        method=Method.INDUCTION,
        depth=1,
        bug=Bug(
            module=HELD,
            text="Mux(closed, contract.committed_rate, contract.peak_rate)",
            instead="contract.peak_rate",
        ),
        reach=20,
        slow=True,
    ),
)
