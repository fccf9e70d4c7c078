"""The live configuration, as all that reads it sees it."""

from typing import Protocol

from amaranth.hdl import Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import Out

from mcos_hw.registers.declaration import RegisterMap
from mcos_hw.registers.image import SectionKind

__all__ = [
    "DRAIN_AGE",
    "Live",
    "live_layout",
    "live_signature",
    "section_layout",
]


DRAIN_AGE = 1024
"""Age limit in clocks of the head of a disabled tenant, so that its queue drains."""


def section_layout(registers: RegisterMap, kind: SectionKind) -> data.StructLayout:
    """Layout with every field of a section that is kept in a register, by name."""
    kept = (register for register in registers.section(kind) if not register.paged)
    fields = (field for register in kept for field in register.fields)
    return data.StructLayout({field.name: field.width for field in fields})


def live_layout(registers: RegisterMap) -> data.StructLayout:
    """Layout with the settings of a channel and of each tenant, as far as registers keep them.

    Fields of single registers are members of ``channel``; fields of arrays that are not ``paged``
    are members of ``tenants[i]``.

    Returns
    -------
    data.StructLayout
        ``{"channel": {field: width}, "tenants": [{field: width}]}``.
    """
    tenants = registers.sections().get(SectionKind.TENANT, 1)
    return data.StructLayout(
        {
            "channel": section_layout(registers, SectionKind.CHANNEL),
            "tenants": data.ArrayLayout(section_layout(registers, SectionKind.TENANT), tenants),
        }
    )


class Live(Protocol):
    """The live image: the settings in force in this clock.

    A commit changes all of them at one clock edge, together with what
    :class:`mcos_hw.link.contract.ContractReads` read.
    """

    channel: data.View
    """Settings of the channel, by the names of their fields in the register map."""

    tenants: data.View
    """Settings of each tenant, by the names of their fields in the register map.

    A compact channel has here what it needs of all tenants in the same clock, and reads the others
    one tenant at a time.
    """

    generation: Signal
    """Commits since reset, modulo ``2**32``; 0 means that no image is live."""


def live_signature(registers: RegisterMap) -> wiring.Signature:
    """:class:`Live` as the loader drives it."""
    layout = live_layout(registers)
    return wiring.Signature(
        {
            "channel": Out(layout["channel"].shape),
            "tenants": Out(layout["tenants"].shape),
            "generation": Out(32),
        }
    )
