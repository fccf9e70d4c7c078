"""The outlet: every command gets to memory once, in order, and there is room for all of them."""

from amaranth import *
from amaranth.hdl import Assert, Assume, Cover
from amaranth.lib import data

from mcos_hw.channel.outlet import Outlet
from mcos_hw.config import ChannelConfig
from mcos_hw.link.request import command_layout
from tests.formal.property import Harness, Method, Property, implies
from tests.planted import Bug

__all__ = ["PROPERTIES"]


CONFIG = ChannelConfig()
BLOCK = "mcos_hw.channel.outlet.Outlet"
OUTLET = "mcos_hw.channel.outlet"
OUTLET_DEPTH = 3
"""A number of the proof's own: of the hardware's no proof would see that it is wrong."""


class OutletHarness(Harness):
    """Grants in any clock in which they are allowed; memory is ready in any clock.

    Follows any one command: as many leave before it as were there first, of which ``place`` is
    left.
    """

    def elaborate(self, platform):
        m = Module()
        outlet = Outlet(self.config)
        self.prove(m, outlet)
        commands = outlet.commands
        layout = data.StructLayout(
            {**command_layout(self.config).members, "id": self.config.id_width}
        )
        command = self.any_constant(m, layout, name="any_command")
        chosen = self.any_value(1, name="chosen")
        count = self.look("count", range(OUTLET_DEPTH + 1))
        kept = Array(
            self.look(f"waiting_{i}", len(command.as_value())) for i in range(OUTLET_DEPTH)
        )

        # What stands at the port: the command and its id.
        standing = Cat(commands.payload, outlet.id)

        # The command that a departure becomes.
        coming = Signal(layout)
        m.d.comb += coming.slot.eq(outlet.slot)
        m.d.comb += [
            coming[name].eq(outlet.departure.request[name])
            for name in layout.members
            if name != "slot"
        ]

        opened = Signal()
        granted = Signal()
        waiting = Signal(range(2 * OUTLET_DEPTH))
        there = Signal.like(waiting)
        leaves = Signal()
        m.d.comb += [
            there.eq(waiting + outlet.departure.valid),
            leaves.eq(commands.valid & commands.ready),
        ]
        m.d.sync += [
            opened.eq(outlet.open_then),
            granted.eq(outlet.grant.valid),
            waiting.eq(there - leaves),
        ]

        follows = Signal()
        followed = Signal()
        waits = Signal()
        waited = Signal.like(waiting)
        place = Signal.like(waiting)
        m.d.comb += [
            follows.eq(outlet.departure.valid & chosen & ~followed),
            place.eq(Mux(waits, waited, waiting)),
        ]
        first = (waits | follows) & (place == 0)
        m.d.sync += [
            followed.eq(followed | follows),
            waits.eq((waits | follows) & ~(first & leaves)),
            waited.eq(place - leaves),
        ]

        stalled = Signal()
        before = Signal(layout)
        m.d.sync += [stalled.eq(commands.valid & ~commands.ready), before.eq(standing)]
        m.d.comb += [
            Assume(opened | ~outlet.grant.valid),
            Assume(outlet.departure.valid == granted),
            Assume(~follows | (coming.as_value() == command.as_value())),
            self.invariant(
                count == waiting,
                implies(opened, there <= OUTLET_DEPTH - 1),
                there <= OUTLET_DEPTH,
                implies(
                    waits, followed & (waited < waiting) & (kept[waited] == command.as_value())
                ),
                implies(stalled, count != 0),
                implies(stalled, kept[0] == before.as_value()),
            ),
            # One of them stands at the port as long as there are any, and stays as it is.
            Assert(commands.valid == (there != 0)),
            Assert(
                implies(
                    stalled,
                    commands.valid & (standing == before.as_value()),
                )
            ),
            Assert(implies(first, standing == command.as_value())),
            # There is room for all, and grants stop only where some wait.
            Assert(waiting <= OUTLET_DEPTH),
            Assert(outlet.open_then | (waiting != 0)),
            Cover(first & leaves & (there == OUTLET_DEPTH) & followed),
        ]
        return m


PROPERTIES = (
    Property(
        name="outlet.in_order",
        claim=(
            "Commands leave once and in order, stay as they are until they do, have room for all "
            "of them, and hold up grants only while some wait."
        ),
        block=BLOCK,
        config=CONFIG,
        harness=OutletHarness,
        method=Method.INDUCTION,
        depth=1,
        bug=Bug(
            module=OUTLET,
            text="self.grant.valid < depth",
            instead="self.grant.valid <= depth",
        ),
        reach=8,
    ),
)
