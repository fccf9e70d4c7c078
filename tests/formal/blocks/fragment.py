"""The fragmenter: fragments are the transfers that AXI asks for, in order, each in one block."""

from amaranth import *
from amaranth.hdl import Assert, Assume, Cover

from mcos_hw.bus.axi4 import BurstKind
from mcos_hw.bus.axi4lite import Response
from mcos_hw.config import ChannelConfig, FabricConfig, PortConfig
from mcos_hw.port.fragment import Fragmenter
from mcos_hw.port.hazard import hazard_key, touched_beats
from tests.formal.property import Harness, Method, Property, implies
from tests.planted import Bug

__all__ = ["PROPERTIES"]


CONFIG = ChannelConfig(bytes_per_clock=64, beat_bytes=64, max_beats=8)
"""Blocks of 512 bytes: a WRAP burst of 16 transfers of 64 bytes has two."""
NARROW = ChannelConfig(bytes_per_clock=8, beat_bytes=8, max_beats=16)
"""Blocks of 128 bytes: a transfer has up to eight beats, a WRAP burst up to eight blocks."""
SHORT = ChannelConfig(bytes_per_clock=64, beat_bytes=64, max_beats=2)
"""A fragment has one beat or two."""
BLOCK = "mcos_hw.port.fragment.Fragmenter"
FRAGMENT = "mcos_hw.port.fragment"


class FragmentHarness(Harness):
    """Follows the burst whose fragments are shown, and any one of its transfers.

    ``done`` counts its transfers in fragments that have left.
    """

    data_bytes = 64

    def elaborate(self, platform):
        m = Module()
        port = PortConfig(data_bytes=self.data_bytes)
        fabric = FabricConfig(channel=self.config, ports=(port,))
        fragmenter = Fragmenter(fabric, port)
        self.prove(m, fragmenter)
        asked, shown = fragmenter.bursts, fragmenter.fragments
        fragment = shown.payload
        block, beat = fabric.block_width, fabric.beat_bytes.bit_length() - 1
        transfer = self.any_constant(m, 8, name="any_transfer")

        def lanes(burst):
            return ((Const(1, 8) << burst.size) - 1)[:7]

        def wraps(burst):
            return burst.kind == BurstKind.WRAP

        def place(burst, number):
            """Place in its page of a transfer's first byte (IHI 0022, "Burst address")."""
            start = burst.address[:12]
            aligned = start & ~(lanes(burst) | Const(0, 12))
            moved = aligned + (number << burst.size)
            container = (burst.length + 1) << burst.size
            boundary = aligned & ~(container - 1)
            over = wraps(burst) & (moved >= boundary + container)
            return Mux(
                (number == 0) | (burst.kind == BurstKind.FIXED),
                start,
                Mux(over, moved - container, moved)[:12],
            )

        # What the surroundings do: a burst is such as AXI allows, or refused with SLVERR.
        start = asked.payload.address[:12]
        length, size = asked.payload.length, asked.payload.size
        last_place = ((start >> size) << size) + (length << size)
        legal = (size <= port.size_limit) & Array(
            (
                length < 16,
                last_place < 4096,
                ((length == 1) | (length == 3) | (length == 7) | (length == 15))
                & ((start & lanes(asked.payload)) == 0),
                Const(0),
            )
        )[asked.payload.kind]
        m.d.comb += Assume(implies(asked.payload.response != Response.SLVERR, legal))

        # The burst, as it was taken.
        burst = Signal(asked.payload.shape(), name="burst")
        under_way = Signal()
        done = Signal(9)
        waits = Signal()
        before = Signal(fragment.shape(), name="before")
        taken, left = asked.valid & asked.ready, shown.valid & shown.ready
        m.d.sync += [waits.eq(shown.valid & ~shown.ready), before.eq(fragment)]
        with m.If(taken):
            m.d.sync += [burst.eq(asked.payload), under_way.eq(1), done.eq(0)]
        with m.Elif(left):
            m.d.sync += [under_way.eq(~fragment.last), done.eq(done + fragment.transfers)]

        served = shown.valid & (burst.response != Response.SLVERR)
        at = fragment.address[:12]
        bytes_in = lanes(burst)
        first_end = at | bytes_in
        piece_end = first_end + ((fragment.transfers - 1)[:9] << burst.size)
        number = (transfer - done)[:9]
        within = (transfer >= done) & (transfer < done + fragment.transfers)
        aligned = at & ~(bytes_in | Const(0, 12))
        container = ((burst.length + 1) << burst.size) - 1
        at_boundary = wraps(burst) & ((piece_end & container) == container)
        kept = [
            fragment[name] == burst[name]
            for name in fragment.shape().members
            if name in burst.shape().members and name != "address"
        ]
        m.d.comb += [
            Assert(shown.valid == under_way),
            Assert(asked.ready == (~shown.valid | (shown.ready & fragment.last))),
            Assert(implies(waits, shown.valid & (fragment.as_value() == before.as_value()))),
            Assert(implies(shown.valid, Cat(kept).all())),
            Assert(
                implies(
                    shown.valid & ~served,
                    fragment.last & (fragment.transfers == burst.length + 1),
                )
            ),
            Assert(
                implies(
                    served & within,
                    (fragment.address[12:] == burst.address[12:])
                    & (
                        Mux(number == 0, at, (aligned + (number << burst.size))[:12])
                        == place(burst, transfer)
                    ),
                )
            ),
            Assert(
                implies(
                    served,
                    (fragment.transfers != 0)
                    & (done + fragment.transfers <= burst.length + 1)
                    & (fragment.last == (done + fragment.transfers == burst.length + 1)),
                )
            ),
            Assert(implies(served, piece_end[block:] == at[block:])),
            Assert(implies(served, fragment.beats == piece_end[beat:] - at[beat:] + 1)),
            Assert(
                implies(
                    served,
                    (fragment.hazard.beats == touched_beats(fabric, at, fragment.beats))
                    & (
                        fragment.hazard.key
                        == hazard_key(
                            fragment.address[block:],
                            fragment.id[: port.order_bits],
                            len(fragment.hazard.key),
                        )
                    ),
                )
            ),
            # No cut without a reason.
            Assert(
                implies(
                    served & ~fragment.last,
                    Mux(
                        burst.kind == BurstKind.FIXED,
                        fragment.transfers == 1,
                        piece_end[:block].all() | at_boundary,
                    ),
                )
            ),
        ]

        next_block = self.look("next_block", 12 - block)
        ends = self.look("ends", 12)
        window = self.look("window", 12)
        goes_back = self.look("goes_back", 1)
        ends_back = self.look("ends_back", 12)
        fixed = self.look("fixed", 1)
        remaining = self.look("left", 4)
        begun = burst.address[:12]
        upper = ((container & ~begun) >> burst.size) + 1
        lower = wraps(burst) & (upper <= burst.length)
        next_number = (done + fragment.transfers)[:9]
        back = lower & (next_number >= upper)
        goes_on = served & ~fragment.last
        moves = goes_on & (burst.kind != BurstKind.FIXED)
        burst_end = Mux(
            wraps(burst),
            begun | container,
            (begun | bytes_in) + (burst.length << burst.size),
        )[:12]
        m.d.comb += self.invariant(
            implies(under_way & served, burst.kind != 3),
            implies(served, burst.size <= port.size_limit),
            implies(served & wraps(burst), ((begun & bytes_in) == 0) & (burst.length < 16)),
            implies(served & wraps(burst), (burst.length & (burst.length + 1)) == 0),
            implies(served & (burst.kind == BurstKind.FIXED), burst.length < 16),
            implies(
                served & (burst.kind == BurstKind.INCR),
                (begun | bytes_in) + (burst.length << burst.size) < 4096,
            ),
            implies(served, done <= burst.length),
            implies(served, fragment.address == Cat(place(burst, done), burst.address[12:])),
            implies(goes_on, fixed == (burst.kind == BurstKind.FIXED)),
            implies(goes_on & fixed, (remaining == burst.length - done) & (remaining != 0)),
            implies(moves, window == Mux(wraps(burst), container, 0xFFF)[:12]),
            implies(moves, goes_back == (lower & (next_number < upper))),
            implies(moves, ends == Mux(back, begun - 1, burst_end)[:12]),
            implies(moves & goes_back, ends_back == (begun - 1)[:12]),
            implies(moves, next_block == place(burst, next_number)[block:]),
        )
        m.d.comb += self.cover(m, burst, served & left, fragment.last, back)
        return m

    def cover(self, m: Module, burst, left: Value, last: Value, back: Value) -> Cover:
        """A WRAP burst of 16 transfers that goes back, and an INCR burst after it."""
        went_back = Signal()
        with m.If(left & last):
            m.d.sync += went_back.eq(back & (burst.length == 15))
        incr = burst.kind == BurstKind.INCR
        return Cover(went_back & incr & (burst.length > 8) & left & last)


