# amaranth: UnusedElaboratable=no
"""The DMA engine in front of a memory that answers in any order."""

import random

import pytest

from mcos_hw.config import ChannelConfig, FabricConfig, MovementConfig, PortConfig
from mcos_hw.link.interleave import default_interleave
from mcos_hw.link.job import End, Urgency
from mcos_hw.movement.dma import Dma
from tests.hw.channel.bench import boundary, simulation
from tests.hw.movement.memory import InnerMemory

MOVEMENT = MovementConfig(frame_bytes=1024, jobs=4, rows=512)


def fabric_of(channels=1, **sizes):
    channel = ChannelConfig(
        tenants=4, bytes_per_clock=8, beat_bytes=8, max_beats=8, address_width=32
    )
    sizes = {"reads": 16, "writes": 16, "read_units": 64, "write_units": 64} | sizes
    port = PortConfig(inner=True, **sizes)
    return FabricConfig(channel=channel, channels=channels, ports=(port,))


def crc32c(message):
    """Bit by bit, RFC 3720."""
    remainder = 0xFFFFFFFF
    for byte in message:
        remainder ^= byte
        for _ in range(8):
            remainder = remainder >> 1 ^ (0x82F63B78 if remainder & 1 else 0)
    return remainder ^ 0xFFFFFFFF


def frame(number):
    return number * MOVEMENT.frame_bytes


class Owner:
    """Gives jobs, and notes their ends."""

    def __init__(self, fabric, bench, memory):
        self.fabric = fabric
        self.bench = bench
        self.memory = memory
        self.ends = {}
        bench.set(**{"inner.places": (1 << fabric.channel.tenants) - 1})
        if fabric.channels > 1:
            bench.context.set(bench.member("inner.interleave"), default_interleave(fabric))
        bench.set(**{"ends.ready": 1})

    def job(self, number, **fields):
        beats = MOVEMENT.frame_bytes // self.fabric.beat_bytes
        return {
            "number": number,
            "tenant": 1,
            "urgency": Urgency.DEADLINE,
            "beats": beats,
            "rows": 1,
        } | fields

    async def clock(self, job=None, abort=None):
        """One clock, in which a job may come and one may be aborted."""
        bench = self.bench
        bench.set(**{"jobs.valid": job is not None, "abort.stb": abort is not None})
        if job is not None:
            bench.set(**{"jobs.payload": job})
        if abort is not None:
            bench.set(**{"abort.number": abort})
        self.memory.drive(bench)
        if bench.get("ends.valid") and bench.get("ends.ready"):
            end = bench.get("ends.payload")
            assert end["number"] not in self.ends
            self.ends[end["number"]] = (self.memory.clock, end["end"], end["checksum"])
        self.memory.watch(bench)
        await bench.tick()

    async def until_ended(self, *numbers, clocks=4000):
        for _ in range(clocks):
            if all(number in self.ends for number in numbers):
                return
            await self.clock()
        raise AssertionError(f"of {numbers} only {self.ends} ended")


def run(fabric, scenario, *, seed=1, **memory):
    rng = random.Random(seed)

    async def testbench(bench):
        inner = InnerMemory(fabric, rng, **memory)
        await scenario(Owner(fabric, bench, inner), inner, rng)

    simulation(Dma, fabric, 0, MOVEMENT).run(testbench)


def fill(memory, rng, address, length):
    for each in range(address, address + length, memory.fabric.beat_bytes):
        memory.bytes[each] = rng.getrandbits(8 * memory.fabric.beat_bytes)


def content(memory, address, length):
    beat = memory.fabric.beat_bytes
    return b"".join(
        memory.beat(each).to_bytes(beat, "little")
        for each in range(address, address + length, beat)
    )


def test_signature():
    assert boundary(Dma(fabric_of(), 0, MOVEMENT)) == {
        "in": {"jobs", "abort"},
        "out": {"ends", "inner"},
    }


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize(("takes", "answers", "latency"), [(1, 1, 4), (0.7, 0.6, 9)])
def test_a_frame_is_copied_with_its_checksum(channels, takes, answers, latency):
    async def scenario(owner, memory, rng):
        fill(memory, rng, frame(3), MOVEMENT.frame_bytes)
        job = owner.job(2, source=frame(3), target=frame(9), checks=1)
        await owner.clock(job)
        await owner.until_ended(2)
        _, end, checksum = owner.ends[2]
        assert end == End.DONE
        assert memory.quiet
        copied = content(memory, frame(9), MOVEMENT.frame_bytes)
        assert copied == content(memory, frame(3), MOVEMENT.frame_bytes)
        assert checksum == crc32c(copied)

    run(fabric_of(channels), scenario, takes=takes, answers=answers, latency=latency)


