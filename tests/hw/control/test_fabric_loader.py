# amaranth: UnusedElaboratable=no
"""The loader of a fabric: its sections against the software's verdict, and one commit of all."""

import dataclasses
import itertools
import random
import zlib

import pytest
from amaranth.hdl import Module
from amaranth.lib.wiring import connect
from amaranth.sim import Simulator

from mcos_hw.config import ChannelConfig, FabricConfig, PortConfig
from mcos_hw.control.loader import ImageLoader
from mcos_hw.fabric.port_registers import PortRegisters
from mcos_hw.registers import fabric_map
from mcos_hw.registers.image import (
    ALL_CHANNELS,
    HEADER_WORDS,
    HeaderWord,
    ImageCode,
    ImageState,
    Section,
    SectionKind,
)
from mcos_policy.image import Image, encode, unpack, verify
from mcos_policy.ports import TenantRow, port_sections
from mcos_policy.settings import ChannelSettings, Settings, TenantSettings

SEED = 24
CHANNEL = dataclasses.replace(ChannelConfig(tenants=4), beat_bytes=64, max_beats=8, id_width=8)
PORTS = (PortConfig(), PortConfig(id_width=4, table_rows=2))
FABRICS = {
    channels: FabricConfig(channel=CHANNEL, channels=channels, ports=PORTS)
    for channels in (1, 2, 8)
}
FULL = CHANNEL.bytes_per_clock << CHANNEL.rate_fraction


def settings(**changes):
    """Settings that pass, two tenants with a quarter of the rate each."""
    tenant = TenantSettings(
        enable=1,
        work_conserving=1,
        committed_rate=FULL // 4,
        committed_depth=4096,
        peak_rate=FULL // 2,
        peak_depth=8192,
        inverse_weight=1 << CHANNEL.reciprocal_fraction,
        colours=1,
    )
    channel = ChannelSettings(
        pacer_enable=1,
        pacer_rate=FULL,
        port_credit=16 * CHANNEL.l_max,
        inverse_total_weight=1 << CHANNEL.total_reciprocal_fraction - 1,
        promotion_interval=16,
        colour_bit_0=13,
    )
    tenants = (tenant, tenant, *[TenantSettings()] * 2)
    return dataclasses.replace(Settings(channel=channel, tenants=tenants), **changes)


def each_channel(fabric, whole, **changes):
    """The settings with a section for each channel, the last one with changes."""
    last = dataclasses.replace(whole.channel, **changes)
    alike = (whole.channel,) * (fabric.channels - 1)
    return dataclasses.replace(whole, channels=(*alike, last))


def words_of(fabric, whole, label=7):
    return list(encode(fabric.channel, fabric_map(fabric), whole, label).words)


def sections_of(words):
    found, place = [], HEADER_WORDS
    while place < len(words) - 1:
        end = place + 1 + Section.unpack(words[place]).words
        found.append(words[place:end])
        place = end
    return found


def rebuilt(words, sections):
    """An image of these sections with the length and the checksum that it needs."""
    body = [*words[:HEADER_WORDS], *itertools.chain(*sections)]
    body[HeaderWord.WORDS] = len(body) + 1
    return [*body, zlib.crc32(b"".join(word.to_bytes(4, "little") for word in body))]


class Driver:
    """Sends images to a loader of a fabric, a word a clock."""

    def __init__(self, fabric, ctx, loader):
        self.fabric, self.ctx, self.loader = fabric, ctx, loader

    async def pulse(self, member):
        self.ctx.set(member, 1)
        await self.ctx.tick()
        self.ctx.set(member, 0)

    async def write(self, event, **fields):
        for name, value in fields.items():
            self.ctx.set(getattr(event, name), value)
        await self.pulse(event.stb)

    async def send(self, words):
        """The state and the code once the image is in and judged."""
        await self.pulse(self.loader.begin)
        self.ctx.set(self.loader.word_stb, 1)
        for word in words:
            self.ctx.set(self.loader.word, word)
            await self.ctx.tick()
        self.ctx.set(self.loader.word_stb, 0)
        await self.ctx.tick().repeat(2)
        return ImageState(self.ctx.get(self.loader.state)), self.code

    @property
    def code(self):
        return ImageCode(self.ctx.get(self.loader.code))

    async def commit(self):
        await self.pulse(self.loader.commit)
        await self.ctx.tick()
        return ImageState(self.ctx.get(self.loader.state)), self.code

    def live(self, name, channel):
        return self.ctx.get(self.loader.live_channels[channel][name])

    def fabric_value(self, name):
        return self.ctx.get(self.loader.live_fabric[name])


