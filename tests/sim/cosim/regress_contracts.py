"""What contracts promise, on the RTL: counters, buckets, shares, work conservation, age.

Run by ``test_controller`` with the MCOS arbiter.
"""

import collections
import itertools
from fractions import Fraction

import cocotb

from mcos_hw.config import ChannelConfig
from mcos_hw.link.classes import NO_CLASS
from mcos_hw.registers import GRANT_KINDS, LATENCY_BINS, GrantClass
from mcos_policy.quantize import peak_rate
from mcos_policy.settings import Settings
from mcos_sim.cosim.run_tests import parameters
from mcos_sim.waves.signals import PortEvents, Sampler
from tests.sim.cosim.recipes import Bench, contract, image, make_bench, sizes, stream
from tests.sim.cosim.verdicts import bytes_granted, grants

EPOCH = 6_000
"""Clocks of an epoch: more than loading an image or reading all counters takes."""

LATENCY_SLO = 400

GUARANTEED_ONLY = {"work_conserving": 0, "committed_depth": 2_048, "peak_depth": 2_048}


def counts_at_the_ports(
    bench: Bench, settings: Settings, clocks: range
) -> dict[str, collections.Counter]:
    """What requesters and memory saw, as the monitor's registers count it in ``clocks``.

    A grant counts one clock later, a response three. Grants are counted by tag and direction only.
    """
    counts: dict[str, collections.Counter] = collections.defaultdict(collections.Counter)
    for asked, seen in zip(bench.scenario.streams, bench.tenants, strict=True):
        tag, ops = asked.tag, asked.requests["op"].tolist()
        objective = settings.tenants[tag].latency_slo
        for position, clock in enumerate(seen.granted.tolist()):
            if clock + 1 in clocks:
                counts["GRANT_REQUESTS"][tag, ops[position]] += 1
                counts["GRANT_BYTES"][tag, ops[position]] += int(seen.sizes[position])
        for offered, answered in zip(seen.offered.tolist(), seen.completed.tolist(), strict=True):
            if answered + 3 in clocks:
                latency = answered - offered
                latency_bin = min(latency.bit_length() - 1, LATENCY_BINS - 1)
                counts["RESPONSES"][tag] += 1
                counts["SLO_VIOLATIONS"][tag] += 0 < objective < latency
                counts["LATENCY"][LATENCY_BINS * tag + latency_bin] += 1
    return counts


class ProbeCounts:
    """The counters of an epoch, made from the channel's probe.

    Parameters
    ----------
    dut
        Harness.
    config : ChannelConfig
        Sizes.
    bench : Bench
        Knows the direction of each request, which the probe does not show.
    clocks : range
        The epoch.
    """

    def __init__(self, dut, config: ChannelConfig, bench: Bench, clocks: range) -> None:
        self._dut = dut
        self._clocks = clocks
        self._config = config
        self._sampler = Sampler(config, {tag: str(tag) for tag in range(config.tenants)})
        self._ops = {s.tag: iter(s.requests["op"].tolist()) for s in bench.scenario.streams}
        self._bench = bench
        self._started = False
        self.counts: dict[str, collections.Counter] = collections.defaultdict(collections.Counter)

    def on_clock(self, clock: int, observed: int, driven: int) -> None:
        """Counts one clock."""
        if not self._started:
            self._started = True
            for tag, granted in self._bench.granted.items():
                self._ops[tag] = itertools.islice(self._ops[tag], len(granted), None)
        sample = self._sampler.unpack(clock, int(self._dut.probe.value), PortEvents())
        channel, counts = sample.channel, self.counts
        if clock in self._clocks:
            counts["BUSY"][0] += bool(channel["in_flight"] or channel["debt"])
            for tag, tenant in enumerate(sample.tenants):
                counts["PEAK"][tag] = max(counts["PEAK"][tag], tenant["queued"])
        # These count one clock later.
        if clock + 1 not in self._clocks:
            return
        for tag, tenant in enumerate(sample.tenants):
            counts["HELD"][tag] += bool(tenant["present"] and tenant["class_code"] == NO_CLASS)
        if channel["granted"]:
            tag = channel["tenant"]
            grant_class = channel["granted_class"]
            index = GRANT_KINDS * tag + 4 * next(self._ops[tag]) + grant_class
            counts["CLASSES"][grant_class] += 1
            counts["GRANT_REQUESTS"][index] += 1
            counts["GRANT_BYTES"][index] += channel["beats"] * self._config.beat_bytes
            counts["PROMOTIONS"][tag] += channel["promoted"]


