"""Memory beats cut and joined into transfers of a requester's data bus."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.config import FabricConfig, PortConfig
from mcos_hw.link.axi_beat import read_beat_signature
from mcos_hw.link.request import StructuredStream, structured_stream

__all__ = [
    "Unpacker",
    "unpacked_layout",
    "word_layout",
]


def unpacked_layout(fabric: FabricConfig, port: PortConfig) -> data.StructLayout:
    """What the transfers of a fragment are made from, beside its memory beats.

    - ``id``, ``size``, ``last``, ``response``: as in :func:`mcos_hw.link.fragment.fragment_layout`;
    - ``first``: its first byte's place in a memory beat or in the data bus, in the wider of both;
    - ``more``: its transfers less one.
    """
    widest = max(fabric.beat_bytes, port.data_bytes)
    return data.StructLayout(
        {
            "id": port.id_width,
            "first": range(widest),
            "size": 3,
            "more": 8,
            "last": 1,
            "response": 2,
        }
    )


def word_layout(fabric: FabricConfig) -> data.StructLayout:
    """A memory beat: its ``data`` and its ``response``, which is OKAY, SLVERR or DECERR."""
    return data.StructLayout({"data": 8 * fabric.beat_bytes, "response": 2})


class Unpacker(wiring.Component):
    """Makes the read transfers of fragments from their memory beats.

    Each clock takes a step of one transfer or one memory beat, whichever is the smaller, as soon
    as the former transfer is taken. The bytes of a step keep their places, modulo the width of the
    data bus::

        memory beat of 32 bytes        7   6   5   4 | 3   2   1   0     words of 4 bytes
        data bus of 16 bytes, size 4   7   6   5   4                     second transfer
                                       3   2   1   0                     first transfer
        data bus of 16 bytes, size 2   .   .   x   .                     word 1 on its lanes

        memory beat of 8 bytes                 1   0
        data bus of 16 bytes, size 4   1'  0'  1   0                     two beats, one transfer

    A memory beat is taken with the last step that needs it, so narrow transfers share a beat. A
    transfer wider than a memory beat has the worst response of its beats. All lanes of a transfer
    hold bytes of its own memory beats, never of an earlier transfer. A fragment that was refused
    takes no memory beat; its transfers hold zeros.

    A transfer leaves from a register, one clock after its last step. A fragment is taken a clock
    or more before its first memory beat, at the earliest in the clock of the last step of the
    fragment before it, so that nothing is lost between fragments. After reset nothing is under way.

    Parameters
    ----------
    fabric : FabricConfig
        Sizes of the fabric.
    port : PortConfig
        Sizes of the port.

    Members
    -------
    fragments : In(stream of unpacked_layout)
        Fragments, in the order of their transfers.
    words : In(stream of word_layout)
        Memory beats of those fragments that were not refused, in order.
    beats : Out(stream of read_beat_layout)
        Transfers.
    """

    fragments: StructuredStream
    words: StructuredStream
    beats: StructuredStream

    def __init__(self, fabric: FabricConfig, port: PortConfig) -> None:
        self.fabric = fabric
        self.port = port
        super().__init__(
            {
                "fragments": In(structured_stream(unpacked_layout(fabric, port))),
                "words": In(structured_stream(word_layout(fabric))),
                "beats": Out(read_beat_signature(port)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        fragment, words, beats = self.fragments.payload, self.words, self.beats
        bus, beat = self.port.size_limit, self.fabric.beat_bytes.bit_length() - 1
        widest = max(bus, beat)

        # The fragment under way. Bit k of ``mask`` is set if a byte's place within its transfer has
        # a bit k. Places count up by steps, so no step needs more than an increment.
        busy = Signal()
        refused = Signal()
        response = Signal(2)
        burst_id = Signal(self.port.id_width)
        ends_burst = Signal()
        place = Signal(widest)
        mask = Signal(bus)
        more = Signal(8)
        final = Signal()

        free = Signal()
        step = Signal()
        filled = Signal(widest)
        completes = Signal()
        ends = Signal()
        m.d.comb += [
            free.eq(~beats.valid | beats.ready),
            step.eq(busy & free & (refused | words.valid)),
            filled.eq(place | mask[: min(bus, beat)]),
            # Only of a transfer wider than a memory beat are there steps that do not complete it.
            completes.eq((place[beat:bus] | ~mask[beat:bus]).all() if bus > beat else 1),
            ends.eq(completes & final),
            words.ready.eq(busy & free & ~refused & (filled[:beat].all() | ends)),
            self.fragments.ready.eq(~busy | (step & ends)),
        ]
        with m.If(step):
            m.d.sync += place.eq(filled + 1)
            with m.If(completes):
                m.d.sync += [more.eq(more - 1), final.eq(more == 1)]
        with m.If(self.fragments.ready):
            m.d.sync += [
                busy.eq(self.fragments.valid),
                refused.eq(fragment.response != 0),
                response.eq(fragment.response),
                burst_id.eq(fragment.id),
                ends_burst.eq(fragment.last),
                place.eq(fragment.first),
                # A refused one completes a transfer with every step.
                mask.eq(Mux(fragment.response != 0, 0, Cat(fragment.size > k for k in range(bus)))),
                more.eq(fragment.more),
                final.eq(fragment.more == 0),
            ]

        # The transfer. If it takes several steps, the first one fills all lanes and later ones
        # replace their own.
        begun = Signal()
        joined = Signal(2)
        m.d.comb += joined.eq(Mux(refused, response, words.payload.response))
        with m.If(free):
            m.d.sync += beats.valid.eq(step & completes)
        with m.If(step):
            m.d.sync += [
                begun.eq(~completes),
                beats.payload.id.eq(burst_id),
                beats.payload.last.eq(ends & ends_burst),
                # OKAY, SLVERR and DECERR are 0, 2 and 3: the worst has the bits of all.
                beats.payload.response.eq(joined | Mux(begun, beats.payload.response, 0)),
            ]
            if bus > beat:
                for lane in range(1 << (bus - beat)):
                    with m.If(~begun | (place[beat:bus] == lane)):
                        m.d.sync += beats.payload.data.word_select(lane, 1 << (beat + 3)).eq(
                            Mux(refused, 0, words.payload.data)
                        )
            else:
                chosen = words.payload.data.word_select(place[bus:beat], 1 << (bus + 3))
                m.d.sync += beats.payload.data.eq(Mux(refused, 0, chosen))
        return m
