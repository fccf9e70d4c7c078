"""The port of an engine inside: the same landing as a manager's outside, without AXI."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from mcos_hw.config import FabricConfig
from mcos_hw.link.credits import credit_layout
from mcos_hw.link.fragment import landing_signature
from mcos_hw.link.request import StructuredStream, request_layout, structured_stream
from mcos_hw.link.transfer import (
    Acknowledged,
    Described,
    Returned,
    acknowledged_signature,
    described_signature,
    returned_signature,
)
from mcos_hw.port.hazard import HazardTable, hazard_key, touched_beats
from mcos_hw.port.landing import Landing

__all__ = ["InnerPort"]


class InnerPort(wiring.Component):
    """Lets an engine inside land fragments in front of a channel.

    The engine is a requester as any other: its fragments need a credit of its tenant, and wait
    for an overlapping one of the same order and direction. What is taken lands a clock later at
    the earliest; two fragments of a direction may wait here. It makes fragments itself, whole beats
    within one block of ``l_max`` bytes. It names each by an entry that none of its outstanding
    ones of that direction has, and keeps the data: it answers the fetches of the memory port
    itself, takes ``returned`` beats and ``acknowledged`` writes as they come, and knows whose they
    are by the entry. Memory sees AxPROT, AxCACHE and AxQOS of 0.

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
    credits, departed, departed_tenant, requests
        As in :class:`mcos_hw.port.landing.Landing`.
    read_described, write_described : In(Described)
        From the memory port.
    returned : In(Returned), acknowledged : In(Acknowledged)
        From the memory port; the engine looks at them as well.
    """

    reads: StructuredStream
    writes: StructuredStream
    credits: data.View
    departed: Signal
    departed_tenant: Signal
    requests: StructuredStream
    read_described: Described
    write_described: Described
    returned: Returned
    acknowledged: Acknowledged

    def __init__(self, fabric: FabricConfig, number: int) -> None:
        self.fabric = fabric
        self.number = number
        port = fabric.ports[number]
        super().__init__(
            {
                "reads": In(landing_signature(fabric, port)),
                "writes": In(landing_signature(fabric, port)),
                "credits": In(credit_layout(fabric)),
                "departed": In(1),
                "departed_tenant": In(fabric.channel.tenant_width),
                "requests": Out(structured_stream(request_layout(fabric.channel))),
                "read_described": In(described_signature(fabric)),
                "write_described": In(described_signature(fabric)),
                "returned": In(returned_signature(fabric)),
                "acknowledged": In(acknowledged_signature(fabric)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.landings = landing = Landing(self.fabric, self.number)
        port = self.fabric.ports[self.number]
        m.submodules.read_hazard = read_hazard = HazardTable(self.fabric, port)
        m.submodules.write_hazard = write_hazard = HazardTable(self.fabric, port)
        connect(m, read_hazard.o, landing.reads)
        connect(m, write_hazard.o, landing.writes)
        for asked, side in ((self.reads, read_hazard.i), (self.writes, write_hazard.i)):
            wants, wanted = asked.payload, side.payload
            key, beats = wanted.hazard.key, wanted.hazard.beats
            block = wants.address[self.fabric.block_width :]
            m.d.comb += [
                side.valid.eq(asked.valid),
                asked.ready.eq(side.ready),
                *(
                    wanted[name].eq(wants[name])
                    for name in wants.shape().members
                    if name != "hazard"
                ),
                key.eq(hazard_key(block, wants.order, len(key))),
                beats.eq(touched_beats(self.fabric, wants.address, wants.beats)),
            ]
        connect(m, landing.requests, flipped(self.requests))
        m.d.comb += [
            landing.credits.eq(self.credits),
            landing.departed.eq(self.departed),
            landing.departed_tenant.eq(self.departed_tenant),
            landing.read_tenant.eq(read_hazard.tenant),
            landing.write_tenant.eq(write_hazard.tenant),
            landing.read_waits.eq(read_hazard.waits),
            landing.write_waits.eq(write_hazard.waits),
            read_hazard.leave_valid.eq(self.returned.valid & self.returned.last),
            read_hazard.leave_entry.eq(self.returned.entry),
            write_hazard.leave_valid.eq(self.acknowledged.valid),
            write_hazard.leave_entry.eq(self.acknowledged.entry),
            self.read_described.attributes.eq(0),
            self.write_described.attributes.eq(0),
        ]
        return m
