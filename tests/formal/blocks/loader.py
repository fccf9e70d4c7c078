"""The image loader: a refused image changes nothing, a live one is legal and is what was sent."""

from amaranth import *
from amaranth.hdl import Assert, Assume, Cover
from amaranth.lib import data

from mcos_hw.config import ChannelConfig
from mcos_hw.control.loader import ImageLoader
from mcos_hw.registers import channel_map
from mcos_hw.registers.image import (
    ALL_CHANNELS,
    HEADER_WORDS,
    ImageCode,
    ImageState,
    SectionKind,
)
from tests.formal.blocks.store import image_word
from tests.formal.property import Harness, Method, Property, implies
from tests.planted import Bug

__all__ = ["PROPERTIES"]


CONFIG = ChannelConfig()
SMALL = ChannelConfig(tenants=4)
BLOCK = "mcos_hw.control.loader.ImageLoader"
LOADER = "mcos_hw.control.loader"
CHECKER = "mcos_hw.control.checker"


def staged_clock(config: ChannelConfig) -> int:
    """The clock in which the earliest image after power-up is staged.

    It takes a begin, its words, and the verdict.
    """
    return 1 + channel_map(config).image_length + 1


class Progress:
    """How far the sections of one kind have come."""

    def __init__(self, harness: Harness, loader: ImageLoader, kind: SectionKind) -> None:
        registers = loader.registers
        self.path = f"{kind.name.lower()}_checker"
        self.rows = [register.name for register in registers.section(kind)]
        self.count = registers.sections()[kind]
        self.element = harness.look(f"{self.path}.element", range(self.count + 1))
        self.row = harness.look(f"{self.path}.row", range(len(self.rows)))
        self.open = harness.look(f"{self.path}.open", 1)
        self.complete = self.element == self.count

    def sound(self) -> Value:
        """The counters are within their ranges."""
        return (
            (self.element <= self.count)
            & (self.row < len(self.rows))
            & (~self.open | (self.element < self.count))
            & (self.open | (self.row == 0))
        )

    def passed(self, element: Value | int, name: str) -> Value:
        """The word of a register has come, for one element."""
        here = self.open & (self.element == element) & (self.row > self.rows.index(name))
        return (self.element > element) | here

    def within(self, element: Value | int, first: str, last: str | None = None) -> Value:
        """The element's section is open, ``first`` has come, and ``last`` has not."""
        here = self.open & (self.element == element) & (self.row > self.rows.index(first))
        return here & ((self.row <= self.rows.index(last)) if last else Const(1))


class LoaderHarness(Harness):
    """A loader. What is sent after power-up leads straight to a commit."""

    def begin(self, m: Module) -> ImageLoader:
        """Add the loader."""
        loader = ImageLoader(self.config, channel_map(self.config))
        self.prove(m, loader)
        self.shadow = self.look("store.shadow", loader.live.shape())
        self.state_before = Signal(ImageState)
        m.d.sync += self.state_before.eq(loader.state)
        m.d.comb += self.invariant(loader.state <= max(ImageState))
        return loader

    def follow(self, m: Module, loader: ImageLoader) -> tuple[Progress, Progress]:
        """Progress of the tenants' sections and the channel's; what is staged is complete."""
        tenants = Progress(self, loader, SectionKind.TENANT)
        channel = Progress(self, loader, SectionKind.CHANNEL)
        staged = loader.state == ImageState.STAGED
        m.d.comb += self.invariant(
            tenants.sound(),
            channel.sound(),
            ~(tenants.open & channel.open),
            implies(staged, tenants.complete & channel.complete),
        )
        return tenants, channel

    def send_at_once(self, m: Module, loader: ImageLoader) -> None:
        """A begin in the first clock, a right word in each after it, and a commit when staged."""
        staged_at = staged_clock(self.config)
        clock = Signal(range(staged_at + 2), reset_less=True)
        m.d.sync += clock.eq(clock + (clock <= staged_at))
        sends = (clock >= 1) & (clock <= loader.registers.image_length)
        m.d.comb += self.scenario(
            ~ResetSignal(),
            loader.begin == (clock == 0),
            loader.word_stb == sends,
            loader.commit == (clock == staged_at),
            ~sends | (loader.state == ImageState.RECEIVING),
        )


