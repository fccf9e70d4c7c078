"""What crosses the data and response channels of an AXI port in a clock."""

from amaranth.lib import data, stream

from mcos_hw.config import PortConfig
from mcos_hw.link.request import structured_stream

__all__ = [
    "read_beat_layout",
    "read_beat_signature",
    "write_beat_layout",
    "write_beat_signature",
    "write_response_layout",
    "write_response_signature",
]


def write_beat_layout(port: PortConfig) -> data.StructLayout:
    """A transfer of write data: WDATA, WSTRB and WLAST."""
    return data.StructLayout({"data": 8 * port.data_bytes, "strobe": port.data_bytes, "last": 1})


def write_beat_signature(port: PortConfig) -> stream.Signature:
    """Stream of :func:`write_beat_layout`."""
    return structured_stream(write_beat_layout(port))


def write_response_layout(port: PortConfig) -> data.StructLayout:
    """The answer to a write burst: BID and BRESP."""
    return data.StructLayout({"id": port.id_width, "response": 2})


def write_response_signature(port: PortConfig) -> stream.Signature:
    """Stream of :func:`write_response_layout`."""
    return structured_stream(write_response_layout(port))


def read_beat_layout(port: PortConfig) -> data.StructLayout:
    """A transfer of read data: RID, RDATA, RRESP and RLAST."""
    return data.StructLayout(
        {"id": port.id_width, "data": 8 * port.data_bytes, "response": 2, "last": 1}
    )


def read_beat_signature(port: PortConfig) -> stream.Signature:
    """Stream of :func:`read_beat_layout`."""
    return structured_stream(read_beat_layout(port))
