# amaranth: UnusedElaboratable=no
"""The register bank under an AXI4-Lite manager, register by register."""

import itertools
import random

import cocotb
import pytest
from amaranth.hdl import Cat, Const, Module
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out, connect, flipped
from amaranth.sim import Simulator
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge
from cocotbext.axi import AxiLiteBus, AxiLiteMaster

from mcos_hw.bus.axi4lite import Axi4LiteSignature, Response
from mcos_hw.config import ChannelConfig
from mcos_hw.control.bank import (
    RegisterBank,
    event_signature,
    identification,
    register_layout,
    window_signature,
)
from mcos_hw.link.live import live_layout
from mcos_hw.registers import (
    Access,
    ArbiterKind,
    Field,
    Register,
    RegisterMap,
    channel_map,
)
from mcos_sim.cosim.build import build
from mcos_sim.cosim.run_tests import parameters, run
from tests.hw.channel.bench import simulate

SEED = 3
CONFIG = ChannelConfig()
REGISTERS = channel_map(CONFIG)
CONSTANTS = identification(REGISTERS, arbiter=ArbiterKind.MCOS)
SPACE = 1 << REGISTERS.address_width

SINGLES = tuple(
    register
    for register in REGISTERS.registers
    if register.access is Access.READ and register.count == 1 and register.name not in CONSTANTS
)
ARRAYS = tuple(
    register
    for register in REGISTERS.registers
    if register.access is Access.READ and register.count > 1
)
EVENTS = tuple(register for register in REGISTERS.registers if register.access is Access.WRITE)


def window_word(register, index):
    """What the harness answers for an element of an array: unlike any other element."""
    return register.offset << 16 | index


class BankHarness(wiring.Component):
    """The bank with sources behind it: each window answers :func:`window_word` a clock later."""

    def __init__(self):
        self.bank = RegisterBank(REGISTERS, constants=CONSTANTS)
        super().__init__(
            {
                "s_axil": In(Axi4LiteSignature(REGISTERS.address_width)),
                "values": In(self.bank.values.shape()),
                "live": In(live_layout(REGISTERS)),
                **{register.name.lower(): Out(event_signature(register)) for register in EVENTS},
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.bank = bank = self.bank
        connect(m, flipped(self.s_axil), bank.s_axil)
        m.d.comb += [bank.values.eq(self.values), bank.live.eq(self.live)]
        for register in EVENTS:
            name = register.name.lower()
            connect(m, flipped(getattr(self, name)), getattr(bank, name))
        for register in ARRAYS:
            window = getattr(bank, register.name.lower())
            base = Const(window_word(register, 0) >> 16, 16)
            m.d.sync += window.data.eq(Cat(Const(0, 16), base) | window.index)
        return m


class Sources:
    """What the bank's sources hold, and so what every word address must read as."""

    def __init__(self, rng):
        self.values = {register.name: rng.getrandbits(32) & register.mask for register in SINGLES}
        self.live = {
            (register.name, index): rng.getrandbits(32) & register.mask
            for register, index in REGISTERS.image_words()
        }

    def packed_values(self):
        layout = data.StructLayout(
            {register.name.lower(): register_layout(register) for register in SINGLES}
        )
        return sum(word << layout[name.lower()].offset for name, word in self.values.items())

    def packed_live(self):
        layout = live_layout(REGISTERS)
        channel, tenants = layout["channel"], layout["tenants"]
        packed = 0
        for (name, index), word in self.live.items():
            single = REGISTERS[name].count == 1
            part = channel.shape if single else tenants.shape.elem_shape
            base = channel.offset if single else tenants.offset + index * part.size
            for field, value in REGISTERS[name].unpack(word).items():
                packed |= value << base + part[field].offset
        return packed

    def read(self, register, index):
        if register.access is Access.WRITE:
            return 0
        if register.access is Access.IMAGE:
            return self.live[register.name, index]
        if register.count > 1:
            return window_word(register, index)
        return CONSTANTS.get(register.name, self.values.get(register.name))


def registers_by_address():
    return {
        register.offset + 4 * index: (register, index)
        for register in REGISTERS.registers
        for index in range(register.count)
    }


class Bench:
    """Drives the bus, and records every event that a write becomes."""

    def __init__(self, dut, rng, pauses):
        self.dut = dut
        self.rng = rng
        self.sources = Sources(rng)
        self.events = []
        self.master = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "s_axil_"), dut.clk, dut.rst)
        write, read = self.master.write_if, self.master.read_if
        self.channels = {
            "aw": write.aw_channel,
            "w": write.w_channel,
            "b": write.b_channel,
            "ar": read.ar_channel,
            "r": read.r_channel,
        }
        for interface in (write, read):
            interface.log.setLevel("WARNING")
        for name, period in pauses.items():
            self.channels[name].set_pause_generator(self.pause(period))

    def pause(self, period):
        """Pauses for ``period - 1`` clocks of ``period``; at random if ``period`` is 0."""
        if period:
            return itertools.cycle([1] * (period - 1) + [0])
        return (self.rng.random() < 0.6 for _ in itertools.repeat(None))

    async def start(self):
        Clock(self.dut.clk, 2, "ns").start()
        self.dut.values.value = self.sources.packed_values()
        self.dut.live.value = self.sources.packed_live()
        self.dut.rst.value = 1
        for _ in range(3):
            await FallingEdge(self.dut.clk)
        self.dut.rst.value = 0
        cocotb.start_soon(self.record())

    async def record(self):
        ports = [
            (
                register.name,
                getattr(self.dut, f"{register.name.lower()}__stb"),
                {
                    field.name: getattr(self.dut, f"{register.name.lower()}__{field.name}")
                    for field in register.fields
                },
            )
            for register in EVENTS
        ]
        while True:
            await FallingEdge(self.dut.clk)
            for name, stb, fields in ports:
                if stb.value:
                    values = {field: int(port.value) for field, port in fields.items()}
                    self.events.append((name, values))

    async def read(self, address):
        answer = await self.master.read(address, 4)
        return int.from_bytes(answer.data, "little"), answer.resp

    async def write(self, address, word, length=4):
        answer = await self.master.write(address, word.to_bytes(4, "little")[:length])
        return answer.resp

    async def expect_write(self, address, word, response, events):
        """A write is answered so, and exactly these events happen."""
        self.events.clear()
        found = await self.write(address, word)
        await FallingEdge(self.dut.clk)
        assert found == response, f"write of 0x{address:x} answers {found!r}, not {response!r}"
        assert self.events == events, f"write of 0x{address:x}"