class LiveHarness(LoaderHarness):
    """Any words, begins and commits in any order."""

    def elaborate(self, platform):
        m = Module()
        loader = self.begin(m)
        live = Cat(loader.live.as_value(), loader.live_label, loader.live_crc, loader.generation)
        shadow = self.shadow.as_value()

        live_before = Signal.like(live)
        shadow_before = Signal.like(shadow)
        committed = Signal()
        asked = Signal()
        m.d.sync += [
            live_before.eq(live),
            shadow_before.eq(shadow),
            # A begin in the same clock counts as a commit after a begin.
            committed.eq(loader.commit & ~loader.begin & (loader.state == ImageState.STAGED)),
            asked.eq(loader.commit),
        ]
        refused = loader.state == ImageState.REFUSED
        m.d.comb += [
            self.invariant(implies(refused, loader.code != ImageCode.NONE)),
            Assert(implies(~committed, live == live_before)),
            Assert(
                implies(
                    committed,
                    (loader.live.as_value() == shadow_before)
                    & (loader.generation == (live_before[-32:] + 1)[:32])
                    & (loader.state == ImageState.EMPTY),
                )
            ),
            # Whoever asks and is refused is told why.
            Assert(implies(asked & ~committed, loader.code != ImageCode.NONE)),
            Assert(implies(refused, loader.code != ImageCode.NONE)),
            Cover(refused & (self.state_before == ImageState.RECEIVING) & ~asked),
        ]
        return m


def legal_tenant(each: data.View, config: ChannelConfig) -> dict[str, Value]:
    """What the loader asks of a tenant, by the last register that each rule speaks of."""

    def bucket(rate, depth):
        return Mux(rate == 0, depth == 0, depth >= config.l_max)

    off = ~each.enable
    return {
        "COMMITTED_RATE": each.enable | (each.committed_rate == 0),
        "COMMITTED_DEPTH": off | bucket(each.committed_rate, each.committed_depth),
        "PEAK_RATE": off
        | ((each.committed_rate <= each.peak_rate) & ((each.peak_rate > 0) | each.work_conserving)),
        "PEAK_DEPTH": off
        | (bucket(each.peak_rate, each.peak_depth) & (each.committed_depth <= each.peak_depth)),
        "INVERSE_WEIGHT": off
        | ((each.inverse_weight > 0) & (each.inverse_weight <= 1 << config.reciprocal_fraction)),
        "COLOURS": off | (each.colours != 0),
    }


def legal_channel(channel: data.View, config: ChannelConfig) -> dict[str, Value]:
    """What the loader asks of the channel, by the last register that each rule speaks of."""
    full_rate = config.bytes_per_clock << config.rate_fraction
    total_one = 1 << config.total_reciprocal_fraction
    return {
        "PACER_RATE": ~channel.pacer_enable
        | ((channel.pacer_rate > 0) & (channel.pacer_rate <= full_rate)),
        "PORT_CREDIT": channel.port_credit >= config.l_max,
        "INVERSE_TOTAL_WEIGHT": (channel.inverse_total_weight > 0)
        & (channel.inverse_total_weight <= total_one),
        "PROMOTION": channel.promotion_interval >= 1,
    }