def rows_of(job):
    """Addresses of the beats of a job, source and target in pairs."""
    for row in range(job["rows"]):
        for beat in range(job["beats"]):
            yield (
                job["source"] + row * job.get("source_stride", 0) + 8 * beat,
                job["target"] + row * job.get("target_stride", 0) + 8 * beat,
            )


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("beats", [1, 5, 8, 11])
def test_rows_are_gathered_and_spread(channels, beats):
    """Rows that begin anywhere in a block, on either side, and nothing beside them."""

    async def scenario(owner, memory, rng):
        fill(memory, rng, 0, 8192)
        before = dict(memory.bytes)
        strides = {"source_stride": 24 + 8 * beats, "target_stride": 8 * beats}
        job = owner.job(0, source=40, target=0x4018, beats=beats, rows=7, **strides)
        await owner.clock(job)
        await owner.until_ended(0)
        expected = dict(before)
        expected |= {target: before[source] for source, target in rows_of(job)}
        assert memory.bytes == expected

    run(fabric_of(channels), scenario, answers=0.8, takes=0.9)


def test_fills_with_zeros():
    async def scenario(owner, memory, rng):
        fill(memory, rng, 0, 4096)
        before = dict(memory.bytes)
        await owner.clock(owner.job(1, target=frame(1), fills=1))
        await owner.until_ended(1)
        assert owner.ends[1][1] == End.DONE
        assert all(side == "writes" for _, side, *_ in memory.offered)
        assert content(memory, frame(1), 1024) == bytes(1024)
        assert all(
            memory.bytes[each] == before[each] for each in before if not frame(1) <= each < frame(2)
        )

    run(fabric_of(), scenario)


@pytest.mark.parametrize("channels", [1, 2])
def test_first_read_after_two_clocks(channels):
    """Clocks from the job to its first fragment at the inner port."""

    async def scenario(owner, memory, _):
        for _ in range(5):
            await owner.clock()
        given = memory.clock
        await owner.clock(owner.job(1, source=0, target=frame(1)))
        await owner.until_ended(1)
        assert memory.offered[0][0] - given == 2

    run(fabric_of(channels), scenario)


