"""Around the lender: who must not lend, which walks count, and how all channels change at once."""

from amaranth import *
from amaranth.hdl import Assert, Assume, Cover

from mcos_hw.config import COORDINATOR_INTERVALS, ChannelConfig, FabricConfig, PortConfig
from mcos_hw.fabric.coordinator import Coordinator
from mcos_hw.fabric.demand import Demand
from mcos_hw.fabric.in_force import InForce
from tests.formal.property import Harness, Method, Property, implies
from tests.planted import Bug

__all__ = ["PROPERTIES"]


LINE = ChannelConfig(
    tenants=4, beat_bytes=8, max_beats=2, bytes_per_clock=8, depth_width=12, stamp_width=16,
    lateness=0,
)  # fmt: skip
COMPACT = ChannelConfig(
    tenants=4, beat_bytes=8, max_beats=2, bytes_per_clock=8, depth_width=12, stamp_width=16,
    grant_interval=4, lateness=0,
)  # fmt: skip
DEMAND = "mcos_hw.fabric.demand"
COORDINATOR = "mcos_hw.fabric.coordinator"
IN_FORCE = "mcos_hw.fabric.in_force"

JUDGING = 4
"""Clocks from what is seen of a pair to what it keeps; a number of the proof's own."""

GATHER = 0
"""State of the lender in which it takes pairs."""


def _fabric(config: ChannelConfig) -> FabricConfig:
    return FabricConfig(channel=config, channels=2, ports=(PortConfig(data_bytes=8),))


class DemandHarness(Harness):
    """Any pair in any clock."""

    def elaborate(self, platform):
        m = Module()
        config = self.config
        demand = Demand(_fabric(config))
        self.prove(m, demand)
        seen, pair, interval = demand.seen, demand.pair, demand.interval
        reserve = ((seen.base << interval) << 1) >> config.rate_fraction
        unrested = (seen.level < reserve) & (seen.level + config.l_max < seen.depth)
        valid, poor = Signal(JUDGING), Signal(JUDGING)
        bases = [Signal(config.rate_width, name=f"base_{k}") for k in range(JUDGING)]
        m.d.sync += [
            valid.eq(Cat(seen.valid, valid)),
            poor.eq(Cat(seen.valid & unrested, poor)),
            *(now.eq(then) for now, then in zip(bases, (seen.base, *bases[:-1]), strict=True)),
        ]
        m.d.comb += [
            Assume(interval >= COORDINATOR_INTERVALS[0]),
            Assert(demand.valid == valid[-1]),
            Assert(implies(valid[-1], pair.base == bases[-1])),
            Assert(implies(valid[-1], pair.keep + pair.lend == pair.base)),
            Assert(implies(poor[-1], pair.keep == bases[-1])),
            Cover(valid[-1] & (pair.lend != 0) & (pair.keep != 0)),
            Cover(poor[-1] & (pair.want != 0)),
        ]
        return m


class CoordinatorHarness(Harness):
    """Images and the switch change in any clock, as pairs and what is seen of them do."""

    def elaborate(self, platform):
        m = Module()
        coordinator = Coordinator(_fabric(self.config))
        self.prove(m, coordinator)
        lent, generation = coordinator.lent, coordinator.generation
        before, changes = Signal.like(generation), Signal()
        m.d.sync += before.eq(generation)
        first = coordinator.sightings[0].counts & (coordinator.contract.tenant == 0)

        # No commit since the first look of the walk; and since the one whose rates are in force.
        whole, clean, good = Signal(), Signal(), Signal()
        m.d.comb += [
            changes.eq(generation != before),
            whole.eq((first | clean) & ~changes),
        ]
        m.d.sync += clean.eq(whole)
        with m.If(lent.apply):
            m.d.sync += good.eq(1)
        with m.If(changes | ~coordinator.enable):
            m.d.sync += good.eq(0)
        m.d.comb += [
            Assume((generation == before) | (generation == before + 1)),
            Assert(implies(lent.apply, whole & coordinator.enable)),
            Assert(implies(lent.holds, good & ~changes)),
            Cover(lent.holds),
            # The shortest walks, in which nobody has anything to lend.
            self.scenario(
                ~ResetSignal(),
                coordinator.interval == COORDINATOR_INTERVALS[0],
                ~coordinator.contract.row.as_value().any(),
                *(~each.used.any() for each in coordinator.sightings),
            ),
        ]
        self._invariant(m, first, clean, before, good)
        return m

    def _invariant(self, m: Module, first: Value, clean: Value, before: Value, good: Value) -> None:
        """A walk is under way from its first pair until the lender is done."""
        asks, walks = self.look("asks", 1), self.look("walks", 1)
        known, outdated = self.look("known", 1), self.look("outdated", 1)
        applied, state = self.look("applied", 1), self.look("lender.fsm_state", 2)
        valid = self.look("demand.valid", JUDGING - 1)
        stages = (
            ("demand.seen.", self.look("demand.seen.valid", 1)),
            *((f"demand.place_{k}.", valid[k]) for k in range(JUDGING - 1)),
            ("lender.pair.", self.look("lender.valid", 1)),
        )
        asked = self._pair("")
        m.d.comb += self.invariant(
            known == before[0],
            implies(~asks, asked == 0),
            implies(applied, good),
            implies(walks & ~outdated, clean | (asks & (asked == 0))),
        )
        # No pair comes behind the last one.
        busy = asks
        for path, there in stages:
            m.d.comb += self.invariant(implies(there & self._pair(path).all(), ~busy))
            busy = busy | there
        m.d.comb += self.invariant(
            implies(busy, state == GATHER), implies(busy | (state != GATHER), walks)
        )

    def _pair(self, path: str) -> Value:
        return Cat(self.look(f"{path}channel", 1), self.look(f"{path}tenant", 2))