def run(fabric, body):
    loader = ImageLoader(fabric.channel, fabric_map(fabric))
    m = Module()
    m.submodules.loader = loader
    m.submodules.ports = ports = PortRegisters(fabric)
    connect(m, loader.ports, ports.image)
    simulator = Simulator(m)
    simulator.add_clock(1e-6)

    async def testbench(ctx):
        if fabric.channels > 1:
            ctx.set(loader.drained, 1)
        driver = Driver(fabric, ctx, loader)
        driver.ports = ports
        await body(driver)

    simulator.add_testbench(testbench)
    simulator.run()


def interleave(fabric, grain=0, **masks):
    """Fields of an interleave: by default masks of one bit each."""
    each = {f"mask_{j}": 1 << grain + j for j in range(fabric.channel_width)}
    others = fabric_map(fabric).section_fields(SectionKind.FABRIC)
    return {field.name: field.reset for field in others} | {"grain": grain, **each, **masks}


def faults(fabric, rng):
    """Images by what is wrong with them, each with the code that it has to have."""
    good = words_of(fabric, settings(fabric=interleave(fabric)))
    each = words_of(fabric, each_channel(fabric, settings(), depth1_clocks=9))
    sections, apart = sections_of(good), sections_of(each)
    by_kind = {Section.unpack(section[0]).kind: section for section in sections}
    channel, fabric_section = by_kind[SectionKind.CHANNEL], by_kind[SectionKind.FABRIC]
    last = fabric.channels - 1

    def named(section, **changes):
        name = dataclasses.replace(Section.unpack(section[0]), **changes)
        return [name.pack(), *section[1:]]

    def made(**changes):
        return words_of(fabric, settings(**changes))

    def folded(**fields):
        return made(fabric=interleave(fabric, **fields))

    def just(pacer_rate):
        """Guarantees of 17 times 64, one channel with that pace: 0.85 of 20 times 64."""
        whole = settings()
        rates = (17 * 64 - 1, 1, 0, 0)
        tenants = tuple(
            dataclasses.replace(tenant, committed_rate=rate)
            for tenant, rate in zip(whole.tenants, rates, strict=True)
        )
        whole = dataclasses.replace(whole, tenants=tenants)
        return words_of(fabric, each_channel(fabric, whole, pacer_rate=pacer_rate))

    one = settings()
    epochs = dataclasses.replace(one, channel=dataclasses.replace(one.channel, epoch_clocks=4096))
    grain = rng.randrange(1, 8)
    top = 1 << grain + last.bit_length() - 1
    slow = FULL * 10 // 17
    return {
        "good": (good, ImageCode.NONE),
        "good for each channel": (each, ImageCode.NONE),
        "no fabric": (made(), ImageCode.NONE),
        "hash": (folded(grain=grain, mask_0=1 << grain | 1 << 31), ImageCode.NONE),
        "any order": (rebuilt(good, sections[::-1][:1] + sections[:-1]), ImageCode.NONE),
        "channel twice": (rebuilt(good, [*sections, channel]), ImageCode.REPEATED),
        "a mix": (rebuilt(good, [*sections, named(channel, index=last)]), ImageCode.REPEATED),
        "a mix, all last": (
            rebuilt(each, [apart[0], channel, *apart[2:]]),
            ImageCode.REPEATED,
        ),
        "a channel less": (rebuilt(each, apart[:last] + apart[last + 1 :]), ImageCode.MISSING),
        "out of order": (rebuilt(each, [apart[last], *apart[:last]]), ImageCode.MISSING),
        "no such channel": (
            rebuilt(each, [*apart[:last], named(apart[last], index=fabric.channels)]),
            ImageCode.SECTION_INDEX,
        ),
        "no such index": (
            rebuilt(good, [channel, named(fabric_section, index=1)]),
            ImageCode.SECTION_INDEX,
        ),
        "fabric for all": (
            rebuilt(good, [channel, named(fabric_section, index=ALL_CHANNELS)]),
            ImageCode.SECTION_INDEX,
        ),
        "fabric twice": (rebuilt(good, [*sections, fabric_section]), ImageCode.REPEATED),
        "fabric cut": (rebuilt(good, [*sections[:-1], fabric_section[:-1]]), ImageCode.MISSING),
        "fabric short": (
            rebuilt(good, [*sections[:-1], named(fabric_section, words=1)]),
            ImageCode.SECTION_WORDS,
        ),
        "no such kind": (rebuilt(good, [named(channel, kind=9)]), ImageCode.SECTION_KIND),
        "beside the grain": (
            rebuilt(good, [*sections[:-1], [fabric_section[0], 8, *fabric_section[2:]]]),
            ImageCode.FABRIC,
        ),
        "no bit": (folded(mask_0=0), ImageCode.INTERLEAVE),
        "below the grain": (
            folded(grain=grain, mask_0=1 << grain | 1 << grain - 1),
            ImageCode.INTERLEAVE,
        ),
        "the same bit": (
            folded(grain=grain, **{f"mask_{last.bit_length() - 1}": top | 1 << grain})
            if fabric.channels > 2
            else folded(grain=grain, mask_0=2 << grain),
            ImageCode.INTERLEAVE,
        ),
        "one channel too slow": (
            words_of(fabric, each_channel(fabric, settings(), pacer_rate=slow - 1)),
            ImageCode.OVERSUBSCRIBED,
        ),
        "one channel just fast enough": (
            words_of(fabric, each_channel(fabric, settings(), pacer_rate=slow)),
            ImageCode.NONE,
        ),
        "one channel at the very limit": (just(20 * 64 - 1), ImageCode.OVERSUBSCRIBED),
        "one channel over the very limit": (just(20 * 64), ImageCode.NONE),
        "a slow channel with priorities": (
            words_of(fabric, each_channel(fabric, settings(), pacer_rate=1, overcommitted=1)),
            ImageCode.NONE,
        ),
        "a slow channel without pacer": (
            words_of(fabric, each_channel(fabric, settings(), pacer_rate=1, pacer_enable=0)),
            ImageCode.NONE,
        ),
        "a bad value in one channel": (
            words_of(fabric, each_channel(fabric, settings(), promotion_interval=0)),
            ImageCode.FIELD,
        ),
        "the same epochs": (words_of(fabric, each_channel(fabric, epochs)), ImageCode.NONE),
        "another epoch in the last channel": (
            words_of(fabric, each_channel(fabric, epochs, epoch_clocks=4095)),
            ImageCode.EPOCH,
        ),
        "another epoch in the first channel": (
            words_of(fabric, each_channel(fabric, settings(), epoch_clocks=1 << 31)),
            ImageCode.EPOCH,
        ),
        "another epoch and a bad value": (
            words_of(fabric, each_channel(fabric, epochs, epoch_clocks=4095, promotion_interval=0)),
            ImageCode.FIELD,
        ),
    }


