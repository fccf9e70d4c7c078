"""What the parts of the compact arbiter tell each other, as structures of signals."""

from amaranth.lib import data

from mcos_hw.config import ChannelConfig

__all__ = [
    "NO_RANK",
    "best_layout",
    "entrant_layout",
    "key_layout",
]


NO_RANK = 7
"""Rank of a head that cannot be granted."""


def key_layout(config: ChannelConfig) -> data.StructLayout:
    """What orders heads: read as one number, the least goes first. The last field counts most.

    - ``finish``: F - V, offset by half of the scale; 0 of a stale head, and of no other.
    - ``priority``: priority of the tenant if it counts; 0 of a stale head.
    - ``start``: S - V - 1 if V has not reached S, else 0.
    - ``rank``: 0 promoted; 1, 3 or 5 a candidate of the class conforming, burst, scavenging; 2, 4
      or 6 another head of that class; :data:`NO_RANK` none.
    """
    return data.StructLayout(
        {
            "finish": config.tag_width,
            "priority": 4,
            "start": config.tag_width - 1,
            "rank": 3,
        }
    )


def entrant_layout(config: ChannelConfig) -> data.StructLayout:
    """A head as it enters the tournament: its :func:`key_layout` and its class code."""
    return data.StructLayout({"key": key_layout(config), "class_code": 2})


def best_layout(config: ChannelConfig) -> data.StructLayout:
    """The head that goes first.

    - ``present``: there is one.
    - ``promoted``: it goes first because of its age.
    - ``tenants``: the bit of its tenant, also if it cannot be granted.
    - ``class_code``: its class.
    """
    return data.StructLayout(
        {"present": 1, "promoted": 1, "tenants": config.tenants, "class_code": 2}
    )
