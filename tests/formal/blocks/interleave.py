"""The interleave: an address and its (channel, local address) name each other."""

from amaranth import *
from amaranth.hdl import Assert, Cover
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.config import GRAINS, ChannelConfig, FabricConfig, PortConfig
from mcos_hw.link.interleave import interleave_layout
from mcos_hw.port.interleave import channel_of, local_address
from mcos_sim.ported.interleave import address_of
from tests.formal.property import Harness, Method, Property, implies
from tests.planted import Bug

__all__ = ["PROPERTIES"]


CONFIG = ChannelConfig()
INTERLEAVE = "mcos_hw.port.interleave"


class Split(wiring.Component):
    """What becomes of an address.

    Parameters
    ----------
    fabric : FabricConfig
        Sizes.

    Members
    -------
    interleave : In(interleave_layout)
        How addresses are spread.
    address : In(address_width)
        The address.
    channel : Out(channel_width)
        Its channel.
    local : Out(address_width)
        Its address there.
    """

    interleave: data.View
    address: Signal
    channel: Signal
    local: Signal

    def __init__(self, fabric: FabricConfig) -> None:
        self.fabric = fabric
        super().__init__(
            {
                "interleave": In(interleave_layout(fabric)),
                "address": In(fabric.channel.address_width),
                "channel": Out(fabric.channel_width),
                "local": Out(fabric.channel.address_width),
            }
        )

    def elaborate(self, platform):
        m = Module()
        m.d.comb += [
            self.channel.eq(channel_of(self.fabric, self.interleave, self.address)),
            self.local.eq(local_address(self.fabric, self.interleave, self.address)),
        ]
        return m


def kept(fabric: FabricConfig, interleave: data.View) -> Value:
    """Whether an interleave keeps the rule of :func:`mcos_hw.link.interleave.interleave_layout`."""
    grain, count = interleave.grain, fabric.channel_width
    below_and_window = Const((1 << count) - 1, GRAINS + count) << grain
    ones = (Const(1, GRAINS) << grain)[:GRAINS] - 1
    return Cat(
        (interleave.masks[j] & (below_and_window | ones))
        == (Const(1 << j, GRAINS + count) << grain)
        for j in range(count)
    ).all()


class InterleaveHarness(Harness):
    """Any two addresses under any interleave that keeps the rule."""

    channels = 2

    def elaborate(self, platform):
        m = Module()
        port = PortConfig(read_units=1024, write_units=1024)
        fabric = FabricConfig.around(self.config, channels=self.channels, ports=(port,))
        count, block = fabric.channel_width, fabric.block_width
        m.submodules.other = other = Split(fabric)
        split = Split(fabric)
        self.prove(m, split)
        m.d.comb += other.interleave.eq(split.interleave)
        m.d.comb += other.address.eq(self.any_value(len(other.address), name="other_address"))
        rule = Signal()
        same = Signal()
        differ = Signal()
        own = Signal()
        m.d.comb += [
            rule.eq(kept(fabric, split.interleave)),
            same.eq((split.channel == other.channel) & (split.local == other.local)),
            differ.eq(split.address != other.address),
            # Each mask has its own bit of the window, so only that another one has it is wrong.
            own.eq(
                Cat(
                    (split.interleave.masks[j] >> (split.interleave.grain + j))[0]
                    for j in range(count)
                ).all()
            ),
        ]
        back = address_of(fabric, split.interleave, split.channel, split.local)
        in_block = split.address[block:] == other.address[block:]
        m.d.comb += [
            Assert(implies(rule, back == split.address)),
            Assert(implies(rule & differ, ~same)),
            Assert(split.local[-count:] == 0),
            Assert(
                implies(
                    in_block,
                    (split.channel == other.channel)
                    & (split.local[block:] == other.local[block:])
                    & (split.local[:block] == split.address[:block]),
                )
            ),
            Cover(rule & (split.interleave.grain == GRAINS - 1) & (split.channel != other.channel)),
            Cover(~rule & ~own & differ & same),
        ]
        if count > 1:
            m.d.comb += Cover(~rule & own & differ & same)
        return m


class EightHarness(InterleaveHarness):
    """Of eight channels."""

    channels = 8


class MostHarness(InterleaveHarness):
    """Of as many channels as there can be."""

    channels = 32


PROPERTIES = tuple(
    Property(
        name=f"interleave.bijection_{harness.channels}",
        claim=f"With {harness.channels} channels, every grain and all masks that keep the rule, an "
        "address follows from its channel and local address, which no other address has; and a "
        "block of l_max lies in one channel as a whole.",
        block=INTERLEAVE,
        config=CONFIG,
        harness=harness,
        method=Method.INDUCTION,
        depth=0,
        bug=Bug(
            module=INTERLEAVE,
            text="interleave.grain <= first",
            instead="interleave.grain < first",
        ),
        reach=1,
    )
    for harness in (InterleaveHarness, EightHarness, MostHarness)
)
