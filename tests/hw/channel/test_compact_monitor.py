# amaranth: UnusedElaboratable=no
"""The monitor of a compact channel: nothing is lost, whatever comes at once, in any epoch."""

import random
from collections import Counter

import pytest

from mcos_hw.channel.compact.clocks import MOST_CLOCKS, GatheredClocks
from mcos_hw.channel.compact.monitor import CompactMonitor
from mcos_hw.config import ChannelConfig
from mcos_hw.link.readings import delayed_registers, monitor_windows
from mcos_hw.registers import GRANT_KINDS, LATENCY_BINS, channel_map
from tests.hw.channel.bench import boundary, simulate, simulation

SIZES = {"queue_depth": 4, "slots": 16, "lateness": 0}
LARGEST = (1 << 31) - 1
NAMES = (("asked", "readings.reading.asked"), ("given", "readings.reading.given"))


def config_of(tenants, interval):
    return ChannelConfig(tenants=tenants, grant_interval=interval, **SIZES)


def clear_clocks(config):
    return 2 * (LATENCY_BINS + 3) * config.tenants


def registers_of(config):
    """Every register that a read finds: name, element, address in words."""
    registers = channel_map(config)
    for name in delayed_registers(config):
        for k in range(registers[name].count):
            yield name, k, registers[name].offset // 4 + k


class Traffic:
    """Events at most as fast as a channel can have them, and mostly as fast."""

    def __init__(self, config, seed, *, worst=False):
        self.config = config
        self.rng = random.Random(seed)
        self.worst = worst
        self.clock = 0
        self.granted = self.promoted = -64
        # What may come at once: answers to all requests in flight, and all that queues hold.
        self.in_flight = config.slots
        self.room = config.tenants * config.queue_depth
        self.counts = [0] * config.tenants
        self.mood()

    def mood(self):
        """How much comes for a while."""
        rng = self.rng
        self.eager = {
            name: 1.0 if self.worst else rng.choice((0.02, 0.5, 1.0))
            for name in ("grant", "promoted", "response", "fault")
        }
        if self.worst:
            # With and without a fault in the clock of a response.
            self.eager["fault"] = 0.5
        self.waits = ~0 if self.worst else rng.choice((0, ~0, None))
        self.one = rng.randrange(self.config.tenants) if rng.random() < 0.4 else None

    def tenant(self):
        return self.rng.randrange(self.config.tenants) if self.one is None else self.one

    def events(self):
        """Those of a clock, and what they add to which count."""
        config, rng = self.config, self.rng
        if rng.random() < 0.004:
            self.mood()
        added = Counter()
        # In every other spell at the worst rates memory answers nothing, to answer all at once.
        together = not self.worst or self.clock // 80 % 2
        events = {"grant": {"valid": 0}, "response": {"valid": 0}, "outside": 0}
        since = self.clock - self.granted
        if since >= config.grant_interval and rng.random() < self.eager["grant"]:
            self.granted = self.clock
            self.in_flight = min(self.in_flight + 1, config.slots)
            self.room = min(self.room + 1, config.tenants * config.queue_depth)
            grant = {"valid": 1, "tenant": self.tenant(), "op": rng.getrandbits(1)}
            grant |= {"class_code": rng.randrange(3), "beats": rng.randint(1, config.max_beats)}
            grant["promoted"] = int(
                self.clock - self.promoted >= config.tenants
                and rng.random() < self.eager["promoted"]
            )
            if grant["promoted"]:
                self.promoted = self.clock
            events["grant"] = grant
            kind = GRANT_KINDS * grant["tenant"] + 4 * grant["op"] + grant["class_code"]
            added["GRANT_REQUESTS", kind] += 1
            added["GRANT_BYTES", kind] += grant["beats"] * config.beat_bytes
            added["PROMOTIONS", grant["tenant"]] += grant["promoted"]
        if together and self.in_flight and rng.random() < self.eager["response"]:
            self.in_flight -= 1
            response = {"valid": 1, "tenant": self.tenant(), "late": rng.getrandbits(1)}
            response["bin"] = rng.choice((3, rng.randrange(LATENCY_BINS)))
            events["response"] = response
            tenant = response["tenant"]
            added["RESPONSES", tenant] += 1
            added["SLO_VIOLATIONS", tenant] += response["late"]
            added["LATENCY", LATENCY_BINS * tenant + response["bin"]] += 1
        if together and self.room and rng.random() < self.eager["fault"]:
            self.room -= 1
            tenant = self.tenant()
            events["outside"] = 1 << tenant
            added["COLOUR_FAULTS", tenant] += 1
        waits = rng.getrandbits(18) if self.waits is None else self.waits
        events["held"] = waits & (1 << config.tenants) - 1
        events["busy"], events["stalled"] = waits >> 16 & 1, waits >> 17 & 1
        for i in range(config.tenants):
            added["HELD", i] += events["held"] >> i & 1
            self.counts[i] = min(max(self.counts[i] + rng.choice((-1, 0, 1)), 0), 4)
        added["BUSY", 0] += events["busy"]
        added["STALLED", 0] += events["stalled"]
        self.clock += 1
        return events, added


