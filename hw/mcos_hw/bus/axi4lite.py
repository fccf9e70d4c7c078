"""AXI4-Lite: the signature of a port, and its response codes."""

import enum

from amaranth.hdl import Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = [
    "Axi4LiteInterface",
    "Axi4LiteSignature",
    "Response",
]


class Response(enum.IntEnum):
    """Response codes of an AXI subordinate (AMBA AXI, table "RRESP and BRESP encoding")."""

    OKAY = 0
    """The access was done."""
    EXOKAY = 1
    """An exclusive access was done exclusively; no port here answers so."""
    SLVERR = 2
    """The address exists and refuses this access; nothing changed."""
    DECERR = 3
    """Nothing lives at the address; nothing changed."""


class Axi4LiteSignature(wiring.Signature):
    """An AXI4-Lite port, seen by the manager.

    A component that is accessed has it as ``s_axil: In(Axi4LiteSignature(...))``, which gives
    Verilog ports ``s_axil__awaddr`` and so on.

    Parameters
    ----------
    address_width : int
        Bits of a byte address.
    data_width : int
        Bits of a word: 32 or 64.

    Members
    -------
    awaddr, awprot, awvalid, awready
        Write address channel.
    wdata, wstrb, wvalid, wready
        Write data channel.
    bresp, bvalid, bready
        Write response channel.
    araddr, arprot, arvalid, arready
        Read address channel.
    rdata, rresp, rvalid, rready
        Read data channel.

    Raises
    ------
    ValueError
        If ``address_width`` is not positive or ``data_width`` is neither 32 nor 64.
    """

    def __init__(self, address_width: int, data_width: int = 32) -> None:
        if address_width < 1:
            raise ValueError(f"address_width must be at least 1, not {address_width!r}")
        if data_width not in (32, 64):
            raise ValueError(f"data_width must be 32 or 64, not {data_width!r}")
        self.address_width = address_width
        self.data_width = data_width
        super().__init__(
            {
                "awaddr": Out(address_width),
                "awprot": Out(3),
                "awvalid": Out(1),
                "awready": In(1),
                "wdata": Out(data_width),
                "wstrb": Out(data_width // 8),
                "wvalid": Out(1),
                "wready": In(1),
                "bresp": In(2),
                "bvalid": In(1),
                "bready": Out(1),
                "araddr": Out(address_width),
                "arprot": Out(3),
                "arvalid": Out(1),
                "arready": In(1),
                "rdata": In(data_width),
                "rresp": In(2),
                "rvalid": In(1),
                "rready": Out(1),
            }
        )

    def create(self, *, path=None, src_loc_at=0) -> "Axi4LiteInterface":
        return Axi4LiteInterface(self, path=path, src_loc_at=1 + src_loc_at)

    def __eq__(self, other: object) -> bool:
        return (
            type(other) is type(self)
            and other.address_width == self.address_width
            and other.data_width == self.data_width
        )

    def __repr__(self) -> str:
        return f"Axi4LiteSignature({self.address_width}, {self.data_width})"


class Axi4LiteInterface(wiring.PureInterface):
    """The signals of an :class:`Axi4LiteSignature`."""

    awaddr: Signal
    awprot: Signal
    awvalid: Signal
    awready: Signal
    wdata: Signal
    wstrb: Signal
    wvalid: Signal
    wready: Signal
    bresp: Signal
    bvalid: Signal
    bready: Signal
    araddr: Signal
    arprot: Signal
    arvalid: Signal
    arready: Signal
    rdata: Signal
    rresp: Signal
    rvalid: Signal
    rready: Signal
