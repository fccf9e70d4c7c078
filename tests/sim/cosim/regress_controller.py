"""The controller as software and requesters see it: registers, images, commits, traffic.

Run by ``test_controller``.
"""

import dataclasses
import json
import random
import zlib

import cocotb
import pytest
from amaranth.lib import data
from cocotbext.axi import AxiResp

from mcos_hw.channel.probe import probe_layout
from mcos_hw.config import ChannelConfig
from mcos_hw.registers import CORE_MAGIC, CORE_VERSION, Access, ArbiterKind, channel_map
from mcos_hw.registers.image import HEADER_WORDS, HeaderWord, ImageCode, ImageState
from mcos_policy.image import Image, register_words, verify
from mcos_sim.cosim.harness import observed_layout, stimulus_layout
from mcos_sim.cosim.recorder import WindowRecorder
from mcos_sim.cosim.run_tests import folder, parameters
from mcos_sim.cosim.testbench import Registers
from tests.sim.cosim.recipes import contract, image, make_bench, sizes, stream
from tests.sim.cosim.verdicts import grants, in_flight_peak, require_served

LIVE = ("GENERATION", "LIVE_LABEL", "LIVE_CRC")


def equal_shares(config: ChannelConfig, tags, **changes):
    """Settings that divide three quarters of the channel among ``tags``."""
    rate = config.bytes_per_clock * 3 // 4 // len(tags)
    return contract(config, dict.fromkeys(tags, rate), **changes)


async def live_words(registers: Registers) -> dict[str, list[int]]:
    """The live configuration, read back register by register."""
    return {
        register.name: await registers.read_array(register.name)
        for register in registers.map.registers
        if register.access is Access.IMAGE
    }


async def live_names(registers: Registers) -> list[int]:
    """What tells one live image from another."""
    return [await registers.read(name) for name in LIVE]


@cocotb.test()
async def says_what_it_is(dut):
    bench = make_bench(dut, seed=100)
    config = sizes()
    await bench.reset()
    fields = {
        name: bench.registers.map[name].unpack(await bench.registers.read(name))
        for name in (
            "CORE",
            "CORE_VERSION",
            "MAP_HASH",
            "CAPABILITY",
            "LIMITS",
            "CLOCK",
            "ARBITER",
            "OPTIONS",
        )
    }
    major, minor, patch = CORE_VERSION
    assert fields == {
        "CORE": {"magic": CORE_MAGIC},
        "CORE_VERSION": {"major": major, "minor": minor, "patch": patch},
        "MAP_HASH": {"hash": channel_map(config).hash},
        "CAPABILITY": {
            "channels": 1,
            "tenants": config.tenants,
            "queue_depth": config.queue_depth,
            "beat_bytes": config.beat_bytes,
        },
        "LIMITS": {
            "l_max": config.l_max,
            "grant_interval": config.grant_interval,
            "lateness": config.lateness,
            "bytes_per_clock": config.bytes_per_clock,
        },
        "CLOCK": {"khz": config.clock_khz},
        "ARBITER": {"kind": ArbiterKind[parameters()["arbiter"]]},
        "OPTIONS": {
            "loader_checks": int(config.loader_checks),
            "monitors": int(config.monitors),
        },
    }
    assert await live_names(bench.registers) == [0, 0, 0]
    assert not any(map(any, (await live_words(bench.registers)).values()))
    assert await bench.registers.status() == (ImageState.EMPTY, ImageCode.NONE)


@cocotb.test()
async def refuses_accesses_that_mean_nothing(dut):
    bench = make_bench(dut, seed=110)
    await bench.reset()
    registers = bench.registers
    words = image(sizes(), equal_shares(sizes(), range(4)), label=0xABCD).words
    await bench.load(words)

    used = {
        address
        for register in registers.map.registers
        for address in range(register.offset, register.offset + register.size, 4)
    }
    end = 1 << registers.map.address_width
    unmapped = [address for address in range(0, end, 4) if address not in used]
    for address in random.Random(1).sample(unmapped, 20):
        assert (await registers.master.read(address, 4)).resp is AxiResp.DECERR, hex(address)
        answer = await registers.master.write(address, b"\xff" * 4)
        assert answer.resp is AxiResp.DECERR, hex(address)
    for register in registers.map.registers:
        if register.access is not Access.WRITE:
            answer = await registers.master.write(register.offset, b"\xff" * 4)
            assert answer.resp is AxiResp.SLVERR, register.name
    with pytest.raises(AssertionError, match=r"^register CORE must answer OKAY, not SLVERR"):
        await registers.write("CORE", 0)
    partial = await registers.master.write(registers.map["IMAGE_CONTROL"].offset, b"\x01")
    assert partial.resp is AxiResp.SLVERR

    assert await live_words(registers) == register_words(registers.map, Image(words=words))
    assert await live_names(registers) == [1, 0xABCD, words[-1]]
    assert await registers.status() == (ImageState.EMPTY, ImageCode.NONE)


