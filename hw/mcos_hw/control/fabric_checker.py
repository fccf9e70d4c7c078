"""Judges the sections of an image that are for what is in front of the channels."""

from collections.abc import Mapping

from amaranth import *

from mcos_hw.config import GRAINS
from mcos_hw.control.checker import SectionChecker
from mcos_hw.registers.image import ImageCode, SectionKind

__all__ = [
    "FabricChecker",
    "PortsChecker",
]


class FabricChecker(SectionChecker):
    """Checker of the FABRIC section, which an image may leave out.

    The interleave names each place once, or ``verdict`` is INTERLEAVE: of the window, which is as
    many bits from the grain on as a channel's number has, mask j has bit j alone, and it has none
    below. If another rule is broken as well, ``verdict`` is FABRIC.

    See :class:`SectionChecker`.
    """

    kind = SectionKind.FABRIC
    code = ImageCode.FABRIC

    def _judge(self, m: Module, row: Value) -> None:
        width = (self.registers.channels - 1).bit_length()
        if width:
            folded = Signal()
            grain = Signal(range(GRAINS))
            position, value = self._place_of("grain")
            with m.If(self.word_stb & (row == position)):
                m.d.sync += grain.eq(value)
            for j in range(width):
                position, value = self._place_of(f"mask_{j}")
                upto = Array((1 << (first + width)) - 1 for first in range(GRAINS))[grain]
                alone = Array(1 << (first + j) for first in range(GRAINS))[grain]
                with m.If(self.word_stb & (row == position) & ((value & upto) != alone)):
                    m.d.sync += folded.eq(1)
            with m.If(self.begin):
                m.d.sync += folded.eq(0)
            with m.If(folded):
                m.d.comb += self.verdict.eq(ImageCode.INTERLEAVE)
        super()._judge(m, row)


class PortsChecker(SectionChecker):
    """Checker of PORTS sections, one for each port, which an image may leave out.

    A used row names a tenant that there is, and IDs from ``first`` to ``last`` that the port has. A
    port without so many rows, or without AXI, uses none of them. Else ``verdict`` is PORTS.
    Otherwise it is CREDITS if the places of a tenant in all sections are more than its queue has.

    See :class:`SectionChecker`.
    """

    kind = SectionKind.PORTS
    code = ImageCode.PORTS

    def _judge(self, m: Module, row: Value) -> None:
        """Add the credits of each tenant up."""
        tenants = self.config.tenants
        over = Signal()
        first = len(self.rows) - tenants
        most = self.config.queue_depth
        for tenant in range(tenants):
            total = Signal(range(most + 2), name=f"total_{tenant}")
            with m.If(self.word_stb & (row == first + tenant)):
                places = self.word[: len(total)]
                m.d.sync += total.eq(total + places)
                # A value over the queue breaks the map's rule.
                with m.If(total + places > most):
                    m.d.sync += [over.eq(1), total.eq(0)]
            with m.If(self.begin):
                m.d.sync += total.eq(0)
        with m.If(self.begin):
            m.d.sync += over.eq(0)
        with m.If(over):
            m.d.comb += self.verdict.eq(ImageCode.CREDITS)
        super()._judge(m, row)

    def _unrelated(self, m: Module, row: Value, flags: Mapping[str, Value]) -> Value:
        port = self.place.element
        rows = sum(register.name == "PORT_ROW_NOW" for register in self.rows)
        limits = self.registers.ports
        has = Array([each.rows for each in limits] + [0])[port]
        last_id = Array([each.last_id for each in limits] + [0])[port]
        used = Signal(rows)
        wrong = Signal()
        there, tenant = self.word[0], self.word[8:16]
        first, last = self.word[:16], self.word[16:]
        with m.If(row < rows):
            m.d.comb += wrong.eq(there & ((tenant >= self.config.tenants) | (row >= has)))
            with m.If(self.word_stb):
                m.d.sync += used.bit_select(row, 1).eq(there)
        with m.Elif(row < 2 * rows):
            m.d.comb += wrong.eq(
                used.bit_select((row - rows)[: len(row)], 1) & ((first > last) | (last > last_id))
            )
        return wrong