@pytest.mark.parametrize("channels", [2, 8])
def test_every_section_is_judged_as_software_judges_it(channels):
    fabric = FABRICS[channels]

    async def body(driver):
        for name, (words, expected) in faults(fabric, random.Random(SEED)).items():
            assert verify(words, fabric) is expected, name
            state, code = await driver.send(words)
            assert code is expected, name
            staged = ImageState.STAGED if expected is ImageCode.NONE else ImageState.REFUSED
            assert state is staged, name

    run(fabric, body)


def row(port, number, tenant, first, last):
    return TenantRow(port=port, row=number, tenant=tenant, first=first, last=last)


ROWS = (row(0, 0, 1, 0, 63), row(1, 0, 3, 0, 7), row(1, 1, 1, 8, 15))
DEPTH = CHANNEL.queue_depth


def port_faults(fabric):
    """Images by what is wrong with their ports, each with the code that it has to have."""
    sections = port_sections(fabric, ROWS, {(0, 1): DEPTH - 3, (1, 1): 3, (1, 3): DEPTH})
    good = words_of(fabric, settings(ports=sections))
    *others, first, second = sections_of(good)
    rows = fabric_map(fabric)["PORT_ROW_NOW"].each

    def changed(port, **words):
        """One of both sections with some words changed, by their place among its values."""
        pair = [list(first), list(second)]
        for place, word in words.items():
            pair[port][1 + int(place[1:])] = word
        return rebuilt(good, [*others, *pair])

    def named(section, **changes):
        name = dataclasses.replace(Section.unpack(section[0]), **changes)
        return [name.pack(), *section[1:]]

    def ids(low, high):
        return high << 16 | low

    used, places = 2 << 8 | 1, 2 * rows
    return {
        "good": (good, ImageCode.NONE),
        "no port": (words_of(fabric, settings()), ImageCode.NONE),
        "in front": (rebuilt(good, [first, second, *others]), ImageCode.NONE),
        "one port less": (rebuilt(good, [*others, first]), ImageCode.MISSING),
        "the other port less": (rebuilt(good, [*others, second]), ImageCode.MISSING),
        "no such port": (
            rebuilt(good, [*others, first, named(second, index=2)]),
            ImageCode.SECTION_INDEX,
        ),
        "all ports": (
            rebuilt(good, [*others, named(first, index=ALL_CHANNELS), second]),
            ImageCode.SECTION_INDEX,
        ),
        "a port twice": (
            rebuilt(good, [*others, first, named(second, index=0)]),
            ImageCode.REPEATED,
        ),
        "a word less": (
            rebuilt(good, [*others, first, named(second, words=len(second) - 2)[:-1]]),
            ImageCode.SECTION_WORDS,
        ),
        "cut": (rebuilt(good, [*others, first, second[:-1]]), ImageCode.MISSING),
        "beside the fields of a row": (changed(0, w0=2), ImageCode.PORTS),
        "beside the places": (changed(0, **{f"w{places}": 256}), ImageCode.PORTS),
        "the last tenant": (changed(0, w0=3 << 8 | 1), ImageCode.NONE),
        "no such tenant": (changed(0, w0=4 << 8 | 1), ImageCode.PORTS),
        "no such tenant, unused": (changed(0, w0=4 << 8), ImageCode.NONE),
        "the last row of a port": (changed(0, **{f"w{rows - 1}": used}), ImageCode.NONE),
        "no such row of the port": (changed(1, w2=used), ImageCode.PORTS),
        "one ID": (changed(1, **{f"w{rows}": ids(15, 15)}), ImageCode.NONE),
        "no such ID": (changed(1, **{f"w{rows}": ids(15, 16)}), ImageCode.PORTS),
        "falling IDs": (changed(1, **{f"w{rows}": ids(6, 5)}), ImageCode.PORTS),
        "falling IDs, unused": (changed(1, w0=0, **{f"w{rows}": ids(6, 5)}), ImageCode.NONE),
        "a queue too small": (changed(0, **{f"w{places + 1}": DEPTH - 2}), ImageCode.CREDITS),
        "more than a queue": (changed(0, **{f"w{places}": DEPTH + 1}), ImageCode.PORTS),
        "both": (
            changed(0, w0=4 << 8 | 1, **{f"w{places + 1}": DEPTH - 2}),
            ImageCode.PORTS,
        ),
    }


