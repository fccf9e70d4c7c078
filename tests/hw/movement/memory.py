"""Memory behind the inner port of an engine: it answers in any order, with what was asked."""

import random
from collections import deque

from mcos_hw.link.inner import inner_member
from mcos_hw.link.transfer import FETCH_CLOCKS

__all__ = ["InnerMemory"]

SLVERR = 2


class InnerMemory:
    """The port, the channels and their memories, as one engine sees them.

    Call :meth:`drive` at the begin of a clock, :meth:`watch` at its end.

    Parameters
    ----------
    fabric : FabricConfig
        Sizes.
    rng : random.Random
        When it takes and answers.
    takes : float
        How often it takes a fragment that is offered.
    answers : float
        How often a channel returns a beat, fetches one or acknowledges.
    latency : int
        Clocks from a fragment to its first answer, at least.
    wrong : set
        Addresses of beats that are answered with an error.
    in_order : bool
        A channel answers its fragments one after the other, as a memory without conflicts does;
        else it interleaves them all.
    """

    def __init__(self, fabric, rng, *, takes=1.0, answers=1.0, latency=4, wrong=(), in_order=False):
        self.fabric = fabric
        self.rng: random.Random = rng
        self.takes = takes
        self.answers = answers
        self.latency = latency
        self.wrong = wrong
        self.in_order = in_order
        self.bytes = {}
        self.clock = 0
        self.read, self.write = [], []
        self.offered = []
        """(clock, direction, address, beats, tenant) of all that was taken."""
        channels = range(fabric.channels)
        self._reads = [[] for _ in channels]
        self._writes = [[] for _ in channels]
        self._written = [[] for _ in channels]
        self._fetching = [None for _ in channels]
        self._fetched = [deque() for _ in channels]
        self._outstanding = {"reads": set(), "writes": set()}

    def name(self, name, channel):
        return f"inner.{inner_member(self.fabric, name, channel)}"

    def channel(self, address):
        return (address >> self.fabric.block_width) % self.fabric.channels

    def beat(self, address):
        """The number in a memory beat."""
        return self.bytes.get(address, 0)

    @property
    def quiet(self):
        return not any(self._outstanding.values())

    def drive(self, bench):
        """What comes from memory in this clock."""
        for side in ("reads", "writes"):
            bench.set(**{f"inner.{side}.ready": self.rng.random() < self.takes})
        for c in range(self.fabric.channels):
            self._drive_returned(bench, c)
            self._drive_fetch(bench, c)
            self._drive_acknowledged(bench, c)

    def _drive_returned(self, bench, c):
        ripe = [each for each in self._reads[c] if each["clock"] + self.latency <= self.clock]
        returned = {"valid": 0, "entry": self.rng.getrandbits(2), "last": self.rng.getrandbits(1)}
        if ripe and self.rng.random() < self.answers:
            fragment = ripe[0] if self.in_order else self.rng.choice(ripe)
            address = fragment["address"] + self.fabric.beat_bytes * fragment["came"]
            fragment["came"] += 1
            last = fragment["came"] == fragment["beats"]
            returned = {
                "valid": 1,
                "entry": fragment["entry"],
                "data": self.beat(address),
                "response": SLVERR if address in self.wrong else 0,
                "last": last,
            }
            if last:
                self._reads[c].remove(fragment)
                self._outstanding["reads"].remove(fragment["entry"])
        bench.set(**{self.name("returned", c): returned})

    def _drive_fetch(self, bench, c):
        fetched = self._fetched[c]
        if fetched and fetched[0][0] == self.clock - FETCH_CLOCKS:
            _, address = fetched.popleft()
            assert bench.get(f"{self.name('fetch', c)}.strobe") == (1 << self.fabric.beat_bytes) - 1
            self.bytes[address] = bench.get(f"{self.name('fetch', c)}.data")
        waiting = self._writes[c]
        if self._fetching[c] is None and waiting:
            self._fetching[c] = waiting.pop(
                0 if self.in_order else self.rng.randrange(len(waiting))
            )
        fetch = {"stb": 0, "entry": self.rng.getrandbits(2), "last": self.rng.getrandbits(1)}
        fragment = self._fetching[c]
        if fragment is not None and self.rng.random() < self.answers:
            address = fragment["address"] + self.fabric.beat_bytes * fragment["came"]
            fragment["came"] += 1
            last = fragment["came"] == fragment["beats"]
            fetch = {"stb": 1, "entry": fragment["entry"], "last": last}
            fetched.append((self.clock, address))
            if last:
                self._fetching[c] = None
                fragment["clock"] = self.clock
                self._written[c].append(fragment)
        bench.set(**{self.name("fetch", c): fetch})

    def _drive_acknowledged(self, bench, c):
        ripe = [
            each
            for each in self._written[c]
            if each["clock"] + max(self.latency, FETCH_CLOCKS + 1) <= self.clock
        ]
        acknowledged = {"valid": 0, "entry": self.rng.getrandbits(2)}
        if ripe and self.rng.random() < self.answers:
            fragment = self.rng.choice(ripe)
            self._written[c].remove(fragment)
            self._outstanding["writes"].remove(fragment["entry"])
            wrong = fragment["address"] in self.wrong
            acknowledged = {
                "valid": 1,
                "entry": fragment["entry"],
                "response": SLVERR if wrong else 0,
            }
        bench.set(**{self.name("acknowledged", c): acknowledged})

    def watch(self, bench):
        """What the engine offers in this clock; then the clock ends."""
        for side, queues in (("reads", self._reads), ("writes", self._writes)):
            if bench.get(f"inner.{side}.valid") and bench.get(f"inner.{side}.ready"):
                taken = bench.get(f"inner.{side}.payload")
                address, beats, entry = taken["address"], taken["beats"], taken["entry"]
                block = self.fabric.channel.l_max
                end = address + beats * self.fabric.beat_bytes
                assert address % self.fabric.beat_bytes == 0
                assert beats >= 1
                assert address // block == (end - 1) // block
                assert entry not in self._outstanding[side]
                self._outstanding[side].add(entry)
                fragment = {
                    "clock": self.clock,
                    "address": address,
                    "beats": beats,
                    "entry": entry,
                    "came": 0,
                }
                queues[self.channel(address)].append(fragment)
                self.offered.append((self.clock, side, address, beats, taken["tenant"]))
        self.clock += 1
