# amaranth: UnusedElaboratable=no
"""The coordinator against its rule as the model has it, bit by bit, in random scenarios."""

import random

import numpy as np
import pytest

from mcos_hw.config import ChannelConfig, FabricConfig
from mcos_hw.fabric.coordinator import Coordinator
from tests.hw.channel.bench import boundary, simulate
from tests.hw.fabric.lending import Coordinated, Reference, fabric

TENANTS = 4


class Image:
    """Random rates that a fabric can keep, some tenants without any."""

    def __init__(self, rng, fabric, load):
        config = fabric.channel
        whole = config.bytes_per_clock << config.rate_fraction
        self.paced = [
            rng.choice((whole, whole, rng.randint(whole // 2, whole)))
            for _ in range(fabric.channels)
        ]
        parts = [rng.choice((0, 1, 2, 5)) * rng.random() for _ in range(TENANTS)]
        most = min(self.paced) * 85 // 100
        total = sum(parts) or 1
        self.base = np.array([int(load * most * part / total) for part in parts])
        depths = [rng.choice((config.l_max, 4 * config.l_max, 1 << 20)) for _ in range(TENANTS)]
        self.depth = np.where(self.base > 0, depths, 0)
        self.peak = [int(rate * rng.choice((1, 1.5, 4))) for rate in self.base]

    def tenants(self):
        return [
            {"committed_rate": rate, "committed_depth": depth, "peak_rate": peak}
            for rate, depth, peak in zip(self.base, self.depth, self.peak, strict=True)
        ]


class Traffic:
    """What a channel shows: each pair idle, busy or short for some intervals."""

    def __init__(self, rng, fabric, image, clocks):
        self.rng, self.fabric, self.image, self.clocks = rng, fabric, image, clocks
        self.charged = [None] * fabric.channels
        self.change()

    def change(self):
        rng, config, channels = self.rng, self.fabric.channel, range(self.fabric.channels)
        shape = (len(channels), TENANTS)
        self.levels, self.short = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
        self.chances = np.zeros(shape)
        for c in channels:
            for i in range(TENANTS):
                base, depth = int(self.image.base[i]), int(self.image.depth[i])
                reserve = (base << 1) * self.clocks >> config.rate_fraction
                self.levels[c, i] = rng.choice(
                    (0, reserve, max(0, reserve - 1), depth, max(0, depth - config.l_max - 1),
                     max(0, depth - config.l_max))
                )  # fmt: skip
                self.short[c, i] = rng.random() < 0.4
                beats = base / (1 << config.rate_fraction) / config.beat_bytes
                self.chances[c, i] = beats / 8 * rng.choice((0, 0, 0.3, 0.95, 1.0, 2.0))

    def clock(self):
        """The grants of a clock: of each channel a tenant and beats, or None."""
        for c in range(self.fabric.channels):
            self.charged[c] = None
            i = self.rng.randrange(TENANTS)
            if self.rng.random() < self.chances[c, i] * TENANTS:
                self.charged[c] = (i, self.rng.randint(1, self.fabric.channel.max_beats))

    def show(self, bench):
        for c, charged in enumerate(self.charged):
            i, beats = charged or (0, 1)
            bench.set(
                **{
                    f"usage.{c}.charged": {
                        "valid": charged is not None,
                        "tenant": i,
                        "beats": beats,
                    }
                }
            )

    def show_levels(self, bench):
        for c in range(self.fabric.channels):
            bits = sum(int(short) << i for i, short in enumerate(self.short[c]))
            bench.set(**{f"usage.{c}.short": bits, f"usage.{c}.levels": self.levels[c].tolist()})


def test_signature():
    assert boundary(Coordinator(fabric(2))) == {
        "in": {"enable", "interval", "generation", "paced_rates"},
        "out": {"contract", "sightings", "lent"},
    }


def test_one_channel_has_nothing_to_coordinate():
    alone = FabricConfig.around(ChannelConfig(tenants=4, stamp_width=16))
    with pytest.raises(ValueError, match=r"^channels must be at least 2 to coordinate, not 1$"):
        Coordinator(alone)


class Watch:
    """What is in force in every clock, beside what should be."""

    def __init__(self, bench, sizes, interval):
        self.bench = bench
        self.reference = Reference(sizes, interval)
        self.channels = sizes.channels
        self.expected = self.following = None
        self.in_force = False
        self.spoilt = False
        self.moved = []

    def commit(self):
        self.in_force, self.spoilt = False, True

    def clock(self, image, traffic):
        """Compare, and learn what this clock changes."""
        get = self.bench.get
        counts, tenant = get("counts"), get("tenant")
        rates = np.array(get("rates"))
        assert get("holds") == self.in_force
        assert (rates == (self.expected if self.in_force else image.base)).all()
        assert (rates.sum(axis=0) == self.channels * image.base).all()
        assert (rates.sum(axis=1) <= self.reference.limits(image.paced)).all()
        lent = rates if self.in_force else 0
        assert (np.array(get("peaks")) == np.maximum(lent, image.peak)).all()
        self.reference.clock(counts, tenant, traffic.charged, traffic.short, traffic.levels)
        if counts & 1 and tenant == 0:
            self.spoilt = False
        if counts >> (self.channels - 1) and tenant == TENANTS - 1:
            self.following = self.reference.rates(image.base, image.depth, image.paced)
        if get("apply"):
            assert not self.spoilt
            self.expected, self.in_force = self.following, True
            self.moved.append(np.abs(self.expected - image.base).max() > 0)


@pytest.mark.parametrize(
    ("channels", "interval", "walks", "seed"), [(2, 7, 40, 1), (8, 8, 14, 2)], ids=["2", "8"]
)
def test_rates_are_those_of_the_model(channels, interval, walks, seed):
    """In every clock they add up and are within the limits, whatever commits change."""
    rng = random.Random(seed)
    sizes = fabric(channels)
    clocks = 1 << interval

    async def testbench(bench):
        watch = Watch(bench, sizes, interval)
        image = Image(rng, sizes, 0.9)
        traffic = Traffic(rng, sizes, image, clocks)
        generation, commit_at = 0, 0
        bench.set(enable=1, interval=interval)
        for clock in range((walks + 3) * clocks):
            if clock == commit_at:
                image = traffic.image = Image(rng, sizes, rng.choice((0.2, 0.6, 1.0)))
                generation += 1
                bench.set(paced_rates=image.paced)
                bench.set(image={"tenants": image.tenants(), "generation": generation})
                watch.commit()
                # Every other one falls into a walk.
                commit_at += rng.randint(3, 6) * clocks
                commit_at += (rng.randrange(clocks), 30 - commit_at % clocks)[generation % 2]
            if clock == 0 or clock % clocks == clocks * 3 // 4:
                traffic.change()
                traffic.show_levels(bench)
            traffic.clock()
            traffic.show(bench)
            watch.clock(image, traffic)
            await bench.tick()
        assert watch.reference.turn >= walks
        assert sum(watch.moved) > walks // 3

    simulate(Coordinated(sizes), testbench)


def test_a_switch_takes_all_back():
    sizes = fabric(2)

    async def testbench(bench):
        tenant = {"committed_rate": 1000, "committed_depth": 4096, "peak_rate": 1000}
        bench.set(interval=6, paced_rates=[64 << 16] * 2, enable=1)
        bench.set(image={"tenants": [tenant] * TENANTS, "generation": 1})
        bench.set(**{"usage.0.levels": [4096] * TENANTS, "usage.1.short": 1})
        while not bench.get("holds"):
            await bench.tick()
        margin = 1000 >> 7
        assert [rates[0] for rates in bench.get("rates")] == [margin, 2000 - margin]
        assert [peaks[0] for peaks in bench.get("peaks")] == [1000, 2000 - margin]
        bench.set(enable=0)
        await bench.tick()
        assert not bench.get("holds")
        assert bench.get("rates") == [[1000] * TENANTS] * 2

    simulate(Coordinated(sizes), testbench)


@pytest.mark.parametrize(("early", "applies"), [(2, True), (1, False)])
def test_a_walk_before_contracts_have_settled_is_of_no_effect(early, applies):
    """A commit ``settling`` and two clocks before the first look at a pair is early enough."""
    sizes, settling, clocks = fabric(2), 9, 1 << 6

    async def testbench(bench):
        tenant = {"committed_rate": 1000, "committed_depth": 4096, "peak_rate": 1000}
        bench.set(interval=6, paced_rates=[64 << 16] * 2, enable=1)
        bench.set(image={"tenants": [tenant] * TENANTS, "generation": 1})
        while not bench.get("counts") & 1:
            await bench.tick()
        # The walk after the next one begins two intervals later.
        await bench.tick(2 * clocks - settling - early)
        bench.set(image={"generation": 2})
        await bench.tick(settling + early)
        assert bench.get("counts") & 1
        applied = 0
        for _ in range(clocks - 1):
            applied += bench.get("apply")
            await bench.tick()
        assert applied == applies
        for _ in range(clocks):
            applied += bench.get("apply")
            await bench.tick()
        assert applied == 1 + applies

    simulate(Coordinated(sizes, settling=settling), testbench)