@pytest.mark.parametrize("channels", [1, 2])
def test_every_port_is_judged_as_software_judges_it(channels):
    fabric = FABRICS[channels]

    async def body(driver):
        for name, (words, expected) in port_faults(fabric).items():
            assert verify(words, fabric) is expected, name
            state, code = await driver.send(words)
            assert code is expected, name
            staged = ImageState.STAGED if expected is ImageCode.NONE else ImageState.REFUSED
            assert state is staged, name

    run(fabric, body)


def test_a_refusal_names_its_section():
    fabric = FABRICS[2]
    of_fabric, of_ports = faults(fabric, random.Random(SEED)), port_faults(fabric)
    expected = {
        "fabric twice": (SectionKind.FABRIC, 0),
        "beside the grain": (SectionKind.FABRIC, 0),
        "no bit": (SectionKind.FABRIC, 255),
        "a channel less": (SectionKind.CHANNEL, 255),
        "no such channel": (SectionKind.CHANNEL, 2),
        "one channel too slow": (SectionKind.TENANT, 255),
        "a bad value in one channel": (SectionKind.CHANNEL, 255),
        "another epoch in the last channel": (SectionKind.CHANNEL, 255),
        "no such kind": (9, 255),
        "good": (0, 0),
        "no such port": (SectionKind.PORTS, 2),
        "one port less": (SectionKind.PORTS, 255),
        "beside the places": (SectionKind.PORTS, 0),
        "a queue too small": (SectionKind.PORTS, 255),
    }

    async def body(driver):
        for name, (kind, index) in expected.items():
            await driver.send((of_ports | of_fabric)[name][0])
            assert driver.ctx.get(driver.loader.section) == kind | index << 8, name
        # What is not about a section.
        await driver.send(of_fabric["no bit"][0])
        await driver.send([0])
        assert (driver.code, driver.ctx.get(driver.loader.section)) == (ImageCode.MAGIC, 0)

    run(fabric, body)


