"""Buckets in one memory: levels by definition, though they are refilled in turn."""

from amaranth import *
from amaranth.hdl import Assert, Assume, Cover

from mcos_hw.channel.refill import Refill
from mcos_hw.channel.token_table import TokenTable
from mcos_hw.config import REFILL_CLOCKS, ChannelConfig
from tests.formal.property import Harness, Method, Property, at_most_one, implies
from tests.planted import Bug

__all__ = ["PROPERTIES"]


CONFIG = ChannelConfig(lateness=0, grant_interval=8)
SMALL = ChannelConfig(
    tenants=4,
    queue_depth=2,
    beat_bytes=8,
    max_beats=2,
    bytes_per_clock=8,
    depth_width=12,
    lateness=0,
    grant_interval=4,
)
CHANNEL = "mcos_hw.channel"
_WIDE = signed(56)


class RefillHarness(Harness):
    """Any bucket in any clock, with no more debt than that of a full queue."""

    def elaborate(self, platform):
        m = Module()
        config = self.config
        block = Refill(config)
        self.prove(m, block)
        longest = config.l_max << config.rate_fraction
        beat = config.beat_bytes << config.rate_fraction
        limit = block.depth << config.rate_fraction
        full, left = Signal(_WIDE), Signal(_WIDE)
        charge = block.charge * beat
        expected = [Signal.like(each, name=f"then_{k}") for k, each in enumerate((full, left))]
        known = Signal(2)
        whole = Signal(_WIDE)
        most = (1 << len(block.beats)) - 1
        m.d.comb += [
            full.eq(limit - charge),
            left.eq(block.level + block.rate * block.elapsed - charge),
            Assume(block.level >= -longest * (1 + config.queue_depth)),
            Assume(block.charge <= config.max_beats),
            whole.eq(Mux(block.result < 0, 0, block.result // beat)),
        ]
        sums = [Signal.like(each, name=f"now_{k}") for k, each in enumerate((full, left))]
        m.d.sync += [
            *(each.eq(value) for each, value in zip(sums, (full, left), strict=True)),
            *(each.eq(value) for each, value in zip(expected, sums, strict=True)),
            known.eq(Cat(Const(1, 1), known)),
        ]
        filled, refilled = expected
        over = block.fill | (refilled > filled)
        m.d.comb += [
            Assert(implies(known[-1], block.result == Mux(over, filled, refilled))),
            Assert(block.beats == Mux(whole > most, most, whole)),
            Cover(known[-1] & (refilled > filled) & (refilled - filled < 16) & ~block.fill),
        ]
        return m


class DefinitionHarness(Harness):
    """Nominees and grants in any clocks that the interval allows, of any beats and classes.

    The committed bucket of one tenant, any, is followed; the peak bucket has the same datapath. The
    tenant is enabled in one clock, with a contract that stays, and has no grant on its way then:
    that would be charged to its full bucket. The rate has few bits, so that its multiples are told
    from sums soon.
    """

    def elaborate(self, platform):
        m = Module()
        config = self.config
        block = TokenTable(config)
        self.prove(m, block)
        grant, row = block.grant, block.contract.row
        beat = config.beat_bytes << config.rate_fraction
        tenant = self.any_constant(m, range(config.tenants), name="tenant")
        rate = self.any_constant(m, config.rate_width, name="rate")
        depth = self.any_constant(m, config.depth_width, name="depth")
        granted = Signal()
        enabled = Signal()
        begun = Signal()
        since = Signal(range(config.grant_interval + 1), init=config.grant_interval)
        grants = self.before(m, granted, REFILL_CLOCKS + 1, name="granted")
        begins = self.before(m, begun, REFILL_CLOCKS + 2, name="begun")
        on_its_way = Cat(granted, *grants[:REFILL_CLOCKS]).any()
        read = block.contract.tenant == tenant
        m.d.comb += [
            granted.eq(grant.tenants.bit_select(tenant, 1)),
            enabled.eq(block.enabled.bit_select(tenant, 1)),
            Assume(at_most_one(block.nominee) & block.nominee.any()),
            Assume(implies(grant.valid, block.nominates & (since == config.grant_interval))),
            Assume(grant.tenants == Mux(grant.valid, block.nominee, 0)),
            Assume((grant.beats > 0) & (grant.beats <= config.max_beats)),
            Assume(implies(begun, enabled)),
            Assume(implies(enabled & ~begun, ~on_its_way)),
            Assume((rate >> 3) == 0),
            Assume(implies(read, (row.committed_rate == rate) & (row.committed_depth == depth))),
        ]
        m.d.sync += [
            begun.eq(begun | enabled),
            since.eq(Mux(grant.valid, 1, since + (since < config.grant_interval))),
        ]

        # The level as a bucket has it that is refilled in every clock.
        level, limit, charge, refilled = (
            Signal(_WIDE, name=name) for name in ("level", "limit", "charge", "refilled")
        )
        conforming = (grant.conforming & block.nominee).any()
        m.d.comb += [
            limit.eq(depth << config.rate_fraction),
            charge.eq(Mux(granted & conforming, grant.beats * beat, 0)),
            refilled.eq(level - charge + rate),
        ]
        m.d.sync += level.eq(Mux(begun & (refilled < limit), refilled, limit))
        left = self.before(m, level - charge, REFILL_CLOCKS + 1, name="left")[-1]

        seen = block.tokens.committed[tenant]
        beats = block.tokens.committed_beats[tenant]
        known, shows = begins[0], begins[-1] & grants[-1]
        m.d.comb += [
            Assert(implies(known, (seen <= level) | (seen == 0))),
            Assert(implies(known, level <= limit)),
            Assert(implies(known, beats * beat <= Mux(level < 0, 0, level))),
            Assert(implies(shows, seen == left)),
            Cover(shows & (seen > 0) & (seen < limit - beat)),
        ]
        return m

    def before(self, m: Module, value: Value, clocks: int, *, name: str) -> list[Signal]:
        """A value in each of so many clocks before this one."""
        kept = [Signal.like(value, name=f"{name}_{k + 1}") for k in range(clocks)]
        m.d.sync += [now.eq(then) for now, then in zip(kept, [value, *kept], strict=False)]
        return kept


PROPERTIES = (
    Property(
        name="token_table.refill",
        claim=(
            "A bucket comes out with min(level + rate x elapsed, depth) less its charge, or with "
            "its depth less its charge where it is filled, and with its whole beats."
        ),
        block=f"{CHANNEL}.refill.Refill",
        config=CONFIG,
        harness=RefillHarness,
        method=Method.INDUCTION,
        depth=3,
        bug=Bug(
            module=f"{CHANNEL}.refill",
            text="self.fill | ~spare[-1]",
            instead="self.fill | (~spare[-1] & spare.any())",
        ),
        reach=5,
    ),
    Property(
        name="token_table.definition",
        claim=(
            "What a grant leaves of a level is min(level - charge + rate, depth) of every clock "
            "before it, less its charge, and classes never see more than there is."
        ),
        block=f"{CHANNEL}.token_table.TokenTable",
        config=SMALL,
        harness=DefinitionHarness,
        method=Method.BOUNDED,
        depth=12,
        bug=Bug(
            module=f"{CHANNEL}.token_table",
            text="visits & ~uncharged",
            instead="visits",
        ),
        reach=14,
        slow=True,
    ),
)
