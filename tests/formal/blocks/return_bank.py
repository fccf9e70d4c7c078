"""The return bank: it never lacks a unit for a beat, and gives back what came, each beat once."""

from amaranth import *
from amaranth.hdl import Assert, Assume, Cover

from mcos_hw.bus.axi4lite import Response
from mcos_hw.config import ChannelConfig, FabricConfig, PortConfig
from mcos_hw.port.return_bank import ReturnBank
from tests.formal.property import Harness, Method, Property, implies
from tests.planted import Bug

__all__ = ["PROPERTIES"]


BLOCK = "mcos_hw.port.return_bank.ReturnBank"
BANK = "mcos_hw.port.return_bank"
CONFIG = ChannelConfig(beat_bytes=8, bytes_per_clock=8, max_beats=2)
ENTRIES = 4


class SmallPort(PortConfig):
    """Fewer units than a port may have, so that the bank is full after few clocks."""

    def __post_init__(self) -> None:
        pass


class BankHarness(Harness):
    """Reserves, returns and reads fragments of one or two beats, as the read side does."""

    def elaborate(self, platform):
        m = Module()
        port = SmallPort(data_bytes=8, reads=ENTRIES, read_units=4)
        bank = ReturnBank(FabricConfig(channel=self.config, ports=(port,)), port)
        self.prove(m, bank)
        returned = bank.returned
        offered = self.look("numbers.valid", 1)
        entry = self.any_constant(m, range(ENTRIES), name="any_entry")
        beat = self.any_constant(m, range(2), name="any_beat")
        starts = self.any_value(range(ENTRIES), name="starts")

        # Beats of each fragment still to come, and those that came and were not looked for.
        due = Array(Signal(2, name=f"due_{e}") for e in range(ENTRIES))
        place = Array(Signal(1, name=f"place_{e}") for e in range(ENTRIES))
        findable = Array(Signal(2, name=f"findable_{e}") for e in range(ENTRIES))
        arriving = Signal()
        arriving_entry = Signal(range(ENTRIES))
        arriving_place = Signal(1)
        found = Signal()
        found_entry = Signal(range(ENTRIES))
        found_beat = Signal(1)
        under_way = Cat(Cat(due[e], findable[e]) for e in range(ENTRIES))
        waited = Signal()
        beats_before = Signal.like(bank.beats)
        m.d.sync += [waited.eq(bank.waits), beats_before.eq(bank.beats)]
        is_free = (due[starts] == 0) & (findable[starts] == 0)
        m.d.comb += [
            # Two fragments at a time fill the bank.
            Assume((starts < 2) & (entry < 2)),
            Assume((bank.beats == 1) | (bank.beats == 2)),
            Assume(implies(bank.reserve, bank.room & is_free & ~bank.waits)),
            Assume(implies(waited, bank.beats == beats_before)),
            Assume(implies(bank.reserve & found, found_entry != starts)),
            Assume(implies(bank.reserve & arriving, arriving_entry != starts)),
            Assume(implies(returned.valid, due[returned.entry] != 0)),
            Assume(returned.last == (due[returned.entry] == 1)),
            Assume(implies(bank.find, findable[bank.entry].bit_select(bank.beat, 1))),
            Assume(implies(bank.find & found, bank.read)),
            Assume(implies(bank.read, found)),
        ]
        m.d.sync += [
            arriving.eq(returned.valid),
            arriving_entry.eq(returned.entry),
            arriving_place.eq(place[returned.entry]),
            found.eq(bank.find | (found & ~bank.read)),
        ]
        with m.If(arriving):
            m.d.sync += findable[arriving_entry].bit_select(arriving_place, 1).eq(1)
        with m.If(returned.valid):
            m.d.sync += [
                due[returned.entry].eq(due[returned.entry] - 1),
                place[returned.entry].eq(1),
            ]
        with m.If(bank.find):
            m.d.sync += [
                findable[bank.entry].bit_select(bank.beat, 1).eq(0),
                found_entry.eq(bank.entry),
                found_beat.eq(bank.beat),
            ]
        with m.If(bank.reserve):
            m.d.sync += [due[starts].eq(bank.beats), place[starts].eq(0)]

        # What came, and whether it is what is read.
        kept = Signal(8 * self.config.beat_bytes + 2)
        shows = Signal()
        with m.If(returned.valid & (returned.entry == entry) & (place[entry] == beat)):
            # No answer is to an exclusive access, so none says so.
            response = Mux(returned.response == Response.EXOKAY, Response.OKAY, returned.response)
            m.d.sync += kept.eq(Cat(returned.data, response))
        m.d.sync += shows.eq(bank.read & (found_entry == entry) & (found_beat == beat))

        quiet = Signal(range(5))
        with m.If(under_way.any() | arriving | found):
            m.d.sync += quiet.eq(0)
        with m.Elif(quiet != 4):
            m.d.sync += quiet.eq(quiet + 1)
        m.d.comb += [
            Assert(implies(returned.valid, offered)),
            Assert(implies(shows, Cat(bank.data, bank.response) == kept)),
            Assert(implies((quiet == 4) & (bank.beats == 2), bank.room)),
            Cover(shows & ~bank.room),
        ]
        return m


PROPERTIES = (
    Property(
        name="return_bank.keeps_all",
        claim="A beat for which room was reserved finds a unit, is read as it came, with its "
        "response, and no unit is lost.",
        block=BLOCK,
        config=CONFIG,
        harness=BankHarness,
        method=Method.BOUNDED,
        depth=11,
        bug=Bug(
            module=BANK,
            text="place.eq(Mux(came_first, 0, Mux(repeats, place_after, count_read.data)))",
            instead="place.eq(Mux(came_first, 0, count_read.data))",
        ),
        reach=8,
        slow=True,
    ),
)
