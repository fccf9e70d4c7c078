"""The lender: what is lent finds a place, and no channel goes over its limit."""

from collections.abc import Sequence

from amaranth import *
from amaranth.hdl import Assert, Assume, Cover

from mcos_hw.config import ChannelConfig
from mcos_hw.fabric.lender import Lender
from tests.formal.property import Harness, Method, Property, implies
from tests.planted import Bug

__all__ = ["PROPERTIES"]


CONFIG = ChannelConfig(tenants=4)
RATE_WIDTH = 3
LENDER = "mcos_hw.fabric.lender"

GATHER, OPEN, PLACE, DONE = range(4)
"""States of the block, in the order in which they are first named."""

STEPS = 4
BUBBLES = 3
"""Numbers of the proof's own, as docs/coordinator.md has them."""


class LenderHarness(Harness):
    """Walks one after the other, each of any base rates, limits and pairs.

    ``rates`` are those written last. The invariant is the block's account: in every clock the rates
    of a tenant, what is to be written in this clock, and what is left to place add up to its base
    rate times the number of channels; and the rates and the room of a channel to its limit.
    """

    channels = 2
    tenants = 2

    def elaborate(self, platform):
        m = Module()
        self.lender = lender = Lender(
            channels=self.channels, tenants=self.tenants, rate_width=RATE_WIDTH
        )
        self.inside = self.prove(m, lender)
        self._surround(m)
        self._account(m)
        m.d.comb += [
            *(Assert(claim) for claim in self.claims(m, lender.done & lender.placed)),
            Cover(self._moves(lender.done & lender.placed)),
            # Walks in which two tenants want the same room.
            self.scenario(
                ~ResetSignal(),
                lender.valid == self.gathers,
                self.turn == 0,
                *(base == 2 for base in self.bases),
                *(limit == 2 * self.tenants + 1 for limit in self.limits),
            ),
        ]
        return m

    def claims(self, m: Module, placed: Value) -> Sequence[Value]:
        """What is claimed at the end of a walk that found a place for all."""
        return [*self.sums(placed), *self.sizes(placed), *self.least(placed), *self.end()]

    def sums(self, placed: Value) -> Sequence[Value]:
        """Rates of a tenant add up."""
        return [
            implies(placed, _sum(row[i] for row in self.rates) == self.channels * self.bases[i])
            for i in range(self.tenants)
        ]

    def sizes(self, placed: Value) -> Sequence[Value]:
        """Rates of a channel are within its limit."""
        return [
            implies(placed, _sum(row) <= limit)
            for row, limit in zip(self.rates, self.limits, strict=True)
        ]

    def least(self, placed: Value) -> Sequence[Value]:
        """Each pair has what it keeps."""
        return [
            implies(placed, rate >= keep)
            for row, keeps in zip(self.rates, self.keeps, strict=True)
            for rate, keep in zip(row, keeps, strict=True)
        ]

    def end(self) -> Sequence[Value]:
        """A walk ends in time, and well if it can."""
        return [
            implies(self.lender.done, self.waits <= self._clocks(self.tenants)),
            implies(self.lender.done & self.fits, self.lender.placed),
            implies(self.lender.done, ~self.lender.write.valid),
        ]

    def _moves(self, placed: Value) -> Value:
        """Tenant 0 has more than its base rate where tenant 1 has less."""
        return placed & (self.rates[0][0] > self.bases[0]) & (self.rates[0][1] < self.bases[1])

    def _clocks(self, tenants: int) -> int:
        """Clocks after the last pair in which so many tenants are through, at most."""
        return tenants * (1 + STEPS * (self.channels + BUBBLES))

    def _surround(self, m: Module) -> None:
        """Pairs in order, with gaps; what a walk rests on stays for that walk."""
        lender, pair, write = self.lender, self.lender.pair, self.lender.write
        channels, tenants = self.channels, self.tenants
        goes_on = Signal(reset_less=True)
        m.d.sync += goes_on.eq(~lender.done)

        def of_walk(width: int, name: str) -> Signal:
            """Any value, the same for a walk."""
            signal = self.any_value(width, name=name)
            before = Signal(width, name=f"{name}_before", reset_less=True)
            m.d.sync += before.eq(signal)
            m.d.comb += Assume(implies(goes_on, signal == before))
            return signal

        self.bases = bases = [of_walk(RATE_WIDTH, f"base_{i}") for i in range(tenants)]
        self.limits = limits = [of_walk(RATE_WIDTH, f"limit_{c}") for c in range(channels)]
        self.turn = of_walk(len(lender.turn), "turn")
        self.fits = Signal()
        m.d.comb += self.fits.eq(Cat(_sum(bases) <= limit for limit in limits).all())

        self.place = place = Signal(range(channels * tenants))
        self.gathers = gathers = Signal(init=1)
        self.waits = waits = Signal(range(self._clocks(tenants) + 2))
        with m.If(lender.valid):
            m.d.sync += [place.eq(place + 1), waits.eq(0)]
            with m.If(place.all()):
                m.d.sync += gathers.eq(0)
        with m.Elif(~gathers):
            m.d.sync += waits.eq(waits + 1)
        with m.If(lender.done):
            m.d.sync += gathers.eq(1)
        m.d.comb += [
            Assume(implies(lender.valid, gathers)),
            Assume(lender.turn == self.turn),
            Assume(Cat(pair.channel, pair.tenant) == place),
            Assume(pair.base == Array(bases)[pair.tenant]),
            Assume(pair.limit == Array(limits)[pair.channel]),
            Assume(pair.keep + pair.lend == pair.base),
        ]

        def each(name: str) -> list[list[Signal]]:
            return [
                [Signal(RATE_WIDTH, name=f"{name}_{c}_{i}") for i in range(tenants)]
                for c in range(channels)
            ]

        self.rates, self.keeps = each("rate"), each("keep")
        for c in range(channels):
            for i in range(tenants):
                with m.If(write.valid & (write.channel == c) & (write.tenant == i)):
                    m.d.sync += self.rates[c][i].eq(write.rate)
                with m.If(lender.valid & (pair.channel == c) & (pair.tenant == i)):
                    m.d.sync += self.keeps[c][i].eq(pair.keep)

    def _account(self, m: Module) -> None:
        """The invariant."""
        channels, tenants = self.channels, self.tenants
        rate, want = RATE_WIDTH, RATE_WIDTH + 1
        pool = RATE_WIDTH + (channels - 1).bit_length()
        bubble = {"valid": 1, "channel": range(channels), "rate": rate, "want": want, "room": rate}
        state, visited = self.look("fsm_state", 2), self.look("visited", range(tenants))
        step, count = self.look("step", range(STEPS)), self.look("count", range(channels + BUBBLES))
        left, fails = self.look("left", pool), self.look("fails", 1)
        base = self.look("base", rate)
        read, offered, given = (
            {name: self.look(f"{stage}.{name}", shape) for name, shape in fields.items()}
            for stage, fields in (
                ("read", bubble),
                ("offered", {**bubble, "takes": rate}),
                ("given", {**bubble, "gets": rate}),
            )
        )
        tenant = (self.turn + visited)[: (tenants - 1).bit_length()]
        places = state == PLACE

        def memory(name: str, address: Value | int):
            port = getattr(self.inside.submodules, name).read_port(domain="comb")
            m.d.comb += port.addr.eq(address)
            return port.data

        rooms = [memory("rooms", c) for c in range(channels)]
        opened = [memory("tenants", i) for i in range(tenants)]
        wants = [
            [memory("pairs", c + channels * i) for i in range(tenants)] for c in range(channels)
        ]

        # Where the walk is.
        m.d.comb += self.invariant(
            self.gathers == (state == GATHER),
            implies(~self.gathers, self.place == 0),
            implies(state != PLACE, ~(read["valid"] | offered["valid"] | given["valid"])),
            implies(places, count < channels + BUBBLES),
            implies(state == DONE, visited == 0),
            implies(self.fits, ~fails),
        )
        for delay, stage in enumerate((read, offered, given), 1):
            at = stage["channel"]
            m.d.comb += self.invariant(
                implies(places, stage["valid"] == ((count >= delay) & (count < delay + channels))),
                implies(stage["valid"], at == (self.turn + count - delay)[: len(at)]),
                *(
                    implies(
                        stage["valid"] & (at == c) & (tenant == i),
                        (stage["rate"] == self.rates[c][i])
                        & (stage["want"] == wants[c][i].want)
                        & (stage["room"] == rooms[c]),
                    )
                    for c in range(channels)
                    for i in range(tenants)
                ),
            )
        through = Mux(state == DONE, tenants, visited)
        longest = channels + BUBBLES
        m.d.comb += self.invariant(
            implies(offered["valid"], offered["takes"] <= offered["room"]),
            implies(given["valid"], given["gets"] <= given["room"]),
            implies(state == OPEN, self.waits <= visited * self._clocks(1)),
            implies(places, self.waits <= visited * self._clocks(1) + 1 + step * longest + count),
            implies(state == DONE, self.waits <= self._clocks(tenants)),
        )

        # What the rates of each tenant lack.
        at_tenant, at_channel = (
            self.place[len(read["channel"]) :],
            self.place[: len(read["channel"])],
        )
        for i in range(tenants):
            seen = Signal(range(channels + 1), name=f"seen_{i}")
            placed, opens = Signal(name=f"placed_{i}"), Signal(name=f"opens_{i}")
            total = _sum(
                row[i] if c is None else Mux(c < seen, row[i], 0)
                for c, row in enumerate(self.rates)
            )
            own = (i - self.turn)[: len(tenant)]
            m.d.comb += [
                seen.eq(
                    Mux(
                        ~self.gathers | (at_tenant > i),
                        channels,
                        Mux(at_tenant == i, at_channel, 0),
                    )
                ),
                placed.eq(~self.gathers & (own < through)),
                opens.eq(places & (tenant == i)),
            ]
            m.d.comb += self.invariant(
                implies(
                    self.gathers & (at_tenant == i) & (seen != 0),
                    total + left == seen * self.bases[i],
                ),
                implies(
                    (seen == channels) & ~placed & ~opens,
                    (total + opened[i].pool == channels * self.bases[i])
                    & (opened[i].base == self.bases[i]),
                ),
                implies(opens, base == self.bases[i]),
                implies(
                    opens & ~fails,
                    total + left + Mux(given["valid"], given["gets"], 0)
                    == channels * self.bases[i],
                ),
                implies(placed & ~fails, total == channels * self.bases[i]),
                *(
                    implies(
                        seen > c,
                        (self.rates[c][i] == wants[c][i].rate)
                        & (self.keeps[c][i] <= self.bases[i])
                        & implies(self.gathers, self.rates[c][i] == self.keeps[c][i]),
                    )
                    for c in range(channels)
                ),
                *(
                    implies((seen > c) & ~fails, self.rates[c][i] >= self.keeps[c][i])
                    for c in range(channels)
                ),
            )

        # What the rates of each channel leave of its limit.
        for c in range(channels):
            known = [
                ~self.gathers | (at_tenant > i) | ((at_tenant == i) & (at_channel > c))
                for i in range(tenants)
            ]
            taken = _sum(Mux(known[i], self.rates[c][i], 0) for i in range(tenants))
            behind = (c - self.turn)[: len(read["channel"])]
            m.d.comb += self.invariant(
                implies(known[0] & ~fails, taken + rooms[c] == self.limits[c]),
                # The last step leaves no room, or nothing to place.
                implies(
                    places & (step == STEPS - 1) & (count > behind + BUBBLES) & ~fails,
                    (left == 0) | (rooms[c] == 0),
                ),
            )
        m.d.comb += self.invariant(
            implies(
                places & (step == STEPS - 1) & offered["valid"], offered["takes"] == offered["room"]
            ),
            implies(
                places & (step == STEPS - 1) & given["valid"],
                (left == 0) | (given["gets"] == given["room"]),
            ),
        )


