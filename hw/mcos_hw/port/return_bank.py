"""Memory beats that came back, until the requester takes them."""

from amaranth import *
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.config import FabricConfig, PortConfig
from mcos_hw.link.transfer import Returned, returned_signature
from mcos_hw.primitive.free_list import FreeList

__all__ = ["ReturnBank"]


class ReturnBank(wiring.Component):
    """Keeps memory beats of a channel from their return until they are read.

    The bank has units of one beat each, its channel's part of the port's ``read_units``.

    Room is reserved by count before a fragment is sent to memory. So a returned beat is taken in
    the clock in which it comes, always: it gets any free unit, and a map remembers which. Memory
    may return the beats of different fragments in any order and interleaved; those of one fragment
    come in order. Units are not tied to fragments: a bank serves many short fragments or a few long
    ones.

    Beats are read in any order, two clocks after ``find``, one a clock, and each once: a unit is
    free again once it is read, and ``room`` counts it three clocks later. Either step may wait::

        clock    0      1      2
        find     -->
        read            -->
        data                   beat

    After reset the bank is empty, and beats that were reserved before must not come any more.

    Parameters
    ----------
    fabric : FabricConfig
        Sizes of the fabric.
    port : PortConfig
        Sizes of the port.

    Members
    -------
    beats : In(beats_width)
        Beats of the fragment that is offered.
    waits : In(1)
        The fragment is not taken in this clock: ``beats`` stays in the next one.
    room : Out(1)
        There is room for them; from flip-flops. Where the longest fragment would not fit, this is
        known when the fragment has waited for a clock.
    reserve : In(1)
        Reserve it; only while there is room.
    returned : In(Returned)
        A beat from memory. Some room must be reserved for its fragment in an earlier clock.
    find : In(1)
        Find a beat; it came at least two clocks before.
    entry, beat : In(entry_width), In(range(max_beats))
        Which one: its fragment, and its place in that.
    read : In(1)
        Read the beat that was found last, and free its unit. It is read once.
    data : Out(8 * beat_bytes)
        Bytes of the beat that was read last.
    response : Out(2)
        Its response. EXOKAY becomes OKAY, as nothing here asks memory for exclusive access.
    """

    beats: Signal
    waits: Signal
    room: Signal
    reserve: Signal
    returned: Returned
    find: Signal
    entry: Signal
    beat: Signal
    read: Signal
    data: Signal
    response: Signal

    def __init__(self, fabric: FabricConfig, port: PortConfig) -> None:
        self.fabric = fabric
        self.port = port
        channel = fabric.channel
        super().__init__(
            {
                "beats": In(channel.beats_width),
                "waits": In(1),
                "room": Out(1),
                "reserve": In(1),
                "returned": In(returned_signature(fabric)),
                "find": In(1),
                "entry": In(range(port.reads)),
                "beat": In(range(channel.max_beats)),
                "read": In(1),
                "data": Out(8 * fabric.beat_bytes),
                "response": Out(2),
            }
        )

    def elaborate(self, platform):
        m = Module()
        units = self.port.read_units // self.fabric.channels
        max_beats = self.fabric.channel.max_beats
        returned = self.returned

        # What comes goes to the unit that is offered, without a look at its fragment.
        m.submodules.numbers = numbers = FreeList(units)
        kept = data.StructLayout({"data": 8 * self.fabric.beat_bytes, "response": 2})
        m.submodules.kept = kept_beats = memory.Memory(shape=kept, depth=units, init=[])
        keep, take_out = kept_beats.write_port(), kept_beats.read_port()
        m.d.comb += [
            numbers.take.ready.eq(returned.valid),
            keep.en.eq(returned.valid),
            keep.addr.eq(numbers.take.payload),
            keep.data.data.eq(returned.data),
            keep.data.response[1].eq(returned.response[1]),
            keep.data.response[0].eq(returned.response.all()),
        ]

        # Its place in its fragment is known one clock later. Counts need no contents at reset:
        # the first beat of a fragment is told by a flip-flop.
        entry = returned.entry[: len(self.entry)]
        came = Signal()
        came_entry = Signal(range(self.port.reads))
        came_unit = Signal(range(units))
        came_first = Signal()
        started = Signal(self.port.reads)
        m.submodules.counts = counts = memory.Memory(
            shape=range(max_beats), depth=self.port.reads, init=[]
        )
        count_write, count_read = counts.write_port(), counts.read_port()
        place = Signal(range(max_beats))
        place_after = Signal(range(max_beats))
        repeats = Signal()
        m.d.comb += [
            count_read.addr.eq(entry),
            place.eq(Mux(came_first, 0, Mux(repeats, place_after, count_read.data))),
            count_write.en.eq(came),
            count_write.addr.eq(came_entry),
            count_write.data.eq(place + 1),
        ]
        # A count that is written in this clock is not read in it.
        m.d.sync += [
            repeats.eq(came & (came_entry == entry)),
            place_after.eq(count_write.data),
        ]
        m.d.sync += [
            came.eq(returned.valid),
            came_entry.eq(entry),
            came_unit.eq(numbers.take.payload),
            came_first.eq(~started.bit_select(entry, 1)),
        ]
        with m.If(returned.valid):
            m.d.sync += started.bit_select(entry, 1).eq(~returned.last)

        m.submodules.places = places = memory.Memory(
            shape=range(units), depth=self.port.reads * max_beats, init=[]
        )
        place_write, place_read = places.write_port(), places.read_port()
        m.d.comb += [
            place_write.en.eq(came),
            place_write.addr.eq(Cat(place, came_entry)),
            place_write.data.eq(came_unit),
            place_read.en.eq(self.find),
            place_read.addr.eq(Cat(self.beat, self.entry)),
            take_out.en.eq(self.read),
            take_out.addr.eq(place_read.data),
            self.data.eq(take_out.data.data),
            self.response.eq(take_out.data.response),
        ]

        # A unit counts as free one clock after it is given back. So a beat that is reserved at
        # once and returned in the next clock finds a unit offered. Whether room is reserved is
        # known late, so it only selects.
        freed = Signal()
        freed_unit = Signal(range(units))
        given = Signal()
        free = Signal(range(units + 1), init=units)
        free_else = Signal.like(free)
        free_less = Signal.like(free)
        any_fits = Signal(init=1)
        fits = Signal()
        m.d.comb += [
            free_else.eq(free + given),
            free_less.eq(free_else - self.beats),
            self.room.eq(any_fits | fits),
            numbers.give.valid.eq(freed),
            numbers.give.number.eq(freed_unit),
        ]
        m.d.sync += [
            freed.eq(self.read),
            freed_unit.eq(place_read.data),
            given.eq(freed),
            free.eq(Mux(self.reserve, free_less, free_else)),
            any_fits.eq(Mux(self.reserve, free_less >= max_beats, free_else >= max_beats)),
            fits.eq(self.waits & (free_else >= self.beats)),
        ]
        return m
