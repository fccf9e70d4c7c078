"""The generic target: its ports, its files, and a channel that works through them."""

import dataclasses
import hashlib
import itertools
import json
import re
from pathlib import Path

import pytest
from amaranth.hdl import Fragment
from amaranth.sim import Simulator

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import CORE_MAGIC, ArbiterKind, channel_map
from mcos_hw.registers.export import c_header, c_name, markdown, systemrdl
from mcos_hw.targets.companions import lattice_constraints, synopsys_constraints
from mcos_hw.targets.generic import NAMES, TOP, GenericTop, files
from mcos_hw.targets.ports import groups
from mcos_policy.compiler import compile_contract
from mcos_policy.samples import SAMPLES

ROOT = Path(__file__).parents[3]
CONFIG = ChannelConfig(tenants=4)


@pytest.fixture(scope="module")
def made():
    return files(CONFIG, arbiter=ArbiterKind.FCFS, regenerate="make it so")


def _ports(config):
    top = GenericTop(config)
    Fragment.get(top, None)  # Amaranth warns about a component that nobody elaborates.
    return top.ports


def _verilog_ports(text):
    """Name, direction, width and meaning of each port of the top module, in their order."""
    head = text.partition(f"module {TOP} (\n")[2].partition("\n);\n")[0]
    rows = re.findall(
        r"^  (input|output) wire (?:\[(\d+):0\] )?(\w+),? +// (.+)$", head, re.MULTILINE
    )
    return [(name, way, int(high) + 1 if high else 1, text) for way, high, name, text in rows]


def test_documented_ports_are_the_ports():
    page = (ROOT / "docs" / "verilog.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (input|output) \| (\d+) \| (.+) \|$", page, re.MULTILINE)
    ports = _ports(ChannelConfig())
    assert rows == [(port.name, port.direction, str(port.width), port.meaning) for port in ports], (
        "copy the rows of the ports into docs/verilog.md"
    )


def test_ports_of_the_verilog(made):
    ports = _ports(CONFIG)
    assert _verilog_ports(made["mcos.v"]) == [
        (port.name, port.direction, port.width, port.meaning) for port in ports
    ]
    for port in ports:
        assert re.fullmatch(r"[a-z]+(_[a-z0-9]+)*", port.name), port.name
        assert re.fullmatch(r"[A-Z].*\.", port.meaning), port.meaning


def test_ports_are_in_reading_order():
    words = [name.partition(";")[0] for name, _ in groups(_ports(CONFIG))]
    bus = "Registers, AXI4-Lite: "
    assert words == [
        "Clock and reset",
        *(bus + channel for channel in ("write address", "write data", "write response")),
        *(bus + channel for channel in ("read address", "read data")),
        "Time",
        "Requests in",
        "Responses out, without back-pressure",
        "Commands to memory",
        "Completions from memory, in any order",
    ]


def test_constraints_have_the_period_of_the_hardware():
    assert "create_clock -name clk -period 1.250 [get" in synopsys_constraints(CONFIG, head=("A",))
    slow = dataclasses.replace(CONFIG, clock_khz=33_333)
    assert "-period 30.000 [get_ports clk]\n" in synopsys_constraints(slow, head=())
    assert lattice_constraints(slow, head=("A",)) == ('# A\n\nFREQUENCY PORT "clk" 33.333 MHz;\n')


def test_files(made):
    registers = channel_map(CONFIG)
    assert made["mcos_registers.h"] == c_header(registers, name=c_name(CONFIG))
    assert made["mcos_registers.rdl"] == systemrdl(registers)
    assert made["mcos_registers.md"] == markdown(registers)
    assert tuple(made) == NAMES
    record = json.loads(made["mcos.json"])
    assert record["files"] == {
        name: hashlib.sha256(text.encode()).hexdigest()
        for name, text in made.items()
        if name != "mcos.json"
    }
    assert ChannelConfig(**record["config"]) == CONFIG
    assert record["config_hash"] == CONFIG.hash
    assert record["map_hash"] == f"0x{registers.hash:08x}"
    assert (record["target"], record["top"], record["arbiter"]) == ("generic", "mcos", "fcfs")
    assert record["ports"] == [dataclasses.asdict(port) for port in _ports(CONFIG)]


