"""What every arbiter sees and says; the channel's shell takes any of them."""

from typing import Protocol

from amaranth.hdl import Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.config import ChannelConfig
from mcos_hw.link.arrival import Arrival, arrival_signature, entry_layout
from mcos_hw.link.classes import Classes, classes_signature
from mcos_hw.link.grant import Grant, grant_signature
from mcos_hw.link.live import Live, live_signature
from mcos_hw.link.queue import QueueView, queue_view_signature
from mcos_hw.registers import ArbiterKind, channel_map

__all__ = [
    "Arbiter",
    "ArbiterState",
    "arbiter_state_signature",
]


class ArbiterState(Protocol):
    """What an arbiter shows of its order, for the probe; 0 where it has no such thing."""

    candidates: Signal
    """Bit i: the last round of the choice included the head of tenant i."""

    start: data.View
    """Start tag of each head, modulo ``2**tag_width``."""

    finish: data.View
    """Finish tag of each head, modulo ``2**tag_width``."""

    virtual_time: Signal
    """Virtual time V, modulo ``2**tag_width``."""


def arbiter_state_signature(config: ChannelConfig) -> wiring.Signature:
    """:class:`ArbiterState` as an arbiter drives it."""
    tags = data.ArrayLayout(config.tag_width, config.tenants)
    return wiring.Signature(
        {
            "candidates": Out(config.tenants),
            "start": Out(tags),
            "finish": Out(tags),
            "virtual_time": Out(config.tag_width),
        }
    )


class Arbiter(wiring.Component):
    """Base of the arbiters: chooses at most one head a clock.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.

    Members
    -------
    live : In(Live)
        Live configuration.
    arrival : In(Arrival)
        Requests on their way into queues.
    view : In(QueueView)
        First requests of each queue.
    marks : In(ArrayLayout(mark_width, tenants))
        The field :attr:`mark` of the request at place :attr:`mark_ahead` of each queue.
    classes : In(Classes)
        Class codes of the heads.
    promote : In(tenants)
        The head that goes before all others, at most one.
    open, open_then : In(1)
        A grant may be made in this clock; in the next clock.
    grant : Out(Grant)
        The grant of this clock.
    nominates : Out(1)
        Of a compact channel: a head is to be granted in this clock, which is known before the grant
        is. It is, unless its promotion was withdrawn.
    nominee : Out(tenants)
        Likewise: its tenant, one-hot; any one if none is nominated.
    state : Out(ArbiterState)
        For the probe.
    """

    kind: ArbiterKind
    """Number by which software knows the arbiter."""

    enforces_contracts: bool
    """Whether heads that no bucket covers wait, and whether the age guard works."""

    looks_behind: bool = True
    """Whether it asks for the class of a request before that is the head."""

    mark: str
    """Field of an entering request that the arbiter asks to see again later."""

    mark_ahead: int
    """Place of the request whose mark the arbiter sees: 0 the head, 2 the third request."""

    live: Live
    arrival: Arrival
    view: QueueView
    marks: data.View
    classes: Classes
    promote: Signal
    open: Signal
    open_then: Signal
    grant: Grant
    nominates: Signal
    nominee: Signal
    state: ArbiterState

    def __init__(self, config: ChannelConfig) -> None:
        self.config = config
        super().__init__(
            {
                "live": In(live_signature(channel_map(config))),
                "arrival": In(arrival_signature(config)),
                "view": In(queue_view_signature(config)),
                "marks": In(data.ArrayLayout(self.mark_width(config), config.tenants)),
                "classes": In(classes_signature(config)),
                "promote": In(config.tenants),
                "open": In(1),
                "open_then": In(1),
                "grant": Out(grant_signature(config)),
                **({"nominates": Out(1), "nominee": Out(config.tenants)} if config.compact else {}),
                "state": Out(arbiter_state_signature(config)),
            }
        )

    @classmethod
    def mark_width(cls, config: ChannelConfig) -> int:
        """Bits of a mark."""
        return entry_layout(config)[cls.mark].width