class Counted:
    """A monitor with its traffic, and what every register must read as."""

    def __init__(self, bench, config, traffic):
        self.bench, self.config, self.traffic = bench, config, traffic
        self.epoch = 1
        self.elapsed = 0
        self.running, self.ended = Counter(), Counter()
        self.peaks, self.ended_peaks = [0] * config.tenants, [0] * config.tenants
        self.addresses = {(name, k): address for name, k, address in registers_of(config)}

    async def clear(self):
        self.bench.set(**{"epoch.number": 1})
        await self.bench.tick(clear_clocks(self.config))

    async def clock(self, *, latch=False):
        """Goes on by a clock with traffic, the last one of its epoch or not."""
        traffic = self.traffic
        events, added = traffic.events()
        self.bench.set(counts=traffic.counts)
        self.bench.set(**{f"events.{name}": value for name, value in events.items()})
        self.bench.set(**{"epoch.latch": int(latch)})
        await self.bench.tick()
        self.running += added
        self.peaks = [max(pair) for pair in zip(self.peaks, traffic.counts, strict=True)]
        if latch:
            self.epoch += 1
            self.ended, self.running = self.running, Counter()
            self.ended_peaks, self.peaks = self.peaks, [0] * self.config.tenants
            self.bench.set(**{"epoch.number": self.epoch})

    async def read(self, name, k=0):
        """A register's word."""
        bench = self.bench
        bench.set(asked=1, **{"readings.reading.address": self.addresses[name, k]})
        if name != "BUSY" and name != "STALLED":
            bench.set(**{f"readings.{name.lower()}.index": k})
        for _ in range(4000):
            given = bench.get("given")
            await self.clock()
            if given:
                break
        else:
            raise AssertionError(f"{name} {k} was never given")
        bench.set(asked=0)
        window = f"readings.{name.lower()}"
        return bench.get(window if name in ("BUSY", "STALLED") else f"{window}.data")

    def expected(self, name, k):
        return self.ended_peaks[k] if name == "QUEUE" else self.ended[name, k]

    async def check(self):
        """Every register has what its epoch counted."""
        for name, k in self.addresses:
            word = await self.read(name, k)
            found = word >> 8 if name == "QUEUE" else word
            assert found == self.expected(name, k), (self.epoch, name, k)


def run(config, testbench):
    simulation(CompactMonitor, config, names=NAMES).run(testbench)


def test_signature():
    config = config_of(4, 8)
    assert boundary(CompactMonitor(config)) == {
        "in": {"epoch", "events", "counts"},
        "out": {"readings"},
    }
    readings = CompactMonitor(config).readings.signature.members
    assert set(readings) == {"busy", "stalled", "reading", *monitor_windows(config)}


@pytest.mark.parametrize(("tenants", "interval"), [(4, 4), (8, 4), (4, 8), (16, 4)])
def test_every_event_counts_once_in_its_epoch_at_the_worst_rates(tenants, interval):
    """Grants, late answers, faults and waits as fast as they can come, in epochs of any length."""
    config = config_of(tenants, interval)

    async def testbench(bench):
        counted = Counted(bench, config, Traffic(config, tenants + interval, worst=True))
        await counted.clear()
        for length in (1, 2, 700, 1, 1, 30):
            for k in range(length):
                await counted.clock(latch=k == length - 1)
            assert counted.epoch > 1
        await counted.check()

    run(config, testbench)


@pytest.mark.parametrize("seed", [1, 2])
def test_random_events_in_epochs_of_any_length(seed):
    config = config_of(4, 4 + seed)
    rng = random.Random(seed)
    seen = Counter()

    async def testbench(bench):
        counted = Counted(bench, config, Traffic(config, seed))
        await counted.clear()
        for _ in range(40):
            for _ in range(rng.choice((0, 1, 2, 20, 150))):
                await counted.clock(latch=rng.random() < 0.3)
            await counted.clock(latch=True)
            for name in rng.sample(delayed_registers(config), 9):
                elements = [k for each, k in counted.addresses if each == name]
                some = [k for k in elements if counted.expected(name, k)]
                k = rng.choice(some if some and rng.random() < 0.7 else elements)
                word = await counted.read(name, k)
                found = word >> 8 if name == "QUEUE" else word
                assert found == counted.expected(name, k), (name, k)
                seen[name] += found > 0

    run(config, testbench)
    assert all(seen[name] for name in delayed_registers(config)), seen


@pytest.mark.parametrize("clocks", [2, 3, MOST_CLOCKS - 1, MOST_CLOCKS, MOST_CLOCKS + 1])
def test_a_line_gathers_so_many_clocks_and_no_more(clocks):
    """In both its amounts; and what is put aside begins with the epoch's last clock."""

    async def testbench(bench):
        bench.set(turn=0b0100, place=2, high=0b0100)
        await bench.tick(clocks)
        bench.set(visits=1)
        assert bench.get("clocks") == clocks % (MOST_CLOCKS + 1)
        await bench.tick()
        # The clock of the visit is the first of the next amount.
        bench.set(visits=0)
        await bench.tick(clocks - 2)
        bench.set(latch=1)
        await bench.tick()
        bench.set(latch=0, of_asides=1)
        await bench.tick()
        assert bench.get("clocks") == clocks % (MOST_CLOCKS + 1)
        bench.set(of_asides=0)
        assert bench.get("clocks") == 1

    simulate(GatheredClocks(lines=4), testbench)