def test_heads_say_what_it_is(made):
    for name in ("mcos.v", "mcos_inst.vh", "mcos_tb.v", "mcos.sdc", "mcos.xdc", "mcos.lpf"):
        lines = made[name].splitlines()
        text = " ".join(itertools.takewhile(lambda line: line.startswith(("// ", "# ")), lines))
        for part in ("do not edit", "4 tenants", "arbiter fcfs", CONFIG.hash, "again: make it so"):
            assert part in text, name


def _carry_out(top, process):
    simulator = Simulator(top)
    simulator.add_clock(1e-9)
    simulator.add_testbench(process)
    simulator.run()


async def _write(ctx, top, address, word):
    for name, value in (("awaddr", address), ("wdata", word), ("wstrb", 0xF)):
        ctx.set(getattr(top, f"s_axil_{name}"), value)
    for name in ("awvalid", "wvalid", "bready"):
        ctx.set(getattr(top, f"s_axil_{name}"), 1)
    await ctx.tick()
    ctx.set(top.s_axil_awvalid, 0)
    ctx.set(top.s_axil_wvalid, 0)
    await ctx.tick().until(top.s_axil_bvalid)
    assert ctx.get(top.s_axil_bresp) == 0


async def _read(ctx, top, address):
    for name, value in (("araddr", address), ("arvalid", 1), ("rready", 1)):
        ctx.set(getattr(top, f"s_axil_{name}"), value)
    await ctx.tick()
    ctx.set(top.s_axil_arvalid, 0)
    (word,) = await ctx.tick().sample(top.s_axil_rdata).until(top.s_axil_rvalid)
    return word


def test_a_request_passes_through_the_flat_ports():
    top = GenericTop(CONFIG)
    registers = top.controller.registers
    image = compile_contract(SAMPLES["decode-prefill"], CONFIG).image
    request = {"tenant": 2, "id": 0xABC, "op": 1, "address": 0x12_3456_7880, "beats": 5}

    async def process(ctx):
        assert await _read(ctx, top, registers["CORE"].offset) == CORE_MAGIC
        assert ctx.get(top.request_ready) == 0
        control = registers["IMAGE_CONTROL"]
        await _write(ctx, top, control.offset, control.pack(begin=1))
        for word in image.words:
            await _write(ctx, top, registers["IMAGE_DATA"].offset, word)
        await ctx.tick().repeat(CONFIG.tenants + 2)
        await _write(ctx, top, control.offset, control.pack(commit=1))
        assert await _read(ctx, top, registers["LIVE_CRC"].offset) == image.crc
        assert ctx.get(top.request_ready) == 0b1111

        for name, value in request.items():
            ctx.set(getattr(top, f"request_{name}"), value)
        ctx.set(top.request_offered, ctx.get(top.now))
        ctx.set(top.request_valid, 1)
        await ctx.tick()
        ctx.set(top.request_valid, 0)
        await ctx.tick().repeat(2)
        assert ctx.get(top.command_valid) == 0
        await ctx.tick()
        assert ctx.get(top.command_valid) == 1
        for name in ("tenant", "op", "address", "beats"):
            assert ctx.get(getattr(top, f"command_{name}")) == request[name]
        await ctx.tick().repeat(3)
        assert ctx.get(top.command_valid) == 1
        slot = ctx.get(top.command_slot)
        ctx.set(top.command_ready, 1)
        await ctx.tick()
        assert ctx.get(top.command_valid) == 0

        ctx.set(top.completion_slot, slot)
        ctx.set(top.completion_valid, 1)
        assert ctx.get(top.response_valid) == 0
        await ctx.tick()
        ctx.set(top.completion_valid, 0)
        assert ctx.get(top.response_valid) == 1
        assert ctx.get(top.response_tenant) == request["tenant"]
        assert ctx.get(top.response_id) == request["id"]
        await ctx.tick()
        assert ctx.get(top.response_valid) == 0

    _carry_out(top, process)
