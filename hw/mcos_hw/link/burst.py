"""A burst on its way from an AXI address channel to the fragments that it is cut into."""

from amaranth.lib import data, stream

from mcos_hw.config import FabricConfig, PortConfig
from mcos_hw.link.request import structured_stream

__all__ = [
    "address_layout",
    "address_signature",
    "attributes_layout",
    "burst_layout",
    "burst_signature",
    "tagged_burst_layout",
    "tagged_burst_signature",
]


def attributes_layout() -> data.StructLayout:
    """What passes from the requester to memory unchanged: AxPROT, AxCACHE and AxQOS."""
    return data.StructLayout({"prot": 3, "cache": 4, "qos": 4})


def address_layout(fabric: FabricConfig, port: PortConfig) -> data.StructLayout:
    """What a requester says on an AXI address channel.

    - ``id``, ``address``, ``length`` (transfers less one), ``size`` (log2 of a transfer's bytes),
      ``kind`` (:class:`mcos_hw.bus.axi4.BurstKind`): as AxID, AxADDR, AxLEN, AxSIZE and AxBURST;
    - ``attributes``: :func:`attributes_layout`;
    - ``stamp``: AxUSER, the clock in which the requester first wanted it; only if ``port.stamped``.
    """
    return data.StructLayout(
        {
            "id": port.id_width,
            "address": fabric.channel.address_width,
            "length": 8,
            "size": 3,
            "kind": 2,
            "attributes": attributes_layout(),
            **({"stamp": fabric.channel.stamp_width} if port.stamped else {}),
        }
    )


def burst_layout(fabric: FabricConfig, port: PortConfig) -> data.StructLayout:
    """A burst as a requester asked for it: what :func:`address_layout` has, and

    - ``offered``: the clock, modulo ``2**stamp_width``, in which it was first offered;
    - ``fault``: no AXI burst may look like this; it is answered with SLVERR.
    """
    fields = dict(address_layout(fabric, port).members)
    fields.pop("stamp", None)
    return data.StructLayout({**fields, "offered": fabric.channel.stamp_width, "fault": 1})


def tagged_burst_layout(fabric: FabricConfig, port: PortConfig) -> data.StructLayout:
    """A burst that has passed the tenant table.

    - ``tenant``: its tag; it means nothing unless ``response`` is OKAY;
    - ``response``: OKAY if it is served, else the error that it is answered with
      (:class:`mcos_hw.bus.axi4lite.Response`);
    - the others as in :func:`burst_layout`.
    """
    fields = dict(burst_layout(fabric, port).members)
    del fields["fault"]
    return data.StructLayout({**fields, "tenant": fabric.channel.tenant_width, "response": 2})


def address_signature(fabric: FabricConfig, port: PortConfig) -> stream.Signature:
    """Stream of :func:`address_layout`."""
    return structured_stream(address_layout(fabric, port))


def burst_signature(fabric: FabricConfig, port: PortConfig) -> stream.Signature:
    """Stream of :func:`burst_layout`."""
    return structured_stream(burst_layout(fabric, port))


def tagged_burst_signature(fabric: FabricConfig, port: PortConfig) -> stream.Signature:
    """Stream of :func:`tagged_burst_layout`."""
    return structured_stream(tagged_burst_layout(fabric, port))