class ValuesHarness(LoaderHarness):
    """What the checkers keep of the values that have come."""

    def keep(self, m: Module, loader: ImageLoader) -> None:
        """Look at the checkers, and say what they keep of the channel and of all rates."""
        config = self.config
        self.send_at_once(m, loader)
        self.tenants, self.channel = self.follow(m, loader)
        self.broken = self.look("tenant_checker.broken", 1)
        self.channel_broken = self.look("channel_checker.broken", 1)
        self.flags = {
            name: self.look(f"tenant_checker.{name}", 1) for name in ("enable", "work_conserving")
        }
        self.rate = self.look("tenant_checker.rate", config.rate_width)
        self.depth = self.look("tenant_checker.depth", config.depth_width)
        summed = self.look("tenant_checker.committed", range(config.tenants << config.rate_width))
        pacer_enable = self.look("channel_checker.pacer_enable", 1)

        shape = range(config.tenants << config.rate_width)
        sums = [Signal(shape, name=f"sum_{i}") for i in range(config.tenants + 1)]
        for i in range(config.tenants):
            m.d.comb += sums[i + 1].eq(sums[i] + self.shadow.tenants[i].committed_rate)
        self.affordable = sums[-1] <= config.admissible_rate

        tenants, channel = self.tenants, self.channel
        added = tenants.open & (tenants.row > tenants.rows.index("COMMITTED_RATE"))
        rules = legal_channel(self.shadow.channel, config)
        self.channel_legal = Cat(*rules.values()).all()
        wrong = [channel.passed(0, name) & ~rule for name, rule in rules.items()]
        kept = channel.within(0, "MODE")
        m.d.comb += self.invariant(
            summed == Array(sums)[tenants.element + added],
            implies(kept, pacer_enable == self.shadow.channel.pacer_enable),
            self.channel_broken == Cat(*wrong).any(),
        )

    def keep_tenant(self, m: Module, tenant: Value | int) -> Value:
        """Say what is kept of one tenant; 1 if a rule is broken by what has come of it."""
        progress, each = self.tenants, self.shadow.tenants[tenant]
        rules = legal_tenant(each, self.config)
        first = progress.within(tenant, "TENANT_MODE")
        m.d.comb += self.invariant(
            *(implies(first, kept == each[name]) for name, kept in self.flags.items()),
            implies(
                progress.within(tenant, "COMMITTED_RATE", "PEAK_RATE"),
                self.rate == each.committed_rate,
            ),
            implies(
                progress.within(tenant, "PEAK_RATE", "PEAK_DEPTH"), self.rate == each.peak_rate
            ),
            implies(progress.within(tenant, "COMMITTED_RATE", "COMMITTED_DEPTH"), self.depth == 0),
            implies(
                progress.within(tenant, "COMMITTED_DEPTH", "PEAK_DEPTH"),
                self.depth == each.committed_depth,
            ),
        )
        return Cat(progress.passed(tenant, name) & ~rule for name, rule in rules.items()).any()


class LegalHarness(ValuesHarness):
    """Relations between the fields of what is staged."""

    def elaborate(self, platform):
        m = Module()
        loader = self.begin(m)
        self.keep(m, loader)
        tenant = self.any_constant(m, self.config.tenant_width, name="any_tenant")
        wrong = self.keep_tenant(m, tenant)

        tenant_legal = Cat(*legal_tenant(self.shadow.tenants[tenant], self.config).values()).all()
        staged = loader.state == ImageState.STAGED
        m.d.comb += [
            self.invariant(
                implies(wrong, self.broken),
                implies(staged, ~self.broken & ~self.channel_broken),
            ),
            Assert(implies(staged, self.affordable)),
            Assert(implies(staged, tenant_legal)),
            Assert(implies(staged, self.channel_legal)),
            Assert(implies(loader.commit_stb, staged)),
            Cover(staged & self.shadow.tenants[tenant].enable),
        ]
        return m


class VerdictHarness(ValuesHarness):
    """What the loader makes of values, once all of an image is in and nobody interferes."""

    def elaborate(self, platform):
        m = Module()
        loader = self.begin(m)
        self.keep(m, loader)
        wrong = Cat(self.keep_tenant(m, i) for i in range(self.config.tenants))
        rows = [self.shadow.tenants[i] for i in range(self.config.tenants)]
        legal = [Cat(*legal_tenant(row, self.config).values()).all() for row in rows]
        all_legal = Cat(*legal, self.channel_legal).all()

        checking = loader.state == ImageState.CHECKING
        ended = Signal()
        whole = Signal()
        m.d.sync += [
            ended.eq(checking & ~(loader.begin | loader.commit | loader.word_stb)),
            whole.eq(self.tenants.complete & self.channel.complete),
        ]
        code = Mux(self.affordable, ImageCode.FIELD, ImageCode.OVERSUBSCRIBED)
        good = whole & all_legal & self.affordable
        m.d.comb += [
            self.invariant(self.broken == wrong.any()),
            Assert(implies(ended, (loader.state == ImageState.STAGED) == good)),
            Assert(
                implies(
                    ended & ~good,
                    (loader.state == ImageState.REFUSED)
                    & (loader.code == Mux(whole, code, ImageCode.MISSING)),
                )
            ),
            Cover(ended & (loader.state == ImageState.STAGED)),
        ]
        return m


