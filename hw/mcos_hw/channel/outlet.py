"""The way of a command to the memory port."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.config import ChannelConfig
from mcos_hw.link.grant import Departure, Grant, departure_signature, grant_signature
from mcos_hw.link.request import StructuredStream, command_layout, command_signature

__all__ = [
    "OUTLET_DEPTH",
    "Outlet",
]


OUTLET_DEPTH = 3
"""Commands that can wait for memory: the one at the port, and two that were already granted."""


class Outlet(wiring.Component):
    """Commands that memory has not taken yet.

    A departure becomes a command, which stands at the port in the same clock. What memory does not
    take at once waits here, in order. Grants stop in time, so that all of it has room. With memory
    always ready one command passes per clock.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.

    Members
    -------
    grant : In(Grant)
        The grant of this clock; it departs in the next one.
    departure : In(Departure)
        The request that was granted in the clock before.
    slot : In(slot_width)
        Its slot, the transaction id of its command.
    open_then : Out(1)
        There will be room for a grant of the next clock.
    commands : Out(stream of command_layout)
        To memory.
    id : Out(id_width)
        The requester's own number of the request whose command stands at the port.
    """

    grant: Grant
    departure: Departure
    slot: Signal
    open_then: Signal
    commands: StructuredStream
    id: Signal

    def __init__(self, config: ChannelConfig) -> None:
        self.config = config
        super().__init__(
            {
                "grant": In(grant_signature(config)),
                "departure": In(departure_signature(config)),
                "slot": In(config.slot_width),
                "open_then": Out(1),
                "commands": Out(command_signature(config)),
                "id": Out(config.id_width),
            }
        )

    def elaborate(self, platform):
        m = Module()
        depth = OUTLET_DEPTH
        fields = command_layout(self.config).members
        layout = data.StructLayout({**fields, "id": self.config.id_width})
        comes, request = self.departure.valid, self.departure.request
        command = data.View(layout, Signal(layout, name="command"))
        m.d.comb += [
            command.slot.eq(self.slot),
            *(command[name].eq(request[name]) for name in layout.members if name != "slot"),
        ]
        # The first one stands at the port.
        waiting = [data.View(layout, Signal(layout, name=f"waiting_{i}")) for i in range(depth)]
        first = data.View(layout, Signal(layout, name="first"))
        count = Signal(range(depth + 1))
        leaves = Signal()
        passes = Signal()
        m.d.comb += [
            self.commands.valid.eq(comes | (count != 0)),
            first.eq(Mux(count != 0, waiting[0], command)),
            *(self.commands.payload[name].eq(first[name]) for name in fields),
            self.id.eq(first.id),
            leaves.eq(self.commands.ready & (count != 0)),
            passes.eq(self.commands.ready & (count == 0)),
            self.open_then.eq(count + comes + self.grant.valid < depth),
        ]
        m.d.sync += count.eq(count + (comes & ~passes) - leaves)
        place = Signal.like(count)
        m.d.comb += place.eq(count - leaves)
        with m.If(leaves):
            m.d.sync += [waiting[i].eq(waiting[i + 1]) for i in range(depth - 1)]
        for i in range(depth):
            with m.If(comes & ~passes & (place == i)):
                m.d.sync += waiting[i].eq(command)
        return m
