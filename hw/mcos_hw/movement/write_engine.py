"""The write side of the DMA engine: words become fragments, which memory fetches."""

from collections.abc import Sequence

from amaranth import *
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from mcos_hw.config import FabricConfig, MovementConfig
from mcos_hw.link.fragment import channel_field, landing_layout, landing_signature
from mcos_hw.link.interleave import interleave_layout
from mcos_hw.link.piece import Settled, moved_signature, settled_signature
from mcos_hw.link.request import StructuredStream
from mcos_hw.link.transfer import (
    Acknowledged,
    Fetch,
    acknowledged_signature,
    fetch_signature,
)
from mcos_hw.port.gather import Gather
from mcos_hw.port.interleave import channel_of
from mcos_hw.port.write_bank import WriteBank
from mcos_hw.primitive.free_list import FreeList

__all__ = ["WriteEngine"]


class WriteEngine(wiring.Component):
    """Puts the beats of pieces into its banks, and has them written.

    A beat is taken when the bank of its channel has room, the first one of a piece when an entry is
    free too. The fragment is offered to the inner port in the clock after its last beat. One beat
    passes in every clock, sustained. A piece is written two clocks after memory acknowledged it,
    with several channels later if others are acknowledged in the same clock.

    After reset nothing is under way.

    Parameters
    ----------
    fabric : FabricConfig
        Sizes of the fabric.
    number : int
        Which of its ports is the engine's.
    movement : MovementConfig
        Sizes of the engines.

    Members
    -------
    moved : In(stream of moved_layout)
        Beats, those of a piece in order and without others in between.
    interleave : In(interleave_layout)
        How addresses are spread over several channels.
    writes : Out(stream of landing_layout)
        Write fragments, to the inner port.
    fetch : In(Fetch), an array with one for each channel
        Memory fetches beats.
    acknowledged : In(Acknowledged), an array with one for each channel
        Memory has written a fragment.
    written : Out(Settled)
        A piece is written.
    """

    moved: StructuredStream
    interleave: data.View
    writes: StructuredStream
    fetch: Sequence[Fetch]
    acknowledged: Sequence[Acknowledged]
    written: Settled

    def __init__(self, fabric: FabricConfig, number: int, movement: MovementConfig) -> None:
        self.fabric = fabric
        self.movement = movement
        self.port = port = fabric.ports[number]
        super().__init__(
            {
                "moved": In(moved_signature(fabric, movement)),
                **({"interleave": In(interleave_layout(fabric))} if fabric.channels > 1 else {}),
                "writes": Out(landing_signature(fabric, port)),
                "fetch": In(fetch_signature(fabric)).array(fabric.channels),
                "acknowledged": In(acknowledged_signature(fabric)).array(fabric.channels),
                "written": Out(settled_signature(movement)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        fabric, port, moved = self.fabric, self.port, self.moved.payload
        m.submodules.entries = entries = FreeList(port.writes)
        channel: Value = Const(0, 1)
        if fabric.channels > 1:
            channel = channel_of(fabric, self.interleave, moved.target)
        banks = [WriteBank(fabric, port) for _ in self.fetch]

        # A piece keeps the entry that its first beat took.
        within = Signal()
        kept_entry = Signal(range(port.writes))
        entry = Signal(range(port.writes))
        fragment_layout = landing_layout(fabric, port)
        fragment = data.View(fragment_layout, Signal(fragment_layout, name="fragment"))
        fragment_valid = Signal()
        may = Signal()
        stores = Signal()
        begins = Signal()
        m.d.comb += [
            entry.eq(Mux(within, kept_entry, entries.take.payload)),
            may.eq(
                (within | entries.take.valid) & (~moved.last | ~fragment_valid | self.writes.ready)
            ),
            self.moved.ready.eq(
                may & Cat(bank.words.ready for bank in banks).bit_select(channel, 1)
            ),
            stores.eq(self.moved.valid & self.moved.ready),
            begins.eq(stores & ~within),
            entries.take.ready.eq(begins),
            self.writes.valid.eq(fragment_valid),
            self.writes.payload.eq(fragment),
        ]
        for c, (bank, fetch) in enumerate(zip(banks, self.fetch, strict=True)):
            m.submodules[f"bank_{c}"] = bank
            connect(m, bank.fetch, flipped(fetch))
            word = bank.words.payload
            m.d.comb += [
                bank.words.valid.eq(self.moved.valid & may & (channel == c)),
                word.entry.eq(entry),
                *(word[name].eq(channel) for name in channel_field(fabric)),
                word.last.eq(moved.last),
                word.data.eq(moved.data),
                word.strobe.eq((1 << fabric.beat_bytes) - 1),
            ]
        with m.If(stores):
            m.d.sync += within.eq(~moved.last)
        with m.If(begins):
            m.d.sync += kept_entry.eq(entry)
        with m.If(stores & moved.last):
            m.d.sync += [
                fragment_valid.eq(1),
                fragment.tenant.eq(moved.tenant),
                fragment.address.eq(moved.target),
                fragment.beats.eq(moved.beats),
                fragment.entry.eq(entry),
            ]
        with m.Elif(self.writes.ready):
            m.d.sync += fragment_valid.eq(0)

        # Whose a fragment is, is looked up when memory has written it.
        m.submodules.numbers = numbers = memory.Memory(
            shape=self.movement.job_width, depth=port.writes, init=[]
        )
        keep, known = numbers.write_port(), numbers.read_port()
        ended = data.StructLayout({"entry": fabric.entry_width, "failed": 1})
        m.submodules.gather = gather = Gather(ended, depth=port.writes, channels=fabric.channels)
        for each, acknowledged in zip(gather.i, self.acknowledged, strict=True):
            m.d.comb += [
                each.valid.eq(acknowledged.valid),
                each.payload.entry.eq(acknowledged.entry),
                each.payload.failed.eq(acknowledged.response[1]),
            ]
        m.d.comb += [
            keep.en.eq(begins),
            keep.addr.eq(entry),
            keep.data.eq(moved.number),
            known.addr.eq(gather.o.payload.entry),
            self.written.number.eq(known.data),
        ]
        m.d.sync += [
            self.written.stb.eq(gather.o.valid),
            self.written.failed.eq(gather.o.payload.failed),
            entries.give.valid.eq(gather.o.valid),
            entries.give.number.eq(gather.o.payload.entry),
        ]
        return m