def reads_of(memory, number):
    return [each for each in memory.offered if each[1] == "reads" and each[2] // 1024 == number]


def test_preempted_within_a_piece_and_resumed_without_loss():
    """The more urgent one is at the port within l_max / r + 2 clocks; no beat moves twice."""

    async def scenario(owner, memory, rng):
        fill(memory, rng, 0, 4096)
        await owner.clock(
            owner.job(0, source=frame(0), target=frame(8), urgency=Urgency.BACKGROUND, checks=1)
        )
        for _ in range(6):
            await owner.clock()
        given = memory.clock
        urgent = owner.job(1, source=frame(1), target=frame(9), urgency=Urgency.DEMAND, checks=1)
        await owner.clock(urgent)
        await owner.until_ended(0, 1)
        limit = owner.fabric.channel.max_beats + 2
        first = reads_of(memory, 1)[0][0]
        assert first - given <= limit
        # Between its first and its last piece nothing of the other one is read.
        last = reads_of(memory, 1)[-1][0]
        others = [clock for clock, *_ in reads_of(memory, 0)]
        assert min(others) < first
        assert not any(first <= clock <= last for clock in others)
        assert max(others) > last
        assert owner.ends[1][0] < owner.ends[0][0]
        blocks = [address for _, side, address, *_ in memory.offered if side == "reads"]
        assert len(blocks) == len(set(blocks))
        for source, target, number in ((0, 8, 0), (1, 9, 1)):
            copied = content(memory, frame(target), 1024)
            assert copied == content(memory, frame(source), 1024)
            assert owner.ends[number][2] == crc32c(copied)

    run(fabric_of(), scenario)


def test_equal_urgencies_in_the_order_of_their_coming():
    async def scenario(owner, memory, _):
        order = (2, 0, 3, 1)
        for place, number in enumerate(order):
            await owner.clock(owner.job(number, source=frame(number), target=frame(8 + place)))
        await owner.until_ended(*order)
        firsts = [reads_of(memory, number)[0][0] for number in order]
        assert firsts == sorted(firsts)

    run(fabric_of(), scenario)


@pytest.mark.parametrize("waits", [0, 2, 9, 30, 120])
def test_an_aborted_job_ends_when_nothing_is_under_way(waits):
    """Not before its last beat is settled; no piece of it is taken any more."""

    async def scenario(owner, memory, rng):
        fill(memory, rng, 0, 4096)
        await owner.clock(owner.job(3, source=0, target=frame(4)))
        for _ in range(waits):
            await owner.clock()
        aborted = memory.clock
        await owner.clock(abort=3)
        while 3 not in owner.ends:
            await owner.clock()
        assert owner.ends[3][1] == End.ABORTED
        assert memory.quiet
        # At most one piece more: it was offered already.
        assert sum(clock > aborted for clock, side, *_ in memory.offered if side == "reads") <= 1
        offered = len(memory.offered)
        # Its number is free, and what comes next is whole.
        del owner.ends[3]
        await owner.clock(owner.job(3, source=frame(1), target=frame(5)))
        await owner.until_ended(3)
        assert owner.ends[3][1] == End.DONE
        assert content(memory, frame(5), 1024) == content(memory, frame(1), 1024)
        assert all(each[2] // 1024 in (1, 5) for each in memory.offered[offered:])

    run(fabric_of(), scenario, latency=40, answers=0.9)


def test_a_waiting_job_is_aborted_before_it_began():
    async def scenario(owner, memory, _):
        await owner.clock(owner.job(0, source=0, target=frame(4)))
        await owner.clock(owner.job(1, source=frame(1), target=frame(5)))
        given = memory.clock
        await owner.clock(abort=1)
        await owner.until_ended(1)
        assert owner.ends[1][1] == End.ABORTED
        assert owner.ends[1][0] - given <= 4
        await owner.until_ended(0)
        assert not reads_of(memory, 1)

    run(fabric_of(), scenario)


@pytest.mark.parametrize("channels", [1, 2])
def test_a_read_error_with_six_under_way_ends_the_job(channels):
    """Nothing of the wrong piece is written, and the engine goes on."""

    async def scenario(owner, memory, rng):
        fill(memory, rng, 0, 4096)
        await owner.clock(owner.job(0, source=0, target=frame(4)))
        await owner.clock(owner.job(1, source=frame(1), target=frame(5), checks=1))
        await owner.until_ended(0, 1)
        assert owner.ends[0][1] == End.READ_ERROR
        assert not any(each // 64 == (frame(4) + 3 * 64) // 64 for each in memory.bytes)
        assert owner.ends[1][1] == End.DONE
        assert owner.ends[1][2] == crc32c(content(memory, frame(5), 1024))

    run(fabric_of(channels), scenario, latency=60, wrong={3 * 64 + 16})


def test_a_write_error_ends_the_job():
    async def scenario(owner, memory, rng):
        fill(memory, rng, 0, 4096)
        await owner.clock(owner.job(0, source=0, target=frame(4)))
        await owner.until_ended(0)
        assert owner.ends[0][1] == End.WRITE_ERROR
        assert memory.quiet

    run(fabric_of(), scenario, wrong={frame(4) + 128})


def test_a_tenant_without_a_place_holds_nobody():
    """Its job waits, a less urgent one of another tenant goes on, and both end."""

    async def scenario(owner, memory, _):
        owner.bench.set(**{"inner.places": 0b1101})
        await owner.clock(owner.job(0, source=0, target=frame(4), urgency=Urgency.DEMAND))
        await owner.clock(
            owner.job(1, source=frame(1), target=frame(5), tenant=2, urgency=Urgency.BACKGROUND)
        )
        await owner.until_ended(1)
        assert not reads_of(memory, 0)
        owner.bench.set(**{"inner.places": 0b1111})
        await owner.until_ended(0)

    run(fabric_of(), scenario)


@pytest.mark.parametrize(("beats", "rows", "least"), [(128, 4, 0.99), (1, 400, 0.95)])
def test_beats_in_every_clock(beats, rows, least):
    """Written beats a clock from the first one to the last, whatever the rows."""

    async def scenario(owner, memory, rng):
        fill(memory, rng, 0, 8192)
        strides = {"source_stride": 8 * beats, "target_stride": 8 * beats}
        await owner.clock(owner.job(0, source=0, target=1 << 16, beats=beats, rows=rows, **strides))
        await owner.until_ended(0)
        written = [clock for clock, side, *_ in memory.offered if side == "writes"]
        beats_written = sum(each[3] for each in memory.offered if each[1] == "writes")
        assert beats_written == beats * rows
        assert beats_written / (written[-1] - written[0] + min(beats, 8)) >= least

    fabric = fabric_of(reads=64, writes=64, read_units=256, write_units=256)
    run(fabric, scenario, latency=20, in_order=True)


def test_known_checksum():
    """The check value of the catalogue of CRC algorithms."""
    assert crc32c(b"123456789") == 0xE3069283
