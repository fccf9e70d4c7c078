"""The write bank: a word finds a unit while one is free, and is fetched as it was stored."""

from amaranth import *
from amaranth.hdl import Assert, Assume, Cover

from mcos_hw.config import ChannelConfig, FabricConfig, PortConfig
from mcos_hw.link.transfer import FETCH_CLOCKS
from mcos_hw.port.write_bank import WriteBank
from tests.formal.property import Harness, Method, Property, implies
from tests.planted import Bug

__all__ = ["PROPERTIES"]


BLOCK = "mcos_hw.port.write_bank.WriteBank"
BANK = "mcos_hw.port.write_bank"
CONFIG = ChannelConfig(beat_bytes=8, bytes_per_clock=8, max_beats=2)
ENTRIES = 4
UNITS = 4
FREE_AFTER = 4
"""Clocks from the fetch of a beat until its unit takes a word."""


class SmallPort(PortConfig):
    """Fewer units than a port may have, so that the bank is full after few clocks."""

    def __post_init__(self) -> None:
        pass


class BankHarness(Harness):
    """Stores and fetches fragments of one or two beats, as the write side and memory do."""

    def elaborate(self, platform):
        m = Module()
        port = SmallPort(data_bytes=8, reads=ENTRIES, writes=ENTRIES, write_units=UNITS)
        bank = WriteBank(FabricConfig(channel=self.config, ports=(port,)), port)
        self.prove(m, bank)
        words, fetch = bank.words, bank.fetch
        entry = self.any_constant(m, range(ENTRIES), name="any_entry")
        beat = self.any_constant(m, range(2), name="any_beat")

        # Beats that wait to be fetched, and whether a fragment is whole: it may be fetched.
        waiting = Array(Signal(2, name=f"waiting_{e}") for e in range(ENTRIES))
        whole = Array(Signal(name=f"whole_{e}") for e in range(ENTRIES))
        filling = Signal()
        filled_entry = Signal(range(ENTRIES))
        fetching = Signal()
        fetched_entry = Signal(range(ENTRIES))
        word = words.payload
        stores = words.valid & words.ready
        m.d.comb += [
            Assume(implies(filling, (word.entry == filled_entry) & word.last)),
            Assume(implies(words.valid & ~filling, waiting[word.entry] == 0)),
            Assume(implies(fetch.stb, whole[fetch.entry])),
            Assume(implies(fetch.stb & fetching, fetch.entry == fetched_entry)),
            Assume(fetch.last == ~waiting[fetch.entry].all()),
        ]
        with m.If(stores):
            m.d.sync += [
                waiting[word.entry].bit_select(filling, 1).eq(1),
                whole[word.entry].eq(word.last),
                filling.eq(~word.last),
                filled_entry.eq(word.entry),
            ]
        with m.If(fetch.stb):
            m.d.sync += [
                waiting[fetch.entry].bit_select(fetching, 1).eq(0),
                whole[fetch.entry].eq(~fetch.last),
                fetching.eq(~fetch.last),
                fetched_entry.eq(fetch.entry),
            ]

        # What was stored for any one beat, on its way to the clock in which it is shown.
        kept = Signal(len(word.data.as_value()) + len(word.strobe))
        expected, shows = kept, fetch.stb & (fetch.entry == entry) & (fetching == beat)
        with m.If(stores & (word.entry == entry) & (filling == beat)):
            m.d.sync += kept.eq(Cat(word.data, word.strobe))
        fetches = fetch.stb
        for clock in range(FREE_AFTER):
            if clock < FETCH_CLOCKS:
                expected, shows = (
                    delayed(m, expected, name=f"expected_{clock}"),
                    delayed(m, shows, name=f"shows_{clock}"),
                )
            if clock < FREE_AFTER - 1:
                fetches = delayed(m, fetches, name=f"fetches_{clock}")

        used = Signal(range(UNITS + 1))
        was_full = Signal()
        m.d.sync += used.eq(used + stores - fetches)
        with m.If(used == UNITS):
            m.d.sync += was_full.eq(1)
        m.d.comb += [
            Assert(words.ready == (used != UNITS)),
            Assert(implies(shows, Cat(fetch.data, fetch.strobe) == expected)),
            Cover(was_full & stores),
        ]
        return m


def delayed(m: Module, value: Value, *, name: str) -> Signal:
    """The value of a clock ago."""
    before = Signal(len(value), name=name)
    m.d.sync += before.eq(value)
    return before


PROPERTIES = (
    Property(
        name="write_bank.keeps_all",
        claim="A word is taken exactly while a unit is free, is fetched as it was stored, strobes "
        "too, and no unit is lost.",
        block=BLOCK,
        config=CONFIG,
        harness=BankHarness,
        method=Method.BOUNDED,
        depth=11,
        bug=Bug(
            module=BANK,
            text="m.d.sync += units.give.valid.eq(fetch.stb)",
            instead="m.d.comb += units.give.valid.eq(fetch.stb)",
        ),
        reach=10,
        slow=True,
    ),
)
