"""Where a configuration is kept: shadow registers that images fill, live registers that count."""

from typing import Protocol

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.link.contract import ContractRead
from mcos_hw.link.live import live_layout
from mcos_hw.registers.declaration import RegisterMap
from mcos_hw.registers.image import SectionKind

__all__ = [
    "ConfigStore",
    "Place",
    "place_signature",
    "select_contract",
]


class Place(Protocol):
    """What :func:`place_signature` makes."""

    stb: Signal
    element: Signal
    row: Signal


def place_signature(registers: RegisterMap, kind: SectionKind) -> wiring.Signature:
    """Which word of an image's sections of one kind is put in.

    ``stb`` is high for one clock, ``element`` is the section's number among those of its kind, and
    ``row`` is the word's register, ``registers.section(kind)[row]``.
    """
    return wiring.Signature(
        {
            "stb": Out(1),
            "element": Out(range(registers.sections()[kind] + 1)),
            "row": Out(range(len(registers.section(kind)))),
        }
    )


class ConfigStore(wiring.Component):
    """Shadow and live registers of a register map.

    A word enters the shadow at the place that its section's checker names. A commit copies the
    whole shadow to ``live`` at the edge that ends its clock, so no clock sees half of it. After
    reset both are all zero: no tenant is enabled.

    The store does not judge values; the checkers do, before the loader commits. Arrays that are
    ``paged`` are not kept here but by :class:`mcos_hw.control.pages.ContractPages`.

    Parameters
    ----------
    registers : RegisterMap
        The map.

    Members
    -------
    word : In(32)
        The word to put in.
    <kind> : In(place_signature(registers, kind))
        Where it goes: one for each kind of section of the map, by lower-case name.
    commit_stb : In(1)
        Copy the shadow to the live registers.
    shadow, live : Out(live_layout(registers))
        Both sets of registers.
    """

    word: Signal
    commit_stb: Signal
    shadow: data.View
    live: data.View

    def __init__(self, registers: RegisterMap) -> None:
        self.registers = registers
        places = {
            kind.name.lower(): In(place_signature(registers, kind)) for kind in registers.sections()
        }
        super().__init__(
            {
                "word": In(32),
                **places,
                "commit_stb": In(1),
                "shadow": Out(live_layout(registers)),
                "live": Out(live_layout(registers)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        for kind, count in self.registers.sections().items():
            place = getattr(self, kind.name.lower())
            rows = self.shadow.tenants if kind is SectionKind.TENANT else [self.shadow.channel]
            kept = [
                (position, register)
                for position, register in enumerate(self.registers.section(kind))
                if not register.paged
            ]
            for element in range(count):
                with m.If(place.stb & (place.element == element)), m.Switch(place.row):
                    for position, register in kept:
                        with m.Case(position):
                            for field in register.fields:
                                value = self.word[field.low : field.low + field.width]
                                m.d.sync += rows[element][field.name].eq(value)
        with m.If(self.commit_stb):
            m.d.sync += self.live.eq(self.shadow)
        return m


def select_contract(m: Module, tenants: data.View, read: ContractRead) -> None:
    """Answer a reader from registers of all tenants, as ``live.tenants``."""
    for name in read.row.shape().members:
        m.d.comb += read.row[name].eq(Array(each[name] for each in tenants)[read.tenant])
