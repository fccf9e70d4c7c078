"""The configuration store: live registers change all at once, and only by a commit."""

from amaranth import *
from amaranth.hdl import Assert, Assume, Cover
from amaranth.lib import data

from mcos_hw.config import ChannelConfig
from mcos_hw.control.store import ConfigStore
from mcos_hw.registers import channel_map
from mcos_hw.registers.declaration import RegisterMap
from tests.formal.property import Harness, Method, Property
from tests.planted import Bug

__all__ = [
    "PROPERTIES",
    "image_word",
]


CONFIG = ChannelConfig()
STORE = "mcos_hw.control.store"


def image_word(registers: RegisterMap, configuration: data.View, position: Value) -> Value:
    """Word ``position`` of the image that gives this configuration."""
    words = []
    for register, index in registers.image_words():
        part = configuration.channel if register.count == 1 else configuration.tenants[index]
        bits: list[Value] = []
        for field in register.fields:
            bits += [Const(0, field.low - len(Cat(bits))), part[field.name]]
        words.append(Cat(bits))
    return Array(words)[position]


class CommitHarness(Harness):
    """Writes and commits in any order."""

    def elaborate(self, platform):
        m = Module()
        store = ConfigStore(channel_map(self.config))
        self.prove(m, store)
        live, shadow = store.live.as_value(), store.shadow.as_value()

        live_before = Signal.like(live)
        shadow_before = Signal.like(shadow)
        committed = Signal()
        m.d.sync += [
            live_before.eq(live),
            shadow_before.eq(shadow),
            committed.eq(store.commit_stb),
        ]
        m.d.comb += [
            Assert(live == Mux(committed, shadow_before, live_before)),
            Cover(committed & (live != live_before) & (shadow != live)),
        ]
        return m


class WriteHarness(Harness):
    """Watches any one word of the shadow."""

    def elaborate(self, platform):
        m = Module()
        registers = channel_map(self.config)
        store = ConfigStore(registers)
        self.prove(m, store)
        places = [
            (
                getattr(store, register.section.name.lower()),
                index,
                registers.section(register.section).index(register),
            )
            for register, index in registers.image_words()
        ]
        watched = self.any_constant(m, range(len(places)), name="watched")

        word = Signal(32)
        word_before = Signal(32)
        written = Signal()
        given = Signal(32)
        masks = Array(Const(register.mask, 32) for register, _ in registers.image_words())
        m.d.comb += word.eq(image_word(registers, store.shadow, watched))
        m.d.sync += [
            word_before.eq(word),
            written.eq(
                Cat(
                    place.stb & (place.element == element) & (place.row == row)
                    for place, element, row in places
                ).bit_select(watched, 1)
            ),
            given.eq(store.word),
        ]
        m.d.comb += [
            Assume(watched < len(places)),
            Assert(word == Mux(written, given & masks[watched], word_before)),
            Cover(written & (word != word_before)),
        ]
        return m


PROPERTIES = (
    Property(
        name="store.commit_is_atomic",
        claim=(
            "The live registers change only at the end of a commit clock, and then are the whole "
            "shadow of that clock."
        ),
        block="mcos_hw.control.store.ConfigStore",
        config=CONFIG,
        harness=CommitHarness,
        method=Method.INDUCTION,
        depth=1,
        bug=Bug(
            module=STORE,
            text="m.d.sync += self.live.eq(self.shadow)",
            instead="m.d.sync += self.live.tenants.eq(self.shadow.tenants)",
        ),
        reach=5,
    ),
    Property(
        name="store.write_is_exact",
        claim="A write sets the fields of its register, and no bit of any other register.",
        block="mcos_hw.control.store.ConfigStore",
        config=CONFIG,
        harness=WriteHarness,
        method=Method.INDUCTION,
        depth=1,
        bug=Bug(
            module=STORE,
            text="self.word[field.low : field.low + field.width]",
            instead="self.word[: field.width]",
        ),
        reach=4,
    ),
)