class ChecksumHarness(LoaderHarness):
    """The last word beside the checksum that the loader has made of all words before it."""

    def elaborate(self, platform):
        m = Module()
        loader = self.begin(m)
        kept = self.look("checksum.crc", 32)
        length = self.look("length", loader.received.shape())
        self.send_at_once(m, loader)

        receiving = loader.state == ImageState.RECEIVING
        last = (loader.received >= HEADER_WORDS) & (loader.received + 1 == length)
        arrives = receiving & loader.word_stb & ~loader.begin & ~loader.commit
        ends = Signal()
        right = Signal()
        m.d.sync += [ends.eq(arrives & last), right.eq(loader.word == kept)]
        m.d.comb += [
            Assert(implies(ends, (loader.state == ImageState.CHECKING) == right)),
            Assert(implies(ends & ~right, loader.code == ImageCode.CRC)),
            Cover(ends & right),
        ]
        return m


class ImageHarness(LoaderHarness):
    """Remembers any one value since the last begin, found by the words that name the sections."""

    def elaborate(self, platform):
        m = Module()
        loader = self.begin(m)
        registers = loader.registers
        places = [
            (register.section, index, registers.section(register.section).index(register))
            for register, index in registers.image_words()
        ]
        watched = self.any_constant(m, range(len(places)), name="watched")
        length = self.look("length", loader.received.shape())
        tenants, channel = self.follow(m, loader)
        self.send_at_once(m, loader)

        kind = Signal(8)
        index = Signal(8)
        row = Signal(16)
        left = Signal(16)
        named = {
            SectionKind.TENANT: (kind == SectionKind.TENANT, index),
            SectionKind.CHANNEL: (kind == SectionKind.CHANNEL, Const(0)),
        }
        here = Cat(
            named[each][0] & (named[each][1] == element) & (row == position)
            for each, element, position in places
        ).bit_select(watched, 1)
        sent = Signal(32)
        arrived = Signal()
        with m.If(loader.begin):
            m.d.sync += [arrived.eq(0), left.eq(0)]
        with m.Elif(
            loader.word_stb
            & (loader.state == ImageState.RECEIVING)
            & (loader.received >= HEADER_WORDS)
            & (loader.received + 1 != length)
        ):
            with m.If(left == 0):
                m.d.sync += [
                    kind.eq(loader.word[:8]),
                    index.eq(loader.word[8:16]),
                    left.eq(loader.word[16:]),
                    row.eq(0),
                ]
            with m.Else():
                m.d.sync += [row.eq(row + 1), left.eq(left - 1)]
                with m.If(here):
                    m.d.sync += [sent.eq(loader.word), arrived.eq(1)]

        # What was staged in the clock before a commit is live in the clock after it.
        committed = Signal()
        staged_word = Signal(32)
        m.d.sync += [committed.eq(loader.commit_stb), staged_word.eq(sent)]

        good = Cat(
            loader.state == state
            for state in (ImageState.RECEIVING, ImageState.CHECKING, ImageState.STAGED)
        ).any()
        passed = Cat(
            (tenants if each is SectionKind.TENANT else channel).passed(
                element, registers.section(each)[position].name
            )
            for each, element, position in places
        ).bit_select(watched, 1)
        m.d.comb += [
            Assume(watched < len(places)),
            self.invariant(
                implies(good, (tenants.open | channel.open) == (left != 0)),
                implies(
                    good & tenants.open,
                    (kind == SectionKind.TENANT)
                    & (index == tenants.element)
                    & (row == tenants.row)
                    & (left == len(tenants.rows) - tenants.row),
                ),
                implies(
                    good & channel.open,
                    (kind == SectionKind.CHANNEL)
                    & ((index == 0) | (index == ALL_CHANNELS))
                    & (row == channel.row)
                    & (left == len(channel.rows) - channel.row),
                ),
                implies(
                    good & passed,
                    arrived & (image_word(registers, self.shadow, watched) == sent),
                ),
            ),
            Assert(implies(committed, image_word(registers, loader.live, watched) == staged_word)),
            Cover(committed & (staged_word != 0)),
        ]
        return m


