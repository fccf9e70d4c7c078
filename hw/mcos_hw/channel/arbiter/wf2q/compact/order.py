"""How the tags of the heads of each group compare, kept from one head to the next."""

from amaranth import *
from amaranth.hdl import Value
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.channel.arbiter.wf2q.compact.structs import (
    GROUP,
    PAIRS,
    groups,
    pair_layout,
    view,
    written_layout,
)
from mcos_hw.channel.arbiter.wf2q.structs import tags_layout
from mcos_hw.config import ChannelConfig

__all__ = ["GroupOrder"]


class GroupOrder(wiring.Component):
    """Compares new tags with those of the other heads of their group, and keeps the result.

    At most one tenant gets tags with a clock, and two heads that stay keep their order. So three
    comparisons of tags serve all tenants. The other tags are read from memory in the clock with
    which the new ones are written, and compared in the next one. ``then`` has the result in that
    clock, ``kept`` one later.

    The result holds while all tags of the group are within half of the modular scale.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.

    Members
    -------
    written : In(written_layout)
        Tags that are replaced with this clock.
    then, kept : Out(ArrayLayout(ArrayLayout(pair_layout, pairs), groups))
        How the heads of each group compare, in the order of :data:`PAIRS`.
    """

    written: data.View
    then: data.View
    kept: data.View

    def __init__(self, config: ChannelConfig) -> None:
        self.config = config
        pairs = data.ArrayLayout(data.ArrayLayout(pair_layout(), len(PAIRS)), groups(config))
        super().__init__(
            {
                "written": In(written_layout(config)),
                "then": Out(pairs),
                "kept": Out(pairs),
            }
        )

    def elaborate(self, platform):
        m = Module()
        config = self.config
        written = self.written

        # The newest head is compared with each other one of its group. The places of a pair differ
        # in the same bits, whichever of the two is the newest.
        newest = view(written_layout(config), name="newest")
        m.d.sync += newest.eq(written)
        compared = [view(pair_layout(), name=f"compared_{bits}") for bits in range(1, GROUP)]
        for bits, result in enumerate(compared, start=1):
            m.submodules[f"tags_{bits}"] = tags = memory.Memory(
                shape=tags_layout(config), depth=config.tenants, init=[]
            )
            write, read = tags.write_port(), tags.read_port(domain="comb")
            other = view(tags_layout(config), name=f"other_{bits}")
            m.d.sync += other.eq(read.data)
            # Whether the newest has the lower number of the two.
            lower = ~newest.tenant[bits.bit_length() - 1]
            start, finish = newest.tags.start, newest.tags.finish
            m.d.comb += [
                write.en.eq(written.tenants.any()),
                write.addr.eq(written.tenant),
                write.data.eq(written.tags),
                read.addr.eq(written.tenant ^ bits),
                result.start_equal.eq(start == other.start),
                result.start_first.eq(_before(start, other.start, lower) ^ ~lower),
                result.finish_first.eq(_before(finish, other.finish, lower) ^ ~lower),
            ]

        for g in range(groups(config)):
            for k, (low, high) in enumerate(PAIRS):
                kept, then = self.kept[g][k], self.then[g][k]
                pair = newest.tenants[GROUP * g + low] | newest.tenants[GROUP * g + high]
                m.d.sync += kept.eq(then)
                m.d.comb += then.eq(Mux(pair, compared[(low ^ high) - 1], kept))
        return m


def _before(left: Value, right: Value, tie: Value) -> Value:
    """Whether ``left`` is before ``right`` on the modular scale, or equal and ``tie``."""
    return (Cat(Const(0, 1), left) - Cat(tie, right))[len(left)]
