"""Settings of one tenant of the live image, for a part that looks at one tenant a clock."""

from typing import Protocol

from amaranth.hdl import Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import channel_map
from mcos_hw.registers.image import SectionKind

__all__ = [
    "ContractRead",
    "contract_read_signature",
]


class ContractRead(Protocol):
    """Asks for a tenant's settings, and gets them in the same clock.

    A commit changes what is read at the edge that ends its clock, for all readers alike.
    """

    tenant: Signal
    """Whose settings."""

    row: data.View
    """Those of its settings that the reader wants, by the names of their fields."""


def contract_read_signature(config: ChannelConfig, *names: str) -> wiring.Signature:
    """:class:`ContractRead` of the settings ``names``, as the reader drives it."""
    fields = {
        field.name: field.width
        for register in channel_map(config).section(SectionKind.TENANT)
        for field in register.fields
    }
    return wiring.Signature(
        {
            "tenant": Out(config.tenant_width),
            "row": In(data.StructLayout({name: fields[name] for name in names})),
        }
    )
