# amaranth: UnusedElaboratable=no
"""The memory port against banks that answer its fetches and a memory that answers its bursts."""

import dataclasses
import random
from collections import deque

import pytest

from mcos_hw.bus.axi4 import BurstKind
from mcos_hw.bus.axi4lite import Response
from mcos_hw.config import ChannelConfig, FabricConfig, MemoryProtocol, PortConfig
from mcos_hw.link.request import Op
from mcos_hw.link.transfer import FETCH_CLOCKS
from mcos_hw.port.axi_out import WRITES_UNDER_WAY, AxiOut
from tests.hw.channel.bench import boundary, simulate

BEAT = 8
ENTRIES = 8
PORTS = 3
PORT = PortConfig(reads=ENTRIES, writes=ENTRIES, read_units=16, write_units=16)


def fabric(protocol=MemoryProtocol.AXI4):
    channel = ChannelConfig(
        tenants=4,
        bytes_per_clock=BEAT,
        beat_bytes=BEAT,
        max_beats=8,
        address_width=32,
        slots=32,
        stamp_width=16,
    )
    return FabricConfig.around(channel, ports=(PORT,) * PORTS, memory_protocol=protocol)


@dataclasses.dataclass(kw_only=True, eq=False)
class Command:
    """A command of the test, its data, and what has become of it."""

    op: int
    port: int
    address: int
    beats: int
    attributes: dict
    response: int = Response.OKAY
    words: list = dataclasses.field(default_factory=list)
    slot: int | None = None
    entry: int | None = None
    count: int = 0


def command(rng, op, *, beats=None, port=None):
    beats = beats or rng.randint(1, 8)
    return Command(
        op=op,
        port=rng.randrange(PORTS) if port is None else port,
        address=64 * rng.randrange(1 << 20) + BEAT * rng.randint(0, 8 - beats),
        beats=beats,
        attributes={"prot": rng.randrange(8), "cache": rng.randrange(16), "qos": rng.randrange(16)},
        response=rng.choice(list(Response)),
        words=[(rng.getrandbits(8 * BEAT), rng.getrandbits(BEAT)) for _ in range(beats)],
    )


