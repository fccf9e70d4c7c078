"""Moves the committed rate of each tenant between its channels."""

from amaranth import *
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.link.lent import pair_layout, rate_write_layout

__all__ = ["Lender"]


_BUBBLES = 3
"""Clocks from the last read of a step to the last write."""


class Lender(wiring.Component):
    """Takes the pairs of a walk, and finds a place for all that they lend.

    Pairs come one a clock at most, tenant by tenant and within a tenant channel by channel, from 0
    on. Then tenant after tenant, in up to four steps, each over all channels:

    ==== ============================================ =============================
    step who gets                                     up to
    ==== ============================================ =============================
    0    channels that want some                      their share, as many alike
    1    channels that want some                      what they want
    2    channels below their base rate               their base rate
    3    any channel                                  its limit
    ==== ============================================ =============================

    No step takes a channel over its limit. The first tenant and the first channel move on by one
    with ``turn``. What is left after step 3 of any tenant, or a channel whose kept rates are over
    its limit, clears ``placed``: the set must not be used.

    The rates of a tenant on all channels and what it has left to place add up to its base rate
    times the number of channels, from the last of its pairs on. With ``placed`` nothing is left.

    A step takes ``channels`` + 3 clocks; steps with nothing left to place are not made.

    Parameters
    ----------
    channels, tenants : int
        How many; powers of two, at least 2.
    rate_width : int
        Bits of a rate.

    Members
    -------
    valid : In(1)
        There is a pair in this clock.
    pair : In(pair_layout)
        The pair. Its ``keep`` and ``lend`` add up to its ``base``.
    turn : In(range(max(channels, tenants)))
        Which tenant and which channel are first, of as many as there are.
    write : Out(rate_write_layout)
        Rates, the last one of each pair counts.
    done : Out(1)
        All rates of the walk were written in the clocks before.
    placed : Out(1)
        In this clock, with ``done``: they add up, and no channel is over its limit.
    """

    valid: Signal
    pair: data.View
    turn: Signal
    write: data.View
    done: Signal
    placed: Signal

    def __init__(self, *, channels: int, tenants: int, rate_width: int) -> None:
        for name, value in (("channels", channels), ("tenants", tenants)):
            if value < 2 or value & (value - 1):
                raise ValueError(f"{name} must be a power of two, at least 2, not {value!r}")
        self.channels = channels
        self.tenants = tenants
        self.rate_width = rate_width
        sizes = {"channels": channels, "tenants": tenants, "rate_width": rate_width}
        super().__init__(
            {
                "valid": In(1),
                "pair": In(pair_layout(**sizes)),
                "turn": In(range(max(channels, tenants))),
                "write": Out(rate_write_layout(**sizes)),
                "done": Out(1),
                "placed": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        pair, write, channels = self.pair, self.write, self.channels
        rate = unsigned(self.rate_width)
        pool_width = self.rate_width + len(pair.channel)
        of_pair = data.StructLayout({"rate": rate, "want": len(pair.want)})
        of_tenant = data.StructLayout(
            {"base": rate, "pool": pool_width, "asking": range(channels + 1)}
        )
        m.submodules.pairs = pairs = memory.Memory(
            shape=of_pair, depth=channels * self.tenants, init=[]
        )
        m.submodules.tenants = tenants = memory.Memory(shape=of_tenant, depth=self.tenants, init=[])
        m.submodules.rooms = rooms = memory.Memory(shape=rate, depth=channels, init=[])
        set_pair, get_pair = pairs.write_port(), pairs.read_port(domain="comb")
        set_tenant, get_tenant = tenants.write_port(), tenants.read_port(domain="comb")
        set_room, get_room = rooms.write_port(), rooms.read_port(domain="comb")

        # Whose turn it is, in which step, on which channel; and what the tenant has left to place.
        fails = Signal()
        visited = Signal(range(self.tenants))
        tenant = Signal(range(self.tenants))
        step = Signal(2)
        count = Signal(range(channels + _BUBBLES))
        left = Signal(pool_width)
        share = Signal(pool_width)
        base = Signal(rate)
        m.d.comb += [
            tenant.eq(self.turn + visited),
            get_tenant.addr.eq(tenant),
            get_pair.addr.eq(Cat((self.turn + count)[: len(pair.channel)], tenant)),
        ]

        # A channel of a step: it is read, it says how much it takes, it gets what is left of that,
        # and it is written.
        read, offered, given = (
            data.View(layout, Signal(layout, name=name))
            for name, layout in (
                (name, data.StructLayout({"valid": 1, "channel": range(channels), **fields}))
                for name, fields in (
                    ("read", {"rate": rate, "want": len(pair.want), "room": rate}),
                    (
                        "offered",
                        {"rate": rate, "want": len(pair.want), "room": rate, "takes": rate},
                    ),
                    ("given", {"rate": rate, "want": len(pair.want), "room": rate, "gets": rate}),
                )
            )
        )
        lack = Signal(signed(self.rate_width + 1))
        wish = Signal(len(pair.want))
        gets = Signal(rate)
        rest = Signal(signed(pool_width + 1))
        m.d.comb += [
            lack.eq(base - read.rate),
            rest.eq(left - offered.takes),
            gets.eq(Mux(rest[-1], left, offered.takes)),
        ]
        with m.Switch(step):
            with m.Case(0):
                m.d.comb += wish.eq(_least(read.want, share))
            with m.Case(1):
                m.d.comb += wish.eq(read.want)
            with m.Case(2):
                m.d.comb += wish.eq(Mux(lack[-1], 0, lack))
            with m.Default():
                m.d.comb += wish.eq(read.room)
        m.d.sync += [
            read.valid.eq(0),
            read.channel.eq(get_pair.addr[: len(read.channel)]),
            read.rate.eq(get_pair.data.rate),
            read.want.eq(get_pair.data.want),
            read.room.eq(get_room.data),
            offered.valid.eq(read.valid),
            offered.channel.eq(read.channel),
            offered.rate.eq(read.rate),
            offered.want.eq(read.want),
            offered.room.eq(read.room),
            offered.takes.eq(_least(wish, read.room)),
            given.valid.eq(offered.valid),
            given.channel.eq(offered.channel),
            given.rate.eq(offered.rate),
            given.want.eq(offered.want),
            given.room.eq(offered.room),
            given.gets.eq(gets),
        ]
        with m.If(offered.valid):
            m.d.sync += left.eq(Mux(rest[-1], 0, rest))

        with m.If(given.valid):
            m.d.comb += [
                write.valid.eq(1),
                write.tenant.eq(tenant),
                write.channel.eq(given.channel),
                write.rate.eq(given.rate + given.gets),
                set_pair.data.want.eq(given.want - given.gets),
                set_room.data.eq(given.room - given.gets),
            ]
        m.d.comb += [
            set_pair.addr.eq(Cat(write.channel, write.tenant)),
            set_pair.data.rate.eq(write.rate),
            set_pair.en.eq(write.valid),
            set_room.addr.eq(write.channel),
            set_room.en.eq(write.valid),
        ]

        with m.FSM():
            with m.State("Gather"):
                # The first tenant finds every channel empty, the first channel no pool.
                room = Signal(signed(self.rate_width + 1))
                m.d.comb += [
                    get_room.addr.eq(pair.channel),
                    room.eq(Mux(pair.tenant == 0, pair.limit, get_room.data) - pair.keep),
                    set_tenant.addr.eq(pair.tenant),
                    set_tenant.data.base.eq(pair.base),
                    set_tenant.data.pool.eq(Mux(pair.channel == 0, 0, left) + pair.lend),
                    set_tenant.data.asking.eq(Mux(pair.channel == 0, 0, count) + (pair.want != 0)),
                    set_tenant.en.eq(self.valid),
                ]
                with m.If(self.valid):
                    m.d.comb += [
                        write.valid.eq(1),
                        write.tenant.eq(pair.tenant),
                        write.channel.eq(pair.channel),
                        write.rate.eq(pair.keep),
                        set_pair.data.want.eq(pair.want),
                        set_room.data.eq(room),
                    ]
                    m.d.sync += [
                        left.eq(set_tenant.data.pool),
                        count.eq(set_tenant.data.asking),
                        fails.eq(fails | room[-1]),
                    ]
                    with m.If((pair.channel == channels - 1) & (pair.tenant == self.tenants - 1)):
                        m.d.sync += visited.eq(0)
                        m.next = "Open"
            with m.State("Open"):
                opened = get_tenant.data
                m.d.sync += [
                    left.eq(opened.pool),
                    base.eq(opened.base),
                    step.eq(Mux(opened.asking == 0, 2, 0)),
                    count.eq(0),
                ]
                # A share is a part of the next power of two.
                with m.Switch(opened.asking):
                    for asking in range(1, channels + 1):
                        with m.Case(asking):
                            m.d.sync += share.eq(opened.pool >> (asking - 1).bit_length())
                with m.If(opened.pool != 0):
                    m.next = "Place"
                with m.Else():
                    self._leave(m, visited)
            with m.State("Place"):
                m.d.comb += get_room.addr.eq(get_pair.addr[: len(read.channel)])
                m.d.sync += [read.valid.eq(count < channels), count.eq(count + 1)]
                with m.If(count == channels + _BUBBLES - 1):
                    m.d.sync += [count.eq(0), step.eq(step + 1)]
                    with m.If((left == 0) | (step == 3)):
                        m.d.sync += fails.eq(fails | (left != 0))
                        self._leave(m, visited)
            with m.State("Done"):
                m.d.comb += [self.done.eq(1), self.placed.eq(~fails)]
                m.d.sync += fails.eq(0)
                m.next = "Gather"
        return m

    def _leave(self, m: Module, visited: Signal) -> None:
        """Go to the next tenant, or end with the last one."""
        m.d.sync += visited.eq(visited + 1)
        m.next = "Open"
        with m.If(visited == self.tenants - 1):
            m.next = "Done"


def _least(left: Value, right: Value) -> Value:
    return Mux(left < right, left, right)
