"""What is outstanding in one direction of a port, so that no fragment overtakes one of its ID."""

from functools import reduce
from operator import xor

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.config import FabricConfig, PortConfig
from mcos_hw.link.fragment import landing_layout

__all__ = [
    "HazardTable",
    "hazard_key",
    "touched_beats",
]


class HazardTable(wiring.Component):
    """Tells whether a fragment may land beside those that are outstanding.

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

    The table takes a fragment in and lets one go in every clock. A fragment counts from the clock
    after ``enter`` until the clock of its ``leave_valid``, so the next one may land a clock later.
    After reset nothing is outstanding.

    Parameters
    ----------
    fabric : FabricConfig
        Sizes.
    port : PortConfig
        Sizes of the port.

    Members
    -------
    landing : In(landing_layout)
        The fragment that wants to land; it may be anything if there is none.
    clear : Out(1)
        No outstanding fragment keeps ``landing`` from landing.
    enter : In(1)
        ``landing`` is outstanding from now on. Only set while ``clear`` is.
    leave_valid : In(1)
        A fragment is no longer outstanding.
    leave_entry : In(entry_width)
        Its number. It entered in an earlier clock.
    """

    landing: data.View
    clear: Signal
    enter: Signal
    leave_valid: Signal
    leave_entry: Signal

    def __init__(self, fabric: FabricConfig, port: PortConfig) -> None:
        self.fabric = fabric
        self.port = port
        super().__init__(
            {
                "landing": In(landing_layout(fabric, port)),
                "clear": Out(1),
                "enter": In(1),
                "leave_valid": In(1),
                "leave_entry": In(fabric.entry_width),
            }
        )

    def elaborate(self, platform):
        m = Module()
        landing = self.landing
        key, beats = landing.hazard.key, landing.hazard.beats
        entries = max(self.port.reads, self.port.writes)
        blocking = Signal(entries)
        m.d.comb += self.clear.eq(~blocking.any())
        for e in range(entries):
            outstanding = Signal(name=f"outstanding_{e}")
            row_key = Signal(len(key), name=f"key_{e}")
            row_beats = Signal(len(beats), name=f"beats_{e}")
            here = landing.entry == e
            m.d.comb += blocking[e].eq(outstanding & (row_key == key) & (row_beats & beats).any())
            # Whether the fragment enters is known late; its row may be written in any case.
            with m.If(here & ~outstanding):
                m.d.sync += [row_key.eq(key), row_beats.eq(beats), outstanding.eq(self.enter)]
            with m.If(self.leave_valid & (self.leave_entry == e)):
                m.d.sync += outstanding.eq(0)
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