class Play:
    """Commands and data for the memory port, and a memory in front of it that takes its time."""

    def __init__(self, bench, component, commands, *, seed=1, **chances):
        self.bench = bench
        self.rng = random.Random(seed)
        self.chances = dict.fromkeys(("command", "ar", "aw", "w", "b", "r"), 1.0) | chances
        self.outer = component
        self.axi3 = component.fabric.memory_protocol is MemoryProtocol.AXI3
        self.commands = deque(commands)
        self.slots = list(range(component.fabric.channel.slots))
        self.entries = {(op, k): list(range(ENTRIES)) for op in Op for k in range(PORTS)}
        self.clock = 0
        self.offered = None
        self.taken = []
        self.clocks = {channel: [] for channel in ("ar", "aw", "w", "b", "r")}
        self.waits = {}
        # In the order of the commands: what is still to come on each channel.
        self.to_come = {"ar": deque(), "aw": deque(), "w": deque(), "fetch": deque()}
        self.fetched = deque()
        self.described = {op: {} for op in Op}
        self.asked = {}
        self.under_way = {Op.READ: [], Op.WRITE: []}
        self.sent = set()
        self.answer = {"b": None, "r": None}
        self.expected_return = None
        self.acknowledging = deque()
        self.completed = []

    def get(self, signal):
        return self.bench.context.get(signal)

    def set(self, signal, value):
        self.bench.context.set(signal, value)

    def chance(self, name):
        return self.rng.random() < self.chances[name]

    async def step(self, clocks=1):
        for _ in range(clocks):
            self.drive()
            self.observe()
            await self.bench.tick()
            self.clock += 1

    def drive(self):
        self.drive_command()
        for channel in ("ar", "aw", "w"):
            self.set(getattr(self.outer.m_axi, f"{channel}ready"), self.chance(channel))
        self.drive_answers()
        while self.fetched and self.fetched[0][0] < self.clock:
            self.fetched.popleft()
        for k, each in enumerate(self.outer.fetch):
            data, strobe = self.rng.getrandbits(8 * BEAT), self.rng.getrandbits(BEAT)
            if self.fetched and self.fetched[0][:2] == (self.clock, k):
                data, strobe = self.fetched[0][2]
            self.set(each.data, data)
            self.set(each.strobe, strobe)
        for op, describe in ((0, self.outer.read_described), (1, self.outer.write_described)):
            for k, each in enumerate(describe):
                attributes = self.described[op].get(k, {"prot": 0, "cache": 0, "qos": 0})
                for name, value in attributes.items():
                    self.set(each.attributes[name], value)

    def drive_command(self):
        if self.offered is None and self.commands and self.chance("command"):
            front = self.commands[0]
            entries = self.entries[front.op, front.port]
            if self.slots and entries:
                front.slot = self.slots.pop(self.rng.randrange(len(self.slots)))
                front.entry = entries.pop(self.rng.randrange(len(entries)))
                self.offered = self.commands.popleft()
        it = self.offered
        self.bench.set(**{"command.valid": it is not None})
        if it is not None:
            self.bench.set(
                **{
                    "command.payload": {
                        "slot": it.slot,
                        "tenant": 0,
                        "op": it.op,
                        "address": it.address,
                        "beats": it.beats,
                    }
                }
            )
            width = self.outer.fabric.entry_width
            self.bench.set(command_id=it.entry | it.port << width)

    def drive_answers(self):
        bus = self.outer.m_axi
        reads, writes = self.under_way[Op.READ], self.under_way[Op.WRITE]
        if self.answer["r"] is None and reads and self.chance("r"):
            self.answer["r"] = self.rng.choice(reads)
        if self.answer["b"] is None and writes and self.chance("b"):
            self.answer["b"] = self.rng.choice(writes)
        read, write = self.answer["r"], self.answer["b"]
        self.set(bus.rvalid, read is not None)
        if read is not None:
            self.set(bus.rid, read.slot)
            self.set(bus.rdata, read.words[read.count][0])
            self.set(bus.rresp, read.response)
            self.set(bus.rlast, read.count == read.beats - 1)
        self.set(bus.bvalid, write is not None)
        if write is not None:
            self.set(bus.bid, write.slot)
            self.set(bus.bresp, write.response)

    def observe(self):
        self.observe_returns()
        self.observe_command()
        self.observe_fetch()
        for channel in ("ar", "aw"):
            self.observe_address(channel)
        self.observe_data()
        self.observe_answers()

    def observe_command(self):
        it = self.offered
        taken = it is not None and self.get(self.outer.command.ready)
        assert self.get(self.outer.departed) == (taken and 1 << it.port)
        for op, describe in ((0, self.outer.read_described), (1, self.outer.write_described)):
            for k, each in enumerate(describe):
                mine = taken and (it.op, it.port) == (op, k)
                assert self.get(each.stb) == mine
                if mine:
                    assert self.get(each.entry) == it.entry
        self.asked = {}
        if taken:
            self.taken.append(it)
            self.asked = {it.op: (it.port, it.attributes)}
            self.to_come["aw" if it.op == Op.WRITE else "ar"].append(it)
            if it.op == Op.WRITE:
                self.to_come["fetch"].extend((it, beat) for beat in range(it.beats))
                self.to_come["w"].extend((it, beat) for beat in range(it.beats))
            self.offered = None
        for op, (port, attributes) in self.asked.items():
            self.described[op][port] = attributes

    def observe_fetch(self):
        stbs = [self.get(each.stb) for each in self.outer.fetch]
        assert sum(stbs) <= 1
        if any(stbs):
            it, beat = self.to_come["fetch"].popleft()
            k = stbs.index(1)
            fetch = self.outer.fetch[k]
            assert (k, self.get(fetch.entry)) == (it.port, it.entry)
            assert self.get(fetch.last) == (beat == it.beats - 1)
            self.fetched.append((self.clock + FETCH_CLOCKS, k, it.words[beat]))

    def shown(self, channel, names):
        """What a channel offers; while it waits it must not change. Also whether it is taken."""
        bus = self.outer.m_axi
        if not self.get(getattr(bus, f"{channel}valid")):
            assert self.waits.get(channel) is None
            return None, False
        values = {name: self.get(getattr(bus, channel + name)) for name in names}
        waited = self.waits.get(channel)
        assert waited is None or waited == values
        taken = bool(self.get(getattr(bus, f"{channel}ready")))
        self.waits[channel] = None if taken else values
        if taken:
            self.clocks[channel].append(self.clock)
        return values, taken

    def observe_address(self, channel):
        names = ["id", "addr", "len", "size", "burst", "lock", "cache", "prot"]
        values, taken = self.shown(channel, names if self.axi3 else [*names, "qos"])
        if values is None:
            return
        it = self.to_come[channel][0]
        attributes = it.attributes if not self.axi3 else it.attributes | {"qos": None}
        expected = {
            "id": it.slot,
            "addr": it.address,
            "len": it.beats - 1,
            "size": 3,
            "burst": BurstKind.INCR,
            "lock": 0,
            **{name: value for name, value in attributes.items() if value is not None},
        }
        assert values == expected
        if taken:
            self.to_come[channel].popleft()
            if channel == "ar":
                self.under_way[Op.READ].append(it)
            else:
                self.arrive(it)

    def observe_data(self):
        names = ["data", "strb", "last"]
        values, taken = self.shown("w", [*names, "id"] if self.axi3 else names)
        if values is None:
            return
        it, beat = self.to_come["w"][0]
        assert (values["data"], values["strb"]) == it.words[beat]
        assert values["last"] == (beat == it.beats - 1)
        assert values.get("id", it.slot) == it.slot
        if taken:
            self.to_come["w"].popleft()
            if values["last"]:
                self.arrive(it)

    def arrive(self, it):
        """The address of a write, or the last of its data; memory may answer when it has both."""
        if it in self.sent:
            self.under_way[Op.WRITE].append(it)
        self.sent.add(it)

    def observe_answers(self):
        bus = self.outer.m_axi
        assert self.get(bus.rready) == 1
        it = self.answer["r"]
        self.expected_return = None
        if it is not None:
            self.clocks["r"].append(self.clock)
            self.expected_return = (it, it.count)
            it.count += 1
            self.answer["r"] = None
            if it.count == it.beats:
                self.under_way[Op.READ].remove(it)
        it = self.answer["b"]
        if it is not None and self.get(bus.bready):
            self.clocks["b"].append(self.clock)
            self.acknowledging.append(it)
            self.under_way[Op.WRITE].remove(it)
            self.answer["b"] = None

    def observe_returns(self):
        """What was taken in the clock before; of two that end, the read comes first."""
        completes = None
        for k, each in enumerate(self.outer.returned):
            it, beat = self.expected_return or (None, 0)
            mine = it is not None and it.port == k
            assert self.get(each.valid) == mine
            if mine:
                assert self.get(each.entry) == it.entry
                assert self.get(each.data) == it.words[beat][0]
                assert self.get(each.response) == it.response
                assert self.get(each.last) == (beat == it.beats - 1)
                if beat == it.beats - 1:
                    completes = it
        written = self.acknowledging.popleft() if self.acknowledging and not completes else None
        for k, each in enumerate(self.outer.acknowledged):
            mine = written is not None and written.port == k
            assert self.get(each.valid) == mine
            if mine:
                assert self.get(each.entry) == written.entry
                assert self.get(each.response) == written.response
        completes = completes or written
        assert self.get(self.outer.completion.valid) == (completes is not None)
        if completes is not None:
            assert self.bench.get("completion.payload") == {"slot": completes.slot}
            self.completed.append(completes)
            self.slots.append(completes.slot)
            self.entries[completes.op, completes.port].append(completes.entry)

    async def finish(self, limit=2_000):
        while self.commands or len(self.completed) < len(self.taken) or self.offered:
            assert self.clock < limit
            await self.step()
        await self.step(6)
        assert len(set(self.completed)) == len(self.completed)
        assert not any(self.to_come.values())


