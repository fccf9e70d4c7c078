"""One AXI4 subordinate port: bursts in, fragments in front of a channel, data and answers back."""

from collections.abc import Sequence

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from mcos_hw.bus.axi4 import Axi4Signature, AxiInterface
from mcos_hw.config import FabricConfig, PortConfig
from mcos_hw.link.credits import credit_layout
from mcos_hw.link.interleave import interleave_layout
from mcos_hw.link.request import StructuredStream, request_layout, structured_stream
from mcos_hw.link.tenant_row import tenant_row_layout
from mcos_hw.link.transfer import (
    Acknowledged,
    Described,
    Fetch,
    Returned,
    acknowledged_signature,
    described_signature,
    fetch_signature,
    returned_signature,
)
from mcos_hw.port.axi_in import AddressIn
from mcos_hw.port.fragment import Fragmenter
from mcos_hw.port.landings import Landings
from mcos_hw.port.reads import ReadSide
from mcos_hw.port.tenant_table import TenantTable
from mcos_hw.port.writes import WriteSide

__all__ = [
    "AxiPort",
    "port_signature",
]


def port_signature(fabric: FabricConfig, port: PortConfig) -> Axi4Signature:
    """The AXI4 port, seen by its manager."""
    return Axi4Signature(
        address_width=fabric.channel.address_width,
        data_width=8 * port.data_bytes,
        id_width=port.id_width,
        user_width=fabric.channel.stamp_width if port.stamped else 0,
    )