class InForceHarness(Harness):
    """Rates of any pairs in any clock, sets of them in force or not, for an image that stays."""

    def elaborate(self, platform):
        m = Module()
        config = self.config
        block = InForce(_fabric(config), 1)
        inside = self.prove(m, block)
        lent, write = block.lent, block.lent.write
        tenant = self.any_constant(m, config.tenant_width, name="any_tenant")
        image, live = self._rows(m, block, tenant)
        peak = self.any_constant(m, config.rate_width, name="any_peak")
        m.d.comb += Assume(image.peak_rate == peak)

        # The rate written last, and the one that was when the present set was applied.
        following, present = Signal(config.rate_width), Signal(config.rate_width)
        follows, counts = Signal(), Signal()
        with m.If(write.valid & (write.channel == 1) & (write.tenant == tenant)):
            m.d.sync += [following.eq(write.rate), follows.eq(1)]
        with m.If(lent.apply):
            m.d.sync += [present.eq(following), counts.eq(follows), follows.eq(0)]
        # The lender writes none in the clock in which it is done.
        m.d.comb += [
            Assume(implies(lent.apply, ~write.valid)),
            Assert(implies(~lent.holds, live.committed_rate == image.committed_rate)),
            Assert(implies(~lent.holds, live.peak_rate == image.peak_rate)),
            Assert(implies(lent.holds & counts, live.committed_rate == present)),
            Assert(
                implies(lent.holds & counts, live.peak_rate == Mux(present > peak, present, peak))
            ),
            Cover(lent.holds & counts & (present > peak) & (present != image.committed_rate)),
            *self._invariant(m, inside, tenant, peak, (following, follows), (present, counts)),
        ]
        return m

    def _rows(self, m: Module, block: InForce, tenant: Value):
        """Rates of the tenant by the image, and in force."""
        return block.image.tenants[tenant], block.live.tenants[tenant]

    def _invariant(self, m, inside, tenant, peak, following, present):
        each = range(self.config.tenants)
        width = self.config.rate_width
        found = []
        for name, (rate, known) in (("following", following), ("present", present)):
            kept = Array(self.look(f"{name}_{i}", width) for i in each)[tenant]
            above = Array(self.look(f"{name}_above_{i}", 1) for i in each)[tenant]
            found += self.invariant(implies(known, (kept == rate) & (above == (rate > peak))))
        return found


class CompactHarness(InForceHarness):
    """The same in a compact channel."""

    def _rows(self, m, block, tenant):
        m.d.comb += Assume(block.contracts.buckets.tenant == tenant)
        return block.image_reads.buckets.row, block.contracts.buckets.row

    def _invariant(self, m, inside, tenant, peak, following, present):
        page = self.look("page", 1)
        found = []
        for half, (rate, known) in ((~page, following), (page, present)):
            port = inside.submodules.rates.read_port(domain="comb")
            m.d.comb += port.addr.eq(Cat(tenant, half))
            found += self.invariant(implies(known, port.data == rate))
        return found


def _in_force(name: str, harness: type[Harness], config: ChannelConfig, bug: tuple[str, str]):
    text, instead = bug
    return Property(
        name=f"in_force.{name}",
        claim=(
            "A channel sees the image, or for each tenant the rate that was written last before "
            "the present set was applied; its peak rate is at least that."
        ),
        block=f"{IN_FORCE}.InForce",
        config=config,
        harness=harness,
        method=Method.INDUCTION,
        depth=1,
        bug=Bug(module=IN_FORCE, text=text, instead=instead),
        reach=8,
    )


PROPERTIES = (
    Property(
        name="demand.keeps",
        claim=(
            "A pair whose bucket is not rested keeps its base rate; what any pair keeps and lends "
            "adds up to its base rate."
        ),
        block=f"{DEMAND}.Demand",
        config=LINE,
        harness=DemandHarness,
        method=Method.INDUCTION,
        depth=JUDGING + 1,
        bug=Bug(
            module=DEMAND,
            text="with m.Elif(~rested[1] & (total < base)):",
            instead="with m.Elif(rested[1] & (total < base)):",
        ),
        reach=JUDGING + 2,
    ),
    Property(
        name="coordinator.applies",
        claim=(
            "Rates are applied only by a walk whose first look no commit follows, and are in force "
            "only until the next commit or until the coordinator is switched off."
        ),
        block=f"{COORDINATOR}.Coordinator",
        config=LINE,
        harness=CoordinatorHarness,
        method=Method.INDUCTION,
        depth=1,
        bug=Bug(
            module=COORDINATOR,
            text="m.d.sync += [outdated.eq(1), unsettled.eq(self.settling)]",
            instead="m.d.sync += unsettled.eq(self.settling)",
        ),
        reach=90,
        skip=80,
    ),
    _in_force(
        "line_rate",
        InForceHarness,
        LINE,
        (
            "m.d.sync += [present.eq(following), present_above.eq(following_above)]",
            "m.d.sync += [present.eq(write.rate), present_above.eq(following_above)]",
        ),
    ),
    _in_force(
        "compact",
        CompactHarness,
        COMPACT,
        (
            "write.addr.eq(Cat(lent.write.tenant, ~page))",
            "write.addr.eq(Cat(lent.write.tenant, page))",
        ),
    ),
)
