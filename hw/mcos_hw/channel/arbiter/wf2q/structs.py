"""What the parts of the arbiter tell each other, as structures of signals."""

from amaranth.lib import data

from mcos_hw.config import ChannelConfig

__all__ = [
    "arrival_time_layout",
    "behind_layout",
    "following_layout",
    "precedence_layout",
    "queued_layout",
    "seen_layout",
    "tags_layout",
    "turn_layout",
]


def tags_layout(config: ChannelConfig) -> data.StructLayout:
    """Start tag S and finish tag F of a request: ``start``, ``finish``."""
    return data.StructLayout({"start": config.tag_width, "finish": config.tag_width})


def turn_layout(config: ChannelConfig) -> data.StructLayout:
    """Whose turn it is: the grant of this clock, straight from registers.

    - ``grant``: a grant is made in this clock.
    - ``granted``: the tenant whose head leaves, one-hot, or 0.
    - ``again``: it is the tenant that was granted in the clock before.
    - ``again_starts``, ``again_finishes``, ``again_order``: copies of ``again`` for the places with
      many bits: start tags, finish tags, comparisons of tags.
    - ``chosen``: the tenant that is granted unless ``again``, one-hot, or 0. Never the tenant of
      the clock before.
    - ``low_starts``, ``low_finishes``, ``highs``: copies of ``chosen``, which select tags of that
      tenant. The first selects the lower half of the bits of S, the second the lower half of F, the
      third the upper half of both.
    - ``belows``: two vectors; bit j is set if the granted tenant is lower than j. The first holds
      unless ``again``, the second if ``again``.
    """
    tenants = config.tenants
    return data.StructLayout(
        {
            "grant": 1,
            "granted": tenants,
            "again": 1,
            "again_starts": 1,
            "again_finishes": 1,
            "again_order": 1,
            "chosen": tenants,
            "low_starts": tenants,
            "low_finishes": tenants,
            "highs": tenants,
            "belows": data.ArrayLayout(tenants, 2),
        }
    )


def queued_layout(config: ChannelConfig) -> data.StructLayout:
    """Which queues have a first, a second and a third request: ``heads``, ``seconds``, ``thirds``.

    One bit a tenant.
    """
    return data.StructLayout(dict.fromkeys(("heads", "seconds", "thirds"), config.tenants))


def behind_layout() -> data.StructLayout:
    """Which requests behind a granted head are stale.

    ``following`` is the request behind that head, ``third`` the one after it.
    """
    return data.StructLayout({"following": 1, "third": 1})


def precedence_layout(config: ChannelConfig) -> data.StructLayout:
    """How the tags of one request compare with those of each head.

    Bit j of ``by_finish`` is set if the request goes before the head of tenant j by finish tag,
    where equal finish tags go to the lower tenant; bit j of ``by_start`` if it starts before that
    head; bit j of ``same_start`` if the two start tags are equal.
    """
    return data.StructLayout(dict.fromkeys(("by_finish", "by_start", "same_start"), config.tenants))


def following_layout(config: ChannelConfig) -> data.StructLayout:
    """The following request: the one behind the head that is granted in this clock.

    - ``present``: there is one.
    - ``class_code``: its class, or NO_CLASS if it has to wait.
    - ``reached``, ``stale``: virtual time has reached its S; its tags are stale, which counts as
      reached.
    - ``order``: its :func:`precedence_layout`.
    """
    return data.StructLayout(
        {
            "present": 1,
            "class_code": 2,
            "reached": 1,
            "stale": 1,
            "order": precedence_layout(config),
        }
    )


def seen_layout(config: ChannelConfig) -> data.StructLayout:
    """Virtual time as a choice sees it, which is ``lateness`` grants late.

    - ``now``: for the choice that is made in this clock.
    - ``past_grant``: what ``now`` is if this clock has a grant, without waiting to know it.
    - ``next``: what ``past_grant`` will be in the next clock. With L = 3 only, otherwise 0.
    """
    return data.StructLayout(dict.fromkeys(("now", "past_grant", "next"), config.tag_width))


def arrival_time_layout(config: ChannelConfig) -> data.StructLayout:
    """Virtual time for a request that arrives: ``jump`` if ``jumps``, otherwise ``value``."""
    return data.StructLayout({"value": config.tag_width, "jump": config.tag_width, "jumps": 1})
