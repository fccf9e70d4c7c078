"""The head that goes first in a group of four."""

from amaranth import *
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.channel.arbiter.wf2q.compact.structs import (
    GROUP,
    PAIRS,
    entrant_layout,
    finalist_layout,
    head_key,
    pair_layout,
    view,
)
from mcos_hw.channel.arbiter.wf2q.structs import tags_layout
from mcos_hw.config import ChannelConfig

__all__ = ["GroupContest"]


class GroupContest(wiring.Component):
    """Finds the head that goes first among four, and reads its tags.

    It compares no tags. *Elimination* leaves the heads of the least place, bit by bit of it. Beside
    that the kept order of each pair and their priorities tell which of two goes first if they have
    the same place. Of the heads that are left, one goes before all others. Its tags alone are read
    from a memory, and make its key.

    A head that takes part must keep its tags from its clock on until they are read.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.
    after_places, after_elimination, after_reading : bool
        Whether registers keep the entrants, what elimination leaves, and the finalist, for a clock.

    Members
    -------
    entrants : In(ArrayLayout(entrant_layout, 4))
        Heads of this clock.
    turned : In(1)
        Tags near V wrap in this clock.
    pairs : In(ArrayLayout(pair_layout, 6))
        How the tags of two heads compare, in the order of :data:`PAIRS`, in the clock of
        elimination: that of the entrants, or one later if registers keep these.
    write : In(4)
        The head whose tags are replaced with this clock, one-hot, or 0.
    place : In(range(4))
        Its number.
    tags : In(tags_layout)
        Its new tags.
    finalist : Out(finalist_layout)
        The head that goes first; of equals the one with the lowest number.
    """

    entrants: data.View
    turned: Signal
    pairs: data.View
    write: Signal
    place: Signal
    tags: data.View
    finalist: data.View

    def __init__(
        self,
        config: ChannelConfig,
        *,
        after_places: bool,
        after_elimination: bool,
        after_reading: bool,
    ) -> None:
        self.config = config
        self.after_places = after_places
        self.after_elimination = after_elimination
        self.after_reading = after_reading
        super().__init__(
            {
                "entrants": In(data.ArrayLayout(entrant_layout(), GROUP)),
                "turned": In(1),
                "pairs": In(data.ArrayLayout(pair_layout(), len(PAIRS))),
                "write": In(GROUP),
                "place": In(range(GROUP)),
                "tags": In(tags_layout(config)),
                "finalist": Out(finalist_layout(config)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        layout = data.StructLayout({"entrants": self.entrants.shape(), "turned": 1})
        looked = view(layout, name="entered")
        m.d.comb += [looked.entrants.eq(self.entrants), looked.turned.eq(self.turned)]
        if self.after_places:
            looked = _kept(m, looked, "looked")
        left = self._eliminate(m, looked)
        if self.after_elimination:
            left = _kept(m, left, "left")
        finalist = self._resolve(m, left)
        if self.after_reading:
            finalist = _kept(m, finalist, "kept_finalist")
        m.d.comb += self.finalist.eq(finalist)
        return m

    def _eliminate(self, m: Module, looked: data.View) -> data.View:
        """The heads of the least place, and which of each pair goes first if both are left."""
        entrants = looked.entrants
        places = [entrants[i].place.as_value() for i in range(GROUP)]
        layout = data.StructLayout(
            {
                "alive": GROUP,
                "place": entrants[0].place.shape(),
                "priorities": data.ArrayLayout(4, GROUP),
                "class_codes": data.ArrayLayout(2, GROUP),
                "firsts": len(PAIRS),
                "turned": 1,
            }
        )
        left = view(layout, name="eliminated")
        alive = Const(-1, unsigned(GROUP))
        place = Signal(len(places[0]))
        for bit in reversed(range(len(place))):
            zeros = Signal(GROUP, name=f"zeros_{bit}")
            m.d.comb += [
                zeros.eq(alive & ~Cat(each[bit] for each in places)),
                place[bit].eq(zeros == 0),
            ]
            alive = Mux(place[bit], alive, zeros)
        m.d.comb += [
            left.alive.eq(alive),
            left.place.eq(place),
            left.turned.eq(looked.turned),
        ]
        for i in range(GROUP):
            m.d.comb += [
                left.priorities[i].eq(entrants[i].priority),
                left.class_codes[i].eq(entrants[i].class_code),
            ]
        for k, (low, high) in enumerate(PAIRS):
            first, second, pair = entrants[low], entrants[high], self.pairs[k]
            reached, stale = first.place.rank[0], ~first.place.fresh
            by_finish = (first.priority < second.priority) | (
                (first.priority == second.priority) & pair.finish_first
            )
            by_start = Mux(pair.start_equal, by_finish, pair.start_first)
            m.d.comb += left.firsts[k].eq(Mux(reached, stale | by_finish, by_start))
        return left

    def _resolve(self, m: Module, left: data.View) -> data.View:
        """Of the heads that are left the one that goes first, with its tags."""
        # Of a pair that is left one wins.
        wins = [left.alive[i] for i in range(GROUP)]
        for k, (low, high) in enumerate(PAIRS):
            wins[low] &= ~left.alive[high] | left.firsts[k]
            wins[high] &= ~left.alive[low] | ~left.firsts[k]

        m.submodules.kept_tags = kept_tags = memory.Memory(
            shape=tags_layout(self.config), depth=GROUP, init=[]
        )
        write, read = kept_tags.write_port(), kept_tags.read_port(domain="comb")
        number = Signal(range(GROUP))
        priority = Signal(4)
        finalist = view(finalist_layout(self.config), name="found")
        m.d.comb += [
            write.en.eq(self.write.any()),
            write.addr.eq(self.place),
            write.data.eq(self.tags),
            number.eq(Cat(wins[1] | wins[3], wins[2] | wins[3])),
            read.addr.eq(number),
            priority.eq(Array(left.priorities[i] for i in range(GROUP))[number]),
            finalist.key.as_value().eq(
                head_key(self.config, left.place, priority, read.data, left.turned)
            ),
            finalist.place_in_group.eq(number),
            finalist.class_code.eq(Array(left.class_codes[i] for i in range(GROUP))[number]),
        ]
        return finalist


def _kept(m: Module, signal: data.View, name: str) -> data.View:
    """The same one clock later."""
    kept = view(signal.shape(), name=name)
    m.d.sync += kept.eq(signal)
    return kept
