"""One AXI4-Lite bus over several register maps."""

from collections.abc import Sequence

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.bus.axi4lite import Axi4LiteInterface, Axi4LiteSignature, Response
from mcos_hw.registers.frames import ADDRESS_BYTES, REGION_WIDTH

__all__ = ["Regions"]


class Regions(wiring.Component):
    """Sends each access to the region of its address; where there is none, DECERR answers it.

    A region sees the low ``REGION_WIDTH`` bits of an address, as many as it has, and refuses itself
    what is beyond its registers. An address whose further bits are not zero is nowhere. Reads and
    writes go side by side, one of each at a time.

    Parameters
    ----------
    address_widths : Sequence[int]
        Bits of an address in each region.

    Members
    -------
    s_axil : In(Axi4LiteSignature)
        The manager.
    m_axil_<k> : Out(Axi4LiteSignature)
        Region k.
    """

    s_axil: Axi4LiteInterface

    def __init__(self, address_widths: Sequence[int]) -> None:
        self.address_widths = tuple(address_widths)
        if not 1 <= len(self.address_widths) <= 1 << (8 * ADDRESS_BYTES - REGION_WIDTH):
            raise ValueError(f"regions must be 1 to 16, not {len(self.address_widths)}")
        for width in self.address_widths:
            if width > REGION_WIDTH:
                raise ValueError(f"address_widths must be at most {REGION_WIDTH}, not {width}")
        super().__init__(
            {
                "s_axil": In(Axi4LiteSignature(8 * ADDRESS_BYTES)),
                **{
                    f"m_axil_{k}": Out(Axi4LiteSignature(width))
                    for k, width in enumerate(self.address_widths)
                },
            }
        )

    def elaborate(self, platform):
        m = Module()
        bus = self.s_axil
        regions = [getattr(self, f"m_axil_{k}") for k in range(len(self.address_widths))]
        for region in regions:
            m.d.comb += [region.wdata.eq(bus.wdata), region.wstrb.eq(bus.wstrb)]

        # Reads.
        address = Signal.like(bus.araddr)
        chosen = self._chosen(address)
        with m.FSM(name="read"):
            with m.State("idle"):
                m.d.comb += bus.arready.eq(1)
                with m.If(bus.arvalid):
                    m.d.sync += address.eq(bus.araddr)
                    m.next = "ask"
            with m.State("ask"):
                with m.If(~chosen.any()):
                    m.next = "answer"
                for k, region in enumerate(regions):
                    m.d.comb += region.arvalid.eq(chosen[k])
                    with m.If(chosen[k] & region.arready):
                        m.next = "answer"
            with m.State("answer"):
                with m.If(~chosen.any()):
                    m.d.comb += [bus.rvalid.eq(1), bus.rresp.eq(Response.DECERR)]
                for k, region in enumerate(regions):
                    m.d.comb += region.rready.eq(chosen[k] & bus.rready)
                    with m.If(chosen[k]):
                        m.d.comb += [
                            bus.rvalid.eq(region.rvalid),
                            bus.rdata.eq(region.rdata),
                            bus.rresp.eq(region.rresp),
                        ]
                with m.If(bus.rvalid & bus.rready):
                    m.next = "idle"
        for region in regions:
            m.d.comb += region.araddr.eq(address)

        # Writes: address first, then the word.
        written = Signal.like(bus.awaddr)
        target = self._chosen(written)
        with m.FSM(name="write"):
            with m.State("idle"):
                m.d.comb += bus.awready.eq(1)
                with m.If(bus.awvalid):
                    m.d.sync += written.eq(bus.awaddr)
                    m.next = "ask"
            with m.State("ask"):
                with m.If(~target.any()):
                    m.next = "word"
                for k, region in enumerate(regions):
                    m.d.comb += region.awvalid.eq(target[k])
                    with m.If(target[k] & region.awready):
                        m.next = "word"
            with m.State("word"):
                with m.If(~target.any()):
                    m.d.comb += bus.wready.eq(1)
                for k, region in enumerate(regions):
                    m.d.comb += region.wvalid.eq(target[k] & bus.wvalid)
                    with m.If(target[k]):
                        m.d.comb += bus.wready.eq(region.wready)
                with m.If(bus.wvalid & bus.wready):
                    m.next = "answer"
            with m.State("answer"):
                with m.If(~target.any()):
                    m.d.comb += [bus.bvalid.eq(1), bus.bresp.eq(Response.DECERR)]
                for k, region in enumerate(regions):
                    m.d.comb += region.bready.eq(target[k] & bus.bready)
                    with m.If(target[k]):
                        m.d.comb += [bus.bvalid.eq(region.bvalid), bus.bresp.eq(region.bresp)]
                with m.If(bus.bvalid & bus.bready):
                    m.next = "idle"
        for region in regions:
            m.d.comb += region.awaddr.eq(written)
        return m

    def _chosen(self, address: Value) -> Value:
        """A bit for each region: the address is one of it; no bit if it is nowhere."""
        return Cat(
            (address[REGION_WIDTH:] == k) & (address[width:REGION_WIDTH] == 0)
            for k, width in enumerate(self.address_widths)
        )
