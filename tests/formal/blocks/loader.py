"""The image loader: a refused image changes nothing, a live one is legal and is what was sent."""

from amaranth import *
from amaranth.hdl import Assert, Assume, Cover
from amaranth.lib import data

from mcos_hw.config import ChannelConfig
from mcos_hw.control.loader import ImageLoader
from mcos_hw.registers import channel_map
from mcos_hw.registers.image import HEADER_WORDS, ImageCode, ImageState
from tests.formal.blocks.store import image_word
from tests.formal.property import Harness, Method, Property, implies
from tests.planted import Bug

__all__ = ["PROPERTIES"]


CONFIG = ChannelConfig()
SMALL = ChannelConfig(tenants=4)
BLOCK = "mcos_hw.control.loader.ImageLoader"
LOADER = "mcos_hw.control.loader"


def staged_clock(config: ChannelConfig) -> int:
    """The clock in which the earliest image after power-up is staged.

    It takes a begin, its words, the checks of all tenants and their verdict.
    """
    words = HEADER_WORDS + channel_map(config).image_length + 1
    return 1 + words + config.tenants + 1


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

    def send_at_once(self, m: Module, loader: ImageLoader) -> None:
        """A begin in the first clock, a right word in each after it, and a commit when staged."""
        staged_at = staged_clock(self.config)
        clock = Signal(range(staged_at + 2), reset_less=True)
        m.d.sync += clock.eq(clock + (clock <= staged_at))
        sends = (clock >= 1) & (clock <= loader.image_length)
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
        code_before = Signal(ImageCode)
        asked = Signal()
        m.d.sync += [
            live_before.eq(live),
            shadow_before.eq(shadow),
            # A begin in the same clock counts as a commit after a begin.
            committed.eq(loader.commit & ~loader.begin & (loader.state == ImageState.STAGED)),
            code_before.eq(loader.code),
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


def legal_tenant(each: data.View, config: ChannelConfig) -> Value:
    """What the loader asks of a tenant."""

    def bucket(rate, depth):
        return Mux(rate == 0, depth == 0, depth >= config.l_max)

    contract = (
        bucket(each.committed_rate, each.committed_depth)
        & bucket(each.peak_rate, each.peak_depth)
        & (each.committed_rate <= each.peak_rate)
        & (each.committed_depth <= each.peak_depth)
        & ((each.peak_rate > 0) | each.work_conserving)
        & (each.inverse_weight > 0)
        & (each.inverse_weight <= 1 << config.reciprocal_fraction)
        & (each.colours != 0)
    )
    return Mux(each.enable, contract, each.committed_rate == 0)


def legal_channel(channel: data.View, config: ChannelConfig) -> Value:
    """What the loader asks of the channel."""
    full_rate = config.bytes_per_clock << config.rate_fraction
    return (
        (~channel.pacer_enable | ((channel.pacer_rate > 0) & (channel.pacer_rate <= full_rate)))
        & (channel.port_credit >= config.l_max)
        & (channel.promotion_interval >= 1)
        & (channel.inverse_total_weight > 0)
        & (channel.inverse_total_weight <= 1 << config.total_reciprocal_fraction)
    )


def committed_sums(m, settings, config):
    """The committed rates of the first tenants together: of none, of one, up to all."""
    shape = range(config.tenants << config.rate_width)
    sums = [Signal(shape, name=f"sum_{i}") for i in range(config.tenants + 1)]
    for i in range(config.tenants):
        m.d.comb += sums[i + 1].eq(sums[i] + settings.tenants[i].committed_rate)
    return sums


class LegalHarness(LoaderHarness):
    """Relations between the fields of what is staged."""

    def elaborate(self, platform):
        m = Module()
        config = self.config
        loader = self.begin(m)
        checked = self.look("tenant", range(config.tenants + 1))
        summed = self.look("committed", range(config.tenants << config.rate_width))
        broken = self.look("broken", 1)
        tenant = self.any_constant(m, config.tenant_width, name="any_tenant")
        self.send_at_once(m, loader)

        sums = committed_sums(m, self.shadow, config)
        affordable = sums[-1] <= config.admissible_rate
        tenant_legal = legal_tenant(self.shadow.tenants[tenant], config)
        channel_legal = legal_channel(self.shadow.channel, config)
        staged = loader.state == ImageState.STAGED
        checking = loader.state == ImageState.CHECKING
        receiving = loader.state == ImageState.RECEIVING
        m.d.comb += [
            self.invariant(
                implies(checking, checked <= config.tenants),
                implies(receiving, (checked == 0) & (summed == 0) & ~broken),
                implies(checking, summed == Array(sums)[checked]),
                implies(checking & (checked > tenant), broken | tenant_legal),
            ),
            Assert(implies(staged, affordable)),
            Assert(implies(staged, tenant_legal)),
            Assert(implies(staged, channel_legal)),
            Assert(implies(loader.commit_stb, staged)),
            Cover(staged & self.shadow.tenants[tenant].enable),
        ]
        return m


class VerdictHarness(LoaderHarness):
    """What the loader makes of values, once all of an image is in and nobody interferes."""

    def elaborate(self, platform):
        m = Module()
        config = self.config
        loader = self.begin(m)
        checked = self.look("tenant", range(config.tenants + 1))
        summed = self.look("committed", range(config.tenants << config.rate_width))
        broken = self.look("broken", 1)
        self.send_at_once(m, loader)

        tenants = range(config.tenants)
        legal = [legal_tenant(self.shadow.tenants[i], config) for i in tenants]
        sums = committed_sums(m, self.shadow, config)
        affordable = sums[-1] <= config.admissible_rate
        all_legal = Cat(*legal, legal_channel(self.shadow.channel, config)).all()

        checking = loader.state == ImageState.CHECKING
        receiving = loader.state == ImageState.RECEIVING
        undisturbed = Signal()
        m.d.sync += undisturbed.eq(checking & ~(loader.begin | loader.commit | loader.word_stb))
        ended = undisturbed & ~checking
        m.d.comb += [
            self.invariant(
                implies(checking, checked <= config.tenants),
                implies(receiving, (checked == 0) & (summed == 0) & ~broken),
                implies(checking, summed == Array(sums)[checked]),
                *(implies(checking & (checked > i), broken | legal[i]) for i in tenants),
                implies(checking & broken, Cat((checked > i) & ~legal[i] for i in tenants).any()),
            ),
            Assert(implies(ended, (loader.state == ImageState.STAGED) == (all_legal & affordable))),
            Assert(
                implies(
                    ended & (loader.state != ImageState.STAGED),
                    (loader.state == ImageState.REFUSED)
                    & (loader.code == Mux(affordable, ImageCode.FIELD, ImageCode.OVERSUBSCRIBED)),
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
        self.send_at_once(m, loader)

        receiving = loader.state == ImageState.RECEIVING
        last = loader.received == loader.image_length - 1
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
    """Remembers any one word of the payload since the last begin."""

    def elaborate(self, platform):
        m = Module()
        loader = self.begin(m)
        registers = loader.registers
        watched = self.any_constant(m, range(registers.image_length), name="watched")
        self.send_at_once(m, loader)

        sent = Signal(32)
        arrived = Signal()
        with m.If(loader.begin):
            m.d.sync += arrived.eq(0)
        with m.Elif(
            loader.word_stb
            & (loader.state == ImageState.RECEIVING)
            & (loader.received == watched + HEADER_WORDS)
        ):
            m.d.sync += [sent.eq(loader.word), arrived.eq(1)]

        # What was staged in the clock before a commit is live in the clock after it.
        committed = Signal()
        staged_word = Signal(32)
        m.d.sync += [committed.eq(loader.commit_stb), staged_word.eq(sent)]

        receiving = loader.state == ImageState.RECEIVING
        whole = (loader.state == ImageState.CHECKING) | (loader.state == ImageState.STAGED)
        passed = whole | (receiving & (loader.received > watched + HEADER_WORDS))
        m.d.comb += [
            Assume(watched < registers.image_length),
            self.invariant(
                implies(receiving, loader.received < loader.image_length),
                implies(passed, arrived & (image_word(registers, self.shadow, watched) == sent)),
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
            module=LOADER,
            text="row.peak_depth < row.committed_depth",
            instead="row.peak_depth < self.config.l_max",
        ),
        reach_config=SMALL,
        reach=staged_clock(SMALL) + 1,
        skip=staged_clock(SMALL),
        slow=True,
    ),
    Property(
        name="loader.verdict",
        claim=(
            "An image whose words are all in is staged exactly if it keeps every relation and the "
            "sum of committed rates is admissible; else the code says which."
        ),
        block=BLOCK,
        config=SMALL,
        harness=VerdictHarness,
        method=Method.INDUCTION,
        depth=1,
        bug=Bug(
            module=LOADER,
            text="colours = row.colours == 0",
            instead="colours = row.colours[:-1] == 0",
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
        skip=staged_clock(SMALL) - SMALL.tenants - 1,
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