PROPERTIES = (
    Property(
        name="loader.refusal_changes_nothing",
        claim=(
            "Nothing but a commit of a staged image changes the live configuration, its label, "
            "checksum or generation, and every refusal has a code."
        ),
        block=BLOCK,
        config=CONFIG,
        harness=LiveHarness,
        method=Method.INDUCTION,
        depth=1,
        bug=Bug(
            module=LOADER,
            text="with m.Case(ImageState.RECEIVING, ImageState.CHECKING):\n                refuse",
            instead=(
                "with m.Case(ImageState.CHECKING):\n"
                "                m.d.comb += self.commit_stb.eq(1)\n"
                "            with m.Case(ImageState.RECEIVING):\n"
                "                m.d.comb += self.commit_stb.eq(1)\n                refuse"
            ),
        ),
        reach=5,
        slow=True,
    ),
    Property(
        name="loader.staged_is_legal",
        claim=(
            "What is staged keeps every relation between fields that the loader promises, and "
            "the sum of committed rates is admissible."
        ),
        block=BLOCK,
        config=CONFIG,
        harness=LegalHarness,
        method=Method.INDUCTION,
        depth=1,
        bug=Bug(
            module=CHECKER,
            text="enable & ((value < depth) | unfit)",
            instead="enable & unfit",
        ),
        reach_config=SMALL,
        reach=staged_clock(SMALL) + 1,
        skip=staged_clock(SMALL),
        slow=True,
    ),
    Property(
        name="loader.verdict",
        claim=(
            "An image whose words are all in is staged exactly if no section is missing, every "
            "value keeps its rules and the sum of committed rates is admissible; else the code "
            "says which."
        ),
        block=BLOCK,
        config=SMALL,
        harness=VerdictHarness,
        method=Method.INDUCTION,
        depth=1,
        bug=Bug(
            module=CHECKER,
            text="outside |= value < field.least",
            instead="outside |= value[: max(1, len(value) - 1)] < field.least",
        ),
        reach=staged_clock(SMALL) + 1,
        skip=staged_clock(SMALL),
        slow=True,
    ),
    Property(
        name="loader.checksum",
        claim=(
            "The last word of an image is taken exactly if every bit of it is that of the checksum "
            "that the loader has made of the words before it."
        ),
        block=BLOCK,
        config=SMALL,
        harness=ChecksumHarness,
        method=Method.INDUCTION,
        depth=1,
        bug=Bug(
            module=LOADER,
            text="self.word != checksum.crc",
            instead="self.word[:-1] != checksum.crc[:-1]",
        ),
        reach=staged_clock(SMALL) + 1,
        skip=staged_clock(SMALL) - 1,
    ),
    Property(
        name="loader.live_is_what_was_sent",
        claim="After a commit every live field is as the committed image gave it.",
        block=BLOCK,
        config=CONFIG,
        harness=ImageHarness,
        method=Method.INDUCTION,
        depth=1,
        bug=Bug(
            module="mcos_hw.control.store",
            text="self.word[field.low : field.low + field.width]",
            instead="self.word[: field.width]",
        ),
        reach_config=SMALL,
        reach=staged_clock(SMALL) + 2,
        skip=staged_clock(SMALL) + 1,
        slow=True,
    ),
)