def test_the_ports_change_with_all_else_or_stay():
    fabric = FABRICS[2]
    sections = port_sections(fabric, ROWS, {(0, 1): DEPTH - 3, (1, 1): 3, (1, 3): DEPTH})
    whole = settings(ports=sections, fabric=interleave(fabric, 3))
    words = words_of(fabric, whole)
    assert unpack(fabric_map(fabric), Image(words=tuple(words))) == whole
    without = words_of(fabric, settings())
    bad, _ = port_faults(fabric)["a queue too small"]

    async def body(driver):
        ctx, ports = driver.ctx, driver.ports

        def shown():
            rows = [
                [(each["tenant"], each["first"], each["last"]) for each in table if each["used"]]
                for table in (ctx.get(getattr(ports, f"rows_{k}")) for k in range(2))
            ]
            credits = [[ctx.get(each) for each in port] for port in ports.credits]
            return rows, credits, driver.fabric_value("grain")

        reset = [[], []], [[DEPTH // 2] * 4] * 2, 0
        assert shown() == reset
        await driver.send(words)
        assert shown() == reset
        ctx.set(driver.loader.commit, 1)
        assert shown() == reset
        await ctx.tick()
        ctx.set(driver.loader.commit, 0)
        rows = [[(1, 0, 63)], [(3, 0, 7), (1, 8, 15)]]
        credits = [[0, DEPTH - 3, 0, 0], [0, 3, 0, DEPTH]]
        assert shown() == (rows, credits, 3)
        # Neither a refused image nor one without ports changes them.
        assert (await driver.send(bad))[1] is ImageCode.CREDITS
        await driver.send(without)
        assert await driver.commit() == (ImageState.EMPTY, ImageCode.NONE)
        assert shown() == (rows, credits, 3)
        # What software writes at once stays, whenever an image began.
        await driver.pulse(driver.loader.begin)
        await driver.write(ports.port_ids, first=2, last=5)
        await driver.write(ports.port_row, used=1, tenant=2, row=1, port=0)
        await driver.write(ports.port_places, places=9, tenant=2, port=1)
        rows[0].append((2, 2, 5))
        credits[1][2] = 9
        assert shown() == (rows, credits, 3)
        await driver.send(without)
        await driver.commit()
        assert shown() == (rows, credits, 3)

    run(fabric, body)


def random_settings(fabric, rng):
    """Settings that may break a rule of one section or another."""

    def any_channel():
        return ChannelSettings(
            pacer_enable=rng.getrandbits(1),
            overcommitted=rng.getrandbits(1),
            pacer_rate=rng.randrange(FULL // 2, FULL + 2),
            port_credit=rng.randrange(CHANNEL.l_max, 64 * CHANNEL.l_max),
            inverse_total_weight=rng.randint(1, 1 << CHANNEL.total_reciprocal_fraction),
            promotion_interval=rng.choice((1, 16, 255) if rng.random() < 0.95 else (0,)),
            **{f"colour_bit_{k}": rng.getrandbits(6) for k in range(4)},
        )

    made = settings(channel=any_channel())
    tenants = list(made.tenants)
    rate = rng.randrange(FULL // 2)
    tenants[0] = dataclasses.replace(tenants[0], committed_rate=rate)
    made = dataclasses.replace(made, tenants=tuple(tenants))
    if rng.random() < 0.7:
        made = dataclasses.replace(
            made, channels=tuple(any_channel() for _ in range(fabric.channels))
        )
    if rng.random() < 0.7:
        grain = rng.randrange(8)
        above = (1 << 32) - (1 << grain + fabric.channel_width)
        masks = {
            f"mask_{j}": 1 << grain + j | rng.getrandbits(32) & above
            for j in range(fabric.channel_width)
        }
        if rng.random() < 0.3:
            masks[f"mask_{rng.randrange(fabric.channel_width)}"] ^= 1 << rng.randrange(grain + 2)
        made = dataclasses.replace(made, fabric={"grain": grain, **masks})
    if rng.random() < 0.7:
        made = dataclasses.replace(made, ports=random_ports(fabric, rng))
    return made


def random_ports(fabric, rng):
    """Sections of ports that may name what is not there."""
    registers = fabric_map(fabric)
    tables = []
    for port in fabric.ports:
        words = []
        for register, element in registers.section_words(SectionKind.PORTS):
            match register.name:
                case "PORT_ROW_NOW":
                    there = element < port.table_rows or rng.random() < 0.03
                    used, tenant = rng.getrandbits(1) & there, rng.randrange(4)
                    words.append(tenant + (rng.random() < 0.03) << 8 | used)
                case "PORT_IDS_NOW":
                    low, high = sorted(rng.randrange(1 << port.id_width) for _ in range(2))
                    words.append((high + (rng.random() < 0.03)) << 16 | low)
                case _:
                    words.append(rng.randrange(DEPTH // 2 + 1) + (rng.random() < 0.05))
        tables.append(tuple(words))
    return tuple(tables)


def spoilt(rng, words):
    """The image, or one with a section moved, left out or doubled, or a bit flipped."""
    if rng.random() < 0.4:
        return words
    sections = sections_of(words)
    place = rng.randrange(len(sections))
    match rng.randrange(4):
        case 0:
            sections.insert(rng.randrange(len(sections)), sections.pop(place))
        case 1:
            sections.pop(place)
        case 2:
            sections[rng.randrange(len(sections))] = sections[place]
        case 3:
            word = rng.randrange(len(sections[place]))
            sections[place] = list(sections[place])
            sections[place][word] ^= 1 << rng.randrange(32)
    return rebuilt(words, sections)


@pytest.mark.parametrize("channels", [2, 8])
def test_random_images_are_judged_as_software_judges_them(channels):
    fabric = FABRICS[channels]
    rng = random.Random(SEED + channels)
    seen = set()

    async def body(driver):
        for _ in range(40):
            words = spoilt(rng, words_of(fabric, random_settings(fabric, rng)))
            expected = verify(words, fabric)
            state, code = await driver.send(words)
            assert code is expected
            assert (state is ImageState.STAGED) == (code is ImageCode.NONE)
            seen.add(code)

    run(fabric, body)
    often = {ImageCode.NONE, ImageCode.OVERSUBSCRIBED, ImageCode.INTERLEAVE, ImageCode.PORTS}
    assert often < seen, seen


@pytest.mark.parametrize("channels", [2, 8])
def test_one_commit_makes_every_section_live_at_one_edge(channels):
    fabric = FABRICS[channels]
    first = each_channel(fabric, settings(fabric=interleave(fabric, 2)), depth1_clocks=9)
    second = settings(channel=dataclasses.replace(first.channel, depth1_clocks=77))

    async def body(driver):
        ctx, loader = driver.ctx, driver.loader
        default = [1 << j for j in range(fabric.channel_width)]

        def shown():
            """What is live, a row for each channel."""
            masks = [driver.fabric_value(f"mask_{j}") for j in range(fabric.channel_width)]
            clocks = [driver.live("depth1_clocks", c) for c in range(channels)]
            enabled = [ctx.get(each.enable) for each in loader.live.tenants]
            assert ctx.get(loader.live.channel.depth1_clocks) == clocks[0]
            return driver.fabric_value("grain"), masks, clocks, enabled

        reset = (0, default, [0] * channels, [0] * 4)
        assert shown() == reset
        await driver.send(words_of(fabric, first))
        assert shown() == reset
        ctx.set(loader.commit, 1)
        assert ctx.get(loader.commit_stb)
        assert shown() == reset
        await ctx.tick()
        ctx.set(loader.commit, 0)
        moved = (2, [4 << j for j in range(fabric.channel_width)])
        assert shown() == (*moved, [0] * (channels - 1) + [9], [1, 1, 0, 0])
        # Without a FABRIC section it stays; one CHANNEL section is for all.
        await driver.send(words_of(fabric, second))
        assert await driver.commit() == (ImageState.EMPTY, ImageCode.NONE)
        assert shown() == (*moved, [77] * channels, [1, 1, 0, 0])
        # What was refused leaves nothing for the next image that says nothing of the fabric.
        bad = interleave(fabric, 5, mask_0=0)
        assert (await driver.send(words_of(fabric, settings(fabric=bad))))[1] is (
            ImageCode.INTERLEAVE
        )
        await driver.send(words_of(fabric, second))
        await driver.commit()
        assert shown() == (*moved, [77] * channels, [1, 1, 0, 0])

    run(fabric, body)


@pytest.mark.parametrize("change", ["interleave", "colours", "other"])
def test_addresses_and_colours_move_only_when_nothing_is_under_way(change):
    fabric = FABRICS[2]
    before = settings(fabric=interleave(fabric))
    after = {
        "interleave": settings(fabric=interleave(fabric, 1)),
        "colours": each_channel(fabric, settings(), colour_bit_3=20),
        "other": settings(channel=dataclasses.replace(before.channel, depth1_clocks=5)),
    }[change]

    async def body(driver):
        ctx, loader = driver.ctx, driver.loader
        # The first commit moves nobody's.
        ctx.set(loader.drained, 0)
        await driver.send(words_of(fabric, before))
        assert await driver.commit() == (ImageState.EMPTY, ImageCode.NONE)
        await driver.send(words_of(fabric, after))
        if change == "other":
            assert await driver.commit() == (ImageState.EMPTY, ImageCode.NONE)
            assert ctx.get(loader.generation) == 2
            return
        # Nor when it is tried again, nor in the last clock before it is drained.
        for _ in range(2):
            assert await driver.commit() == (ImageState.STAGED, ImageCode.NOT_DRAINED)
        ctx.set(loader.commit, 1)
        await ctx.tick()
        assert (ctx.get(loader.generation), driver.fabric_value("grain")) == (1, 0)
        ctx.set(loader.drained, 1)
        await ctx.tick()
        ctx.set(loader.commit, 0)
        assert ctx.get(loader.generation) == 2
        assert (ImageState(ctx.get(loader.state)), driver.code) == (
            ImageState.EMPTY,
            ImageCode.NONE,
        )
        assert driver.fabric_value("grain") == (1 if change == "interleave" else 0)
        assert driver.live("colour_bit_3", 1) == (20 if change == "colours" else 0)

    run(fabric, body)
