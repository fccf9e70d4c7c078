"""What software writes before AXI ports in front of a channel take bursts."""

from mcos_hw.config import ChannelConfig
from mcos_hw.link.request import Op
from mcos_policy.ports import TenantRow, credit_writes, row_writes, shared_credits
from mcos_sim.ported.sizes import ID_WIDTH, Ports, fabric_around

__all__ = [
    "outstanding",
    "port_writes",
]


def port_writes(config: ChannelConfig, ports: Ports) -> list[tuple[int, int]]:
    """Register writes (address, word) that give each tenant its IDs and its whole queue.

    The IDs of a tenant begin with its tag, see :class:`mcos_sim.ported.requester.Requester`.
    """
    fabric = fabric_around(config, ports)
    numbers = 1 << (ID_WIDTH - config.tenant_width)
    rows = [
        TenantRow(port=port, row=row, tenant=tag, first=numbers * tag, last=numbers * (tag + 1) - 1)
        for port, tags in enumerate(ports)
        for row, tag in enumerate(tags)
    ]
    return row_writes(fabric, rows) + credit_writes(fabric, shared_credits(fabric, rows))


def outstanding(config: ChannelConfig) -> int:
    """Requests of a tenant that its AXI port took and has not answered, at most.

    Each has a number of its own among those of its tenant and direction.
    """
    return len(Op) << (ID_WIDTH - config.tenant_width)
