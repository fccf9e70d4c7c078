"""The way of a command to the memory port."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.config import ChannelConfig
from mcos_hw.link.request import StructuredStream, command_layout, structured_stream

__all__ = [
    "OUTLET_DEPTH",
    "Outlet",
]


OUTLET_DEPTH = 3
"""Commands that can wait for memory: the one at the port, and two that were already granted."""


class Outlet(wiring.Component):
    """Commands that memory has not taken yet.

    A command stands at the port in the clock in which it comes. What memory does not take at once
    waits here, in order; grants stop in time, so that all of it has room. With memory always ready
    one command passes per clock.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.

    Members
    -------
    grant : In(1)
        A grant is made in this clock; its command comes in the next one.
    valid : In(1)
        ``command`` comes in this clock.
    command : In(command_layout)
        The command.
    open_then : Out(1)
        There will be room for a grant of the next clock.
    commands : Out(stream of command_layout)
        To memory.
    """

    grant: Signal
    valid: Signal
    command: data.View
    open_then: Signal
    commands: StructuredStream

    def __init__(self, config: ChannelConfig) -> None:
        self.config = config
        super().__init__(
            {
                "grant": In(1),
                "valid": In(1),
                "command": In(command_layout(config)),
                "open_then": Out(1),
                "commands": Out(structured_stream(command_layout(config))),
            }
        )

    def elaborate(self, platform):
        m = Module()
        depth = OUTLET_DEPTH
        layout = command_layout(self.config)
        # The first one stands at the port.
        waiting = [data.View(layout, Signal(layout, name=f"waiting_{i}")) for i in range(depth)]
        count = Signal(range(depth + 1))
        leaves = Signal()
        passes = Signal()
        m.d.comb += [
            self.commands.valid.eq(self.valid | (count != 0)),
            self.commands.payload.eq(Mux(count != 0, waiting[0], self.command)),
            leaves.eq(self.commands.ready & (count != 0)),
            passes.eq(self.commands.ready & (count == 0)),
            self.open_then.eq(count + self.valid + self.grant < depth),
        ]
        m.d.sync += count.eq(count + (self.valid & ~passes) - leaves)
        place = Signal.like(count)
        m.d.comb += place.eq(count - leaves)
        with m.If(leaves):
            m.d.sync += [waiting[i].eq(waiting[i + 1]) for i in range(depth - 1)]
        for i in range(depth):
            with m.If(self.valid & ~passes & (place == i)):
                m.d.sync += waiting[i].eq(self.command)
        return m