@cocotb.test()
async def the_monitor_counts_what_happens(dut):
    config = sizes()
    unit = 1 << config.rate_fraction
    shallow = {"committed_depth": config.l_max, "peak_depth": config.l_max}
    settings = contract(
        config,
        {0: 4, 1: 2, 2: 24, 3: 4, 4: 1, 5: 1},
        channel={"epoch_clocks": EPOCH},
        tenants={
            0: shallow | {"work_conserving": 0, "peak_rate": 5 * unit},
            1: {"peak_rate": 12 * unit, "peak_depth": 4_096},
            2: {"peak_rate": 30 * unit, "peak_depth": 65_536},
            3: {"latency_slo": LATENCY_SLO},
            4: shallow | {"committed_rate": unit // 16, "peak_rate": unit // 8, "age_limit": 100},
            5: {"latency_slo": LATENCY_SLO},
        },
    )
    bench = make_bench(
        dut,
        *(stream(tag, requests=2_000, ready=EPOCH - 400) for tag in range(3)),
        stream(3, requests=2_000, window=4, closed=True, steps=200, compute=40),
        stream(4, requests=2_000, beats=(1, 2)),
        stream(5, requests=1_000, window=32),
        seed=200,
    )
    await bench.reset()
    epochs = await bench.registers.read("EPOCH")
    await bench.load(image(config, settings).words)
    clocks = range(EPOCH, 2 * EPOCH)
    probed = ProbeCounts(dut, config, bench, clocks)
    watched = range(clocks.start - 1, clocks.stop)
    await bench.run(clocks.stop + 5, on_clock=probed.on_clock, watch=watched)
    read = {
        name: await bench.registers.read_array(name)
        for name in (
            "BUSY",
            "QUEUE",
            "HELD",
            "PROMOTIONS",
            "RESPONSES",
            "SLO_VIOLATIONS",
            "GRANT_REQUESTS",
            "GRANT_BYTES",
            "LATENCY",
        )
    }
    assert await bench.registers.read("EPOCH") == epochs + 2

    seen = counts_at_the_ports(bench, settings, clocks)
    for name in ("GRANT_REQUESTS", "GRANT_BYTES"):
        for tag, op in itertools.product(range(config.tenants), range(2)):
            first = GRANT_KINDS * tag + 4 * op
            assert sum(read[name][first : first + 4]) == seen[name][tag, op], (name, tag, op)
    for name in ("RESPONSES", "SLO_VIOLATIONS", "LATENCY"):
        assert read[name] == [seen[name][index] for index in range(len(read[name]))], name
    for name in ("BUSY", "HELD", "PROMOTIONS", "GRANT_REQUESTS", "GRANT_BYTES"):
        assert read[name] == [probed.counts[name][index] for index in range(len(read[name]))], name
    peaks = [bench.registers.map["QUEUE"].unpack(word)["peak"] for word in read["QUEUE"]]
    assert peaks == [probed.counts["PEAK"][tag] for tag in range(config.tenants)]

    # Nothing was equal because nothing happened.
    assert min(probed.counts["CLASSES"][grant_class] for grant_class in GrantClass) > 20
    assert min(read["HELD"][0], read["PROMOTIONS"][4], read["SLO_VIOLATIONS"][5]) > 10
    assert read["SLO_VIOLATIONS"][3] < read["RESPONSES"][3]
    assert max(peaks) == config.queue_depth
    assert 0.9 * EPOCH < read["BUSY"][0] <= EPOCH


@cocotb.test()
async def an_answer_at_the_objective_is_in_time(dut):
    config = sizes()
    clocks = range(2_000, 4_000)
    objective = 0
    for _ in range(2):  # the first run tells which latencies the second will see
        settings = contract(
            config,
            {2: 8},
            channel={"epoch_clocks": len(clocks)},
            tenants={2: {"latency_slo": objective}},
        )
        bench = make_bench(dut, stream(2, requests=1_000, window=6), seed=205)
        await bench.reset()
        await bench.load(image(config, settings).words)
        await bench.run(clocks.stop + 5)
        seen = counts_at_the_ports(bench, settings, clocks)
        late = await bench.registers.read_array("SLO_VIOLATIONS")
        assert late[2] == seen["SLO_VIOLATIONS"][2]
        (tenant,) = bench.tenants
        latencies = sorted(
            answered - offered
            for offered, answered in zip(
                tenant.offered.tolist(), tenant.completed.tolist(), strict=True
            )
            if answered in clocks
        )
        assert objective in (0, *latencies)
        objective = latencies[len(latencies) // 2]
    assert 0 < late[2] < len(latencies)


@cocotb.test()
async def buckets_give_their_rate_and_not_more(dut):
    """A lone backlogged tenant, covered by its buckets only.

    Until clock t a bucket of rate R and depth D has let through at most R t + D, and, while its
    tenant waits for tokens, all but less than the longest request of it.
    """
    config = sizes()
    clocks = 20_000
    third = Fraction(1, 3)
    for committed, peak in ((3, 3), (7 + third, 7 + third), (20, 20), (2, 5), (4, 31 + third)):
        settings = contract(
            config,
            {1: committed},
            tenants={1: GUARANTEED_ONLY | {"peak_rate": peak_rate(Fraction(peak), config)}},
        )
        tenant = settings.tenants[1]
        bench = make_bench(dut, stream(1, requests=4_000), seed=210)
        await bench.reset()
        await bench.load(image(config, settings).words)
        await bench.run(clocks)

        (seen,) = bench.tenants
        granted, sent = seen.granted.tolist(), seen.sizes.tolist()
        total = sum(sent[: len(granted)])
        rate = tenant.peak_rate / (1 << config.rate_fraction)
        # A conforming grant is never refused for lack of peak tokens, so these may owe l_max.
        depth = tenant.peak_depth + (config.l_max if peak > committed else 0)
        _require_regulated(granted, sent, rate, depth)
        elapsed = granted[-1] - granted[0]
        assert total >= tenant.peak_depth + rate * elapsed - config.l_max - rate
        assert total >= 0.99 * rate * elapsed


def _require_regulated(granted: list[int], sizes: list[int], rate: float, depth: int) -> None:
    """Between any two grants, both included, at most ``depth`` and ``rate`` times the clocks."""
    total, least = 0, None
    for clock, size in zip(granted, sizes, strict=False):
        before = total - rate * clock
        least = before if least is None else min(least, before)
        total += size
        assert total - rate * clock - least <= depth, f"over the contract in clock {clock}"


@cocotb.test()
async def backlogged_tenants_share_by_weight(dut):
    config = sizes()
    weights = {0: 1, 1: 1, 2: 2, 5: 2, 6: 3, 9: 4, 12: 5, 15: 6}
    total_weight = sum(weights.values())
    bench = make_bench(
        dut, *(stream(tag, requests=12_000, beats=(2, 4)) for tag in weights), seed=220
    )
    await bench.reset()
    settings = contract(
        config,
        {tag: 2 * weight for tag, weight in weights.items()},
        tenants={
            tag: {"committed_depth": 512 * weight, "peak_depth": 4_096 * weight}
            for tag, weight in weights.items()
        },
    )
    await bench.load(image(config, settings).words)
    first = bench.clock + 1_000
    while bench.grants < 21_000:
        assert bench.clock < 60_000
        await bench.run(bench.clock + 1_000)
    assert all(bench.pending.values()), "all must stay backlogged"
    got = bytes_granted(bench, first, bench.clock)
    total = sum(got.values())
    errors = {tag: got[tag] / total * total_weight / weights[tag] - 1 for tag in weights}
    worst = max(map(abs, errors.values()))
    dut._log.info("largest share error %.4f %%", 100 * worst)
    assert sum(clock >= first for clock, _, _ in grants(bench)) >= 20_000
    assert worst <= 0.01
    if not parameters()["paused"]:
        assert total >= 0.99 * config.bytes_per_clock * (bench.clock - first)


@cocotb.test()
async def whoever_has_work_gets_what_others_leave(dut):
    """Decoders that come and go beside a prefill that always has work and little promised."""
    config = sizes()
    clocks = 16_000
    settings = contract(
        config,
        {0: 2, 1: 16, 2: 16, 3: 16},
        tenants={0: {"committed_depth": 512, "peak_depth": 512, "peak_rate": 4 << 16}},
    )
    bench = make_bench(
        dut,
        stream(0, requests=8_000, window=200, beats=(8, 16)),
        *(
            stream(tag, requests=3_000, window=16, steps=6, ready=3_000, every=2_000)
            for tag in (1, 2, 3)
        ),
        seed=230,
    )
    await bench.reset()
    await bench.load(image(config, settings).words)
    sampler = Sampler(config, {tag: str(tag) for tag in range(config.tenants)})
    idle_slots = []

    def watch(clock: int, observed: int, driven: int) -> None:
        sample = sampler.unpack(clock, int(dut.probe.value), PortEvents())
        serviceable = any(tenant["serviceable"] for tenant in sample.tenants)
        if serviceable and sample.channel["open"] and not sample.channel["granted"]:
            idle_slots.append(clock)

    first = bench.clock + 100
    await bench.run(clocks, on_clock=watch, watch=range(4_000, 6_000))
    got = bytes_granted(bench, first, clocks)
    alone = bytes_granted(bench, first, 3_000)
    assert bench.pending[0], "the prefill must always have work"
    assert alone[0] == sum(alone.values()) > 0
    assert min(got[tag] for tag in (1, 2, 3)) > 50_000
    assert idle_slots == []
    if not parameters()["paused"]:
        available = config.bytes_per_clock
        assert alone[0] >= 0.99 * available * (3_000 - first)
        assert sum(got.values()) >= 0.99 * available * (clocks - first)


@cocotb.test()
async def age_promotes_within_its_limit(dut):
    """Three tenants without tokens beside one whose peak bucket covers the whole channel.

    Three intervals last longer than the limit, so somebody is always over age and promotions are
    an interval apart; the last of three waits for at most three intervals.
    """
    config = sizes()
    interval, limit, starved = 24, 200, (1, 2, 3)
    poor = {
        "committed_rate": 1,
        "committed_depth": config.l_max,
        "peak_rate": 1,
        "peak_depth": config.l_max,
    }
    rich = {"peak_depth": 1 << 24, "committed_depth": 1 << 16}
    for age_limit in (limit, 0):
        settings = contract(
            config,
            {0: 40, **dict.fromkeys(starved, 1)},
            channel={"promotion_interval": interval, "epoch_clocks": EPOCH},
            tenants={0: rich} | dict.fromkeys(starved, poor | {"age_limit": age_limit}),
        )
        bench = make_bench(
            dut,
            stream(0, requests=8_000, window=200, beats=(4, 8)),
            *(stream(tag, requests=400, beats=(16, 16)) for tag in starved),
            seed=240,
        )
        await bench.reset()
        await bench.load(image(config, settings).words)
        await bench.run(2 * EPOCH + 5)
        promotions = await bench.registers.read_array("PROMOTIONS")
        waited = [bench.granted[tag] for tag in starved]
        if age_limit == 0:
            assert not any(promotions)
            assert [len(clocks) for clocks in waited] == [1, 1, 1]  # what the full bucket covered
            continue

        order = grants(bench)
        clocks = [clock for clock, _, _ in order]
        promoted = [place for place, (_, tag, position) in enumerate(order) if tag and position]
        assert min(after - before for before, after in itertools.pairwise(promoted)) == interval
        for tag in starved:
            for before, after in itertools.pairwise(bench.granted[tag]):
                over_age = before + 1 + limit
                assert after >= over_age
                others = sum(over_age <= clock < after for clock in clocks)
                assert others <= interval * len(starved), (tag, before, after)
        counted = [sum(EPOCH <= clock < 2 * EPOCH for clock in each) for each in waited]
        assert promotions[1:4] == counted
        assert min(counted) > 15
