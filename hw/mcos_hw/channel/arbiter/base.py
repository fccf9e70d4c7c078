"""What every arbiter sees and says; the channel's shell takes any of them."""

from amaranth.hdl import Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.channel.intake import approach_layout, entry_layout
from mcos_hw.channel.queue import place_layout
from mcos_hw.config import ChannelConfig
from mcos_hw.link.live import live_layout
from mcos_hw.registers import ArbiterKind, channel_map

__all__ = [
    "Arbiter",
    "arbiter_signature",
]


def arbiter_signature(config: ChannelConfig, *, mark_width: int) -> wiring.Signature:
    """Members of every arbiter.

    - ``heads``, ``nexts``: the first two requests of each queue; ``third``, ``marks``: which queues
      have a third one, and the mark that the arbiter asked to see.
    - ``class_codes``: :class:`GrantClass` of the heads, NO_CLASS of those that have to wait;
      ``next_class_code``: of the request behind the head that is granted in this clock.
    - ``open``, ``open_then``: a grant may be made in this clock; in the next one.
    - ``promote``: heads that go before all others, at most one.
    - ``approach``, ``entry``: requests on their way into queues.
    - ``live``: the live configuration.
    - ``granted``: whose head is granted in this clock, at most one; ``grant``: whether one is;
      ``beats``: its beats; ``promoted``: as a promotion.
    - ``conforming``, ``burst``: as what each tenant's head is granted if it is in this clock.
    - ``candidates``, ``start``, ``finish``, ``virtual_time``: for the probe; zero where an arbiter
      has none.
    """
    places = data.ArrayLayout(place_layout(config), config.tenants)
    tags = data.ArrayLayout(config.tag_width, config.tenants)
    return wiring.Signature(
        {
            "heads": In(places),
            "nexts": In(places),
            "third": In(config.tenants),
            "marks": In(data.ArrayLayout(mark_width, config.tenants)),
            "class_codes": In(data.ArrayLayout(2, config.tenants)),
            "next_class_code": In(2),
            "open": In(1),
            "open_then": In(1),
            "promote": In(config.tenants),
            "approach": In(approach_layout(config)),
            "entry": In(entry_layout(config)),
            "live": In(live_layout(channel_map(config))),
            "granted": Out(config.tenants),
            "grant": Out(1),
            "beats": Out(config.beats_width),
            "conforming": Out(config.tenants),
            "burst": Out(config.tenants),
            "promoted": Out(1),
            "candidates": Out(config.tenants),
            "start": Out(tags),
            "finish": Out(tags),
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

    mark: str
    """Which field of an entering request is its mark."""

    mark_ahead: int
    """Whose mark the arbiter sees: 0 the head's, 2 the third request's."""

    heads: data.View
    nexts: data.View
    third: Signal
    marks: data.View
    class_codes: data.View
    next_class_code: Signal
    open: Signal
    open_then: Signal
    promote: Signal
    approach: data.View
    entry: data.View
    live: data.View
    granted: Signal
    grant: Signal
    beats: Signal
    conforming: Signal
    burst: Signal
    promoted: Signal
    candidates: Signal
    start: data.View
    finish: data.View
    virtual_time: Signal

    def __init__(self, config: ChannelConfig) -> None:
        self.config = config
        super().__init__(arbiter_signature(config, mark_width=self.mark_width(config)))

    @classmethod
    def mark_width(cls, config: ChannelConfig) -> int:
        """Bits of a mark."""
        return entry_layout(config)[cls.mark].width
