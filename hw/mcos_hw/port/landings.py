"""The landings of a port, one in front of each channel."""

from collections.abc import Sequence

from amaranth import *
from amaranth.hdl import Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from mcos_hw.config import FabricConfig
from mcos_hw.link.credits import credit_layout
from mcos_hw.link.fragment import channel_number, landing_signature
from mcos_hw.link.request import StructuredStream, request_layout, structured_stream
from mcos_hw.port.landing import Landing

__all__ = ["Landings"]


class Landings(wiring.Component):
    """Lets each fragment of a port land in front of its channel.

    A fragment that may not land holds those behind it in its direction, also those that go to
    another channel. In one clock a read may land in front of one channel, and a write in front of
    another. A tenant has its credit at each channel.

    Parameters
    ----------
    fabric : FabricConfig
        Sizes.
    number : int
        Which of its ports this is.

    Members
    -------
    reads, writes, read_tenant, write_tenant, read_waits, write_waits, credits
        As in :class:`mcos_hw.port.landing.Landing`.
    departed : In(channels)
        Bit c: a command of this port leaves for the memory of channel c in this clock.
    departed_tenant : In(tenant_width), an array with one for each channel
        Whose it is.
    requests : Out(stream of request_layout), an array with one for each channel
        What has landed.
    places : Out(tenants)
        Bit t: a fragment of tenant t would land in front of any channel.
    """

    reads: StructuredStream
    writes: StructuredStream
    read_tenant: Signal
    write_tenant: Signal
    read_waits: Signal
    write_waits: Signal
    credits: data.View
    departed: Signal
    departed_tenant: Sequence[Signal]
    requests: Sequence[StructuredStream]
    places: Signal

    def __init__(self, fabric: FabricConfig, number: int) -> None:
        self.fabric = fabric
        self.number = number
        port, channel = fabric.ports[number], fabric.channel
        landed = structured_stream(request_layout(channel))
        super().__init__(
            {
                "reads": In(landing_signature(fabric, port)),
                "writes": In(landing_signature(fabric, port)),
                "read_tenant": In(channel.tenants),
                "write_tenant": In(channel.tenants),
                "read_waits": In(1),
                "write_waits": In(1),
                "credits": In(credit_layout(fabric)),
                "departed": In(fabric.channels),
                "departed_tenant": In(channel.tenant_width).array(fabric.channels),
                "requests": Out(landed).array(fabric.channels),
                "places": Out(channel.tenants),
            }
        )

    def elaborate(self, platform):
        m = Module()
        fabric = self.fabric
        landings = [Landing(fabric, self.number) for _ in self.requests]
        places: Value = Const(-1, len(self.places))
        for landing in landings:
            places &= landing.places
        m.d.comb += self.places.eq(places)
        for side in ("reads", "writes"):
            asked = getattr(self, side)
            ready = Cat(getattr(landing, side).ready for landing in landings)
            m.d.comb += asked.ready.eq(ready.bit_select(channel_number(fabric, asked.payload), 1))
        for c, landing in enumerate(landings):
            m.submodules[f"landing_{c}"] = landing
            connect(m, landing.requests, flipped(self.requests[c]))
            m.d.comb += [
                landing.read_tenant.eq(self.read_tenant),
                landing.write_tenant.eq(self.write_tenant),
                landing.credits.eq(self.credits),
                landing.departed.eq(self.departed[c]),
                landing.departed_tenant.eq(self.departed_tenant[c]),
            ]
            for side, waits in (("reads", "read_waits"), ("writes", "write_waits")):
                asked, to = getattr(self, side), getattr(landing, side)
                mine = channel_number(fabric, asked.payload) == c
                m.d.comb += [
                    to.valid.eq(asked.valid & mine),
                    to.payload.eq(asked.payload),
                    getattr(landing, waits).eq(getattr(self, waits) & mine),
                ]
        return m
