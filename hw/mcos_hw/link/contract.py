"""Settings of one tenant of the live image, for a part that looks at one tenant a clock."""

from collections.abc import Sequence
from typing import Any, Protocol

from amaranth.hdl import Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import channel_map
from mcos_hw.registers.image import SectionKind

__all__ = [
    "ContractRead",
    "ContractReads",
    "contract_layout",
    "contract_read_signature",
    "contract_readers",
    "contract_reads_signature",
    "reads_of_channels",
]


class ContractRead(Protocol):
    """Asks for a tenant's settings, and gets them in the same clock.

    A commit changes what is read at the edge that ends its clock, for all readers alike. Before the
    first commit after reset everything reads as 0.
    """

    tenant: Signal
    """Whose settings."""

    row: data.View
    """Those of its settings that the reader wants, by the names of their fields."""


def contract_layout(config: ChannelConfig) -> data.StructLayout:
    """All settings of a tenant, by the names of their fields."""
    fields = channel_map(config).section_fields(SectionKind.TENANT)
    return data.StructLayout({field.name: field.width for field in fields})


def contract_read_signature(config: ChannelConfig, *names: str) -> wiring.Signature:
    """:class:`ContractRead` of the settings ``names``, as the reader drives it."""
    fields = contract_layout(config).members
    return wiring.Signature(
        {
            "tenant": Out(config.tenant_width),
            "row": In(data.StructLayout({name: fields[name] for name in names})),
        }
    )


class ContractReads(Protocol):
    """What the parts of a channel read of one tenant at a time."""

    intake: ContractRead
    """Weight and page colours, by the tenant of the request that is offered."""

    observer: ContractRead
    """Latency objective, by the tenant of a response."""

    age: ContractRead
    """Age limit, by the tenant whose head is visited; only in a compact channel."""

    buckets: ContractRead
    """Rates and depths, by the tenant whose buckets are visited; only in a compact channel."""


def contract_readers(config: ChannelConfig) -> dict[str, tuple[str, ...]]:
    """Settings that each of :class:`ContractReads` wants, by its name."""
    readers: dict[str, tuple[str, ...]] = {
        "intake": ("inverse_weight", "colours"),
        "observer": ("latency_slo",),
    }
    if config.compact:
        readers["age"] = ("age_limit",)
        readers["buckets"] = ("committed_rate", "committed_depth", "peak_rate", "peak_depth")
    return readers


def contract_reads_signature(config: ChannelConfig) -> wiring.Signature:
    """:class:`ContractReads` as the channel drives them."""
    return wiring.Signature(
        {
            reader: Out(contract_read_signature(config, *names))
            for reader, names in contract_readers(config).items()
        }
    )


def reads_of_channels(contracts: Any, channels: int) -> Sequence[ContractReads]:
    """The reads of each channel, of a member that is an array if there are several."""
    return [contracts] if channels == 1 else contracts
