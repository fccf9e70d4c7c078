"""Commands on their way from clients, and completions on their way back, apart for each client."""

from collections.abc import Sequence
from typing import Any

from amaranth import *
from amaranth.hdl import Value
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import exact_log2

from mcos_hw.config import FabricConfig, MovementConfig
from mcos_hw.link.movement import (
    COMMAND_WIDTH,
    completion_layout,
    completion_signature,
    movement_command_layout,
    movement_command_signature,
)
from mcos_hw.link.request import StructuredStream
from mcos_hw.primitive.select import at_index
from mcos_hw.primitive.turn import next_turn

__all__ = [
    "Mailboxes",
    "command_parts_signature",
]


_PARTS = {
    "low": ("object_low",),
    "high": ("object_high",),
    "version": ("version",),
    "readers": ("readers",),
    "checksum": ("checksum",),
    "terms": ("term", "tier", "fallback", "urgency", "checks"),
}
"""Fields of a command that are written together."""

_HALF = 32


def command_parts_signature(fabric: FabricConfig, movement: MovementConfig) -> wiring.Signature:
    """What a client writes of its next command, some at a time, seen by who writes.

    ``<part>_stb`` is set if the fields of a part are written in this clock. They hold for all
    commands that this client gives from then on. Parts are ``low`` and ``high``, halves of the
    object's name, ``version``, ``readers``, ``checksum``, and ``terms`` for the other fields.
    """
    widths = _widths(fabric, movement)
    members = {f"{part}_stb": Out(1) for part in _PARTS}
    members |= {name: Out(widths[name]) for names in _PARTS.values() for name in names}
    return wiring.Signature(members)


def _widths(fabric: FabricConfig, movement: MovementConfig) -> dict[str, int]:
    """Bits of each field of a command; the object's name is in halves."""
    layout = movement_command_layout(fabric, movement)
    widths = {name: field.width for name, field in layout}
    return widths | {"object_low": _HALF, "object_high": widths["object"] - _HALF}