class AxiPort(wiring.Component):
    """What is between one AXI4 manager and the channels.

    A tenant that floods, does not take its read data, or is slow with its write data stops nobody
    on another port: its fragments land only with a place of their own in its own queue, its write
    data are here before a write lands, and there is room for its read data before a read lands. On
    its own port AXI itself couples: a slow writer holds later writes, a requester that does not
    take R holds all R, a tenant over its credit holds AR or AW. Tenants that must not feel each
    other get ports of their own.

    Per ID reads are answered in order, and so are writes; answers of different IDs come in any
    order. Reads and writes among each other have the order of AXI: wait for the response. IDs that
    are equal in their low ``order_bits`` share one order.

    Latency of an address from AxVALID to the request in front of the channel, empty::

        clock         0        1        2        3        4
        AxVALID       burst
        AddressIn              burst
        TenantTable            burst
        Fragmenter                      fragment
        HazardTable                              fragment
        Landing                                           request

    A write begins that way, and lands in the clock after its last data are in the bank.

    Parameters
    ----------
    fabric : FabricConfig
        Sizes.
    number : int
        Which of its ports this is.

    Members
    -------
    s_axi : In(Axi4Signature)
        The manager.
    now : In(stamp_width)
        Clocks since reset, modulo.
    enabled : In(tenants)
        Tenants of the live image.
    rows : In(ArrayLayout(tenant_row_layout, table_rows))
        Its tenant table, see :class:`mcos_hw.port.tenant_table.TenantTable`.
    interleave : In(interleave_layout)
        How addresses are spread over several channels; may change while the port is idle.
    idle : Out(1)
        Nothing is under way here, but for answers that the manager has not taken.
    credits, departed, departed_tenant
        As in :class:`mcos_hw.port.landings.Landings`.
    unmapped, faulty : Out(2)
        Bit 0: a read is refused with DECERR, or SLVERR. Bit 1: a write.
    wrong_last : Out(1)
        A write had its WLAST elsewhere than at its last transfer.
    requests : Out(stream of request_layout), an array with one for each channel
        What has landed.
    fetch, read_described, write_described, returned, acknowledged
        To the memory port of each channel, see :mod:`mcos_hw.link.transfer`; arrays.
    """

    s_axi: AxiInterface
    now: Signal
    enabled: Signal
    rows: data.View
    interleave: data.View
    idle: Signal
    credits: data.View
    departed: Signal
    departed_tenant: Sequence[Signal]
    unmapped: Signal
    faulty: Signal
    wrong_last: Signal
    requests: Sequence[StructuredStream]
    fetch: Sequence[Fetch]
    read_described: Sequence[Described]
    write_described: Sequence[Described]
    returned: Sequence[Returned]
    acknowledged: Sequence[Acknowledged]

    def __init__(self, fabric: FabricConfig, number: int) -> None:
        self.fabric = fabric
        self.number = number
        self.port = port = fabric.ports[number]
        channels = fabric.channels
        super().__init__(
            {
                "s_axi": In(port_signature(fabric, port)),
                "now": In(fabric.channel.stamp_width),
                "enabled": In(fabric.channel.tenants),
                "rows": In(data.ArrayLayout(tenant_row_layout(fabric, port), port.table_rows)),
                **({"interleave": In(interleave_layout(fabric))} if channels > 1 else {}),
                "idle": Out(1),
                "credits": In(credit_layout(fabric)),
                "departed": In(channels),
                "departed_tenant": In(fabric.channel.tenant_width).array(channels),
                "unmapped": Out(2),
                "faulty": Out(2),
                "wrong_last": Out(1),
                "requests": Out(structured_stream(request_layout(fabric.channel))).array(channels),
                "fetch": In(fetch_signature(fabric)).array(channels),
                "read_described": In(described_signature(fabric)).array(channels),
                "write_described": In(described_signature(fabric)).array(channels),
                "returned": In(returned_signature(fabric)).array(channels),
                "acknowledged": In(acknowledged_signature(fabric)).array(channels),
            }
        )

    def elaborate(self, platform):
        m = Module()
        fabric, port, bus = self.fabric, self.port, self.s_axi
        m.submodules.read_address = read_address = AddressIn(fabric, port)
        m.submodules.write_address = write_address = AddressIn(fabric, port)
        m.submodules.table = table = TenantTable(fabric, port)
        m.submodules.read_fragments = read_fragments = Fragmenter(fabric, port)
        m.submodules.write_fragments = write_fragments = Fragmenter(fabric, port)
        m.submodules.reads = reads = ReadSide(fabric, port)
        m.submodules.writes = writes = WriteSide(fabric, port)
        m.submodules.landings = landing = Landings(fabric, self.number)

        # Addresses in.
        for prefix, part in (("ar", read_address), ("aw", write_address)):
            asked = part.asked
            m.d.comb += [
                part.now.eq(self.now),
                asked.valid.eq(getattr(bus, f"{prefix}valid")),
                getattr(bus, f"{prefix}ready").eq(asked.ready),
                asked.payload.id.eq(getattr(bus, f"{prefix}id")),
                asked.payload.address.eq(getattr(bus, f"{prefix}addr")),
                asked.payload.length.eq(getattr(bus, f"{prefix}len")),
                asked.payload.size.eq(getattr(bus, f"{prefix}size")),
                asked.payload.kind.eq(getattr(bus, f"{prefix}burst")),
                asked.payload.attributes.prot.eq(getattr(bus, f"{prefix}prot")),
                asked.payload.attributes.cache.eq(getattr(bus, f"{prefix}cache")),
                asked.payload.attributes.qos.eq(getattr(bus, f"{prefix}qos")),
            ]
            if port.stamped:
                m.d.comb += asked.payload.stamp.eq(getattr(bus, f"{prefix}user"))
        connect(m, read_address.bursts, table.reads)
        connect(m, write_address.bursts, table.writes)
        m.d.comb += [
            table.enabled.eq(self.enabled),
            table.rows.eq(self.rows),
            self.unmapped.eq(table.unmapped),
            self.faulty.eq(table.faulty),
        ]
        connect(m, table.tagged_reads, read_fragments.bursts)
        connect(m, table.tagged_writes, write_fragments.bursts)
        connect(m, read_fragments.fragments, reads.fragments)
        connect(m, write_fragments.fragments, writes.fragments)

        if fabric.channels > 1:
            for part in (read_fragments, write_fragments, reads, writes):
                m.d.comb += part.interleave.eq(self.interleave)
        m.d.comb += self.idle.eq(
            ~read_address.bursts.valid & ~write_address.bursts.valid & reads.idle & writes.idle
        )

        # Fragments land.
        connect(m, reads.landings, landing.reads)
        connect(m, writes.landings, landing.writes)
        m.d.comb += [
            landing.read_tenant.eq(reads.tenant),
            landing.write_tenant.eq(writes.tenant),
            landing.read_waits.eq(reads.waits),
            landing.write_waits.eq(writes.waits),
            landing.credits.eq(self.credits),
            landing.departed.eq(self.departed),
        ]

        # Data and answers.
        for c in range(fabric.channels):
            connect(m, landing.requests[c], flipped(self.requests[c]))
            m.d.comb += landing.departed_tenant[c].eq(self.departed_tenant[c])
            connect(m, flipped(self.fetch[c]), writes.fetch[c])
            connect(m, flipped(self.acknowledged[c]), writes.acknowledged[c])
            connect(m, flipped(self.returned[c]), reads.returned[c])
            connect(m, flipped(self.read_described[c]), reads.described[c])
            connect(m, flipped(self.write_described[c]), writes.described[c])
        m.d.comb += [
            self.wrong_last.eq(writes.faulty),
            writes.data.valid.eq(bus.wvalid),
            writes.data.payload.data.eq(bus.wdata),
            writes.data.payload.strobe.eq(bus.wstrb),
            writes.data.payload.last.eq(bus.wlast),
            bus.wready.eq(writes.data.ready),
            bus.bvalid.eq(writes.responses.valid),
            bus.bid.eq(writes.responses.payload.id),
            bus.bresp.eq(writes.responses.payload.response),
            writes.responses.ready.eq(bus.bready),
            bus.rvalid.eq(reads.beats.valid),
            bus.rid.eq(reads.beats.payload.id),
            bus.rdata.eq(reads.beats.payload.data),
            bus.rresp.eq(reads.beats.payload.response),
            bus.rlast.eq(reads.beats.payload.last),
            reads.beats.ready.eq(bus.rready),
        ]
        return m