def _sum(values) -> Value:
    return sum(values, Const(0))


class SumHarness(LenderHarness):
    """Of a tenant."""

    def claims(self, m, placed):
        return self.sums(placed)


class SizeHarness(LenderHarness):
    """Of a channel."""

    def claims(self, m, placed):
        return self.sizes(placed)


class LeastHarness(LenderHarness):
    """Of a pair."""

    def claims(self, m, placed):
        return [*self.least(placed), *self.end()]


class WideHarness(LenderHarness):
    """All of it at twice as many channels."""

    channels = 4


def _property(name: str, claim: str, harness: type[Harness], bug: tuple[str, str], **sizes):
    text, instead = bug
    return Property(
        name=f"lender.{name}",
        claim=claim,
        block=f"{LENDER}.Lender",
        config=CONFIG,
        harness=harness,
        method=Method.INDUCTION,
        depth=1,
        bug=Bug(module=LENDER, text=text, instead=instead),
        **{"reach": 20, "skip": 14, **sizes},
    )


_FORGETS_ROOM = ("set_room.data.eq(given.room - given.gets)", "set_room.data.eq(given.room)")

PROPERTIES = (
    _property(
        "conserves",
        "Where a walk finds a place for all, the rates of a tenant on all channels add up to its "
        "base rate times their number; 2 channels, 2 tenants, rates of 3 bits.",
        SumHarness,
        ("m.d.sync += left.eq(Mux(rest[-1], 0, rest))", "m.d.sync += left.eq(0)"),
    ),
    _property(
        "limits",
        "There, too, the rates of a channel add up to no more than its limit.",
        SizeHarness,
        _FORGETS_ROOM,
    ),
    _property(
        "keeps",
        "There, too, each pair has what it keeps, so one that keeps its base rate has it back. A "
        "walk ends in time, and finds a place for all if base rates are within the limits.",
        LeastHarness,
        ("write.rate.eq(given.rate + given.gets)", "write.rate.eq(given.gets)"),
    ),
    _property(
        "four_channels",
        "All of that at 4 channels.",
        WideHarness,
        _FORGETS_ROOM,
        reach=32,
        skip=20,
        slow=True,
    ),
)
