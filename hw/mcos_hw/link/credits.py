"""How far a port may fill the queues of a channel."""

from amaranth.lib import data

from mcos_hw.config import FabricConfig

__all__ = ["credit_layout"]


def credit_layout(fabric: FabricConfig) -> data.ArrayLayout:
    """Places in the queue of each tenant, 0 to ``queue_depth``."""
    return data.ArrayLayout(range(fabric.channel.queue_depth + 1), fabric.channel.tenants)