async def bench_of(dut):
    settings = parameters()
    bench = Bench(dut, random.Random(settings["seed"]), settings["pauses"])
    await bench.start()
    return bench


@cocotb.test()
async def every_address_is_read(dut):
    """Words and holes of the whole map: 2,048 reads."""
    bench = await bench_of(dut)
    registers = registers_by_address()
    for address in range(0, SPACE, 4):
        word, response = await bench.read(address)
        if address in registers:
            register, index = registers[address]
            expected = (bench.sources.read(register, index), Response.OKAY)
        else:
            expected = (0, Response.DECERR)
        assert (word, response) == expected, f"read of 0x{address:x}: 0x{word:x}, {response!r}"


@cocotb.test()
async def sources_are_read_anew(dut):
    """A read gives what a source holds now, not what it held at the read before."""
    bench = await bench_of(dut)
    status = REGISTERS["IMAGE_STATUS"]
    for received in (0, 1, 0xFFFF):
        bench.sources.values["IMAGE_STATUS"] = status.pack(received=received)
        dut.values.value = bench.sources.packed_values()
        await FallingEdge(dut.clk)
        word, _ = await bench.read(status.offset)
        assert status.unpack(word)["received"] == received


@cocotb.test()
async def full_writes_of_write_registers_become_events(dut):
    bench = await bench_of(dut)
    for _ in range(50):
        register = bench.rng.choice(EVENTS)
        word = bench.rng.getrandbits(32)
        await bench.expect_write(
            register.offset, word, Response.OKAY, [(register.name, register.unpack(word))]
        )


@cocotb.test()
async def other_writes_change_nothing(dut):
    """One element of every register that is not written, and every kind of hole."""
    bench = await bench_of(dut)
    for register in REGISTERS.registers:
        if register.access is not Access.WRITE:
            address = register.offset + 4 * bench.rng.randrange(register.count)
            await bench.expect_write(address, 0xFFFF_FFFF, Response.SLVERR, [])
    registers = registers_by_address()
    holes = [address for address in range(0, SPACE, 4) if address not in registers]
    for address in (holes[0], holes[-1], *bench.rng.sample(holes, 20)):
        await bench.expect_write(address, 0xFFFF_FFFF, Response.DECERR, [])


