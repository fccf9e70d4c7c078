"""What every arbiter sees and says; the channel's shell takes any of them."""

from amaranth.hdl import Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import ArbiterKind, channel_map
from mcos_hw.registers.live import live_layout

__all__ = [
    "Arbiter",
    "arbiter_signature",
    "head_layout",
]


def head_layout(config: ChannelConfig) -> data.StructLayout:
    """One tenant's head as an arbiter sees it.

    ``class_code`` is its :class:`GrantClass` where ``serviceable``; ``offered`` is the clock
    stamp of its first offer.
    """
    return data.StructLayout(
        {
            "serviceable": 1,
            "class_code": 2,
            "beats": config.beats_width,
            "offered": config.stamp_width,
        }
    )


def arbiter_signature(config: ChannelConfig) -> wiring.Signature:
    """Members of every arbiter.

    - ``heads``: the heads.
    - ``open``: a grant may be made in this clock.
    - ``promote``, ``promote_tenant``: a head that goes before every other.
    - ``arrival``, ``arrival_tenant``, ``arrival_beats``: this request becomes the head of a queue
      that was empty; ``arrival_recent`` where the depth-1 rule applies to it.
    - ``live``: the live configuration.
    - ``grant``, ``grant_tenant``: the choice, combinational.
    - ``start``, ``finish``, ``candidates``, ``virtual_time``: for the probe; zero where an arbiter
      has none.
    """
    tags = data.ArrayLayout(config.tag_width, config.tenants)
    return wiring.Signature(
        {
            "heads": In(data.ArrayLayout(head_layout(config), config.tenants)),
            "open": In(1),
            "promote": In(1),
            "promote_tenant": In(config.tenant_width),
            "arrival": In(1),
            "arrival_tenant": In(config.tenant_width),
            "arrival_beats": In(config.beats_width),
            "arrival_recent": In(1),
            "live": In(live_layout(channel_map(config))),
            "grant": Out(1),
            "grant_tenant": Out(config.tenant_width),
            "start": Out(tags),
            "finish": Out(tags),
            "candidates": Out(config.tenants),
            "virtual_time": Out(config.tag_width),
        }
    )


class Arbiter(wiring.Component):
    """Base of the arbiters.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.

    Members
    -------
    See :func:`arbiter_signature`.
    """

    kind: ArbiterKind
    """Number by which software knows the arbiter."""

    enforces_contracts: bool
    """Whether heads that no bucket covers wait, and whether the age guard works."""

    heads: data.View
    open: Signal
    promote: Signal
    promote_tenant: Signal
    arrival: Signal
    arrival_tenant: Signal
    arrival_beats: Signal
    arrival_recent: Signal
    live: data.View
    grant: Signal
    grant_tenant: Signal
    start: data.View
    finish: data.View
    candidates: Signal
    virtual_time: Signal

    def __init__(self, config: ChannelConfig) -> None:
        self.config = config
        super().__init__(arbiter_signature(config))
