"""What is in force on a channel: the live image, with the committed rates that are lent."""

from amaranth import *
from amaranth.lib import memory
from amaranth.lib.wiring import In

from mcos_hw.config import FabricConfig
from mcos_hw.fabric.between import Between
from mcos_hw.link.lent import Lent, lent_signature
from mcos_hw.primitive.select import at_index

__all__ = ["InForce"]


class InForce(Between):
    """Stands between the live image and a channel, and puts lent rates in place of the image's.

    While nothing is lent the channel sees the image, with no clock between. A tenant that borrows
    beyond its peak rate has the lent rate for that, too: its conforming grants charge both buckets,
    and a peak bucket that is refilled slower than the committed one would owe without end.

    Depths, weights and all else stay.

    Parameters
    ----------
    fabric : FabricConfig
        Sizes.
    channel : int
        Number of the channel.

    Members
    -------
    lent : In(Lent)
        What the coordinator lends.

    See :class:`Between`.
    """

    lent: Lent

    def __init__(self, fabric: FabricConfig, channel: int) -> None:
        self.fabric = fabric
        self.channel = channel
        super().__init__(fabric.channel, {"lent": In(lent_signature(fabric))})

    def elaborate(self, platform):
        m = super().elaborate(platform)
        written = Signal()
        m.d.comb += written.eq(self.lent.write.valid & (self.lent.write.channel == self.channel))
        if self.config.compact:
            self._serve_reads(m, written)
        else:
            self._keep_rates(m, written)
        return m

    def _keep_rates(self, m: Module, written: Value) -> None:
        """Rates of all tenants in registers: the present set, and the next one."""
        config, write = self.config, self.lent.write
        peaks = [each.peak_rate for each in self.image.tenants]
        above = Signal()
        m.d.comb += above.eq(write.rate > at_index(write.tenant, peaks))
        for i in range(config.tenants):
            following = Signal(config.rate_width, name=f"following_{i}")
            following_above = Signal(name=f"following_above_{i}")
            present = Signal(config.rate_width, name=f"present_{i}")
            present_above = Signal(name=f"present_above_{i}")
            with m.If(written & (write.tenant == i)):
                m.d.sync += [following.eq(write.rate), following_above.eq(above)]
            with m.If(self.lent.apply):
                m.d.sync += [present.eq(following), present_above.eq(following_above)]
            with m.If(self.lent.holds):
                m.d.comb += self.live.tenants[i].committed_rate.eq(present)
                with m.If(present_above):
                    m.d.comb += self.live.tenants[i].peak_rate.eq(present)

    def _serve_reads(self, m: Module, written: Value) -> None:
        """Rates in a memory of two pages, beside those of the image."""
        config, lent = self.config, self.lent
        asked, row = self.contracts.buckets, self.image_reads.buckets.row
        m.submodules.rates = rates = memory.Memory(
            shape=config.rate_width,
            depth=2 * config.tenants,
            init=[],
            attrs={"ram_style": "distributed"},
        )
        write, read = rates.write_port(), rates.read_port(domain="comb")
        page = Signal()
        with m.If(lent.apply):
            m.d.sync += page.eq(~page)
        m.d.comb += [
            write.addr.eq(Cat(lent.write.tenant, ~page)),
            write.data.eq(lent.write.rate),
            write.en.eq(written),
            read.addr.eq(Cat(asked.tenant, page)),
        ]
        with m.If(lent.holds):
            m.d.comb += asked.row.committed_rate.eq(read.data)
            with m.If(read.data > row.peak_rate):
                m.d.comb += asked.row.peak_rate.eq(read.data)
