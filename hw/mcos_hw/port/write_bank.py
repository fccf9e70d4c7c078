"""Write data of a port that wait to be fetched by the memory port."""

from amaranth import *
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In

from mcos_hw.config import FabricConfig, PortConfig
from mcos_hw.link.packing import word_signature
from mcos_hw.link.request import StructuredStream
from mcos_hw.link.transfer import FETCH_CLOCKS, Fetch, fetch_signature
from mcos_hw.primitive.free_list import FreeList

__all__ = ["WriteBank"]


class WriteBank(wiring.Component):
    """Keeps memory beats of write data until they are fetched.

    The bank is of one channel. It has units of a beat each, its part of ``write_units``. A word
    takes any free one, and a map from (fragment, beat of the fragment) finds it again. So fragments
    may be fetched in any order and each beat frees its unit by itself; a bank that frees whole
    fragments in order would fill up behind the slowest.

    One word is stored and one fetched in every clock, sustained. ``words`` waits when no unit is
    free; its ``ready`` comes from a flip-flop. A unit is free for the next word four clocks after
    its beat was fetched. A beat may be fetched from the clock after it was stored on. Its data
    appear ``FETCH_CLOCKS`` clocks after the fetch::

        clock      0        1        2
        fetch     |stb     |        |
        map       |        |unit    |       the unit is given back
        data      |        |        |beat

    The bank does not check that a fetched beat was stored: the port lands a fragment when all its
    beats are. Reset frees all units; neither memory needs contents then.

    Parameters
    ----------
    fabric : FabricConfig
        Sizes of the memory port.
    port : PortConfig
        Sizes of this port.

    Members
    -------
    words : In(stream of word_layout)
        Beats to store, those of a fragment in order and without others in between.
    fetch : In(Fetch)
        The memory port fetches, fragment by fragment, each beat once.
    """

    words: StructuredStream
    fetch: Fetch

    def __init__(self, fabric: FabricConfig, port: PortConfig) -> None:
        self.fabric = fabric
        self.port = port
        super().__init__(
            {
                "words": In(word_signature(fabric)),
                "fetch": In(fetch_signature(fabric)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        fabric, port, words, fetch = self.fabric, self.port, self.words, self.fetch
        max_beats = fabric.channel.max_beats

        unit_count = port.write_units // fabric.channels
        m.submodules.units = units = FreeList(unit_count)
        m.submodules.places = places = memory.Memory(
            shape=range(unit_count), depth=port.writes * max_beats, init=[]
        )
        m.submodules.beats = beats = memory.Memory(
            shape=data.StructLayout({"data": 8 * fabric.beat_bytes, "strobe": fabric.beat_bytes}),
            depth=unit_count,
            init=[],
        )
        place_write, place_read = places.write_port(), places.read_port()
        beat_write, beat_read = beats.write_port(), beats.read_port()

        # Beats of a fragment come, and go, one after the other, so a counter for each side names
        # them.
        stored = Signal(range(max_beats))
        fetched = Signal(range(max_beats))
        stores = words.valid & units.take.valid
        with m.If(stores):
            m.d.sync += stored.eq(Mux(words.payload.last, 0, stored + 1))
        with m.If(fetch.stb):
            m.d.sync += fetched.eq(Mux(fetch.last, 0, fetched + 1))

        entries = range(port.writes)
        m.d.comb += [
            words.ready.eq(units.take.valid),
            units.take.ready.eq(words.valid),
            place_write.addr.eq(Cat(stored, words.payload.entry[: len(Signal(entries))])),
            place_write.data.eq(units.take.payload),
            place_write.en.eq(stores),
            beat_write.addr.eq(units.take.payload),
            beat_write.data.data.eq(words.payload.data),
            beat_write.data.strobe.eq(words.payload.strobe),
            beat_write.en.eq(stores),
            place_read.addr.eq(Cat(fetched, fetch.entry[: len(Signal(entries))])),
        ]

        # The unit is overwritten after this clock at the earliest, and its beat is read in it.
        m.d.comb += [
            units.give.number.eq(place_read.data),
            beat_read.addr.eq(place_read.data),
            fetch.data.eq(beat_read.data.data),
            fetch.strobe.eq(beat_read.data.strobe),
        ]
        m.d.sync += units.give.valid.eq(fetch.stb)
        assert FETCH_CLOCKS == 2, "a clock for the map and one for the data"
        return m
