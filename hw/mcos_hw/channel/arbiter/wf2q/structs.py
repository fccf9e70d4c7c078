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
    """Start tag S and finish tag F of a request, in bytes at w = 1: ``start``, ``finish``."""
    return data.StructLayout({"start": config.tag_width, "finish": config.tag_width})


def turn_layout(config: ChannelConfig) -> data.StructLayout:
    """Whose turn it is: the grant of this clock. All but ``granted`` and ``belows`` are registers.

    - ``grant``: a grant is made in this clock.
    - ``granted``: the tenant whose head leaves in this clock, one-hot, or 0: the tenant of the
      clock before if ``again``, else ``chosen``.
    - ``again``: the tenant that was granted in the clock before is granted in this one, too.
    - ``again_starts``, ``again_finishes``, ``again_order``: copies of ``again``, which share its
      fan-out: for start tags, for finish tags, for comparisons of tags.
    - ``chosen``: the tenant that is granted unless ``again``, one-hot, or 0. It is the best of
      those that were not granted in the clock before.
    - ``low_starts``, ``low_finishes``, ``highs``: copies of ``chosen``, which select tags of that
      tenant: the lower half of the bits of S, the lower half of F, the upper half of both.
    - ``belows``: the tenants with a higher number than the granted one: [0] unless ``again``, [1]
      if ``again``.
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
    """Which requests behind the granted head are stale.

    ``following`` is the request behind that head, ``third`` the one behind that.
    """
    return data.StructLayout({"following": 1, "third": 1})


def precedence_layout(config: ChannelConfig) -> data.StructLayout:
    """How the tags of one request compare with those of each head.

    Bit j compares with the head of tenant j:

    - ``by_finish``: the request has the lesser F, or the same F and the lower tenant number;
    - ``by_start``: it has the lesser S;
    - ``same_start``: it has the same S.
    """
    return data.StructLayout(dict.fromkeys(("by_finish", "by_start", "same_start"), config.tenants))


def following_layout(config: ChannelConfig) -> data.StructLayout:
    """The following request: the one behind the head that is granted in this clock.

    - ``present``: there is one.
    - ``class_code``: its class, or NO_CLASS if it waits for tokens.
    - ``reached``: virtual time has reached its S, or it is stale.
    - ``stale``: it is stale.
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
    """Virtual time as a choice sees it, L grants late (``ChannelConfig.lateness``, 0 to 3).

    - ``now``: for the choice that is made in this clock.
    - ``past_grant``: what ``now`` is if this clock has a grant. It does not wait for that bit.
    - ``next``: what ``past_grant`` will be in the next clock. With L = 3 only, otherwise 0.
    """
    return data.StructLayout(dict.fromkeys(("now", "past_grant", "next"), config.tag_width))


def arrival_time_layout(config: ChannelConfig) -> data.StructLayout:
    """Virtual time for an approaching request: ``jump`` if ``jumps``, otherwise ``value``."""
    return data.StructLayout({"value": config.tag_width, "jump": config.tag_width, "jumps": 1})
