"""The pieces that a burst is cut into, and those of them that want to land."""

from amaranth.hdl import Const, Value
from amaranth.lib import data, stream

from mcos_hw.config import FabricConfig, PortConfig
from mcos_hw.link.burst import attributes_layout
from mcos_hw.link.request import structured_stream

__all__ = [
    "channel_field",
    "channel_number",
    "fragment_layout",
    "fragment_signature",
    "hazard_layout",
    "landing_layout",
    "landing_signature",
]


def channel_field(fabric: FabricConfig) -> dict[str, int]:
    """The field of a channel's number; of one channel there is none."""
    return {"channel": fabric.channel_width} if fabric.channels > 1 else {}


def channel_number(fabric: FabricConfig, payload: data.View) -> Value:
    """The channel that a payload with :func:`channel_field` is of."""
    return payload.channel if fabric.channels > 1 else Const(0, 1)


def hazard_layout(fabric: FabricConfig, port: PortConfig) -> data.StructLayout:
    """What tells fragments that may not be outstanding together from others.

    It goes with a fragment because it is made from its address and its ID: a landing that made it
    first would have no time left to look for it in all that is outstanding.

    - ``key``: :func:`mcos_hw.port.hazard.hazard_key` of its block and its order;
    - ``beats``: a bit for each memory beat of its block, set if the fragment touches it.
    """
    block_bits = port.hazard_rows.bit_length() - 1
    return data.StructLayout(
        {"key": block_bits + port.order_bits, "beats": fabric.channel.max_beats}
    )


def fragment_layout(fabric: FabricConfig, port: PortConfig) -> data.StructLayout:
    """A piece of a burst: consecutive transfers within one block of ``l_max`` bytes.

    Transfer i of a fragment begins at ``address`` for i = 0, and at ``address`` rounded down to
    its size, plus i transfers, for the others, as in an INCR burst; wrapped and fixed bursts are
    cut so that this holds.

    - ``id``, ``tenant``, ``size``, ``attributes``, ``offered``: as in its burst;
    - ``address``: of its first byte;
    - ``channel``: which one the address is of, if there are several;
    - ``beats``: memory beats that its transfers touch, 1 to ``max_beats``;
    - ``transfers``: transfers of the requester's data bus, 1 to 256;
    - ``hazard``: its :func:`hazard_layout`, if it goes to memory;
    - ``last``: it is the last fragment of its burst;
    - ``response``: OKAY if it goes to memory, else the error that it is answered with. With SLVERR
      it stands for the whole burst: ``beats`` means nothing, ``transfers`` is the burst's.
    """
    return data.StructLayout(
        {
            "id": port.id_width,
            "tenant": fabric.channel.tenant_width,
            "address": fabric.channel.address_width,
            **channel_field(fabric),
            "beats": fabric.channel.beats_width,
            "hazard": hazard_layout(fabric, port),
            "transfers": fabric.transfers_width,
            "size": 3,
            "last": 1,
            "response": 2,
            "attributes": attributes_layout(),
            "offered": fabric.channel.stamp_width,
        }
    )


def fragment_signature(fabric: FabricConfig, port: PortConfig) -> stream.Signature:
    """Stream of :func:`fragment_layout`."""
    return structured_stream(fragment_layout(fabric, port))


def landing_layout(fabric: FabricConfig, port: PortConfig) -> data.StructLayout:
    """A fragment that wants to land: its data are in the write bank, or room for them reserved.

    - ``tenant``, ``beats``, ``offered``: as in the fragment;
    - ``address``: of its first memory beat, a multiple of ``beat_bytes``, within its channel; an
      engine inside gives the whole address;
    - ``channel``: where it goes to, if there are several; an engine inside leaves it to its port;
    - ``hazard``: as in the fragment; an engine inside leaves it to its port;
    - ``entry``: its number within its port and direction;
    - ``order``: low bits of its ID; fragments of one order that touch the same beats must not be
      outstanding together.
    """
    return data.StructLayout(
        {
            "tenant": fabric.channel.tenant_width,
            "address": fabric.channel.address_width,
            **channel_field(fabric),
            "beats": fabric.channel.beats_width,
            "hazard": hazard_layout(fabric, port),
            "entry": fabric.entry_width,
            "order": port.order_bits,
            "offered": fabric.channel.stamp_width,
        }
    )


def landing_signature(fabric: FabricConfig, port: PortConfig) -> stream.Signature:
    """Stream of :func:`landing_layout`."""
    return structured_stream(landing_layout(fabric, port))
