"""What is outstanding in one direction of a port, so that no fragment overtakes one of its ID."""

from functools import reduce
from operator import xor

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.config import FabricConfig, PortConfig
from mcos_hw.link.fragment import landing_layout, landing_signature
from mcos_hw.link.request import StructuredStream
from mcos_hw.primitive.replicated import Replicated

__all__ = [
    "HazardTable",
    "hazard_key",
    "touched_beats",
]


class HazardTable(wiring.Component):
    """Lets a fragment pass if it may be outstanding beside those that are.

    Memory sees slots as transaction ids and may serve them in any order. AXI asks that transactions
    of one ID and direction that touch the same bytes take effect in order. So a fragment waits
    while an earlier one of its order that touches one of its memory beats is outstanding. Beats are
    compared, not blocks, so that small sequential transfers of one ID go on side by side.

    For each outstanding fragment the table keeps a row: the beats that it touches, as a bit each,
    its order, and a hash of its block, one of ``hazard_rows`` values; all come with it. Fragments
    of one order wait for one another also where two hashes are equal by chance. That costs time,
    never order: equal blocks always have equal hashes. The order is kept as it is, not hashed with
    the block: a requester that counts its IDs up with its addresses would meet itself in such a
    hash.

    Fragments pass in order. A fragment is offered a clock after it was taken or later, and stays
    until it is taken. In the first of these clocks it is compared with all rows; in the second the
    rows that matched are looked at, whether they are still outstanding::

        clock         0        1        2
        i            |a       |b       |
        rows         |        |a's     |b's
        o            |        |a       |b       if nothing outstanding touches their beats

    One fragment passes and one leaves in every clock, sustained. ``i.ready`` comes from a
    flip-flop: there is room for two. A fragment counts from the clock after it passed until the
    clock of its ``leave_valid``, so the next one may pass a clock later. After reset nothing is
    outstanding, and none waits.

    Parameters
    ----------
    fabric : FabricConfig
        Sizes.
    port : PortConfig
        Sizes of the port.

    Members
    -------
    i : In(stream of landing_layout)
        Fragments. None has the entry of one that is outstanding or waits here.
    o : Out(stream of landing_layout)
        The same, each when no outstanding one keeps it back.
    tenant : Out(tenants)
        Whose the fragment is that is there, one bit set.
    waits : Out(1)
        A fragment is there, whether or not it is kept back; known early in a clock.
    leave_valid : In(1)
        A fragment is no longer outstanding.
    leave_entry : In(entry_width)
        Its number. It passed in an earlier clock.
    """

    i: StructuredStream
    o: StructuredStream
    tenant: Signal
    waits: Signal
    leave_valid: Signal
    leave_entry: Signal

    def __init__(self, fabric: FabricConfig, port: PortConfig) -> None:
        self.fabric = fabric
        self.port = port
        super().__init__(
            {
                "i": In(landing_signature(fabric, port)),
                "o": Out(landing_signature(fabric, port)),
                "tenant": Out(fabric.channel.tenants),
                "waits": Out(1),
                "leave_valid": In(1),
                "leave_entry": In(fabric.entry_width),
            }
        )

    def elaborate(self, platform):
        # Whether a fragment passes is known late. So nothing that is wide waits for it: fragments
        # go to two places in turn and stay there, and each is compared in its own place.
        m = Module()
        layout = landing_layout(self.fabric, self.port)
        coming = self.i.payload
        places = [data.View(layout, Signal(layout, name=f"place_{k}")) for k in range(2)]
        tenants = [Signal.like(self.tenant, name=f"tenant_{k}") for k in range(2)]
        filled = Signal(2)
        last = Signal()
        m.submodules.first = first_copies = Replicated(width=1, copies=2)
        first, shown = first_copies.copies
        clear = Signal(2)
        enters = Signal()
        m.d.comb += [
            self.i.ready.eq(~filled.all()),
            self.waits.eq(filled.any()),
            self.o.payload.eq(Mux(shown, places[1], places[0])),
            self.tenant.eq(Mux(first, tenants[1], tenants[0])),
            self.o.valid.eq((filled & clear).bit_select(first, 1)),
            enters.eq(self.o.valid & self.o.ready),
        ]
        with m.If(self.i.valid & self.i.ready):
            m.d.sync += [filled.bit_select(last, 1).eq(1), last.eq(~last)]
        m.d.comb += first_copies.value.eq(first ^ enters)
        with m.If(enters):
            m.d.sync += filled.bit_select(first, 1).eq(0)
        for k, place in enumerate(places):
            # What is there may be anything until it counts.
            with m.If(~filled[k]):
                m.d.sync += [
                    place.eq(coming),
                    tenants[k].eq(Cat(coming.tenant == i for i in range(len(self.tenant)))),
                ]

        entries = max(self.port.reads, self.port.writes)
        key, beats = coming.hazard.key, coming.hazard.beats
        numbers = [Signal(entries, name=f"number_{k}") for k in range(2)]
        # Outstanding fragments that keep back the one in a place, and whether any of four does.
        blocking = [Signal(entries, name=f"blocking_{k}") for k in range(2)]
        blocking_then = [Signal(entries, name=f"blocking_then_{k}") for k in range(2)]
        blocked = [Signal(-(-entries // 4), name=f"blocked_{k}") for k in range(2)]
        for e in range(entries):
            outstanding = Signal(name=f"outstanding_{e}")
            row_key = Signal(len(key), name=f"key_{e}")
            row_beats = Signal(len(beats), name=f"beats_{e}")
            matches = Signal(name=f"matches_{e}")
            here = coming.entry == e
            # A place says by a bit for each entry which one it has.
            waits = Cat(filled[k] & numbers[k][e] for k in range(2))
            leaves = self.leave_valid & (self.leave_entry == e)
            # A fragment has its row from the clock after it was taken on, so the next one is
            # compared with it, wherever it is then. A row of no fragment may be written.
            with m.If(here & ~outstanding & ~waits.any()):
                m.d.sync += [row_key.eq(key), row_beats.eq(beats)]
            m.d.comb += matches.eq(
                (row_key == key) & (row_beats & beats).any() & (outstanding | waits.any())
            )
            for k in range(2):
                with m.If(~filled[k]):
                    m.d.sync += numbers[k][e].eq(here)
                m.d.comb += blocking_then[k][e].eq(
                    Mux(filled[k], blocking[k][e], matches) & ~leaves
                )
            m.d.sync += outstanding.eq(
                (outstanding & ~leaves) | (enters & waits.bit_select(first, 1))
            )
        for k in range(2):
            m.d.comb += clear[k].eq(~blocked[k].any())
            m.d.sync += [
                blocking[k].eq(blocking_then[k]),
                *(
                    blocked[k][i].eq(blocking_then[k][4 * i : 4 * i + 4].any())
                    for i in range(len(blocked[k]))
                ),
            ]
        return m


def hazard_key(block: Value, order: Value, width: int) -> Value:
    """What is equal for fragments of one order and one block, ``width`` bits.

    The order, and of the block's number an exclusive or of its pieces. Low bits of it pass as they
    are, so blocks of a stream differ. The next piece is turned round, so that regions of a power of
    two differ in high bits, where a stream does not count.
    """
    hashed = width - len(order)
    pieces = [block[low : low + hashed] for low in range(0, len(block), hashed)]
    parts = [piece if i % 2 == 0 else _turned(piece, hashed) for i, piece in enumerate(pieces)]
    return Cat(reduce(xor, parts)[:hashed], order)


def touched_beats(fabric: FabricConfig, address: Value, beats: Value) -> Value:
    """A bit for each beat of a block, set for ``beats`` of them from that of ``address`` on."""
    most = fabric.channel.max_beats
    first = address[fabric.beat_bytes.bit_length() - 1 : fabric.block_width]
    # Without a subtraction, whose carries would be most of the way.
    return (Cat(beats > i for i in range(most)) << first)[:most]


def _turned(piece: Value, width: int) -> Value:
    """A piece of at most ``width`` bits from its last bit to its first, in the high bits."""
    return Cat(Const(0, width - len(piece)), piece[::-1])