@cocotb.test()
async def partial_writes_change_nothing(dut):
    bench = await bench_of(dut)
    for register in EVENTS:
        bench.events.clear()
        for first, length in ((0, 1), (0, 2), (0, 3), (1, 3), (2, 2), (3, 1)):
            found = await bench.write(register.offset + first, 0xFFFF_FFFF, length)
            assert found == Response.SLVERR, f"{register.name}, {length} bytes from {first}"
        await FallingEdge(dut.clk)
        assert bench.events == []
        await bench.expect_write(
            register.offset, 0, Response.OKAY, [(register.name, register.unpack(0))]
        )


@cocotb.test()
async def reads_and_writes_at_once(dut):
    """Bursts queued on both sides are answered in order and do not disturb each other."""
    bench = await bench_of(dut)
    event = REGISTERS["IMAGE_DATA"]
    words = [bench.rng.getrandbits(32) for _ in range(100)]
    array = REGISTERS["LATENCY"]
    indices = [bench.rng.randrange(array.count) for _ in words]
    writes = [cocotb.start_soon(bench.write(event.offset, word)) for word in words]
    reads = [cocotb.start_soon(bench.read(array.offset + 4 * index)) for index in indices]
    for index, task in zip(indices, reads, strict=True):
        assert await task == (window_word(array, index), Response.OKAY)
    for task in writes:
        assert await task == Response.OKAY
    await FallingEdge(dut.clk)
    assert bench.events == [("IMAGE_DATA", {"word": word}) for word in words]


@pytest.mark.cocotb
@pytest.mark.parametrize(
    "pauses",
    [
        pytest.param({}, id="full speed"),
        pytest.param(dict.fromkeys(("aw", "w", "b", "ar", "r"), 0), id="random pauses"),
        pytest.param({"aw": 7}, id="data first"),
        pytest.param({"w": 7}, id="address first"),
        pytest.param({"b": 5, "r": 5}, id="slow to take answers"),
    ],
)
def test_bus(pauses, tmp_path):
    run(
        build(BankHarness(), name="bank_harness"),
        test_module=__name__,
        directory=tmp_path,
        seed=SEED,
        parameters={"seed": SEED, "pauses": pauses},
        timeout=120,
    )


# Parameters and signature.


def small_map(*, access=Access.READ, offset=0x8, count=2):
    return RegisterMap(
        name="small",
        description="One register under test, and an array that an image sets.",
        registers=(
            Register(
                name="ROW",
                offset=offset,
                access=access,
                fields=(Field(name="value", width=8, low=4, description="A field."),),
                description="A register.",
                count=count,
            ),
            Register(
                name="RATE",
                offset=0x20,
                access=Access.IMAGE,
                fields=(Field(name="rate", width=8, description="A field."),),
                description="An array.",
                count=4,
            ),
        ),
        address_width=6,
    )


@pytest.mark.parametrize(
    ("registers", "constants", "message"),
    [
        (
            small_map(count=3),
            {},
            r"^array 'ROW' must have a power of two of elements and .*, not 3 elements at 0x8$",
        ),
        (small_map(offset=0x4), {}, r"aligned to its size, not 2 elements at 0x4$"),
        (
            small_map(access=Access.WRITE),
            {},
            r"^WRITE register 'ROW' must be single, not an array of 2$",
        ),
        (small_map(), {"ROW": 1}, r"^constants must name single READ registers, not 'ROW'$"),
        (small_map(), {"COLUMN": 1}, r"^constants must name single READ registers, not 'COLUMN'$"),
    ],
)
def test_parameters(registers, constants, message):
    with pytest.raises(ValueError, match=message):
        RegisterBank(registers, constants=constants)


def test_signature():
    members = RegisterBank(REGISTERS, constants=CONSTANTS).signature.members
    assert set(members) == {
        "s_axil",
        "values",
        "live",
        *(register.name.lower() for register in (*ARRAYS, *EVENTS)),
    }
    assert set(members["values"].shape.members) == {
        "image_status",
        "generation",
        "live_label",
        "live_crc",
        "epoch",
        "busy",
        "stalled",
        "load",
    }
    for register in ARRAYS:
        assert members[register.name.lower()].signature == window_signature(register)


def test_register_layout_has_fields_where_the_map_has_them():
    status = REGISTERS["IMAGE_STATUS"]
    layout = register_layout(status)
    assert layout.size == 32
    for field in status.fields:
        assert (layout[field.name].offset, layout[field.name].width) == (field.low, field.width)


