"""The driver of a core: discover it, load and commit an image, read what it counted.

It speaks to hardware through a :class:`Transport`: a file that is mapped as memory, or a
co-simulation.
"""

from mcos_policy.client.client import Client, Live, Status
from mcos_policy.client.discovery import Core, discover
from mcos_policy.client.error import ClientError
from mcos_policy.client.guard import Guard, Ownership
from mcos_policy.client.metrics import (
    ChannelMetrics,
    Count,
    Granted,
    Metrics,
    TenantMetrics,
    latency_limits,
)
from mcos_policy.client.movement import (
    Ended,
    Movement,
    MovementClient,
    MovementError,
    object_id,
)
from mcos_policy.client.movement_page import MovementPage, MovementSettings, Tier
from mcos_policy.client.transport import MappedFile, Transport

__all__ = [
    "ChannelMetrics",
    "Client",
    "ClientError",
    "Core",
    "Count",
    "Ended",
    "Granted",
    "Guard",
    "Live",
    "MappedFile",
    "Metrics",
    "Movement",
    "MovementClient",
    "MovementError",
    "MovementPage",
    "MovementSettings",
    "Ownership",
    "Status",
    "TenantMetrics",
    "Tier",
    "Transport",
    "discover",
    "latency_limits",
    "object_id",
]
