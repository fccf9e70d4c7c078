# amaranth: UnusedElaboratable=no
"""The loader, clock by clock against a model, under thousands of good and bad images."""

import collections
import dataclasses
import itertools
import random
import zlib
from typing import ClassVar

import cocotb
import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out
from amaranth.sim import Simulator
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge

from mcos_hw.config import ChannelConfig
from mcos_hw.control.loader import ImageLoader
from mcos_hw.link.live import live_layout
from mcos_hw.registers import COLOUR_BITS, channel_map
from mcos_hw.registers.image import (
    ALL_CHANNELS,
    HEADER_WORDS,
    IMAGE_MAGIC,
    IMAGE_VERSION,
    HeaderWord,
    ImageCode,
    ImageState,
    Section,
    SectionKind,
)
from mcos_policy.image import Image, encode, register_words, verify
from mcos_policy.settings import ChannelSettings, Settings, TenantSettings
from mcos_sim.cosim.build import build
from mcos_sim.cosim.run_tests import parameters, run

IMAGES = 1_800
SEED = 2

CONFIG = ChannelConfig()
REGISTERS = channel_map(CONFIG)
LENGTH = REGISTERS.image_length
LIVE = live_layout(REGISTERS)
OF_A_FABRIC = {
    ImageCode.INTERLEAVE,
    ImageCode.FABRIC,
    ImageCode.NOT_DRAINED,
    ImageCode.PORTS,
    ImageCode.CREDITS,
    ImageCode.EPOCH,
}

STIMULUS = data.StructLayout({"begin": 1, "commit": 1, "word_stb": 1, "word": 32})
OBSERVED = data.StructLayout(
    {
        "state": 3,
        "code": 5,
        "received": LENGTH.bit_length(),
        "generation": 32,
        "live_label": 32,
        "live_crc": 32,
        "changes": 16,
        "stray_changes": 16,
    }
)

# One clock of the word port, as a packed stimulus.
IDLE = 0
BEGIN = 1 << STIMULUS["begin"].offset
COMMIT = 1 << STIMULUS["commit"].offset


def put(word):
    return 1 << STIMULUS["word_stb"].offset | word << STIMULUS["word"].offset