def test_identification_says_what_was_built():
    core = identification(REGISTERS, arbiter=ArbiterKind.FCFS)
    assert core["CORE"].to_bytes(4, "little") == b"MCOS"
    assert core["MAP_HASH"] == REGISTERS.hash
    assert core["ARBITER"] == ArbiterKind.FCFS
    assert REGISTERS["CAPABILITY"].unpack(core["CAPABILITY"]) == {
        "channels": 1,
        "tenants": CONFIG.tenants,
        "queue_depth": CONFIG.queue_depth,
        "beat_bytes": CONFIG.beat_bytes,
    }
    assert REGISTERS["LIMITS"].unpack(core["LIMITS"]) == {
        "l_max": CONFIG.l_max,
        "grant_interval": CONFIG.grant_interval,
        "lateness": CONFIG.lateness,
        "bytes_per_clock": CONFIG.bytes_per_clock,
    }
    assert core["CLOCK"] == CONFIG.clock_khz


# Timing, as the docstring draws it.


def test_a_read_is_answered_five_clocks_after_its_address():
    bank = RegisterBank(small_map(), constants={})

    async def testbench(context):
        bus = bank.s_axil
        context.set(bus.rready, 1)
        context.set(bus.araddr, 0xC)
        context.set(bus.arvalid, 1)
        assert context.get(bus.arready)
        await context.tick()
        context.set(bus.arvalid, 0)
        assert context.get(bank.row.index) == 1
        await context.tick()
        context.set(bank.row.data, 0xAB0)
        for _ in range(3):
            assert not context.get(bus.rvalid)
            await context.tick()
        context.set(bank.row.data, 0)
        assert context.get(bus.rvalid)
        assert context.get(bus.rdata) == 0xAB0
        await context.tick()
        assert not context.get(bus.rvalid)

    simulator = Simulator(bank)
    simulator.add_clock(1e-9)
    simulator.add_testbench(testbench)
    simulator.run()


@pytest.mark.parametrize("order", [("aw", "w"), ("w", "aw"), ("both",)])
def test_a_write_happens_in_the_clock_after_address_and_data(order):
    bank = RegisterBank(small_map(access=Access.WRITE, count=1), constants={})

    async def testbench(context):
        bus = bank.s_axil
        context.set(bus.awaddr, 0x8)
        context.set(bus.wdata, 0xFF0)
        context.set(bus.wstrb, 0xF)
        for part in order:
            assert not context.get(bank.row.stb)
            context.set(bus.awvalid, part in ("aw", "both"))
            context.set(bus.wvalid, part in ("w", "both"))
            await context.tick()
        context.set(bus.awvalid, 0)
        context.set(bus.wvalid, 0)
        assert context.get(bank.row.stb)
        assert context.get(bank.row.value) == 0xFF
        assert not context.get(bus.bvalid)
        await context.tick()
        assert not context.get(bank.row.stb)
        assert context.get(bus.bvalid)
        assert context.get(bus.bresp) == Response.OKAY
        await context.tick().repeat(3)
        assert context.get(bus.bvalid)
        context.set(bus.bready, 1)
        await context.tick()
        assert not context.get(bus.bvalid)

    simulator = Simulator(bank)
    simulator.add_clock(1e-9)
    simulator.add_testbench(testbench)
    simulator.run()


def test_a_delayed_register_is_read_once_its_word_is_given():
    """The bank asks with its address, waits however long, and does not wait for the others."""
    registers = channel_map(CONFIG)
    bank = RegisterBank(registers, constants={}, delayed=("BUSY", "HELD"))
    held = registers["HELD"].offset + 4 * 3

    async def testbench(bench):
        bench.set(**{"s_axil.rready": 1, "held.data": 77})
        for name, count in (("busy", 5), ("stalled", 6)):
            bench.context.set(bank.values[name].count, count)
        for address, word, delays in (
            (held, 77, (0, 1, 20)),
            (registers["BUSY"].offset, 5, (0, 7)),
            (registers["STALLED"].offset, 6, (None,)),
        ):
            for delay in delays:
                bench.set(**{"s_axil.araddr": address, "s_axil.arvalid": 1})
                await bench.tick()
                bench.set(**{"s_axil.arvalid": 0})
                for _ in range(delay or 0):
                    assert bench.get("reading.asked")
                    assert bench.get("reading.address") == address // 4
                    await bench.tick()
                assert bench.get("reading.asked") == (delay is not None)
                bench.set(**{"reading.given": 1})
                await bench.tick()
                bench.set(**{"reading.given": 0})
                for _ in range(3):
                    assert not bench.get("reading.asked")
                    assert not bench.get("s_axil.rvalid")
                    await bench.tick()
                assert bench.get("s_axil.rvalid")
                assert bench.get("s_axil.rdata") == word
                await bench.tick()

    simulate(bank, testbench)
