"""Which fragments of a port may be answered: those of one ID in order, others as they complete."""

from amaranth import *
from amaranth.lib import data, memory, stream, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.primitive.backlog import Backlog
from mcos_hw.primitive.turn import next_turn

__all__ = ["ResponseOrder"]


class ResponseOrder(wiring.Component):
    """Keeps entries of one order in the order in which they were appended.

    An entry is passed on once it is complete and every entry that was appended to its order before
    it has been passed. Entries of different orders are passed in the order in which this became so,
    as far as it goes: no order holds up another one, and none passes an entry for ever while
    another one could.

    One entry may be appended, one completed and one passed in every clock, sustained, also if all
    are of one order. An entry that completes when it is the first of its order is offered two
    clocks later, at the earliest; one that completed before is offered in the clock after the one
    before it was passed. What is offered stays until it is taken. After reset there is no entry.

    Entries of an order are a linked list. Its first entry is either complete, and then it waits in
    a queue to be passed, or marked as ``first``, and then its completion puts it there. When an
    entry is passed, its successor becomes the first::

        clock                0     1     2     3     4
        completes            a     b     c
        passed                           a     b     c
        its successor read               b     c     d
        that looked at                         b     c     d

    Whether that successor is complete is known a clock after which one it is. If nothing else waits
    to be passed, it is put at the output at once, and is valid there only if it turns out to be
    complete. So a single order passes an entry in every clock, though each step takes two.

    Parameters
    ----------
    entries : int
        How many entries there are, at least 2.
    orders : int
        How many orders there are, at least 1.

    Members
    -------
    append_valid : In(1)
        An entry becomes the last of an order in this clock.
    append_entry : In(range(entries))
        Which one. It must not be in an order: it may be again from the clock after it was passed.
    append_order : In(range(orders))
        Its order; at least one bit wide.
    append_complete : In(1)
        It is complete already, and will not be completed.
    complete_valid : In(1)
        An entry completes in this clock, which is not the one in which it was appended.
    complete_entry : In(range(entries))
        Which one.
    next : Out(stream of an entry)
        An entry that is passed.

    Raises
    ------
    TypeError
        If a size is not an integer.
    ValueError
        If a size is too small.
    """

    append_valid: Signal
    append_entry: Signal
    append_order: Signal
    append_complete: Signal
    complete_valid: Signal
    complete_entry: Signal
    next: stream.Interface

    def __init__(self, entries: int, orders: int) -> None:
        for name, value, least in (("entries", entries, 2), ("orders", orders, 1)):
            if not isinstance(value, int) or isinstance(value, bool):
                raise TypeError(f"{name} must be an integer, not {value!r}")
            if value < least:
                raise ValueError(f"{name} must be at least {least}, not {value!r}")
        self.entries = entries
        self.orders = orders
        entry, order = range(entries), range(max(orders, 2))
        super().__init__(
            {
                "append_valid": In(1),
                "append_entry": In(entry),
                "append_order": In(order),
                "append_complete": In(1),
                "complete_valid": In(1),
                "complete_entry": In(entry),
                "next": Out(stream.Signature(unsigned((entries - 1).bit_length()))),
            }
        )

    def elaborate(self, platform):
        # What decides late, whether the entry at the output leaves and whether one is behind it,
        # comes from registers and memories. Entries that may be next are compared and looked up
        # side by side, and the choice among them is all that waits for it.
        m = Module()
        entry = range(self.entries)
        # Yosys takes no memory without bits or addresses.
        order = range(max(self.orders, 2))
        first = Signal(self.entries)
        complete = Signal(self.entries)

        # The last entry of each order, and whether it has not been passed.
        m.submodules.tails = tails = memory.Memory(shape=entry, depth=len(order), init=[])
        tail_write, tail_read = tails.write_port(), tails.read_port()
        waits = Signal(len(order))
        appended = Signal()
        appended_entry = Signal(entry)
        appended_order = Signal(order)
        appended_complete = Signal()
        m.d.comb += [
            tail_write.addr.eq(self.append_order),
            tail_write.data.eq(self.append_entry),
            tail_write.en.eq(self.append_valid),
            tail_read.addr.eq(self.append_order),
        ]
        m.d.sync += [
            appended.eq(self.append_valid),
            appended_entry.eq(self.append_entry),
            appended_order.eq(self.append_order),
            appended_complete.eq(self.append_complete),
        ]

        # The entry at the output, its order and its successor.
        offered = Signal()
        offered_entry = Signal(entry)
        guessed = Signal()
        looked = Signal()
        looked_entry = Signal(entry)
        looked_complete = Signal()
        m.submodules.links = links = memory.Memory(shape=entry, depth=self.entries, init=[])
        link_write, link_read = links.write_port(), links.read_port()
        home_layout = data.StructLayout({"order": order, "life": 1})
        m.submodules.homes = homes = memory.Memory(shape=home_layout, depth=self.entries, init=[])
        home_write, home_read = homes.write_port(), homes.read_port()

        # An entry that gets a successor flips its bit here. When it was appended, it noted in
        # ``homes`` what the bit will be then. So nothing has to be cleared, nor set at reset.
        m.submodules.lives = lives = memory.Memory(shape=1, depth=self.entries, init=[])
        life_write = lives.write_port()
        offered_life, appended_life = lives.read_port(), lives.read_port()
        tail_life = lives.read_port(domain="comb")

        leaves = Signal()
        has_successor = Signal()
        successor = Signal(entry)
        # A link that was written while its entry was read, or offered, is not in what was read.
        linked_late = Signal()
        late_link = Signal(entry)
        empties = Signal()
        m.d.comb += [
            self.next.valid.eq(offered & (looked_complete | ~guessed)),
            self.next.payload.eq(offered_entry),
            leaves.eq(self.next.valid & self.next.ready),
            has_successor.eq(linked_late | (offered_life.data == home_read.data.life)),
            successor.eq(Mux(linked_late, late_link, link_read.data)),
            empties.eq(leaves & ~has_successor),
        ]
        with m.If(empties):
            m.d.sync += waits.bit_select(home_read.data.order, 1).eq(0)

        # An entry that is appended finds its order empty in the clock in which the last one leaves.
        waited = Signal()
        follows = Signal()
        m.d.sync += waited.eq(
            (appended & (appended_order == self.append_order))
            | (
                waits.bit_select(self.append_order, 1)
                & ~(empties & (home_read.data.order == self.append_order))
            )
        )
        m.d.comb += [
            follows.eq(waited & ~(empties & (home_read.data.order == appended_order))),
            link_write.addr.eq(tail_read.data),
            link_write.data.eq(appended_entry),
            link_write.en.eq(appended & follows),
            life_write.addr.eq(tail_read.data),
            life_write.data.eq(~tail_life.data),
            life_write.en.eq(appended & follows),
            tail_life.addr.eq(tail_read.data),
            appended_life.addr.eq(self.append_entry),
            home_write.addr.eq(appended_entry),
            home_write.data.order.eq(appended_order),
            home_write.data.life.eq(~appended_life.data),
            home_write.en.eq(appended),
        ]

        # The successor is looked at in the clock after its predecessor left.
        completed = Signal()
        completed_entry = Signal(entry)
        completes_first = Signal()
        looks = Signal()
        m.d.comb += looks.eq(leaves & has_successor)
        m.d.sync += [
            completed.eq(self.complete_valid),
            completed_entry.eq(self.complete_entry),
            completes_first.eq(
                self.complete_valid
                & (
                    Mux(
                        appended & (appended_entry == self.complete_entry),
                        ~follows,
                        first.bit_select(self.complete_entry, 1)
                        | (looked & (looked_entry == self.complete_entry)),
                    )
                    | (looks & (successor == self.complete_entry))
                )
            ),
            looked.eq(looks),
            looked_entry.eq(successor),
            looked_complete.eq(
                complete.bit_select(successor, 1) | (completed & (completed_entry == successor))
            ),
        ]
        with m.If(completed):
            m.d.sync += complete.bit_select(completed_entry, 1).eq(1)
        with m.If(looked):
            m.d.sync += first.bit_select(looked_entry, 1).eq(1)
        with m.If(appended):
            m.d.sync += [
                waits.bit_select(appended_order, 1).eq(1),
                first.bit_select(appended_entry, 1).eq(~follows),
                complete.bit_select(appended_entry, 1).eq(appended_complete),
            ]

        # Those that may be passed, in a queue for each way to become so; each could hold all.
        # A completion passes its queue by if nothing waits.
        moves = Signal()
        staged = Signal()
        staged_entry = Signal(entry)
        sources = {
            "completions": (completes_first & ~(moves & ~staged), completed_entry),
            "successors": (looked & looked_complete & ~guessed, looked_entry),
            "appended": (appended & appended_complete & ~follows, appended_entry),
        }
        layout = data.StructLayout({"entry": entry})
        depth = 1 << len(appended_entry)
        queues = [Backlog(layout, depth=depth) for _ in sources]
        for queue, (name, (puts, value)) in zip(queues, sources.items(), strict=True):
            m.submodules[name] = queue
            m.d.comb += [queue.i.valid.eq(puts), queue.i.payload.entry.eq(value)]
        waiting = Cat(queue.o.valid for queue in queues)
        last = Signal(range(len(queues)))
        chosen = next_turn(m, last, waiting, name="chosen")
        queued_entry = Signal(entry)
        takes = Signal()
        with m.Switch(chosen):
            for k, queue in enumerate(queues):
                with m.Case(k):
                    m.d.comb += [
                        queued_entry.eq(queue.o.payload.entry),
                        queue.o.ready.eq(takes),
                    ]

        # The queues take turns to fill a register in front of the output.
        m.d.comb += takes.eq(~staged | moves)
        with m.If(takes):
            m.d.sync += [staged.eq(waiting.any()), staged_entry.eq(queued_entry)]
            with m.If(waiting.any()):
                m.d.sync += last.eq(chosen)

        known_entry = Signal(entry)
        next_entry = Signal(entry)
        guesses = Signal()
        m.d.comb += [
            moves.eq(~self.next.valid | self.next.ready),
            guesses.eq(~staged & ~completes_first),
            known_entry.eq(Mux(staged, staged_entry, completed_entry)),
            next_entry.eq(Mux(guesses, successor, known_entry)),
            *(port.addr.eq(next_entry) for port in (link_read, home_read, offered_life)),
            *(port.en.eq(moves) for port in (link_read, home_read, offered_life)),
        ]
        # Compared side by side, as which of them is next is known late.
        links_next = Mux(guesses, link_write.addr == successor, link_write.addr == known_entry)
        links_offered = link_write.addr == offered_entry
        m.d.sync += [
            linked_late.eq(
                Mux(moves, link_write.en & links_next, linked_late | link_write.en & links_offered)
            ),
            guessed.eq(moves & guesses),
        ]
        with m.If(moves | ~linked_late):
            m.d.sync += late_link.eq(appended_entry)
        with m.If(moves):
            m.d.sync += [
                offered.eq(~guesses | looks),
                offered_entry.eq(next_entry),
            ]
        return m
