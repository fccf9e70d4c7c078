"""Base rates and depths for the coordinator, where contracts are in memories with few readers."""

from amaranth import *
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In

from mcos_hw.config import ChannelConfig
from mcos_hw.link.contract import ContractRead, contract_read_signature, contract_readers

__all__ = ["ContractCopy"]


class ContractCopy(wiring.Component):
    """Remembers what a compact channel reads for its buckets, which it visits one after the other.

    The copy is a commit behind until every tenant was visited after it: for
    ``config.visit_round`` clocks at most.

    Parameters
    ----------
    config : ChannelConfig
        Sizes, of a compact channel.

    Members
    -------
    tenant : In(tenant_width)
        Whose settings the channel reads for its buckets in this clock.
    row : In(StructLayout)
        Those settings by the image.
    contract : In(ContractRead)
        Base rate and depth of a tenant, in the same clock.
    """

    tenant: Signal
    row: data.View
    contract: ContractRead

    def __init__(self, config: ChannelConfig) -> None:
        self.config = config
        buckets = contract_read_signature(config, *contract_readers(config)["buckets"])
        super().__init__(
            {
                "tenant": In(config.tenant_width),
                "row": In(buckets.members["row"].shape),
                "contract": In(
                    contract_read_signature(config, "committed_rate", "committed_depth")
                ),
            }
        )

    def elaborate(self, platform):
        m = Module()
        given = self.contract.row
        m.submodules.rows = rows = memory.Memory(
            shape=given.shape(), depth=self.config.tenants, init=[]
        )
        write, read = rows.write_port(), rows.read_port(domain="comb")
        m.d.comb += [
            write.addr.eq(self.tenant),
            write.data.committed_rate.eq(self.row.committed_rate),
            write.data.committed_depth.eq(self.row.committed_depth),
            write.en.eq(1),
            read.addr.eq(self.contract.tenant),
            given.eq(read.data),
        ]
        return m