class NarrowHarness(FragmentHarness):
    """A bus of eight bytes."""

    data_bytes = 8


class BeginningHarness(FragmentHarness):
    """As far as the first fragment."""

    def cover(self, m: Module, burst, left: Value, last: Value, back: Value) -> Cover:
        """One of a WRAP burst that has more of them."""
        return Cover(left & ~last & (burst.kind == BurstKind.WRAP))


PROPERTIES = (
    Property(
        name="fragment.begins_its_burst",
        claim="The first fragment of the first burst after a reset is as much of it as it can be.",
        block=BLOCK,
        config=CONFIG,
        harness=BeginningHarness,
        method=Method.BOUNDED,
        depth=2,
        bug=Bug(
            module=FRAGMENT,
            text="below.eq((start & span).any())",
            instead="below.eq(1)",
        ),
        reach=2,
    ),
    Property(
        name="fragment.covers_its_burst",
        claim=(
            "The fragments of a burst are the transfers that AXI asks for, in order, as few as "
            "blocks allow, one a clock; the last one alone is marked."
        ),
        block=BLOCK,
        config=CONFIG,
        harness=FragmentHarness,
        method=Method.INDUCTION,
        depth=1,
        bug=Bug(module=FRAGMENT, text="ends_back.eq(start - 1)", instead="ends_back.eq(start)"),
        reach=6,
        slow=True,
    ),
    Property(
        name="fragment.covers_its_burst_in_narrow_beats",
        claim="The same where a transfer has several beats, and a WRAP burst several blocks.",
        block=BLOCK,
        config=NARROW,
        harness=FragmentHarness,
        method=Method.INDUCTION,
        depth=1,
        bug=Bug(module=FRAGMENT, text="ends.eq(ends_back)", instead="ends.eq(ends)"),
        reach=10,
        slow=True,
    ),
    Property(
        name="fragment.covers_its_burst_on_a_narrow_bus",
        claim="The same where a beat has several transfers.",
        block=BLOCK,
        config=SHORT,
        harness=NarrowHarness,
        method=Method.INDUCTION,
        depth=1,
        bug=Bug(module=FRAGMENT, text="~start[beat:block] + 1", instead="-1"),
        reach=6,
        slow=True,
    ),
)
