"""The port of an engine inside: the same landing as a manager's outside, without AXI."""

from collections.abc import Sequence

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from mcos_hw.config import FabricConfig
from mcos_hw.link.credits import credit_layout
from mcos_hw.link.fragment import channel_field, landing_signature
from mcos_hw.link.interleave import interleave_layout
from mcos_hw.link.request import StructuredStream, request_layout, structured_stream
from mcos_hw.link.transfer import (
    Acknowledged,
    Described,
    Returned,
    acknowledged_signature,
    described_signature,
    returned_signature,
)
from mcos_hw.port.gather import Gather
from mcos_hw.port.hazard import HazardTable, hazard_key, touched_beats
from mcos_hw.port.interleave import channel_of, local_address
from mcos_hw.port.landings import Landings

__all__ = ["InnerPort"]


class InnerPort(wiring.Component):
    """Lets an engine inside land fragments in front of the channels.

    The engine is a requester as any other: its fragments need a credit of its tenant, and wait
    for an overlapping one of the same order and direction. What is taken lands a clock later at
    the earliest; two fragments of a direction may wait here. It makes fragments itself, whole beats
    within one block of ``l_max`` bytes; the port finds their channel. It names each by an entry
    that none of its outstanding ones of that direction has, and keeps the data: it answers the
    fetches of the memory ports itself, takes ``returned`` beats and ``acknowledged`` writes as they
    come, and knows whose they are by the entry. Memory sees AxPROT, AxCACHE and AxQOS of 0.

    Parameters
    ----------
    fabric : FabricConfig
        Sizes.
    number : int
        Which of its ports this is.

    Members
    -------
    reads, writes : In(stream of landing_layout)
        Fragments that want to land.
    interleave : In(interleave_layout)
        How addresses are spread over several channels; may change while the port is idle.
    idle : Out(1)
        No fragment is under way.
    places : Out(tenants)
        Bit t: a fragment of tenant t would land in front of any channel. One that is offered while
        its bit is not set may hold those of other tenants behind it.
    credits, departed, departed_tenant, requests
        As in :class:`mcos_hw.port.landings.Landings`.
    read_described, write_described : In(Described), arrays with one for each channel
        From the memory ports.
    returned : In(Returned), acknowledged : In(Acknowledged), arrays with one for each channel
        From the memory ports; the engine looks at them as well.
    """

    reads: StructuredStream
    writes: StructuredStream
    interleave: data.View
    idle: Signal
    places: Signal
    credits: data.View
    departed: Signal
    departed_tenant: Sequence[Signal]
    requests: Sequence[StructuredStream]
    read_described: Sequence[Described]
    write_described: Sequence[Described]
    returned: Sequence[Returned]
    acknowledged: Sequence[Acknowledged]

    def __init__(self, fabric: FabricConfig, number: int) -> None:
        self.fabric = fabric
        self.number = number
        port = fabric.ports[number]
        channels = fabric.channels
        landed = structured_stream(request_layout(fabric.channel))
        super().__init__(
            {
                "reads": In(landing_signature(fabric, port)),
                "writes": In(landing_signature(fabric, port)),
                **({"interleave": In(interleave_layout(fabric))} if channels > 1 else {}),
                "idle": Out(1),
                "places": Out(fabric.channel.tenants),
                "credits": In(credit_layout(fabric)),
                "departed": In(channels),
                "departed_tenant": In(fabric.channel.tenant_width).array(channels),
                "requests": Out(landed).array(channels),
                "read_described": In(described_signature(fabric)).array(channels),
                "write_described": In(described_signature(fabric)).array(channels),
                "returned": In(returned_signature(fabric)).array(channels),
                "acknowledged": In(acknowledged_signature(fabric)).array(channels),
            }
        )

    def elaborate(self, platform):
        m = Module()
        fabric, channels = self.fabric, self.fabric.channels
        m.submodules.landings = landing = Landings(fabric, self.number)
        port = fabric.ports[self.number]
        m.submodules.read_hazard = read_hazard = HazardTable(fabric, port)
        m.submodules.write_hazard = write_hazard = HazardTable(fabric, port)
        connect(m, read_hazard.o, landing.reads)
        connect(m, write_hazard.o, landing.writes)
        for asked, side in ((self.reads, read_hazard.i), (self.writes, write_hazard.i)):
            wants, wanted = asked.payload, side.payload
            key, beats = wanted.hazard.key, wanted.hazard.beats
            address = wants.address
            block = address[fabric.block_width :]
            if channels > 1:
                m.d.comb += [
                    wanted.channel.eq(channel_of(fabric, self.interleave, address)),
                    wanted.address.eq(local_address(fabric, self.interleave, address)),
                ]
            else:
                m.d.comb += wanted.address.eq(address)
            m.d.comb += [
                side.valid.eq(asked.valid),
                asked.ready.eq(side.ready),
                *(
                    wanted[name].eq(wants[name])
                    for name in wants.shape().members
                    if name not in ("hazard", "address", *channel_field(fabric))
                ),
                key.eq(hazard_key(block, wants.order, len(key))),
                beats.eq(touched_beats(fabric, address, wants.beats)),
            ]
        # Each channel may end a read and a write in this clock.
        ended = data.StructLayout({"entry": fabric.entry_width})
        m.submodules.read = read = Gather(ended, depth=port.reads, channels=channels)
        m.submodules.written = written = Gather(ended, depth=port.writes, channels=channels)
        for c in range(channels):
            returned, acknowledged = self.returned[c], self.acknowledged[c]
            connect(m, landing.requests[c], flipped(self.requests[c]))
            m.d.comb += [
                landing.departed_tenant[c].eq(self.departed_tenant[c]),
                read.i[c].valid.eq(returned.valid & returned.last),
                read.i[c].payload.entry.eq(returned.entry),
                written.i[c].valid.eq(acknowledged.valid),
                written.i[c].payload.entry.eq(acknowledged.entry),
                self.read_described[c].attributes.eq(0),
                self.write_described[c].attributes.eq(0),
            ]
        m.d.comb += [
            self.places.eq(landing.places),
            landing.credits.eq(self.credits),
            landing.departed.eq(self.departed),
            landing.read_tenant.eq(read_hazard.tenant),
            landing.write_tenant.eq(write_hazard.tenant),
            landing.read_waits.eq(read_hazard.waits),
            landing.write_waits.eq(write_hazard.waits),
        ]
        outstanding = []
        for asked, hazard, done in (
            (self.reads, read_hazard, read),
            (self.writes, write_hazard, written),
        ):
            m.d.comb += [
                hazard.leave_valid.eq(done.o.valid),
                hazard.leave_entry.eq(done.o.payload.entry),
            ]
            under_way = Signal(range(max(port.reads, port.writes) + 1))
            m.d.sync += under_way.eq(under_way + (asked.valid & asked.ready) - done.o.valid)
            outstanding.append(under_way)
        m.d.comb += self.idle.eq(~self.reads.valid & ~self.writes.valid & ~Cat(outstanding).any())
        return m
