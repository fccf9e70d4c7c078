"""What memory has served."""

from typing import Protocol

from amaranth.hdl import Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import Out

from mcos_hw.config import ChannelConfig

__all__ = [
    "Served",
    "served_signature",
    "slot_entry_layout",
]


def slot_entry_layout(config: ChannelConfig) -> data.StructLayout:
    """What is remembered of a granted request until memory has served it.

    - ``tenant``, ``id``, ``beats``, ``offered``: as in the request.
    """
    return data.StructLayout(
        {
            "tenant": config.tenant_width,
            "id": config.id_width,
            "beats": config.beats_width,
            "offered": config.stamp_width,
        }
    )


class Served(Protocol):
    """The request whose completion came in the clock before."""

    valid: Signal
    """Memory completed a request in the clock before."""

    entry: data.View
    """That request, see :func:`slot_entry_layout`. It means nothing unless ``valid`` is set."""


def served_signature(config: ChannelConfig) -> wiring.Signature:
    """:class:`Served` as the slot table drives it."""
    return wiring.Signature({"valid": Out(1), "entry": Out(slot_entry_layout(config))})
