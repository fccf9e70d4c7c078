"""Which class a grant of each head would have."""

from amaranth import *
from amaranth.hdl import Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.channel.bucket import whole_width
from mcos_hw.channel.intake import approach_layout, entry_layout
from mcos_hw.channel.probe import NO_CLASS
from mcos_hw.channel.queue import place_layout
from mcos_hw.config import ChannelConfig
from mcos_hw.primitive.select import pick
from mcos_hw.registers import GrantClass

__all__ = [
    "HeadClasses",
    "class_of",
]


def class_of(committed_covers: Value, peak_covers: Value, scavenges: Value) -> Value:
    """GrantClass of a request, or NO_CLASS where it has to wait for tokens."""
    uncovered = Mux(scavenges, GrantClass.SCAVENGED, NO_CLASS)
    return Mux(
        committed_covers, GrantClass.CONFORMING, Mux(peak_covers, GrantClass.BURST, uncovered)
    )


class HeadClasses(wiring.Component):
    """Compares the tokens of each tenant with his head, and with the request behind it.

    With L = 0 a head has the class that its tenant's tokens of this clock give it. Otherwise it has
    that of the clock before, which is never a better one: between two grants tokens only grow.

    A queue without a head has the class of the request that enters. A request outside its tenant's
    colours has to wait while they are refused, tokens or not.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.

    Members
    -------
    committed, peak : In(ArrayLayout(whole_width, tenants))
        Whole beats of tokens.
    scavenges : In(tenants)
        Who is served without tokens too.
    refuses : In(tenants)
        Whose requests outside his colours wait.
    heads, nexts : In(ArrayLayout(place_layout, tenants))
        First and second request of each queue.
    approach : In(approach_layout)
        A request one step before its queue.
    entry : In(entry_layout)
        A request that enters its queue.
    granted : In(tenants)
        Whose head is granted in this clock.
    charges_committed, charges_peak : In(tenants)
        Which buckets a grant of each head charges.
    codes : Out(ArrayLayout(2, tenants))
        GrantClass of each head, NO_CLASS where it has to wait.
    next_code : Out(2)
        Of the request behind the granted head, once that one is charged; nothing without one.
    """

    committed: data.View
    peak: data.View
    scavenges: Signal
    refuses: Signal
    heads: data.View
    nexts: data.View
    approach: data.View
    entry: data.View
    granted: Signal
    charges_committed: Signal
    charges_peak: Signal
    codes: data.View
    next_code: Signal

    def __init__(self, config: ChannelConfig) -> None:
        self.config = config
        tokens = data.ArrayLayout(whole_width(config), config.tenants)
        places = data.ArrayLayout(place_layout(config), config.tenants)
        super().__init__(
            {
                "committed": In(tokens),
                "peak": In(tokens),
                "scavenges": In(config.tenants),
                "refuses": In(config.tenants),
                "heads": In(places),
                "nexts": In(places),
                "approach": In(approach_layout(config)),
                "entry": In(entry_layout(config)),
                "granted": In(config.tenants),
                "charges_committed": In(config.tenants),
                "charges_peak": In(config.tenants),
                "codes": Out(data.ArrayLayout(2, config.tenants)),
                "next_code": Out(2),
            }
        )

    def elaborate(self, platform):
        m = Module()
        config = self.config
        tenants = range(config.tenants)
        following_codes = [Signal(2, name=f"following_code_{i}") for i in tenants]

        for i in tenants:
            head, following = self.heads[i], self.nexts[i]
            # What enters an empty queue now, or else in the next clock.
            entering = self._entering(i)

            def code(request, charged_committed, charged_peak, *, i=i, head=head):
                may = ~(self.refuses[i] & request["outside"])
                in_committed = request["beats"] + Mux(charged_committed, head.beats, 0)
                in_peak = request["beats"] + Mux(charged_peak, head.beats, 0)
                return class_of(
                    may & (self.committed[i] >= in_committed),
                    may & (self.peak[i] >= in_peak),
                    may & self.scavenges[i],
                )

            first = {name: Mux(head.present, head[name], value) for name, value in entering.items()}
            charges = self.charges_committed[i], self.charges_peak[i]
            now = code(first, Const(0, 1), Const(0, 1))
            m.d.comb += following_codes[i].eq(code(following, *charges))
            if config.lateness:
                later = Mux(following.present, following_codes[i], code(entering, *charges))
                m.d.sync += self.codes[i].eq(Mux(self.granted[i], later, now))
            else:
                m.d.comb += self.codes[i].eq(now)
        m.d.comb += self.next_code.eq(pick(self.granted, following_codes))
        return m

    def _entering(self, i: int) -> dict[str, Value]:
        """Fields of the request that enters the queue of tenant ``i``, or else may do so next."""
        names = ("beats", "outside")
        if not self.config.lateness:
            return {name: self.entry[name] for name in names}
        return {
            name: Mux(self.entry.tenants[i], self.entry[name], self.approach[name])
            for name in names
        }
