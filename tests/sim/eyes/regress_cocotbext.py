"""Managers and a memory of cocotbext-axi at the AXI top. Run by ``test_eyes``."""

from random import Random

import cocotb
from cocotb.triggers import ClockCycles
from cocotbext.axi import AxiBurstType, AxiBus, AxiMaster, AxiRam, AxiResp

from mcos_hw.registers import PortError, fabric_map
from mcos_hw.registers.ports import PORT_ERROR_KINDS
from mcos_sim.cosim.run_tests import parameters
from tests.sim.eyes.attach import IDS, UNMAPPED, Attached, pauses
from tests.sim.eyes.bench import FABRIC
from tests.sim.eyes.engine import Engine, Fragment

MEMORY = 1 << 18

BAD = MEMORY - 0x7A8
"""Memory refuses what is from here on: the last three beats of a block, and more."""

REGION = 0x2000
"""Bytes of each ID of each port, which nobody else touches."""

PAGE_BYTES = 4096
"""No AXI burst crosses from one such page to the next."""


ENGINE = REGION * 2 * len(IDS)
"""Where the engine inside has its frames."""


class Memory(AxiRam):
    """Memory that refuses reads and writes from ``BAD`` on."""

    def __init__(self, bus, clock, reset) -> None:
        super().__init__(bus, clock, reset, size=MEMORY)
        write, read = self.write_if.write, self.read_if.read

        async def _write(address, data):
            require_good(address)
            write(address, data)

        async def _read(address, length):
            require_good(address)
            return read(address, length)

        self.write_if._write, self.read_if._read = _write, _read


def require_good(address: int) -> None:
    """Raises where memory refuses."""
    if address >= BAD:
        raise ValueError(f"address must be below {BAD:#x}, not {address:#x}")


class Bench:
    """The top between two managers and a memory."""

    def __init__(self, dut) -> None:
        self.attached = Attached(dut)
        self.masters = [
            AxiMaster(AxiBus.from_entity(bus), dut.clk, dut.rst) for bus in (dut.s00, dut.s01)
        ]
        self.memory = Memory(AxiBus.from_entity(dut.m00), dut.clk, dut.rst)

    def pause(self, chance: float) -> None:
        """From now on every channel pauses at random."""
        for number, side in enumerate((*self.masters, self.memory)):
            for place, channel in enumerate(channels(side)):
                channel.set_pause_generator(pauses(10 * number + place, chance))

    async def errors(self) -> dict[tuple[int, PortError], int]:
        """What the ports have counted."""
        register = fabric_map(FABRIC)["PORT_ERRORS"]
        return {
            (port, kind): await self.attached.read(
                register.offset + 4 * (PORT_ERROR_KINDS * port + kind)
            )
            for port in range(2)
            for kind in PortError
        }


def channels(side):
    """The five channels of a manager or a memory."""
    writes, reads = side.write_if, side.read_if
    return (
        writes.aw_channel,
        writes.w_channel,
        writes.b_channel,
        reads.ar_channel,
        reads.r_channel,
    )