def sealed(words) -> tuple[int, ...]:
    """Words of an image with the checksum made right."""
    body = b"".join(word.to_bytes(4, "little") for word in words[:-1])
    return (*words[:-1], zlib.crc32(body))


def changed(words, position: int, word: int) -> tuple[int, ...]:
    return (*words[:position], word, *words[position + 1 :])


def faulty_images(config: ChannelConfig, good: Image) -> dict[str, tuple[int, ...]]:
    """One image of each kind of fault."""
    words = good.words
    mode = HEADER_WORDS + 1
    half = config.bytes_per_clock << config.rate_fraction >> 1
    settings = equal_shares(config, range(4))

    def tenant(tag, **changes):
        rows = list(settings.tenants)
        rows[tag] = dataclasses.replace(rows[tag], **changes)
        return image(config, dataclasses.replace(settings, tenants=tuple(rows))).words

    def whole(**changes):
        row = dataclasses.replace(settings.channel, **changes)
        return image(config, dataclasses.replace(settings, channel=row)).words

    return {
        "magic": sealed(changed(words, HeaderWord.MAGIC, words[0] ^ 0x2000)),
        "version": sealed(changed(words, HeaderWord.VERSION, 1)),
        "sizes": sealed(changed(words, HeaderWord.LIMITS, words[HeaderWord.LIMITS] ^ 1 << 16)),
        "clock": sealed(changed(words, HeaderWord.CLOCK, config.clock_khz // 2)),
        "map hash": sealed(changed(words, HeaderWord.MAP_HASH, words[HeaderWord.MAP_HASH] ^ 1)),
        "length": sealed(changed(words, HeaderWord.WORDS, len(words) + 1)),
        "other label": changed(words, HeaderWord.LABEL, good.label + 1),
        "checksum": changed(words, -1 % len(words), words[-1] ^ 1),
        "truncated": words[:-1],
        "header only": words[:HEADER_WORDS],
        "overlong": (*words, 0),
        "oversubscribed": tenant(1, committed_rate=half + (half >> 1), peak_rate=2 * half),
        "peak under committed": tenant(2, peak_rate=settings.tenants[2].committed_rate - 1),
        "shallow bucket": tenant(0, committed_depth=config.l_max - 1),
        "guarantee of a tag that is off": tenant(3, enable=0),
        "no promotion interval": whole(promotion_interval=0),
        "credit under one request": whole(port_credit=config.l_max - 1),
        "section kind": sealed(changed(words, HEADER_WORDS, words[HEADER_WORDS] ^ 4)),
        "field too wide": sealed(changed(words, mode, words[mode] | 1 << 31)),
    }


@cocotb.test()
async def faulty_images_leave_the_last_good_one_live(dut):
    config = sizes()
    good = image(config, equal_shares(config, range(4)), label=0x600D)
    until = 600 * len(good.words)
    streams = [
        stream(0, requests=40_000, beats=(4, 8), window=8, until=until),
        stream(1, requests=4_000, window=8, closed=True, steps=500, compute=150, until=until),
        stream(2, requests=4_000, window=16, steps=500, every=300, until=until),
    ]
    bench = make_bench(dut, *streams, seed=120)
    await bench.reset()
    registers = bench.registers
    state, code = await registers.commit()
    assert (state, code) == (ImageState.EMPTY, ImageCode.NOT_STAGED)
    await bench.load(good.words)
    names = [1, 0x600D, good.crc]

    async def offer(kind: str, words) -> None:
        """Loads and commits a faulty image, and has it refused for the right reason."""
        granted = bench.grants
        expected = verify(words, config)
        assert expected is not ImageCode.NONE, kind
        state, code = await registers.load(words)
        if expected is ImageCode.TRUNCATED:
            assert (state, code) == (ImageState.RECEIVING, ImageCode.NONE), kind
        else:
            assert (state, code) == (ImageState.REFUSED, expected), kind
        assert await registers.commit() == (ImageState.REFUSED, expected), kind
        assert await live_names(registers) == names, kind
        assert bench.grants > granted, kind

    async def offer_all() -> None:
        given = register_words(registers.map, good)
        for kind, words in faulty_images(config, good).items():
            await offer(kind, words)
            assert await live_words(registers) == given, kind
        rng = random.Random(2)
        for _ in range(50):
            position, bit = rng.randrange(len(good.words)), rng.randrange(32)
            words = changed(good.words, position, good.words[position] ^ 1 << bit)
            await offer(f"bit {bit} of word {position}", words)
        assert await live_words(registers) == given

    faults = cocotb.start_soon(offer_all())
    while not bench.done:
        assert bench.clock < 2 * until
        await bench.run(bench.clock + 1_000)
    assert faults.done(), "the requesters must outlast the faulty images"
    require_served(bench)


@cocotb.test()
async def a_commit_changes_everything_at_once(dut):
    config = sizes()
    quarter = config.tenants // 4
    kept = range(2 * quarter)
    leaving = range(2 * quarter, 3 * quarter)
    joining = range(3 * quarter, 4 * quarter)
    before = image(config, equal_shares(config, [*kept, *leaving]), label=1)
    after = image(
        config,
        equal_shares(
            config,
            [*kept, *joining],
            channel={"depth1_clocks": 3, "promotion_interval": 77},
            tenants={tag: {"latency_slo": 1_000 + tag} for tag in kept},
        ),
        label=2,
    )
    bench = make_bench(
        dut,
        *(stream(tag, requests=8_000, until=7_000) for tag in range(config.tenants)),
        seed=130,
    )
    await bench.reset()
    await bench.load(before.words)

    ready_field = observed_layout(config)["request_ready"]
    joining_bits = sum(1 << tag for tag in joining)
    leaving_bits = sum(1 << tag for tag in leaving)
    changes: list[int] = []
    accepted: dict[int, int] = {}
    level_shift = config.rate_fraction

    def watch(clock: int, observed: int, driven: int) -> None:
        ready = observed >> ready_field.offset & (1 << ready_field.width) - 1
        if not changes and ready & joining_bits:
            changes.append(clock)
            assert ready & joining_bits == joining_bits, "all that join must join in one clock"
            accepted.update((tag, bench.taken[tag]) for tag in leaving)
        if not changes:
            return
        assert not ready & leaving_bits, f"clock {clock}: a disabled tenant must take nothing"
        if clock == changes[0] + 1:
            probe = data.Const(probe_layout(config), int(dut.probe.value))
            for tag in joining:
                row, settings = probe.tenants[tag], full_depths(config, after, tag)
                assert (row.committed >> level_shift, row.peak >> level_shift) == settings
            for tag in kept:
                depth, _ = full_depths(config, after, tag)
                assert probe.tenants[tag].committed < depth << level_shift, "kept levels stay"

    async def change() -> None:
        state, _ = await bench.registers.load(after.words)
        assert state is ImageState.STAGED
        assert await live_names(bench.registers) == [1, 1, before.crc]
        assert await live_words(bench.registers) == register_words(bench.registers.map, before)
        assert not changes, "what is staged must not be live"
        await bench.registers.commit()
        assert await live_words(bench.registers) == register_words(bench.registers.map, after)
        assert await live_names(bench.registers) == [2, 2, after.crc]

    await bench.run(bench.clock + 1_000)
    changing = cocotb.start_soon(change())
    while not changing.done():
        await bench.run(bench.clock + 1_000, on_clock=watch)
    await bench.run(bench.clock + 1_000, on_clock=watch)
    await bench.run(12_000)

    assert len(changes) == 1
    for tenant in bench.tenants:
        granted, taken = len(tenant.granted), len(tenant.taken)
        assert granted == taken == (tenant.completed >= 0).sum()
        if tenant.tag in leaving:
            assert taken == accepted[tenant.tag] > 0
            assert tenant.granted[-1] > changes[0], "what waits is drained"
            assert bench.pending[tenant.tag], "a disabled tenant must have had more to ask"
        else:
            assert not bench.pending[tenant.tag]
            assert granted > 100


def full_depths(config: ChannelConfig, good: Image, tag: int) -> tuple[int, int]:
    """Depths of a tenant's committed and peak bucket in an image."""
    words = register_words(channel_map(config), good)
    return words["COMMITTED_DEPTH"][tag], words["PEAK_DEPTH"][tag]


@cocotb.test()
async def random_traffic_is_served_once_and_in_order(dut):
    config = sizes()
    kinds = (
        {"requests": 600, "window": 1, "closed": True, "steps": 50, "compute": 20},
        {"requests": 1_300, "window": 16, "closed": True, "steps": 26, "compute": 300},
        {"requests": 1_600, "window": 64, "steps": 10, "every": 4_000},
        {"requests": 1_900, "window": 300},
    )
    streams = [stream(tag, **kinds[tag % len(kinds)]) for tag in range(config.tenants)]
    credit = 3_072
    settings = equal_shares(config, range(config.tenants), channel={"port_credit": credit})
    bench = make_bench(dut, *streams, seed=140, credit=credit)
    await bench.reset()
    await bench.load(image(config, settings).words)
    await bench.run(200_000)
    assert bench.done
    require_served(bench)
    granted = bench.grants
    assert granted == 1_350 * config.tenants  # 21,600 with sixteen tenants
    # The credit is used to within one longest request, and never passed.
    assert credit - config.l_max < in_flight_peak(bench) <= credit


@cocotb.test()
async def a_request_to_an_empty_channel_is_a_command_two_clocks_later(dut):
    config = sizes()
    bench = make_bench(
        dut,
        stream(3, requests=40, window=1, steps=40, ready=700, every=200),
        seed=150,
    )
    await bench.reset()
    await bench.load(image(config, equal_shares(config, range(4))).words)
    taken: list[int] = []
    commands: list[int] = []
    request_valid = 1 << stimulus_layout(config)["request_valid"].offset
    command_valid = 1 << observed_layout(config)["command_valid"].offset
    waits = False

    def watch(clock: int, observed: int, driven: int) -> None:
        nonlocal waits
        if driven & request_valid:
            taken.append(clock)
        if observed & command_valid and not waits:
            commands.append(clock)
        waits = bool(observed & command_valid) and not (
            driven & 1 << stimulus_layout(config)["command_ready"].offset
        )

    await bench.run(12_000, on_clock=watch)
    assert bench.done
    assert len(taken) == 40
    assert commands == [clock + 2 + config.intake_clocks for clock in taken]
    assert bench.granted[3] == [clock + 1 + config.intake_clocks for clock in taken]


@cocotb.test()
async def a_window_starts_from_the_probe(dut):
    config = sizes()
    clocks = range(1_500, 1_600)
    bench = make_bench(
        dut, *(stream(tag, requests=900, beats=(1, 2)) for tag in range(4)), seed=160
    )
    settings = equal_shares(config, range(4))
    await bench.reset()
    await bench.load(image(config, settings).words)
    path = folder() / "window.vcd"
    names = {tag: f"tenant {tag}" for tag in range(4)}
    recorder = WindowRecorder(
        bench,
        config,
        path=path,
        first=clocks.start,
        end=clocks.stop,
        names=names,
        settings=settings,
        arbiter=ArbiterKind.MCOS,
        contract="none",
    )
    probes: list[int] = []

    def watch(clock: int, observed: int, driven: int) -> None:
        probes.append(int(dut.probe.value))
        recorder.on_clock(clock, observed, driven)

    await bench.run(3_000, on_clock=watch, watch=clocks)
    recorder.close()
    assert len(probes) == len(clocks)

    probe = data.Const(probe_layout(config), probes[0])
    state = json.loads(path.with_suffix(".json").read_text())
    assert state["arbiter_kind"] == "mcos"
    assert state["images"][0]["channel"] == dataclasses.asdict(settings.channel)
    assert state["clock"] == clocks.start
    assert state["arbiter"]["virtual_time"] == probe.channel.virtual_time
    assert state["port"]["in_flight"] == probe.channel.in_flight
    assert state["port"]["debt"] == probe.channel.debt
    for tenant in bench.tenants:
        tag = tenant.tag
        row, told = probe.tenants[tag], state["tenants"][f"tenant_{tag}"]
        for name in ("queued", "beats", "start", "finish", "committed", "age", "class_code"):
            assert told[name] == row[name], (tag, name)
        answers = zip(
            tenant.granted.tolist(),
            tenant.completed.tolist(),
            tenant.sizes.tolist(),
            strict=False,
        )
        assert told["in_flight"] == sum(
            size
            for granted, answered, size in answers
            if granted < clocks.start and not 0 <= answered < clocks.start
        )
    in_flight = sum(tenant["in_flight"] for tenant in state["tenants"].values())
    assert in_flight == probe.channel.in_flight > 0
    # What the probe calls a grant, the memory port has seen as one.
    granted = {clock: tag for clock, tag, _ in grants(bench)}
    for clock, word in zip(clocks, probes, strict=True):
        choice = data.Const(probe_layout(config), word).channel
        assert granted.get(clock) == (choice.tenant if choice.granted else None), clock