def run(commands, script=None, *, protocol=MemoryProtocol.AXI4, **chances):
    component = AxiOut(fabric(protocol))
    plays = []

    async def testbench(bench):
        play = Play(bench, component, commands, **chances)
        plays.append(play)
        if script is not None:
            await script(play)
        play.chances = {name: chance or 1.0 for name, chance in play.chances.items()}
        await play.finish()

    simulate(component, testbench)
    return plays[0]


def test_signature():
    assert boundary(AxiOut(fabric())) == {
        "in": {"command", "command_id"},
        "out": {
            *("completion", "departed", "fetch", "read_described", "write_described"),
            *("returned", "acknowledged", "m_axi"),
        },
    }


@pytest.mark.parametrize("protocol", MemoryProtocol)
def test_random_commands_of_all_ports(protocol):
    """Order, data, attributes, who is answered: :class:`Play` compares each clock."""
    rng = random.Random(4)
    commands = [command(rng, rng.choice(list(Op))) for _ in range(90)]
    chances = {"command": 0.8, "ar": 0.5, "aw": 0.5, "w": 0.7, "b": 0.4, "r": 0.8}
    play = run(commands, protocol=protocol, **chances)
    assert len(play.completed) == 90


def test_both_directions_run_at_a_beat_a_clock():
    rng = random.Random(1)
    commands = [command(rng, op, beats=4) for _ in range(12) for op in Op]
    play = run(commands)
    assert len(play.clocks["w"]) == len(play.clocks["r"]) == 48
    for channel in ("w", "r"):
        first = play.clocks[channel][0]
        assert play.clocks[channel] == list(range(first, first + 48))


