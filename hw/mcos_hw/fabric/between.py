"""A place between the live image and a channel, where what is in force is changed."""

from collections.abc import Mapping

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.config import ChannelConfig
from mcos_hw.link.contract import ContractReads, contract_readers, contract_reads_signature
from mcos_hw.link.live import Live, live_signature
from mcos_hw.registers import channel_map

__all__ = ["Between"]


class Between(wiring.Component):
    """Gives a channel the live image, with no clock between.

    Subclasses change some of it.

    Parameters
    ----------
    config : ChannelConfig
        Sizes of the channel.
    more : Mapping[str, wiring.Member]
        Further members of a subclass.

    Members
    -------
    image : In(Live)
        What would be in force without it.
    image_reads : Out(ContractReads)
        What is read of that one tenant at a time.
    live : Out(Live)
        What the channel sees.
    contracts : In(ContractReads)
        What the channel reads.
    """

    image: Live
    image_reads: ContractReads
    live: Live
    contracts: ContractReads

    def __init__(self, config: ChannelConfig, more: Mapping[str, wiring.Member]) -> None:
        self.config = config
        registers = channel_map(config)
        super().__init__(
            {
                **more,
                "image": In(live_signature(registers)),
                "image_reads": Out(contract_reads_signature(config)),
                "live": Out(live_signature(registers)),
                "contracts": In(contract_reads_signature(config)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.d.comb += [
            self.live.channel.eq(self.image.channel),
            self.live.tenants.eq(self.image.tenants),
            self.live.generation.eq(self.image.generation),
        ]
        for reader in contract_readers(self.config):
            asked, answered = getattr(self.contracts, reader), getattr(self.image_reads, reader)
            m.d.comb += [answered.tenant.eq(asked.tenant), asked.row.eq(answered.row)]
        return m