class LoaderHarness(wiring.Component):
    """The loader with packed ports, and counters of clocks in which ``live`` differs from before.

    ``stray_changes`` counts those that no ``commit_stb`` announced one clock before.
    """

    def __init__(self):
        super().__init__(
            {"stimulus": In(STIMULUS.size), "observed": Out(OBSERVED.size), "live": Out(LIVE)}
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.loader = loader = ImageLoader(CONFIG, REGISTERS)
        stimulus = data.View(STIMULUS, self.stimulus)
        observed = data.View(OBSERVED, self.observed)
        before = Signal(LIVE)
        announced = Signal()
        changes = Signal(16)
        stray_changes = Signal(16)
        m.d.sync += [before.eq(loader.live), announced.eq(loader.commit_stb)]
        with m.If(before.as_value() != loader.live.as_value()):
            m.d.sync += changes.eq(changes + 1)
            with m.If(~announced):
                m.d.sync += stray_changes.eq(stray_changes + 1)
        m.d.comb += [
            loader.begin.eq(stimulus.begin),
            loader.commit.eq(stimulus.commit),
            loader.word_stb.eq(stimulus.word_stb),
            loader.word.eq(stimulus.word),
            self.live.eq(loader.live),
            observed.state.eq(loader.state),
            observed.code.eq(loader.code),
            observed.received.eq(loader.received),
            observed.generation.eq(loader.generation),
            observed.live_label.eq(loader.live_label),
            observed.live_crc.eq(loader.live_crc),
            observed.changes.eq(changes),
            observed.stray_changes.eq(stray_changes),
        ]
        return m


class Model:
    """What the loader must do, decided from whole images and one clock's stimulus at a time."""

    HEADER = (
        (IMAGE_MAGIC, ImageCode.MAGIC),
        (IMAGE_VERSION, ImageCode.VERSION),
        (1 | 16 << 8 | 16 << 16 | 32 << 24, ImageCode.SIZES),
        (512 | 1 << 12 | 3 << 16 | 64 << 20, ImageCode.SIZES),
        (800_000, ImageCode.CLOCK),
        (REGISTERS.hash, ImageCode.MAP_HASH),
    )
    MASKS: ClassVar = {
        kind: [register.mask for register in REGISTERS.section(kind)]
        for kind in REGISTERS.sections()
    }

    def __init__(self):
        self.state = ImageState.EMPTY
        self.code = ImageCode.NONE
        self._forget()
        self.generation = 0
        self.live = None

    def _forget(self):
        self.words = []
        self.open = []
        self.begun = dict.fromkeys(SectionKind, 0)

    def observed(self):
        """What the loader must show, apart from the counters of changes."""
        return {
            "state": self.state,
            "code": self.code,
            "received": len(self.words),
            "generation": self.generation,
            "live_label": self.live[HeaderWord.LABEL] if self.live else 0,
            "live_crc": self.live[-1] if self.live else 0,
        }

    def clock(self, stimulus):
        state = self.state
        word = stimulus >> STIMULUS["word"].offset if stimulus & put(0) else None
        if state is ImageState.CHECKING:
            self._settle(verify(self.words, CONFIG), good=ImageState.STAGED)
        if state is ImageState.RECEIVING and word is not None:
            self._take(word)
        if stimulus & BEGIN:
            self.state, self.code = ImageState.RECEIVING, ImageCode.NONE
            self._forget()
            if stimulus & COMMIT:
                self._refuse(ImageCode.TRUNCATED)
        elif stimulus & COMMIT:
            self._commit(state)
        elif word is not None and state in (ImageState.CHECKING, ImageState.STAGED):
            self._refuse(ImageCode.OVERLONG)

    def _take(self, word):
        position = len(self.words)
        self.words.append(word)
        code = ImageCode.NONE
        complete = position >= HEADER_WORDS and len(self.words) == self.words[HeaderWord.WORDS]
        if position < len(self.HEADER):
            expected, wrong = self.HEADER[position]
            code = code if word == expected else wrong
        elif position == HeaderWord.WORDS:
            code = code if HEADER_WORDS < word <= LENGTH else ImageCode.WORDS
        elif complete:
            sent = b"".join(each.to_bytes(4, "little") for each in self.words[:-1])
            code = code if word == zlib.crc32(sent) else ImageCode.CRC
        elif self.open:
            code = ImageCode.FIELD if word & ~self.open.pop(0) else code
        elif position >= HEADER_WORDS:
            code = self._begin(*word.to_bytes(4, "little")[:2], word >> 16)
        self._settle(code, good=ImageState.CHECKING if complete else ImageState.RECEIVING)

    def _begin(self, kind, index, words):
        if kind not in self.MASKS:
            return ImageCode.SECTION_KIND
        count = CONFIG.tenants if kind == SectionKind.TENANT else 1
        if kind == SectionKind.CHANNEL and index == ALL_CHANNELS:
            index = 0
        if index >= count:
            return ImageCode.SECTION_INDEX
        if words != len(self.MASKS[kind]):
            return ImageCode.SECTION_WORDS
        if index != self.begun[kind]:
            return ImageCode.REPEATED if index < self.begun[kind] else ImageCode.MISSING
        self.begun[kind] += 1
        self.open = list(self.MASKS[kind])
        return ImageCode.NONE

    def _settle(self, code, *, good):
        if code is ImageCode.NONE:
            self.state = good
        else:
            self._refuse(code)

    def _refuse(self, code):
        self.state, self.code = ImageState.REFUSED, code

    def _commit(self, state):
        if state is ImageState.EMPTY:
            self.code = ImageCode.NOT_STAGED
        elif state is ImageState.STAGED:
            self.state, self.code = ImageState.EMPTY, ImageCode.NONE
            self.generation += 1
            self.live = tuple(self.words)
        elif state is not ImageState.REFUSED:
            self._refuse(ImageCode.TRUNCATED)


def live_word(words):
    """The live configuration that an image sets, packed as ``LIVE``."""
    packed = 0
    channel, tenants = LIVE["channel"], LIVE["tenants"]
    row = tenants.shape.elem_shape
    registers = register_words(REGISTERS, Image(words=tuple(words)))
    for register, index in REGISTERS.image_words():
        for name, value in register.unpack(registers[register.name][index]).items():
            if register.count == 1:
                offset = channel.offset + channel.shape[name].offset
            else:
                offset = tenants.offset + index * row.size + row[name].offset
            packed |= value << offset
    return packed


# Images.


def random_tenant(rng, rate):
    committed_depth = rng.randint(CONFIG.l_max, (1 << CONFIG.depth_width) - 2)
    return TenantSettings(
        enable=1,
        work_conserving=rng.getrandbits(1),
        priority=rng.getrandbits(4),
        committed_rate=rate,
        committed_depth=committed_depth,
        peak_rate=rng.randint(rate, CONFIG.bytes_per_clock << CONFIG.rate_fraction),
        peak_depth=rng.randint(committed_depth, (1 << CONFIG.depth_width) - 1),
        inverse_weight=rng.randint(1, 1 << CONFIG.reciprocal_fraction),
        age_limit=rng.getrandbits(CONFIG.clocks_width),
        latency_slo=rng.getrandbits(CONFIG.clocks_width),
        refuse_outside=rng.getrandbits(1),
        colours=rng.randrange(1, 1 << 16),
    )


def random_settings(rng, *, total=None, enabled=None):
    """Good settings: the first ``enabled`` tags, at least one of them, share ``total``, the sum of
    committed rates.
    """
    total = total or rng.randint(CONFIG.tenants, CONFIG.admissible_rate)
    enabled = enabled or rng.randint(1, CONFIG.tenants)
    cuts = sorted(rng.sample(range(1, total), enabled - 1))
    rates = [high - low for low, high in zip([0, *cuts], [*cuts, total], strict=True)]
    tenants = [random_tenant(rng, rate) for rate in rates]
    tenants += [TenantSettings(priority=rng.getrandbits(4))] * (CONFIG.tenants - len(tenants))
    return Settings(
        channel=ChannelSettings(
            pacer_enable=1,
            overcommitted=rng.getrandbits(1),
            pacer_rate=rng.randint(1, CONFIG.bytes_per_clock << CONFIG.rate_fraction),
            port_credit=rng.randint(CONFIG.l_max, (1 << CONFIG.credit_width) - 1),
            inverse_total_weight=rng.randint(1, 1 << CONFIG.total_reciprocal_fraction),
            depth1_clocks=rng.getrandbits(8),
            promotion_interval=rng.randint(1, 255),
            epoch_clocks=rng.getrandbits(32),
            **{f"colour_bit_{k}": rng.getrandbits(6) for k in range(COLOUR_BITS)},
        ),
        tenants=tuple(tenants),
    )


def image(rng, settings):
    return list(encode(CONFIG, REGISTERS, settings, rng.getrandbits(32)).words)


def good(rng):
    return image(rng, random_settings(rng))


def sealed(words):
    """``words`` with the checksum that they need."""
    body = b"".join(word.to_bytes(4, "little") for word in words[:-1])
    return [*words[:-1], zlib.crc32(body)]


def resized(words):
    """``words`` with the length that they have, and sealed."""
    return sealed([*words[: HeaderWord.WORDS], len(words), *words[HeaderWord.WORDS + 1 :]])


def sections_of(words):
    """The sections of a good image, each with the word that names it."""
    sections, place = [], HEADER_WORDS
    while place < len(words) - 1:
        end = place + 1 + Section.unpack(words[place]).words
        sections.append(words[place:end])
        place = end
    return sections


def with_sections(words, sections):
    return resized([*words[:HEADER_WORDS], *itertools.chain(*sections), 0])


def with_channel(settings, **changes):
    return dataclasses.replace(settings, channel=dataclasses.replace(settings.channel, **changes))


def with_tenant(settings, tag, **changes):
    tenants = list(settings.tenants)
    tenants[tag] = dataclasses.replace(tenants[tag], **changes)
    return dataclasses.replace(settings, tenants=tuple(tenants))


FULL_RATE = CONFIG.bytes_per_clock << CONFIG.rate_fraction
ONE = 1 << CONFIG.reciprocal_fraction
TOTAL_ONE = 1 << CONFIG.total_reciprocal_fraction
L_MAX = CONFIG.l_max

BEST_EFFORT = {"committed_rate": 0, "committed_depth": 0}
SCAVENGER = BEST_EFFORT | {"peak_rate": 0, "peak_depth": 0, "work_conserving": 1}

# For each relation, fields that just keep it and fields that just break it. Tag 0 is enabled.
CHANNEL_EDGES = (
    ({"pacer_rate": 1}, {"pacer_rate": 0}),
    ({"pacer_rate": FULL_RATE}, {"pacer_rate": FULL_RATE + 1}),
    ({"pacer_rate": 0, "pacer_enable": 0}, {"pacer_rate": 0}),
    ({"port_credit": L_MAX}, {"port_credit": L_MAX - 1}),
    ({"promotion_interval": 1}, {"promotion_interval": 0}),
    ({"inverse_total_weight": 1}, {"inverse_total_weight": 0}),
    ({"inverse_total_weight": TOTAL_ONE}, {"inverse_total_weight": TOTAL_ONE + 1}),
)
TENANT_EDGES = (
    ({"committed_rate": 1}, {"committed_rate": 0}),
    ({"committed_rate": 2, "peak_rate": 2}, {"committed_rate": 2, "peak_rate": 1}),
    ({"committed_depth": L_MAX}, {"committed_depth": L_MAX - 1}),
    # Best effort: neither rate nor depth, of one bucket or of both.
    (BEST_EFFORT, BEST_EFFORT | {"committed_depth": 1}),
    (BEST_EFFORT, BEST_EFFORT | {"committed_rate": 1}),
    (SCAVENGER, SCAVENGER | {"peak_depth": 1}),
    (SCAVENGER, SCAVENGER | {"peak_rate": 1}),
    (SCAVENGER, SCAVENGER | {"work_conserving": 0}),
    (
        BEST_EFFORT | {"peak_rate": 1, "peak_depth": L_MAX, "work_conserving": 0},
        BEST_EFFORT | {"peak_rate": 1, "peak_depth": L_MAX - 1},
    ),
    (
        {"committed_depth": L_MAX + 1, "peak_depth": L_MAX + 1},
        {"committed_depth": L_MAX + 1, "peak_depth": L_MAX},
    ),
    ({"inverse_weight": 1}, {"inverse_weight": 0}),
    ({"inverse_weight": ONE}, {"inverse_weight": ONE + 1}),
    ({"colours": 1}, {"colours": 0}),
    ({"enable": 0, "committed_rate": 0}, {"enable": 0, "committed_rate": 1}),
)


def at_edge(rng, *, broken):
    settings = random_settings(rng)
    edges = rng.choice((CHANNEL_EDGES, TENANT_EDGES))
    fields = rng.choice(edges)[broken]
    if edges is CHANNEL_EDGES:
        return image(rng, with_channel(settings, **fields))
    enabled = sum(tenant.enable for tenant in settings.tenants)
    return image(rng, with_tenant(settings, rng.randrange(enabled), **fields))


def oversubscribed(rng):
    """One unit of rate too much, sometimes with a broken relation beside it."""
    settings = random_settings(rng, total=CONFIG.admissible_rate + 1)
    if rng.random() < 0.5:
        settings = with_channel(settings, promotion_interval=0)
    return image(rng, settings)


def wrong_header(rng, position):
    words = good(rng)
    words[position] ^= 1 << rng.randrange(32)
    return sealed(words)


def wrong_length(rng):
    """A length that no image has; a shorter one is told from it by the checksum alone."""
    words = good(rng)
    words[HeaderWord.WORDS] = rng.choice((0, HEADER_WORDS, LENGTH + 1, LENGTH | 1 << 31))
    return sealed(words)


def out_of_field(rng):
    words = good(rng)
    narrow = [
        (position, bit)
        for position, (register, _) in REGISTERS.image_places().items()
        for bit in range(32)
        if not register.mask >> bit & 1
    ]
    position, bit = rng.choice(narrow)
    words[position] |= 1 << bit
    return sealed(words)


def named_otherwise(rng, **changes):
    """A good image of which one section begins with another word."""
    words = good(rng)
    sections = sections_of(words)
    tenants = "index" in changes
    k = rng.randrange(1 if tenants else 0, len(sections))
    section = dataclasses.replace(Section.unpack(sections[k][0]), **changes)
    sections[k] = [section.pack(), *sections[k][1:]]
    return with_sections(words, sections)


def missing(rng):
    """An image without one section, without the end of the last one, or in another order."""
    words = good(rng)
    sections = sections_of(words)
    k = rng.randrange(len(sections))
    match rng.randrange(3):
        case 0:
            del sections[k]
        case 1:
            del sections[-1][rng.randrange(1, len(sections[-1])) :]
        case 2:
            k = rng.randrange(1, CONFIG.tenants)
            sections[k], sections[k + 1] = sections[k + 1], sections[k]
    return with_sections(words, sections)


def repeated(rng):
    """A section in place of one that comes later, or the channel twice."""
    words = good(rng)
    sections = sections_of(words)
    k = rng.randrange(2, len(sections))
    sections[k] = sections[rng.randrange(k)]
    return with_sections(words, sections)


def channel_last(rng):
    words = good(rng)
    channel, *tenants = sections_of(words)
    section = Section.unpack(channel[0])
    channel[0] = dataclasses.replace(section, index=rng.choice((0, ALL_CHANNELS))).pack()
    return with_sections(words, [*tenants, channel])


def flipped_bit(rng):
    words = good(rng)
    words[rng.randrange(LENGTH)] ^= 1 << rng.randrange(32)
    return words


# Clocks of the word port.


def sent(rng, words):
    """The words, back to back or with pauses."""
    gaps = rng.random() < 0.1
    clocks = [BEGIN]
    for word in words:
        if gaps:
            clocks += [IDLE] * rng.randrange(3)
        clocks.append(put(word))
    return clocks


def checked(rng):
    return [IDLE] * (1 + rng.randrange(3))


def offered(rng, words):
    """An image, time to check it, and a commit."""
    return [*sent(rng, words), *checked(rng), COMMIT]


def truncated(rng):
    return [*sent(rng, good(rng)[: rng.randrange(LENGTH)]), COMMIT]


def commit_while_checking(rng):
    return [*sent(rng, good(rng)), COMMIT]


def overlong(rng):
    return [
        *sent(rng, good(rng)),
        *[IDLE] * rng.randint(0, 4),
        put(rng.getrandbits(32)),
        *checked(rng),
        COMMIT,
    ]


def restarted(rng):
    """A begin in the middle, or after a refusal, forgets everything before it."""
    first = rng.choice((good, flipped_bit, out_of_field))(rng)
    return [*sent(rng, first)[: rng.randint(1, LENGTH + 8)], *offered(rng, good(rng))]


def commit_with_begin(rng):
    return [*sent(rng, good(rng)), *checked(rng), BEGIN | COMMIT, *map(put, good(rng)), COMMIT]


def committed_twice(rng):
    return [*offered(rng, good(rng)), put(rng.getrandbits(32)), COMMIT]


KINDS = {
    "good": (lambda rng: offered(rng, good(rng)), ImageCode.NONE),
    "just keeps a relation": (
        lambda rng: offered(rng, at_edge(rng, broken=False)),
        ImageCode.NONE,
    ),
    "just breaks a relation": (
        lambda rng: offered(rng, at_edge(rng, broken=True)),
        ImageCode.FIELD,
    ),
    "full": (
        lambda rng: offered(rng, image(rng, random_settings(rng, total=CONFIG.admissible_rate))),
        ImageCode.NONE,
    ),
    "oversubscribed": (lambda rng: offered(rng, oversubscribed(rng)), ImageCode.OVERSUBSCRIBED),
    "magic": (lambda rng: offered(rng, wrong_header(rng, HeaderWord.MAGIC)), ImageCode.MAGIC),
    "version": (lambda rng: offered(rng, wrong_header(rng, HeaderWord.VERSION)), ImageCode.VERSION),
    "sizes": (
        lambda rng: offered(
            rng, wrong_header(rng, rng.choice((HeaderWord.CAPABILITY, HeaderWord.LIMITS)))
        ),
        ImageCode.SIZES,
    ),
    "clock": (lambda rng: offered(rng, wrong_header(rng, HeaderWord.CLOCK)), ImageCode.CLOCK),
    "map hash": (
        lambda rng: offered(rng, wrong_header(rng, HeaderWord.MAP_HASH)),
        ImageCode.MAP_HASH,
    ),
    "words": (
        lambda rng: offered(rng, wrong_length(rng)),
        ImageCode.WORDS,
    ),
    "section kind": (
        lambda rng: offered(rng, named_otherwise(rng, kind=rng.choice((0, 3, 0x81, 0xFF)))),
        ImageCode.SECTION_KIND,
    ),
    "section index": (
        lambda rng: offered(rng, named_otherwise(rng, index=rng.choice((16, 32, 128, 255)))),
        ImageCode.SECTION_INDEX,
    ),
    "section words": (
        lambda rng: offered(rng, named_otherwise(rng, words=rng.choice((0, 7, 10, 1 << 15 | 9)))),
        ImageCode.SECTION_WORDS,
    ),
    "missing": (lambda rng: offered(rng, missing(rng)), ImageCode.MISSING),
    "repeated": (lambda rng: offered(rng, repeated(rng)), ImageCode.REPEATED),
    "channel last": (lambda rng: offered(rng, channel_last(rng)), ImageCode.NONE),
    "out of field": (lambda rng: offered(rng, out_of_field(rng)), ImageCode.FIELD),
    "flipped bit": (lambda rng: offered(rng, flipped_bit(rng)), None),
    "truncated": (truncated, ImageCode.TRUNCATED),
    "commit while checking": (commit_while_checking, ImageCode.TRUNCATED),
    "overlong": (overlong, ImageCode.OVERLONG),
    "restarted": (restarted, ImageCode.NONE),
    "commit with begin": (commit_with_begin, ImageCode.TRUNCATED),
    "committed twice": (committed_twice, ImageCode.NOT_STAGED),
}
COMMITS = {"good", "channel last", "just keeps a relation", "full", "restarted", "committed twice"}


def with_fields(tag, **fields):
    """An image of all tenants, one of which has certain fields."""
    return lambda rng: offered(
        rng, image(rng, with_tenant(random_settings(rng, enabled=CONFIG.tenants), tag, **fields))
    )


def with_wrong_checksum(bit):
    def make(rng):
        words = good(rng)
        return offered(rng, [*words[:-1], words[-1] ^ 1 << bit])

    return make


CORNERS = {
    **{
        f"tenant {tag} with {fields}": (with_fields(tag, **fields), code)
        for tag in (0, CONFIG.tenants - 1)
        for edge in TENANT_EDGES
        for fields, code in zip(edge, (ImageCode.NONE, ImageCode.FIELD), strict=True)
    },
    **{
        f"colour {colour} alone": (with_fields(colour, colours=1 << colour), ImageCode.NONE)
        for colour in range(1 << COLOUR_BITS)
    },
    **{
        f"bit {bit} of the checksum": (with_wrong_checksum(bit), ImageCode.CRC) for bit in range(32)
    },
}
"""Kinds of which each one is its own: each is loaded once."""

KINDS_AND_CORNERS = KINDS | CORNERS
COMMITS |= {name for name, (_, code) in CORNERS.items() if code is ImageCode.NONE}


class Bench:
    """Drives the word port and holds the loader against the model after every clock."""

    def __init__(self, dut):
        self.dut = dut
        self.model = Model()
        self.changes = 0

    async def reset(self):
        Clock(self.dut.clk, 2, "ns").start()
        self.dut.stimulus.value = IDLE
        self.dut.rst.value = 1
        await FallingEdge(self.dut.clk)
        self.dut.rst.value = 0
        await FallingEdge(self.dut.clk)

    async def play(self, clocks, name):
        falling = FallingEdge(self.dut.clk)
        mask = (1 << OBSERVED["changes"].offset) - 1
        fields = [(key, OBSERVED[key].offset) for key in self.model.observed()]
        for position, stimulus in enumerate(clocks):
            self.dut.stimulus.value = stimulus
            await falling
            self.model.clock(stimulus)
            shown = self.model.observed()
            expected = sum(shown[key] << offset for key, offset in fields)
            found = int(self.dut.observed.value)
            assert found & mask == expected, (
                f"{name}, clock {position}: the loader shows {self.unpack(found)}, not {shown}"
            )
        self.dut.stimulus.value = IDLE
        await falling

    def unpack(self, observed):
        return {key: observed >> field.offset & (1 << field.width) - 1 for key, field in OBSERVED}

    def check_live(self, name, before):
        """``live`` is the model's; it changed in one clock for each commit, and in no other."""
        live = live_word(self.model.live) if self.model.live else 0
        assert int(self.dut.live.value) == live, f"{name}: live is not the last good image"
        self.changes += self.model.generation - before
        counters = self.unpack(int(self.dut.observed.value))
        assert counters["changes"] == self.changes, f"{name}: live changed, or not in one clock"
        assert counters["stray_changes"] == 0, f"{name}: live changed without a commit"


@cocotb.test()
async def images(dut):
    """Every kind of image, in random order, each followed by a look at the live registers."""
    settings = parameters()
    rng = random.Random(settings["seed"])
    bench = Bench(dut)
    await bench.reset()
    await bench.play([put(rng.getrandbits(32)), COMMIT, IDLE], "before the first image")
    assert bench.model.code is ImageCode.NOT_STAGED
    bench.check_live("before the first image", 0)

    names = [*CORNERS, *list(KINDS) * -(-settings["images"] // len(KINDS))]
    rng.shuffle(names)
    outcomes = collections.Counter()
    for number, kind in enumerate(names):
        name = f"image {number} ({kind})"
        make, code = KINDS_AND_CORNERS[kind]
        before = bench.model.generation
        await bench.play(make(rng), name)
        model = bench.model
        assert model.generation - before == (kind in COMMITS), f"{name}: {model.code.name}"
        if code is not None:
            assert model.code is code, f"{name}: {model.code.name}"
        bench.check_live(name, before)
        outcomes[model.code] += 1
    assert set(outcomes) == set(ImageCode) - OF_A_FABRIC
    dut._log.info("%d images: %s", len(names), {c.name: n for c, n in sorted(outcomes.items())})


def test_parameters():
    with pytest.raises(
        ValueError, match=r"^registers must be a map of 16 tenants as config has, not 4$"
    ):
        ImageLoader(CONFIG, channel_map(ChannelConfig(tenants=4)))


def test_signature():
    loader = ImageLoader(CONFIG, REGISTERS)
    assert loader.live.shape() == LIVE
    assert loader.received.shape().width <= REGISTERS["IMAGE_STATUS"].fields[2].width
    assert {name: member.flow for name, member in loader.signature.members.items()} == {
        **dict.fromkeys(("begin", "commit", "word_stb", "word"), In),
        **dict.fromkeys(("state", "code", "received", "generation"), Out),
        **dict.fromkeys(("live_label", "live_crc", "live", "commit_stb"), Out),
        "live_channels": Out,
        "contracts": In,
    }


@pytest.mark.parametrize(
    ("place", "change", "code"),
    [
        (HeaderWord.LABEL, 0, ImageCode.NONE),
        (HEADER_WORDS + 1, 1 << 31, ImageCode.NONE),
        (HEADER_WORDS + 3, ~0 & 0xFFFF_FFFF, ImageCode.NONE),
        (HeaderWord.CLOCK, 1, ImageCode.CLOCK),
        (HEADER_WORDS, 1 << 16, ImageCode.SECTION_WORDS),
        (-1, 1, ImageCode.CRC),
    ],
)
def test_a_loader_without_checks_of_values(place, change, code):
    config = ChannelConfig(tenants=4, loader_checks=False)
    registers = channel_map(config)
    channel = ChannelSettings(pacer_enable=1, port_credit=1)
    tenants = (TenantSettings(committed_rate=FULL_RATE),) * config.tenants
    words = list(encode(config, registers, Settings(channel=channel, tenants=tenants), 7).words)
    words[place] ^= change
    if place != -1:
        words = sealed(words)
    loader = ImageLoader(config, registers)

    async def testbench(context):
        context.set(loader.begin, 1)
        await context.tick()
        context.set(loader.begin, 0)
        context.set(loader.word_stb, 1)
        for word in words:
            context.set(loader.word, word)
            await context.tick()
        context.set(loader.word_stb, 0)
        await context.tick()
        good = code is ImageCode.NONE
        assert context.get(loader.state) == (ImageState.STAGED if good else ImageState.REFUSED)
        assert context.get(loader.code) == code == verify(words, config)

    simulator = Simulator(loader)
    simulator.add_clock(1e-9)
    simulator.add_testbench(testbench)
    simulator.run()


@pytest.mark.cocotb
def test_images(tmp_path):
    run(
        build(LoaderHarness(), name="loader_harness"),
        test_module=__name__,
        directory=tmp_path,
        seed=SEED,
        parameters={"images": IMAGES, "seed": SEED},
        timeout=240,
    )