class Mailboxes(wiring.Component):
    """A queue of commands and one of completions for each client.

    A client has room for as many commands as are not given yet, or under way, or completed and not
    taken. So every completion has a place, and a client that takes none holds nobody but itself.
    Clients take turns: one command leaves in two clocks. A completion is taken in every clock.

    Parameters
    ----------
    fabric : FabricConfig
        Sizes of the fabric.
    movement : MovementConfig
        Sizes of the engines; ``commands`` is the room of each client.

    Members
    -------
    writer : In(tenant_width)
        Whose client writes: what holds for ``parts``, ``give`` and ``take``.
    parts : In(command_parts_signature)
        Parts of its next command.
    give : In(1), number : In(COMMAND_WIDTH), operation : In(4)
        It gives a command; only if it has room.
    take : In(1)
        It drops its oldest completion; only if it has one.
    room, waiting : Out, arrays with one for each tenant
        Commands that a client may give now, and completions that wait for it.
    reader : In(tenant_width)
        Whose client reads.
    shown : Out(1), oldest : Out(completion_layout)
        Whether it has a completion, and its oldest; a clock later.
    commands : Out(stream of movement_command_layout)
        To the engines.
    completions : In(stream of completion_layout)
        From the engines; always taken.
    """

    writer: Signal
    parts: Any
    give: Signal
    number: Signal
    operation: Signal
    take: Signal
    room: Sequence[Signal]
    waiting: Sequence[Signal]
    reader: Signal
    shown: Signal
    oldest: data.View
    commands: StructuredStream
    completions: StructuredStream

    def __init__(self, fabric: FabricConfig, movement: MovementConfig) -> None:
        self.fabric = fabric
        self.movement = movement
        channel, depth = fabric.channel, movement.commands
        super().__init__(
            {
                "writer": In(channel.tenant_width),
                "parts": In(command_parts_signature(fabric, movement)),
                "give": In(1),
                "number": In(COMMAND_WIDTH),
                "operation": In(4),
                "take": In(1),
                "room": Out(range(depth + 1), init=depth).array(channel.tenants),
                "waiting": Out(range(depth + 1)).array(channel.tenants),
                "reader": In(channel.tenant_width),
                "shown": Out(1),
                "oldest": Out(completion_layout(fabric, movement)),
                "commands": Out(movement_command_signature(fabric, movement)),
                "completions": In(completion_signature(fabric, movement)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        for tenant, room in enumerate(self.room):
            mine = self.writer == tenant
            m.d.sync += room.eq(room - (self.give & mine) + (self.take & mine))
        self._elaborate_commands(m)
        self._elaborate_completions(m)
        return m

    def _elaborate_commands(self, m: Module) -> None:
        tenants, depth = self.fabric.channel.tenants, self.movement.commands
        layout = movement_command_layout(self.fabric, self.movement)
        m.submodules.given = given = memory.Memory(shape=layout, depth=tenants * depth, init=[])
        write, read = given.write_port(), given.read_port()
        parts = self._parts(m)
        first, last = self._pointers("first_command"), self._pointers("last_command")
        queued = [Signal(range(depth + 1), name=f"queued_{t}") for t in range(tenants)]
        turn = Signal(range(tenants))
        asks = Signal(tenants)
        chosen = next_turn(m, turn, asks, name="chosen")
        leaves = Signal()
        offered = Signal()
        m.d.comb += [
            asks.eq(Cat(count != 0 for count in queued)),
            write.en.eq(self.give),
            write.addr.eq(Cat(at_index(self.writer, last), self.writer)),
            *(write.data[name].eq(value) for name, value in parts.items()),
            write.data.number.eq(self.number),
            write.data.tenant.eq(self.writer),
            write.data.operation.eq(self.operation),
            leaves.eq(asks.any() & ~offered),
            read.en.eq(leaves),
            read.addr.eq(Cat(at_index(chosen, first), chosen)),
            self.commands.valid.eq(offered),
            self.commands.payload.eq(read.data),
        ]
        with m.If(leaves):
            m.d.sync += [offered.eq(1), turn.eq(chosen)]
        with m.Elif(self.commands.ready):
            m.d.sync += offered.eq(0)
        for tenant in range(tenants):
            enters = self.give & (self.writer == tenant)
            goes = leaves & (chosen == tenant)
            m.d.sync += [
                queued[tenant].eq(queued[tenant] + enters - goes),
                first[tenant].eq(first[tenant] + goes),
                last[tenant].eq(last[tenant] + enters),
            ]

    def _parts(self, m: Module) -> dict[str, Value]:
        """Fields of the writer's next command, as it wrote them."""
        widths = _widths(self.fabric, self.movement)
        found: dict[str, Value] = {}
        for part, names in _PARTS.items():
            m.submodules[part] = kept = memory.Memory(
                shape=sum(widths[name] for name in names),
                depth=self.fabric.channel.tenants,
                init=[],
                attrs={"ram_style": "distributed"},
            )
            write, read = kept.write_port(), kept.read_port(domain="comb")
            m.d.comb += [
                write.en.eq(getattr(self.parts, f"{part}_stb")),
                write.addr.eq(self.writer),
                write.data.eq(Cat(getattr(self.parts, name) for name in names)),
                read.addr.eq(self.writer),
            ]
            low = 0
            for name in names:
                found[name] = read.data[low : low + widths[name]]
                low += widths[name]
        return {"object": Cat(found.pop("object_low"), found.pop("object_high"))} | found

    def _elaborate_completions(self, m: Module) -> None:
        tenants, depth = self.fabric.channel.tenants, self.movement.commands
        completions = self.completions
        layout = completion_layout(self.fabric, self.movement)
        m.submodules.came = came = memory.Memory(shape=layout, depth=tenants * depth, init=[])
        write, read = came.write_port(), came.read_port()
        first, last = self._pointers("first_completion"), self._pointers("last_completion")
        tenant = completions.payload.tenant
        m.d.comb += [
            completions.ready.eq(1),
            write.en.eq(completions.valid),
            write.addr.eq(Cat(at_index(tenant, last), tenant)),
            write.data.eq(completions.payload),
            read.en.eq(1),
            read.addr.eq(Cat(at_index(self.reader, first), self.reader)),
            self.oldest.eq(read.data),
        ]
        m.d.sync += self.shown.eq(at_index(self.reader, self.waiting) != 0)
        for t in range(tenants):
            comes = completions.valid & (tenant == t)
            goes = self.take & (self.writer == t)
            m.d.sync += [
                self.waiting[t].eq(self.waiting[t] + comes - goes),
                first[t].eq(first[t] + goes),
                last[t].eq(last[t] + comes),
            ]

    def _pointers(self, name: str) -> list[Signal]:
        """A place in a queue, for each tenant."""
        width = exact_log2(self.movement.commands)
        return [Signal(width, name=f"{name}_{t}") for t in range(self.fabric.channel.tenants)]
