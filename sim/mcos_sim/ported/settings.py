"""What software writes before AXI ports in front of a channel take bursts."""

import dataclasses

from mcos_hw.config import ChannelConfig
from mcos_hw.link.request import Op
from mcos_hw.registers import channel_map, fabric_map
from mcos_policy.image import Image, encode, unpack
from mcos_policy.ports import TenantRow, credit_writes, row_writes, shared_credits
from mcos_sim.ported.sizes import ID_WIDTH, Ports, fabric_around
from mcos_sim.scenario import Scenario

__all__ = [
    "image_words",
    "outstanding",
    "port_writes",
]


def port_writes(config: ChannelConfig, ports: Ports, channels: int = 1) -> list[tuple[int, int]]:
    """Register writes (address, word) that give each tenant its IDs and its whole queue.

    The IDs of a tenant begin with its tag, see :class:`mcos_sim.ported.requester.Requester`.
    """
    fabric = fabric_around(config, ports, channels)
    numbers = 1 << (ID_WIDTH - config.tenant_width)
    rows = [
        TenantRow(port=port, row=row, tenant=tag, first=numbers * tag, last=numbers * (tag + 1) - 1)
        for port, tags in enumerate(ports)
        for row, tag in enumerate(tags)
    ]
    return row_writes(fabric, rows) + credit_writes(fabric, shared_credits(fabric, rows))


def image_words(scenario: Scenario) -> tuple[int, ...]:
    """The words of a scenario's image as its hardware takes them: for all of its channels."""
    if not scenario.fabric:
        return scenario.image
    config, image = scenario.config, Image(words=scenario.image)
    fabric = fabric_around(config, scenario.axi_ports, len(scenario.channels))
    settings = unpack(channel_map(config), image)
    spreading = scenario.spreading
    if spreading is not None:
        masks = {f"mask_{j}": mask for j, mask in enumerate(spreading.masks)}
        settings = dataclasses.replace(settings, fabric={"grain": spreading.grain, **masks})
    return encode(config, fabric_map(fabric), settings, image.label).words


def outstanding(config: ChannelConfig) -> int:
    """Requests of a tenant that its AXI port took and has not answered, at most.

    Each has a number of its own among those of its tenant and direction.
    """
    return len(Op) << (ID_WIDTH - config.tenant_width)
