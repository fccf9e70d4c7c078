"""Where a configuration is kept: shadow registers that images fill, live registers that count."""

from typing import Any, Protocol

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.link.contract import ContractRead
from mcos_hw.link.live import section_layout
from mcos_hw.registers.declaration import RegisterMap
from mcos_hw.registers.image import OPTIONAL_SECTIONS, SectionKind

__all__ = [
    "ConfigStore",
    "Place",
    "PortImage",
    "place_signature",
    "port_image_signature",
    "select_contract",
    "store_layout",
]


class Place(Protocol):
    """What :func:`place_signature` makes."""

    stb: Signal
    every: Signal
    element: Signal
    row: Signal


def place_signature(registers: RegisterMap, kind: SectionKind) -> wiring.Signature:
    """Which word of an image's sections of one kind is put in.

    ``stb`` is high for one clock, ``element`` is the section's number among those of its kind, and
    ``row`` is which of its words, ``registers.section_words(kind)[row]``. With several channels a
    channel's word is for all of them while ``every`` is high.
    """
    several = kind is SectionKind.CHANNEL and registers.channels > 1
    return wiring.Signature(
        {
            "stb": Out(1),
            **({"every": Out(1)} if several else {}),
            "element": Out(range(registers.sections()[kind] + 1)),
            "row": Out(range(len(registers.section_words(kind)))),
        }
    )


class PortImage(Protocol):
    """What the loader tells the owner of the ports' settings."""

    word: Signal
    """The word to put in."""

    place: Place
    """Where it goes."""

    begin: Signal
    """An image begins: what is live is in the shadow from the next clock on."""

    commit_stb: Signal
    """The shadow is live from the next clock on."""


def port_image_signature(registers: RegisterMap) -> wiring.Signature:
    """:class:`PortImage` as the loader drives it."""
    return wiring.Signature(
        {
            "word": Out(32),
            "place": Out(place_signature(registers, SectionKind.PORTS)),
            "begin": Out(1),
            "commit_stb": Out(1),
        }
    )


def store_layout(registers: RegisterMap) -> data.StructLayout:
    """What is kept of an image in registers, with an array for each kind that it has several of.

    Returns
    -------
    data.StructLayout
        ``channel``, or ``channels`` where there are several; ``tenants``; ``fabric``, if the map
        has such settings.
    """
    counts = registers.sections()
    channel, tenant = (
        section_layout(registers, kind) for kind in (SectionKind.CHANNEL, SectionKind.TENANT)
    )
    kept: dict[str, Any] = {"channel": channel}
    if registers.channels > 1:
        kept = {"channels": data.ArrayLayout(channel, registers.channels)}
    kept["tenants"] = data.ArrayLayout(tenant, counts.get(SectionKind.TENANT, 1))
    if SectionKind.FABRIC in counts:
        kept["fabric"] = section_layout(registers, SectionKind.FABRIC)
    return data.StructLayout(kept)


class ConfigStore(wiring.Component):
    """Shadow and live registers of a register map.

    A word enters the shadow at the place that its section's checker names. A commit copies the
    whole shadow to ``live`` at the edge that ends its clock, so no clock sees half of it. A begin
    puts into the shadow what is live of the sections that an image may leave out. After reset both
    are what the map says: no tenant is enabled, and but for the fabric all is zero.

    The store does not judge values; the checkers do, before the loader commits. Arrays that are
    ``paged`` are not kept here but by :class:`mcos_hw.control.pages.ContractPages`, nor what an
    image sets of ports, which :class:`mcos_hw.fabric.port_store.PortStore` keeps.

    Parameters
    ----------
    registers : RegisterMap
        The map.

    Members
    -------
    word : In(32)
        The word to put in.
    <kind> : In(place_signature(registers, kind))
        Where it goes: one for each kind of section that is kept here, by lower-case name.
    begin : In(1)
        An image begins; only with sections that an image may leave out.
    commit_stb : In(1)
        Copy the shadow to the live registers.
    shadow, live : Out(store_layout(registers))
        Both sets of registers.
    """

    word: Signal
    begin: Signal
    commit_stb: Signal
    shadow: data.View
    live: data.View

    def __init__(self, registers: RegisterMap) -> None:
        self.registers = registers
        self.kinds = [kind for kind in registers.sections() if kind is not SectionKind.PORTS]
        places = {kind.name.lower(): In(place_signature(registers, kind)) for kind in self.kinds}
        self.optional = [kind for kind in OPTIONAL_SECTIONS if kind in self.kinds]
        init = self._init()
        super().__init__(
            {
                "word": In(32),
                **places,
                **({"begin": In(1)} if self.optional else {}),
                "commit_stb": In(1),
                "shadow": Out(store_layout(registers), init=init),
                "live": Out(store_layout(registers), init=init),
            }
        )

    def _init(self) -> dict[str, Any] | None:
        """What the optional sections are after reset."""
        resets: dict[str, Any] = {
            kind.name.lower(): {
                field.name: field.reset for field in self.registers.section_fields(kind)
            }
            for kind in self.optional
        }
        return resets or None

    def elaborate(self, platform):
        m = Module()
        for kind in self.kinds:
            count = self.registers.sections()[kind]
            place = getattr(self, kind.name.lower())
            rows = self._rows(kind)
            kept = [
                (position, register)
                for position, register in enumerate(self.registers.section(kind))
                if not register.paged
            ]
            for element in range(count):
                here = place.element == element
                if hasattr(place, "every"):
                    here |= place.every
                with m.If(place.stb & here), m.Switch(place.row):
                    for position, register in kept:
                        with m.Case(position):
                            for field in register.fields:
                                value = self.word[field.low : field.low + field.width]
                                m.d.sync += rows[element][field.name].eq(value)
        for kind in self.optional:
            with m.If(self.begin):
                m.d.sync += self.shadow[kind.name.lower()].eq(self.live[kind.name.lower()])
        with m.If(self.commit_stb):
            m.d.sync += self.live.eq(self.shadow)
        return m

    def _rows(self, kind: SectionKind) -> Any:
        """The shadow of each section of a kind, by its number."""
        if kind is SectionKind.TENANT:
            return self.shadow.tenants
        if kind is SectionKind.CHANNEL and self.registers.channels > 1:
            return self.shadow.channels
        return [self.shadow[kind.name.lower()]]


def select_contract(m: Module, tenants: data.View, read: ContractRead) -> None:
    """Answer a reader from registers of all tenants, as ``live.tenants``."""
    for name in read.row.shape().members:
        m.d.comb += read.row[name].eq(Array(each[name] for each in tenants)[read.tenant])
