# amaranth: UnusedElaboratable=no
"""The monitor against a list of counts that is handed over at the end of every epoch."""

import random
from collections import Counter

import pytest

from mcos_hw.channel.monitor import Monitor, monitor_windows
from mcos_hw.channel.probe import NO_CLASS
from mcos_hw.channel.slots import slot_entry_layout
from mcos_hw.config import ChannelConfig
from mcos_hw.registers import GRANT_KINDS, LATENCY_BINS, GrantClass, channel_map
from tests.hw.channel.bench import members, simulate

CONFIG = ChannelConfig(tenants=4, queue_depth=4, stamp_width=17)
STAMPS = 1 << CONFIG.stamp_width
WINDOWS = monitor_windows(CONFIG)
ENTRY = dict.fromkeys(slot_entry_layout(CONFIG).members, 0)


class Model:
    """What every window reads as, epoch by epoch."""

    def __init__(self):
        self.running = Counter()
        self.latched = Counter()
        self.epoch = 0
        self.elapsed = 0

    def word(self, name, index, counts):
        word = self.latched[name, index]
        return counts[index] | word << 8 if name == "queue" else word

    def clock(self, inputs):
        running = self.running
        for i, (count, code) in enumerate(
            zip(inputs["counts"], inputs["class_codes"], strict=True)
        ):
            running["held", i] += count > 0 and code == NO_CLASS
            running["queue", i] = max(running["queue", i], count)
        running["busy"] += inputs["busy"]
        if inputs["grant"]:
            tenant = inputs["grant_tenant"]
            kind = GRANT_KINDS * tenant + 4 * inputs["grant_op"] + inputs["grant_class"]
            running["grant_requests", kind] += 1
            running["grant_bytes", kind] += inputs["grant_beats"] * CONFIG.beat_bytes
            running["promotions", tenant] += inputs["promoted"]
        if inputs["served"]:
            tenant = inputs["served_entry"]["tenant"]
            latency = (inputs["now"] - inputs["served_entry"]["offered"]) % STAMPS
            objective = inputs["objectives"][tenant]
            latency_bin = min(max(latency.bit_length() - 1, 0), LATENCY_BINS - 1)
            running["responses", tenant] += 1
            running["slo_violations", tenant] += objective > 0 and latency > objective
            running["latency", LATENCY_BINS * tenant + latency_bin] += 1
        self.elapsed += 1
        if inputs["epoch_clocks"] and self.elapsed >= inputs["epoch_clocks"]:
            self.latched, self.running = running, Counter()
            self.epoch += 1
            self.elapsed = 0


def test_signature():
    widths = members(Monitor(CONFIG))
    assert widths["in"]["served_entry"] == slot_entry_layout(CONFIG).size
    assert widths["out"].pop("epoch") == 32
    assert widths["out"].pop("busy_clocks") == 32
    assert set(widths["out"]) == {f"{name}.data" for name in WINDOWS}
    for name, count in WINDOWS.items():
        assert widths["in"][f"{name}.index"] == (count - 1).bit_length()


@pytest.mark.parametrize("config", [CONFIG, ChannelConfig()])
def test_every_window_is_a_register_array_of_the_map(config):
    registers = channel_map(config)
    for name, count in monitor_windows(config).items():
        assert registers[name.upper()].count == count


