"""Joins what has landed at all ports into the requests of a channel."""

from collections.abc import Sequence

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.config import FabricConfig
from mcos_hw.link.request import (
    Request,
    StructuredStream,
    request_layout,
    request_signature,
    structured_stream,
)
from mcos_hw.primitive.turn import next_turn

__all__ = ["LandingMerge"]


class LandingMerge(wiring.Component):
    """Takes what has landed at the ports of a channel in turn, one request per clock.

    A request passes in the clock after it was there at the earliest; with one port, in the same
    clock. The queues have room for what has landed, so no port waits for more than the other
    ports' turns.

    Parameters
    ----------
    fabric : FabricConfig
        Sizes.

    Members
    -------
    landed : In(stream of request_layout), an array with one for each port
        What has landed.
    request : Out(Request)
        To the channel.
    """

    landed: Sequence[StructuredStream]
    request: Request

    def __init__(self, fabric: FabricConfig) -> None:
        self.fabric = fabric
        channel = fabric.channel
        super().__init__(
            {
                "landed": In(structured_stream(request_layout(channel))).array(len(fabric.ports)),
                "request": Out(request_signature(channel)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        count = len(self.fabric.ports)
        request = self.request
        taken = Signal()
        m.d.comb += taken.eq(request.ready.bit_select(request.payload.tenant, 1))
        if count == 1:
            (only,) = self.landed
            m.d.comb += [
                request.valid.eq(only.valid),
                request.payload.eq(only.payload),
                only.ready.eq(taken),
            ]
            return m

        # The port after the one that was served last is asked first.
        last = Signal(range(count))
        moves = Signal()
        found = Signal()
        valid = Cat(each.valid for each in self.landed)
        chosen = next_turn(m, last, valid, name="chosen")
        m.d.comb += [moves.eq(~request.valid | taken), found.eq(valid.any())]
        for k, each in enumerate(self.landed):
            m.d.comb += each.ready.eq(moves & (chosen == k) & found)
        with m.If(moves):
            m.d.sync += request.valid.eq(found)
            with m.Switch(chosen):
                for k, each in enumerate(self.landed):
                    with m.Case(k):
                        m.d.sync += request.payload.eq(each.payload)
            with m.If(found):
                m.d.sync += last.eq(chosen)
        return m
