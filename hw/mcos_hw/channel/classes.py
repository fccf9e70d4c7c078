"""Which class a grant of each head would have."""

from amaranth import *
from amaranth.hdl import Value
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.config import ChannelConfig
from mcos_hw.link.arrival import Arrival, arrival_signature
from mcos_hw.link.classes import NO_CLASS, Classes, classes_signature
from mcos_hw.link.grant import Grant, grant_signature
from mcos_hw.link.live import Live, live_signature
from mcos_hw.link.queue import QueueView, place_fields, queue_view_signature
from mcos_hw.link.tokens import Tokens, tokens_signature
from mcos_hw.primitive.select import pick
from mcos_hw.registers import GrantClass, channel_map

__all__ = [
    "HeadClasses",
    "class_of",
]


def class_of(committed_covers: Value, peak_covers: Value, scavenges: Value) -> Value:
    """GrantClass of a request, or NO_CLASS if it has to wait for tokens."""
    uncovered = Mux(scavenges, GrantClass.SCAVENGED, NO_CLASS)
    return Mux(
        committed_covers, GrantClass.CONFORMING, Mux(peak_covers, GrantClass.BURST, uncovered)
    )


class HeadClasses(wiring.Component):
    """Compares the tokens of each tenant with its head, and with the request behind it.

    With L = 0 a class comes from the tokens of this clock. With L > 0 it comes from those of the
    clock before, and is never a better one than this clock's: between two grants tokens only grow.
    With ``heads_only`` it comes from the clock before, too, and only heads have one. So a head has
    NO_CLASS in its first clock, in which it is not held either.

    While a queue is empty, its class code is that of the request that enters it. While a tenant
    refuses requests outside its page colours, such a request has to wait, tokens or not. A disabled
    tenant scavenges, so that its queue drains.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.
    heads_only : bool
        Whether requests that are not heads have no class; for an arbiter that does not ask for it.

    Members
    -------
    live : In(Live)
        Which tenants scavenge, and which refuse requests outside their colours.
    tokens : In(Tokens)
        Whole beats of tokens.
    view : In(QueueView)
        First and second request of each queue.
    arrival : In(Arrival)
        The request that enters its queue, and the one that may do so in the next clock.
    grant : In(Grant)
        Head that is granted in this clock, and the buckets that a grant of each head charges.
    classes : Out(Classes)
        The class codes.
    """

    live: Live
    tokens: Tokens
    view: QueueView
    arrival: Arrival
    grant: Grant
    classes: Classes

    def __init__(self, config: ChannelConfig, *, heads_only: bool = False) -> None:
        self.config = config
        self.heads_only = heads_only
        super().__init__(
            {
                "live": In(live_signature(channel_map(config))),
                "tokens": In(tokens_signature(config)),
                "view": In(queue_view_signature(config)),
                "arrival": In(arrival_signature(config)),
                "grant": In(grant_signature(config)),
                "classes": Out(classes_signature(config)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        config = self.config
        tenants = range(config.tenants)
        if self.heads_only:
            self._look_at_heads(m)
            return m
        following_codes = [Signal(2, name=f"following_code_{i}") for i in tenants]

        for i in tenants:
            head, following = self.view.heads[i], self.view.nexts[i]
            # What enters an empty queue now, or else in the next clock.
            entering = self._entering(i)
            first = {name: Mux(head.present, head[name], value) for name, value in entering.items()}
            charges_committed = self.grant.conforming[i]
            charges_peak = self.grant.conforming[i] | self.grant.burst[i]
            now, later, shown = Signal(2), Signal(2), self.classes.codes[i]
            m.d.comb += [
                now.eq(self._code(i, first)),
                following_codes[i].eq(self._code(i, following, charges_committed, charges_peak)),
                later.eq(
                    Mux(
                        following.present,
                        following_codes[i],
                        self._code(i, entering, charges_committed, charges_peak),
                    )
                ),
                self.classes.serviceable[i].eq(head.present & (shown != NO_CLASS)),
                self.classes.held[i].eq(head.present & (shown == NO_CLASS)),
            ]
            if config.steps:
                m.d.sync += shown.eq(Mux(self.grant.tenants[i], later, now))
            else:
                m.d.comb += shown.eq(now)
        m.d.comb += self.classes.next_code.eq(pick(self.grant.tenants, following_codes))
        return m

    def _look_at_heads(self, m: Module) -> None:
        """Classes of the heads that stay, a clock later."""
        for i in range(self.config.tenants):
            head, shown = self.view.heads[i], self.classes.codes[i]
            stays = Signal(name=f"stays_{i}")
            stayed = Signal(name=f"stayed_{i}")
            fields = {name: head[name] for name in place_fields(self.config)}
            m.d.comb += [
                stays.eq(head.present & ~self.grant.tenants[i]),
                self.classes.serviceable[i].eq(stayed & (shown != NO_CLASS)),
                self.classes.held[i].eq(stayed & (shown == NO_CLASS)),
            ]
            m.d.sync += [
                stayed.eq(stays),
                shown.eq(Mux(stays, self._code(i, fields), NO_CLASS)),
            ]

    def _code(self, i: int, request, charged_committed=0, charged_peak=0) -> Value:
        """Class code of a request of tenant ``i``, once its head has charged these buckets."""
        contract, tokens, head = self.live.tenants[i], self.tokens, self.view.heads[i]
        may = ~(contract.refuse_outside & request["outside"])
        scavenges = contract.work_conserving | ~contract.enable
        in_committed = request["beats"] + Mux(charged_committed, head.beats, 0)
        in_peak = request["beats"] + Mux(charged_peak, head.beats, 0)
        return class_of(
            may & (tokens.committed_beats[i] >= in_committed),
            may & (tokens.peak_beats[i] >= in_peak),
            may & scavenges,
        )

    def _entering(self, i: int) -> dict[str, Value]:
        """Fields of the request that enters the queue of tenant ``i``, or else may do so next."""
        approach, entry = self.arrival.approach, self.arrival.entry
        names = place_fields(self.config)
        if not self.config.steps:
            return {name: entry[name] for name in names}
        return {name: Mux(entry.tenants[i], entry[name], approach[name]) for name in names}
