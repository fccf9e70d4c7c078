"""The live configuration as a structure: what the channel's logic reads."""

from amaranth.lib import data

from mcos_hw.registers.declaration import RegisterMap
from mcos_hw.registers.image import SectionKind

__all__ = ["live_layout"]


def live_layout(registers: RegisterMap) -> data.StructLayout:
    """Layout with every image field by name.

    Fields of single registers are members of ``channel``; fields of arrays are members of
    ``tenants[i]``.

    Returns
    -------
    data.StructLayout
        ``{"channel": {field: width}, "tenants": [{field: width}]}``.
    """

    def row(kind: SectionKind) -> data.StructLayout:
        fields = (field for register in registers.section(kind) for field in register.fields)
        return data.StructLayout({field.name: field.width for field in fields})

    tenants = registers.sections().get(SectionKind.TENANT, 1)
    return data.StructLayout(
        {
            "channel": row(SectionKind.CHANNEL),
            "tenants": data.ArrayLayout(row(SectionKind.TENANT), tenants),
        }
    )
