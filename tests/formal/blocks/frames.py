"""The frames of a tier: one owner each, and none lost; what is left in one is known."""

from amaranth import *
from amaranth.hdl import Assert, Assume, Cover

from mcos_hw.config import ChannelConfig, FabricConfig, MovementConfig, PortConfig
from mcos_hw.movement.frames import Frames
from tests.formal.property import Harness, Method, Property, implies
from tests.planted import Bug

__all__ = ["PROPERTIES"]


BLOCK = "mcos_hw.movement.frames.Frames"
FRAMES = "mcos_hw.movement.frames"
CONFIG = ChannelConfig(tenants=4, bytes_per_clock=8, beat_bytes=8, max_beats=8)
COUNT = 4


class FramesHarness(Harness):
    """Takes frames and gives them back in any order, and follows any one of them."""

    def elaborate(self, platform):
        m = Module()
        port = PortConfig(inner=True, reads=16, writes=16, read_units=16, write_units=16)
        fabric = FabricConfig(channel=self.config, ports=(port,))
        movement = MovementConfig(frame_bytes=256, jobs=4, frames=(COUNT,))
        block = Frames(fabric, movement, 0)
        self.prove(m, block)
        free, given = block.free, block.given
        frame = self.any_constant(m, range(COUNT), name="any_frame")

        takes = free.valid & free.take
        mine_taken = takes & (free.frame == frame)
        mine_given = given.stb & (given.frame == frame)
        owned = Signal()
        owners = Signal(range(COUNT + 1))
        # What is left in it: of one tenant, or of whoever.
        left = Signal(fabric.channel.tenant_width)
        mixed = Signal(init=1)
        m.d.sync += owners.eq(owners + takes - given.stb)
        with m.If(mine_taken):
            m.d.sync += owned.eq(1)
        with m.Elif(mine_given):
            m.d.sync += [owned.eq(0), left.eq(given.tenant), mixed.eq(given.mixed)]
        clean = Mux(mixed, 0, 1 << left)
        again = Signal()
        with m.If(mine_given & ~given.mixed):
            m.d.sync += again.eq(1)
        m.d.comb += [
            Assume(implies(free.take, free.valid)),
            Assume(implies(given.stb, owners != 0)),
            Assume(implies(mine_given, owned)),
            Assert(implies(free.valid & (free.frame == frame), ~owned)),
            Assert(implies(free.valid & (free.frame == frame), free.clean == clean)),
            Assert(block.left == COUNT - owners),
            Cover(again & mine_taken & (owners == COUNT - 1)),
        ]
        return m


PROPERTIES = (
    Property(
        name="frames.one_owner",
        claim="A frame is handed out to one owner at a time, and those in use and free are all.",
        block=BLOCK,
        config=CONFIG,
        harness=FramesHarness,
        method=Method.BOUNDED,
        depth=14,
        bug=Bug(
            module=FRAMES,
            text="self.left.eq(self.left + given.stb - free.take)",
            instead="self.left.eq(self.left + (given.stb & ~free.take) - free.take)",
        ),
        reach=13,
        slow=True,
    ),
    Property(
        name="frames.clean_to_its_last_owner",
        claim="A frame is clean to the tenant that gave it back and to nobody else, and to nobody "
        "at its first use or if something of another one may be in it.",
        block=BLOCK,
        config=CONFIG,
        harness=FramesHarness,
        method=Method.BOUNDED,
        depth=14,
        bug=Bug(
            module=FRAMES,
            text="Mux(unused | read.data.mixed, 0, 1 << read.data.tenant)",
            instead="Mux(unused, 0, 1 << read.data.tenant)",
        ),
        reach=13,
        slow=True,
    ),
)
