"""The free frames of a tier, and what is left in them."""

from typing import Protocol

from amaranth import *
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.config import FabricConfig, MovementConfig
from mcos_hw.primitive.free_list import FreeList

__all__ = [
    "Frames",
    "FreeFrame",
    "GivenFrame",
    "free_frame_signature",
    "given_frame_signature",
]


class FreeFrame(Protocol):
    """The frame that is handed out next."""

    valid: Signal
    """There is one."""

    frame: Signal
    """Its number."""

    clean: Signal
    """A bit for each tenant: nothing is left in it that this one may not read."""

    take: Signal
    """It is taken in this clock."""


def free_frame_signature(fabric: FabricConfig, movement: MovementConfig) -> wiring.Signature:
    """:class:`FreeFrame`, seen by the tier."""
    return wiring.Signature(
        {
            "valid": Out(1),
            "frame": Out(movement.frame_width),
            "clean": Out(fabric.channel.tenants),
            "take": In(1),
        }
    )


class GivenFrame(Protocol):
    """A frame that is given back."""

    stb: Signal
    """One is given back in this clock."""

    frame: Signal
    """Its number."""

    tenant: Signal
    """Who had it."""

    mixed: Signal
    """Something of whoever had it before may still be in it."""


def given_frame_signature(fabric: FabricConfig, movement: MovementConfig) -> wiring.Signature:
    """:class:`GivenFrame`, seen by who gives it back."""
    return wiring.Signature(
        {
            "stb": Out(1),
            "frame": Out(movement.frame_width),
            "tenant": Out(fabric.channel.tenant_width),
            "mixed": Out(1),
        }
    )


class Frames(wiring.Component):
    """Hands out the frames of a tier, each to one owner at a time.

    It remembers who had a frame last. To another tenant it is not clean: what is left in it must be
    overwritten, all of it, before that one reads it. No frame is clean at its first use after
    reset, as memory keeps what it had. A frame is offered some clocks after the one before was
    taken, at most four.

    Parameters
    ----------
    fabric : FabricConfig
        Sizes of the fabric.
    movement : MovementConfig
        Sizes of the engines.
    tier : int
        Which tier.

    Members
    -------
    free : Out(FreeFrame)
        The frame that is handed out next.
    given : In(GivenFrame)
        A frame that is given back.
    left : Out
        How many frames are not in use.
    """

    free: FreeFrame
    given: GivenFrame
    left: Signal

    def __init__(self, fabric: FabricConfig, movement: MovementConfig, tier: int) -> None:
        self.fabric = fabric
        self.movement = movement
        self.count = movement.frames[tier]
        super().__init__(
            {
                "free": Out(free_frame_signature(fabric, movement)),
                "given": In(given_frame_signature(fabric, movement)),
                "left": Out(range(self.count + 1), init=self.count),
            }
        )

    def elaborate(self, platform):
        m = Module()
        free, given = self.free, self.given
        m.submodules.numbers = numbers = FreeList(self.count)
        history = data.StructLayout({"tenant": self.fabric.channel.tenant_width, "mixed": 1})
        m.submodules.history = kept = memory.Memory(shape=history, depth=self.count, init=[])
        write, read = kept.write_port(), kept.read_port()

        # Numbers that were never handed out come before those that were given back.
        used = Signal(range(self.count + 1))
        reads, offered, unused = Signal(), Signal(), Signal()
        number = Signal(range(self.count))
        m.d.comb += [
            numbers.give.valid.eq(given.stb),
            numbers.give.number.eq(given.frame),
            write.en.eq(given.stb),
            write.addr.eq(given.frame),
            write.data.tenant.eq(given.tenant),
            write.data.mixed.eq(given.mixed),
            reads.eq(~offered | free.take),
            numbers.take.ready.eq(reads),
            read.en.eq(reads),
            read.addr.eq(numbers.take.payload),
            free.valid.eq(offered),
            free.frame.eq(number),
            free.clean.eq(Mux(unused | read.data.mixed, 0, 1 << read.data.tenant)),
        ]
        with m.If(reads):
            m.d.sync += [
                offered.eq(numbers.take.valid),
                number.eq(numbers.take.payload),
                unused.eq(used != self.count),
            ]
            with m.If(numbers.take.valid & (used != self.count)):
                m.d.sync += used.eq(used + 1)
        m.d.sync += self.left.eq(self.left + given.stb - free.take)
        return m
