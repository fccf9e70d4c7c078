"""What the parts of the compact arbiter tell each other, as structures of signals."""

from amaranth.hdl import Cat, Const, Mux, Signal, Value
from amaranth.lib import data

from mcos_hw.channel.arbiter.wf2q.structs import tags_layout
from mcos_hw.config import ChannelConfig

__all__ = [
    "GROUP",
    "NO_RANK",
    "PAIRS",
    "best_layout",
    "entrant_layout",
    "finalist_layout",
    "groups",
    "head_key",
    "key_layout",
    "pair_layout",
    "place_layout",
    "view",
    "written_layout",
]


GROUP = 4
"""Tenants of a group: heads of one group are compared by kept bits, groups by their keys."""

PAIRS = tuple((low, high) for high in range(GROUP) for low in range(high))
"""Pairs of places in a group, in the order of their bits."""

NO_RANK = 7
"""Rank of a head that cannot be granted."""


def groups(config: ChannelConfig) -> int:
    """How many groups the tenants make: 0 to 3 is the first one."""
    return config.tenants // GROUP


def view(layout: data.Layout, *, name: str) -> data.View:
    """A signal of that layout, with its fields."""
    return data.View(layout, Signal(layout, name=name))


def place_layout() -> data.StructLayout:
    """What orders heads before tags do: read as one number, the least goes first.

    - ``fresh``: 0 of a stale head, and of no other.
    - ``rank``: 0 promoted; 1, 3 or 5 a candidate of the class conforming, burst, scavenging; 2, 4
      or 6 another head of that class; :data:`NO_RANK` none.
    """
    return data.StructLayout({"fresh": 1, "rank": 3})


def entrant_layout() -> data.StructLayout:
    """A head as it enters the tournament.

    - ``place``: its :func:`place_layout`.
    - ``priority``: priority of its tenant if it counts, else 0.
    - ``class_code``: its class.
    """
    return data.StructLayout({"place": place_layout(), "priority": 4, "class_code": 2})


def pair_layout() -> data.StructLayout:
    """How the tags of two heads compare.

    - ``start_first``: the lower tenant's S is not after the other one's.
    - ``start_equal``: both have the same S.
    - ``finish_first``: the lower tenant's F is not after the other one's.
    """
    return data.StructLayout({"start_first": 1, "start_equal": 1, "finish_first": 1})


def written_layout(config: ChannelConfig) -> data.StructLayout:
    """Tags that are replaced with this clock.

    - ``tenants``: the bit of their tenant, or none; ``tenant``: its number.
    - ``tags``: its new S and F.
    """
    return data.StructLayout(
        {
            "tenants": config.tenants,
            "tenant": config.tenant_width,
            "tags": tags_layout(config),
        }
    )


def key_layout(config: ChannelConfig) -> data.StructLayout:
    """What orders heads of different groups: read as one number, the least goes first.

    - ``finish``: F on a scale that does not wrap near V; 0 of a stale head.
    - ``priority``: that of :func:`entrant_layout`; 0 of a stale head.
    - ``start``: S on that scale if V has not reached S, else 0.
    - ``place``: its :func:`place_layout`.
    """
    return data.StructLayout(
        {
            "finish": config.tag_width,
            "priority": 4,
            "start": config.tag_width,
            "place": place_layout(),
        }
    )


def head_key(
    config: ChannelConfig, place: data.View, priority: Value, tags: data.View, turned: Value
) -> Value:
    """The key of a head, see :func:`key_layout`.

    ``turned`` says that tags near V wrap from all ones to 0. With their highest bit inverted they
    go on instead.
    """
    top = Cat(Const(0, config.tag_width - 1), turned)
    start = Mux(place.rank[0], 0, tags.start ^ top)
    return Cat(Mux(place.fresh, tags.finish ^ top, 0), Mux(place.fresh, priority, 0), start, place)


def finalist_layout(config: ChannelConfig) -> data.StructLayout:
    """A head that goes first in its group.

    - ``key``: its :func:`key_layout`.
    - ``place_in_group``: number of its tenant in the group.
    - ``class_code``: its class.
    """
    return data.StructLayout(
        {"key": key_layout(config), "place_in_group": range(GROUP), "class_code": 2}
    )


def best_layout(config: ChannelConfig) -> data.StructLayout:
    """The head that goes first.

    - ``present``: there is one.
    - ``promoted``: it goes first because of its age.
    - ``tenants``: the bit of its tenant, also if it cannot be granted; ``tenant``: its number.
    - ``class_code``: its class.
    """
    return data.StructLayout(
        {
            "present": 1,
            "promoted": 1,
            "tenants": config.tenants,
            "tenant": config.tenant_width,
            "class_code": 2,
        }
    )
