"""The live configuration as a structure: what the channel's logic reads."""

from amaranth.lib import data

from mcos_hw.registers.declaration import RegisterMap

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
    channel: dict[str, int] = {}
    tenant: dict[str, int] = {}
    tenants = 1
    for register, index in registers.image_words():
        if index:
            continue
        fields = {field.name: field.width for field in register.fields}
        if register.count == 1:
            channel |= fields
        else:
            tenants = register.count
            tenant |= fields
    return data.StructLayout(
        {
            "channel": data.StructLayout(channel),
            "tenants": data.ArrayLayout(data.StructLayout(tenant), tenants),
        }
    )