def random_burst(random: Random, region: int, bus: int) -> tuple[dict, int, int]:
    """Arguments of a burst within a region, its bytes, and how many of them are one block.

    The manager puts a narrow FIXED or WRAP burst on the lanes of an INCR burst, so FIXED is of
    whole words, and WRAP of whole words in all. It cuts a WRAP burst where an INCR burst would
    cross 4 KB, so such a one begins with its block.
    """
    kind = random.choice((AxiBurstType.INCR,) * 3 + (AxiBurstType.WRAP, AxiBurstType.FIXED))
    limit = bus.bit_length() - 1
    size = random.randint(0, limit)
    if kind is AxiBurstType.INCR:
        length = random.randint(1, random.choice((8, 40, 300)))
        address = region + random.randrange(REGION - length)
        return {"burst": kind, "size": size, "address": address}, length, length
    if kind is AxiBurstType.FIXED:
        size, block = limit, bus
        length = bus * random.randint(1, 16)
        offset = 0
    else:
        count = random.choice([n for n in (2, 4, 8, 16) if n << size >= bus])
        block = length = count << size
        offset = random.randrange(count) << size
    address = region + random.randrange((REGION >> 1) // block) * block
    if address % PAGE_BYTES + offset + length <= PAGE_BYTES:
        address += offset
    return {"burst": kind, "size": size, "address": address}, length, block


def places(burst: dict, length: int, block: int) -> list[int]:
    """The address of each byte of a burst."""
    address = burst["address"]
    if burst["burst"] is AxiBurstType.INCR:
        return list(range(address, address + length))
    base = address // block * block
    return [base + (address - base + i) % block for i in range(length)]


async def converse(bench: Bench, port: int, name: int, rounds: int) -> None:
    """Rounds of writes of one ID that may overlap, and then of reads of the same bytes."""
    random = Random(100 * port + name)
    master = bench.masters[port]
    region = REGION * (len(IDS) * port + name)
    assert region + REGION <= BAD
    held = bytearray(REGION)
    bench.memory.write(region, held)
    for _ in range(rounds):
        bursts = [
            random_burst(random, region, FABRIC.ports[port].data_bytes)
            for _ in range(random.randint(1, 4))
        ]
        operations = []
        for burst, length, block in bursts:
            data = random.randbytes(length)
            for place, byte in zip(places(burst, length, block), data, strict=True):
                held[place - region] = byte
            operations.append(master.init_write(data=data, awid=name, **burst))
        for operation in operations:
            await operation.wait()
            assert operation.data.resp is AxiResp.OKAY
        operations = [
            (master.init_read(length=length, arid=name, **burst), places(burst, length, block))
            for burst, length, block in bursts
        ]
        for operation, wanted in operations:
            await operation.wait()
            assert operation.data.resp is AxiResp.OKAY
            assert operation.data.data == bytes(held[place - region] for place in wanted)
    assert bench.memory.read(region, REGION) == held


@cocotb.test()
async def data_return_as_they_were_written(dut):
    """Of all IDs of both ports at once, with any burst; without pauses, and then with them."""
    bench = Bench(dut)
    await bench.attached.start()
    tasks = [
        cocotb.start_soon(converse(bench, port, name, parameters()["rounds"]))
        for port in range(2)
        for name in IDS
    ]
    await ClockCycles(dut.clk, 300)
    assert not all(task.done() for task in tasks)
    bench.pause(0.4)
    for task in tasks:
        await task
    assert not any((await bench.errors()).values())
    bench.attached.end()


@cocotb.test()
async def errors_reach_who_caused_them(dut):
    """An ID without a row, and memory that refuses, among bursts that are well."""
    bench = Bench(dut)
    bench.pause(0.2)
    await bench.attached.start()
    random = Random(7)
    expected = dict.fromkeys(await bench.errors(), 0)
    operations = []
    for step in range(40):
        port = step % 2
        master = bench.masters[port]
        name = random.choice((*IDS, UNMAPPED))
        bad = random.random() < 0.3
        # The last byte of the burst may be the only one that memory refuses.
        length = random.randint(1, 60)
        begin = BAD - length + 1 if bad else 0x400 * step
        answer = AxiResp.SLVERR if bad else AxiResp.OKAY
        if name == UNMAPPED:
            answer = AxiResp.DECERR
        if random.random() < 0.5:
            kind = PortError.UNMAPPED_READ
            operation = master.init_read(begin, length, arid=name)
        else:
            kind = PortError.UNMAPPED_WRITE
            operation = master.init_write(begin, random.randbytes(length), awid=name)
        expected[port, kind] += name == UNMAPPED
        operations.append((operation, answer))
    for operation, answer in operations:
        await operation.wait()
        assert operation.data.resp is answer
    await ClockCycles(dut.clk, 4)
    assert await bench.errors() == expected
    assert {answer for _, answer in operations} == {AxiResp.OKAY, AxiResp.SLVERR, AxiResp.DECERR}
    bench.attached.end()


@cocotb.test()
async def an_engine_inside_shares_the_memory(dut):
    """It writes frames by handle and reads them back, while managers use the ports outside."""
    bench = Bench(dut)
    bench.pause(0.2)
    await bench.attached.start()
    engine = Engine(dut)
    outside = [cocotb.start_soon(converse(bench, port, 0, 2)) for port in range(2)]
    random = Random(3)
    held = {}

    def frames(count: int) -> list[Fragment]:
        """Fragments of two orders in two blocks, many of which overlap."""
        made = []
        for _ in range(count):
            first, block = random.randrange(8), random.randrange(2)
            beats = random.randint(1, 8 - first)
            order = random.randrange(2)
            # Each order has blocks of its own, so that what is read is what it wrote.
            address = ENGINE + 64 * (2 * order + block) + 8 * first
            words = [random.getrandbits(64) for _ in range(beats)]
            made.append(Fragment(address=address, order=order, words=words))
        return made

    written = frames(24)
    await engine.write(written)
    for each in written:
        held |= {each.address + 8 * i: word for i, word in enumerate(each.words)}
    read = frames(24)
    await engine.read(read)
    for each in read:
        assert each.words == [held.get(each.address + 8 * i, 0) for i in range(each.beats)]
    for fragments in (written, read):
        waited = shared = 0
        # Two wait in the port at most, so a fragment has passed when the next but one is taken.
        passed = [each.taken for each in fragments[2:]]
        for i, later in enumerate(fragments):
            for earlier in fragments[:i]:
                if later.overlaps(earlier):
                    assert later.began > earlier.left
                    waited += 1
                elif i < len(passed) and passed[i] < earlier.left:
                    shared += 1
        assert waited
        assert shared
    memory = bench.memory.read(ENGINE, 256)
    for address, word in held.items():
        assert memory[address - ENGINE :][:8] == word.to_bytes(8, "little")
    for task in outside:
        await task
    bench.attached.end()
