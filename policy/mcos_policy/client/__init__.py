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
from mcos_policy.client.transport import MappedFile, Transport

__all__ = [
    "ChannelMetrics",
    "Client",
    "ClientError",
    "Core",
    "Count",
    "Granted",
    "Guard",
    "Live",
    "MappedFile",
    "Metrics",
    "Ownership",
    "Status",
    "TenantMetrics",
    "Transport",
    "discover",
    "latency_limits",
]