def test_writes_of_one_beat_run_at_one_a_clock():
    rng = random.Random(2)
    play = run([command(rng, Op.WRITE, beats=1) for _ in range(24)])
    # The address stands in the clock after its command, the data three clocks later.
    assert play.clocks["aw"] == list(range(1, 25))
    assert play.clocks["w"] == list(range(4, 28))


def test_an_address_that_is_not_taken_stops_its_direction_alone():
    """One write waits with its address and another in front of the port; reads are behind it."""
    rng = random.Random(3)
    commands = [
        command(rng, Op.WRITE),
        *(command(rng, Op.READ) for _ in range(3)),
        command(rng, Op.WRITE),
        command(rng, Op.READ),
    ]

    async def script(play):
        await play.step(30)
        assert [it.op for it in play.taken] == [Op.WRITE, Op.READ, Op.READ, Op.READ]
        assert not play.clocks["aw"]
        assert len(play.clocks["ar"]) == 3

    run(commands, script, aw=0.0)


def test_reads_pass_writes_whose_data_memory_does_not_take():
    rng = random.Random(3)
    commands = [command(rng, Op.WRITE, beats=8, port=k % PORTS) for k in range(WRITES_UNDER_WAY)]
    commands += [command(rng, Op.READ), command(rng, Op.WRITE), command(rng, Op.READ)]

    async def script(play):
        await play.step(40)
        assert len(play.taken) == WRITES_UNDER_WAY + 1
        assert len(play.clocks["aw"]) == WRITES_UNDER_WAY
        assert len(play.clocks["ar"]) == 1
        assert not play.clocks["w"]

    run(commands, script, w=0.0)


def test_a_write_response_waits_while_reads_end():
    """R and B in one clock: the read is completed first; B is taken, and the next one waits."""
    rng = random.Random(5)
    commands = [command(rng, op, beats=1) for _ in range(4) for op in (Op.WRITE, Op.READ)]

    async def script(play):
        await play.step(20)
        assert len(play.under_way[Op.READ]) == len(play.under_way[Op.WRITE]) == 4
        play.chances["r"] = play.chances["b"] = 1.0
        start = play.clock
        await play.step(10)
        assert play.clocks["r"] == [start + i for i in range(4)]
        assert play.clocks["b"] == [start + i for i in (0, 5, 6, 7)]
        assert [it.op for it in play.completed] == [Op.READ] * 4 + [Op.WRITE] * 4

    run(commands, script, r=0.0, b=0.0)
