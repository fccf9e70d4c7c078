# amaranth: UnusedElaboratable=no
"""The monitor against a list of counts that is handed over at the end of every epoch."""

import random
from collections import Counter, deque

import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from mcos_hw.channel.monitor import Monitor
from mcos_hw.channel.observer import Observer
from mcos_hw.config import ChannelConfig
from mcos_hw.control.epoch import EpochTimer
from mcos_hw.link.epoch import epoch_signature
from mcos_hw.link.readings import monitor_windows
from mcos_hw.link.served import slot_entry_layout
from mcos_hw.registers import GRANT_KINDS, LATENCY_BINS, GrantClass, channel_map
from tests.hw.channel.bench import boundary, simulate
from tests.hw.channel.contracts import give_settings, settings_signature

CONFIG = ChannelConfig(tenants=4, queue_depth=4)
STAMPS = 1 << CONFIG.stamp_width
WINDOWS = monitor_windows(CONFIG)
ENTRY = dict.fromkeys(slot_entry_layout(CONFIG).members, 0)
RESPONSE_STEPS = 3
"""Clocks from a response until it counts: its latency is made first."""
IN_REGISTERS = ("held", "queue")
"""Windows that show an epoch at once; the others are complete from its fourth clock on."""


class Watched(wiring.Component):
    """Observer and monitor with the epochs that a controller gives them."""

    GIVEN = ("now", "arrival", "classes", "grant", "departure", "served", "owes", "stalls")

    def __init__(self, config):
        self.observer, self.monitor = Observer(config), Monitor(config)
        observed, counted = self.observer.signature.members, self.monitor.signature.members
        super().__init__(
            {
                **{name: observed[name] for name in self.GIVEN},
                "live": In(settings_signature(config)),
                "counts": counted["counts"],
                "epoch": Out(epoch_signature()),
                "readings": counted["readings"],
                "events": observed["events"],
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.timer = timer = EpochTimer()
        m.submodules.observer = observer = self.observer
        m.submodules.monitor = monitor = self.monitor
        for name in self.GIVEN:
            given, member = getattr(self, name), getattr(observer, name)
            if hasattr(given, "signature"):
                connect(m, flipped(given), member)
            else:
                m.d.comb += member.eq(given)
        give_settings(m, self.live, reads=[observer.contract])
        connect(m, timer.epoch, monitor.epoch, flipped(self.epoch))
        connect(m, observer.events, monitor.events, flipped(self.events))
        connect(m, monitor.readings, flipped(self.readings))
        m.d.comb += [
            monitor.counts.eq(self.counts),
            timer.length.eq(self.live.channel.epoch_clocks),
        ]
        return m


NAMES = {
    "epoch_clocks": "live.channel.epoch_clocks",
    "busy": "owes",
    "stalled": "stalls",
    "waiting": "classes.held",
    "served": "served.valid",
    "served_entry": "served.entry",
}


def drive(bench, inputs):
    """Drives a clock: the grant of this clock departs in the next one."""
    inputs = dict(inputs)
    if "objectives" in inputs:
        inputs["live.tenants"] = [{"latency_slo": each} for each in inputs.pop("objectives")]
    if "outside" in inputs:
        outside = inputs.pop("outside")
        inputs["arrival.approach"] = {"tenants": outside, "outside": outside != 0}
    if "grant" in inputs:
        valid, tenant = inputs.pop("grant"), inputs.pop("grant_tenant", 0)
        code = inputs.pop("grant_class", GrantClass.CONFORMING)
        inputs["grant"] = {
            "valid": valid,
            "tenants": valid << tenant,
            "conforming": (code == GrantClass.CONFORMING) << tenant,
            "burst": (code == GrantClass.BURST) << tenant,
            "promoted": inputs.pop("promoted", 0),
        }
        request = {"tenant": tenant, "op": inputs.pop("grant_op", 0)}
        request["beats"] = inputs.pop("grant_beats", 1)
        inputs["departure"] = bench.granted
        bench.granted = {"valid": valid, "request": request}
    bench.set(**inputs)


class Model:
    """What every window reads as, epoch by epoch."""

    def __init__(self):
        self.running = Counter()
        self.latched = Counter()
        self.epoch = 0
        self.elapsed = 0
        # Whether this clock is the last one of its epoch, which is decided in the one before.
        self.last = False
        self.before = None
        self.responses = deque([None] * RESPONSE_STEPS)
        self.responded = None

    def word(self, name, index, counts):
        word = self.latched[name, index]
        return counts[index] | word << 8 if name == "queue" else word

    def clock(self, inputs):
        running = self.running
        for i, count in enumerate(inputs["counts"]):
            running["queue", i] = max(running["queue", i], count)
        running["busy"] += inputs["busy"]
        if self.before:
            self.count_before(self.before)
        if self.before and self.before["served"]:
            self.responses[-1] = self.response(self.before, inputs["objectives"])
        self.before = inputs
        self.responses.append(None)
        self.responded = self.responses.popleft()
        running.update(self.responded)
        self.elapsed += 1
        if self.last:
            self.latched, self.running = running, Counter()
            self.epoch += 1
            self.elapsed = 0
        length = inputs["epoch_clocks"]
        self.last = length > 0 and self.elapsed + 1 >= length

    def count_before(self, inputs):
        """What counts in the clock after it happens."""
        running = self.running
        for i in range(CONFIG.tenants):
            running["held", i] += inputs["waiting"] >> i & 1
        running["stalled"] += inputs["stalled"]
        if inputs["outside"]:
            running["colour_faults", inputs["outside"].bit_length() - 1] += 1
        if inputs["grant"]:
            tenant = inputs["grant_tenant"]
            kind = GRANT_KINDS * tenant + 4 * inputs["grant_op"] + inputs["grant_class"]
            running["grant_requests", kind] += 1
            running["grant_bytes", kind] += inputs["grant_beats"] * CONFIG.beat_bytes
            running["promotions", tenant] += inputs["promoted"]

    def response(self, inputs, objectives):
        """What a response adds to which counts; it meets the objective of the clock after it."""
        tenant = inputs["served_entry"]["tenant"]
        latency = (inputs["now"] - inputs["served_entry"]["offered"]) % STAMPS
        objective = objectives[tenant]
        latency_bin = min(max(latency.bit_length() - 1, 0), LATENCY_BINS - 1)
        return {
            ("responses", tenant): 1,
            ("slo_violations", tenant): objective > 0 and latency > objective,
            ("latency", LATENCY_BINS * tenant + latency_bin): 1,
        }


async def clear(bench):
    """Waits until the counters' memories are cleared after reset."""
    bench.granted = {"valid": 0}
    bench.set(epoch_clocks=0)
    await bench.tick(2 * max(WINDOWS.values()))


async def end_epoch(bench):
    """Ends the epoch that runs without end, and waits until its counts are complete."""
    drive(bench, {"served": 0, "grant": 0})
    await bench.tick()
    drive(bench, {"grant": 0})
    await bench.tick(RESPONSE_STEPS - 1)
    bench.set(epoch_clocks=1)
    await bench.tick()
    bench.set(epoch_clocks=0)
    await bench.tick(4)


async def read(bench, name, index):
    bench.set(**{f"readings.{name}.index": index})
    await bench.tick()
    return bench.get(f"readings.{name}.data")


def test_signature():
    assert boundary(Observer(CONFIG)) == {
        "in": set(Watched.GIVEN),
        "out": {"contract", "events"},
    }
    assert boundary(Monitor(CONFIG)) == {
        "in": {"epoch", "events", "counts"},
        "out": {"readings"},
    }
    readings = Monitor(CONFIG).readings.signature.members
    assert set(readings) == {"busy", "stalled", *WINDOWS}
    for name, count in WINDOWS.items():
        assert readings[name].signature.members["index"].shape == (count - 1).bit_length()


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
        latency = rng.getrandbits(rng.randint(1, rng.choice((17, CONFIG.stamp_width))))
        now = clock * 77 % STAMPS
        return settings | {
            "now": now,
            "counts": counts,
            "waiting": rng.getrandbits(CONFIG.tenants),
            "busy": rng.getrandbits(1),
            "stalled": rng.getrandbits(1),
            "outside": rng.choice((0, 1 << rng.randrange(CONFIG.tenants))),
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
        await clear(bench)
        model.elapsed = 2 * max(WINDOWS.values())
        expected = {}
        settings = {}
        for clock in range(2400):
            if clock % 400 == 0:
                objectives = [rng.choice((0, 10, 500)) for _ in range(CONFIG.tenants)]
                settings = {"objectives": objectives, "epoch_clocks": rng.choice((1, 60, 61, 150))}
            inputs = random_inputs(clock, settings)
            drive(bench, inputs)
            assert bench.get("epoch.number") == model.epoch + 1
            assert bench.get("readings.busy") == model.latched["busy"]
            assert bench.get("readings.stalled") == model.latched["stalled"]
            for name, word in expected.items():
                assert bench.get(f"readings.{name}.data") == word, (name, clock)
                nonzero[name] += word > 0
            indices = {name: rng.randrange(count) for name, count in WINDOWS.items()}
            bench.set(**{f"readings.{name}.index": index for name, index in indices.items()})
            expected = {
                name: model.word(name, index, inputs["counts"])
                for name, index in indices.items()
                if name in IN_REGISTERS or model.elapsed >= 3
            }
            model.clock(inputs)
            told = list(bench.get("events.response").values())
            counted = model.responded or {}
            assert told[0] == bool(counted)
            if counted:
                assert counted["responses", told[1]] == 1
                assert counted["latency", LATENCY_BINS * told[1] + told[2]] == 1
                assert counted["slo_violations", told[1]] == told[3]
            await bench.tick()

    simulate(Watched(CONFIG), testbench, NAMES)
    assert model.epoch > 5
    assert all(nonzero[name] > 100 for name in WINDOWS), nonzero


def test_a_bin_holds_the_latencies_of_one_power_of_two():
    """Both ends of every bin, each in an epoch of its own."""
    lowest = [(0, 0), *((2**b, b) for b in range(LATENCY_BINS))]
    highest = [(2**b - 1, b - 1) for b in range(1, LATENCY_BINS)]
    longest = [(2**b + 3, LATENCY_BINS - 1) for b in range(LATENCY_BINS, CONFIG.stamp_width)]

    async def testbench(bench):
        await clear(bench)
        bench.set(now=5)
        for latency, latency_bin in (*lowest, *highest, *longest, (STAMPS - 1, LATENCY_BINS - 1)):
            entry = ENTRY | {"tenant": 1, "offered": (5 - latency) % STAMPS}
            bench.set(served=1, served_entry=entry)
            await bench.tick()
            await end_epoch(bench)
            assert await read(bench, "latency", LATENCY_BINS + latency_bin) == 1, latency

    simulate(Watched(CONFIG), testbench, NAMES)


def test_a_response_violates_its_objective_only_beyond_it():
    """Both sides of every power of two that an objective can have, and latencies beyond all."""
    largest = (1 << CONFIG.clocks_width) - 1
    powers = [1 << b for b in range(CONFIG.clocks_width)]
    longer = [1 << b for b in range(CONFIG.stamp_width)]
    table = [
        *((objective, latency) for objective in (*powers, largest) for latency in (0, objective)),
        *((objective, objective + 1) for objective in (*powers, largest)),
        *((power - 1, power) for power in powers[1:]),
        *((100, power + 100) for power in longer),
        *((largest, power + rest) for power in longer for rest in (0, 1)),
        *((0, latency) for latency in (0, 101, STAMPS - 1)),
    ]

    async def testbench(bench):
        bench.set(served=1)
        for objective, latency in table:
            entry = ENTRY | {"tenant": 3, "offered": (7 - latency) % STAMPS}
            drive(bench, {"now": 7, "served_entry": entry, "objectives": [1, 1, 1, objective]})
            await bench.tick(RESPONSE_STEPS)
            told = bench.get("events.response")
            assert (told["tenant"], told["late"]) == (3, 0 < objective < latency), (
                objective,
                latency,
            )

    simulate(Watched(CONFIG), testbench, NAMES)


def test_what_a_memory_held_before_reset_is_never_read():
    """The first epoch after reset has the number of one that counted; its rows are not cleared."""

    async def testbench(bench):
        await clear(bench)
        drive(bench, {"grant": 1, "grant_beats": 1})
        await bench.tick()
        await end_epoch(bench)
        assert await read(bench, "grant_bytes", 0) == CONFIG.beat_bytes
        await bench.reset()
        bench.set(epoch_clocks=1)
        await bench.tick(2)
        bench.set(epoch_clocks=0)
        assert bench.get("epoch.number") == 2
        index = WINDOWS["grant_bytes"] - 1
        for _ in range(2 * WINDOWS["grant_bytes"]):
            assert await read(bench, "grant_bytes", 0) == 0
            assert await read(bench, "grant_bytes", index) == 0

    simulate(Watched(CONFIG), testbench, NAMES)


@pytest.mark.parametrize("clocks", [1, 2, 37])
def test_an_epoch_ends_after_its_clocks(clocks):
    async def testbench(bench):
        # The length counts from the clock after its commit on.
        bench.set(epoch_clocks=clocks, busy=1)
        while bench.get("epoch.number") == 1:
            await bench.tick()
        for clock in range(clocks, 4 * clocks):
            assert bench.get("epoch.number") == clock // clocks + 1
            assert bench.get("readings.busy") == clocks or clock < 2 * clocks
            await bench.tick()

    simulate(Watched(CONFIG), testbench, NAMES)


def test_an_epoch_of_0_clocks_does_not_end_and_a_shorter_one_ends_at_once():
    async def testbench(bench):
        bench.set(epoch_clocks=0, busy=1)
        await bench.tick(100)
        assert bench.get("epoch.number") == 1
        bench.set(epoch_clocks=50)
        await bench.tick()
        assert bench.get("epoch.number") == 1
        await bench.tick()
        assert bench.get("epoch.number") == 2
        assert bench.get("readings.busy") == 102

    simulate(Watched(CONFIG), testbench, NAMES)


def test_reset_clears_everything():
    """Every counter counts in two epochs, so that both banks of the memories have something."""
    grant = {"grant": 1, "grant_beats": 1, "promoted": 1}
    served = {"served": 1, "served_entry": ENTRY | {"offered": STAMPS - 4}, "objectives": [1] * 4}
    waiting = {"counts": [1] * 4, "waiting": 0b1111, "busy": 1, "stalled": 1, "outside": 1}
    latency_bin = {"latency": 2}

    async def testbench(bench):
        await clear(bench)
        for _ in range(2):
            for _ in range(3):
                drive(bench, grant | served | waiting)
                await bench.tick()
            await end_epoch(bench)
        assert all([await read(bench, name, latency_bin.get(name, 0)) for name in WINDOWS])
        drive(bench, {"counts": [0] * 4, "waiting": 0, "busy": 0, "stalled": 0, "outside": 0})
        await bench.reset()
        await clear(bench)
        for epoch in range(4):
            assert bench.get("epoch.number") == epoch + 1
            assert bench.get("readings.busy") == bench.get("readings.stalled") == 0
            for name, count in WINDOWS.items():
                words = [await read(bench, name, index) for index in range(count)]
                assert words == [0] * count, name
            await end_epoch(bench)

    simulate(Watched(CONFIG), testbench, NAMES)