@pytest.mark.parametrize("seed", [1, 2])
def test_random_events(seed):
    rng = random.Random(seed)
    model = Model()
    nonzero = Counter()

    def random_inputs(clock, settings):
        counts = [rng.choice((0, 0, 1, 3, CONFIG.queue_depth)) for _ in range(CONFIG.tenants)]
        latency = rng.getrandbits(rng.randint(1, CONFIG.stamp_width))
        now = clock * 77 % STAMPS
        return settings | {
            "now": now,
            "counts": counts,
            "class_codes": [rng.choice((*GrantClass, NO_CLASS)) for _ in counts],
            "busy": rng.getrandbits(1),
            "grant": rng.getrandbits(1),
            "grant_tenant": rng.randrange(CONFIG.tenants),
            "grant_op": rng.getrandbits(1),
            "grant_class": rng.choice(tuple(GrantClass)),
            "grant_beats": rng.randint(1, CONFIG.max_beats),
            "promoted": rng.getrandbits(1),
            "served": rng.getrandbits(1),
            "served_entry": ENTRY
            | {"tenant": rng.randrange(CONFIG.tenants), "offered": (now - latency) % STAMPS},
        }

    async def testbench(bench):
        expected = dict.fromkeys(WINDOWS, 0)
        settings = {}
        for clock in range(2400):
            if clock % 400 == 0:
                objectives = [rng.choice((0, 10, 500)) for _ in range(CONFIG.tenants)]
                settings = {"objectives": objectives, "epoch_clocks": rng.choice((1, 60, 61, 150))}
            inputs = random_inputs(clock, settings)
            bench.set(**inputs)
            assert bench.get("epoch") == model.epoch
            assert bench.get("busy_clocks") == model.latched["busy"]
            for name, word in expected.items():
                assert bench.get(f"{name}.data") == word, (name, clock)
                nonzero[name] += word > 0
            indices = {name: rng.randrange(count) for name, count in WINDOWS.items()}
            bench.set(**{f"{name}.index": index for name, index in indices.items()})
            expected = {
                name: model.word(name, index, inputs["counts"]) for name, index in indices.items()
            }
            model.clock(inputs)
            await bench.tick()

    simulate(Monitor(CONFIG), testbench)
    assert model.epoch > 5
    assert all(nonzero[name] > 100 for name in WINDOWS), nonzero


def test_a_bin_holds_the_latencies_of_one_power_of_two():
    """Both ends of every bin; an epoch is one clock, read in the next."""
    lowest = [(0, 0), *((2**b, b) for b in range(LATENCY_BINS))]
    highest = [(2**b - 1, b - 1) for b in range(1, LATENCY_BINS)]
    longest = (STAMPS - 1, LATENCY_BINS - 1)

    async def testbench(bench):
        bench.set(epoch_clocks=1, now=5)
        for latency, latency_bin in (*lowest, *highest, longest):
            entry = ENTRY | {"tenant": 1, "offered": (5 - latency) % STAMPS}
            bench.set(served=1, served_entry=entry)
            await bench.tick()
            bench.set(**{"served": 0, "latency.index": LATENCY_BINS + latency_bin})
            await bench.tick()
            assert bench.get("latency.data") == 1, latency

    simulate(Monitor(CONFIG), testbench)


@pytest.mark.parametrize(
    ("objective", "latency", "violations"),
    [(100, 100, 0), (100, 101, 1), (1, 2, 1), (0, 101, 0), (0, STAMPS - 1, 0)],
)
def test_a_response_violates_its_objective_only_beyond_it(objective, latency, violations):
    async def testbench(bench):
        entry = ENTRY | {"tenant": 3, "offered": -latency % STAMPS}
        bench.set(epoch_clocks=1, served=1, served_entry=entry, objectives=[1, 1, 1, objective])
        await bench.tick()
        bench.set(**{"served": 0, "slo_violations.index": 3, "responses.index": 3})
        bench.set(epoch_clocks=0)
        await bench.tick()
        assert bench.get("responses.data") == 1
        assert bench.get("slo_violations.data") == violations

    simulate(Monitor(CONFIG), testbench)


@pytest.mark.parametrize("clocks", [1, 2, 37])
def test_an_epoch_ends_after_its_clocks(clocks):
    async def testbench(bench):
        bench.set(epoch_clocks=clocks, busy=1)
        for clock in range(4 * clocks):
            assert bench.get("epoch") == clock // clocks
            assert bench.get("busy_clocks") == (clocks if clock >= clocks else 0)
            await bench.tick()

    simulate(Monitor(CONFIG), testbench)


def test_an_epoch_of_0_clocks_does_not_end_and_a_shorter_one_ends_at_once():
    async def testbench(bench):
        bench.set(epoch_clocks=0, busy=1)
        await bench.tick(100)
        assert bench.get("epoch") == 0
        bench.set(epoch_clocks=50)
        await bench.tick()
        assert bench.get("epoch") == 1
        assert bench.get("busy_clocks") == 101

    simulate(Monitor(CONFIG), testbench)


def test_the_epochs_number_goes_on_across_a_reset():
    async def testbench(bench):
        bench.set(epoch_clocks=10, grant=1, grant_beats=1)
        await bench.tick(30)
        bench.set(grant=0)
        await bench.reset()
        assert bench.get("epoch") == 3
        await bench.tick(20)
        assert bench.get("epoch") == 5
        await bench.tick()
        assert bench.get("grant_requests.data") == 0

    simulate(Monitor(CONFIG), testbench)
