"""AXI4 and AXI3: the signature of a port with data, and the codes of its fields."""

import enum

from amaranth.hdl import Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = [
    "Axi3Signature",
    "Axi4Signature",
    "AxiInterface",
    "BurstKind",
]


class BurstKind(enum.IntEnum):
    """Codes of AxBURST (AMBA AXI, IHI 0022, table "Burst type encoding")."""

    FIXED = 0
    """Every transfer is at the same address."""
    INCR = 1
    """Each transfer is at the address after the one before."""
    WRAP = 2
    """As INCR, but goes on at the lower boundary of the burst's size when it reaches the upper."""


class _AxiSignature(wiring.Signature):
    """What AXI3 and AXI4 have in common; see the two."""

    protocol: str

    def __init__(
        self, *, address_width: int, data_width: int, id_width: int, user_width: int = 0
    ) -> None:
        if not 1 <= address_width <= 64:
            raise ValueError(f"address_width must be in 1..64, not {address_width!r}")
        if data_width not in (8, 16, 32, 64, 128, 256, 512, 1024):
            raise ValueError(
                f"data_width must be a power of two in 8..1024 bits, not {data_width!r}"
            )
        if not 1 <= id_width <= 16:
            raise ValueError(f"id_width must be in 1..16, not {id_width!r}")
        self.address_width = address_width
        self.data_width = data_width
        if user_width < 0:
            raise ValueError(f"user_width must be at least 0, not {user_width!r}")
        self.id_width = id_width
        self.user_width = user_width
        super().__init__(
            {
                **self._address("aw"),
                **self._write_id(),
                "wdata": Out(data_width),
                "wstrb": Out(data_width // 8),
                "wlast": Out(1),
                "wvalid": Out(1),
                "wready": In(1),
                "bid": In(id_width),
                "bresp": In(2),
                "bvalid": In(1),
                "bready": Out(1),
                **self._address("ar"),
                "rid": In(id_width),
                "rdata": In(data_width),
                "rresp": In(2),
                "rlast": In(1),
                "rvalid": In(1),
                "rready": Out(1),
            }
        )

    def _address(self, channel: str) -> dict[str, wiring.Member]:
        widths = {
            "id": self.id_width,
            "addr": self.address_width,
            **self._widths(),
            "cache": 4,
            "prot": 3,
            **({"user": self.user_width} if self.user_width else {}),
        }
        members = {f"{channel}{name}": Out(width) for name, width in widths.items()}
        return members | {f"{channel}valid": Out(1), f"{channel}ready": In(1)}

    def _widths(self) -> dict[str, int]:
        raise NotImplementedError

    def _write_id(self) -> dict[str, wiring.Member]:
        return {}

    def create(self, *, path=None, src_loc_at=0) -> "AxiInterface":
        return AxiInterface(self, path=path, src_loc_at=1 + src_loc_at)

    def __eq__(self, other: object) -> bool:
        return (
            type(other) is type(self)
            and other.address_width == self.address_width
            and other.data_width == self.data_width
            and other.id_width == self.id_width
            and other.user_width == self.user_width
        )

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(address_width={self.address_width}, "
            f"data_width={self.data_width}, id_width={self.id_width}, "
            f"user_width={self.user_width})"
        )


class Axi4Signature(_AxiSignature):
    """An AXI4 port, seen by the manager.

    A component that is accessed has it as ``s_axi: In(Axi4Signature(...))``, which gives Verilog
    ports ``s_axi__awaddr`` and so on. REGION is left out, and USER where it has no bits; data and
    responses have none.

    Parameters
    ----------
    address_width : int
        Bits of a byte address, 1 to 64.
    data_width : int
        Bits of data, a power of two from 8 to 1024.
    id_width : int
        Bits of an ID, 1 to 16.
    user_width : int
        Bits of AWUSER and ARUSER; without any these members are left out.

    Members
    -------
    awid, awaddr, awlen, awsize, awburst, awlock, awcache, awprot, awqos, awvalid, awready
        Write address channel.
    wdata, wstrb, wlast, wvalid, wready
        Write data channel.
    bid, bresp, bvalid, bready
        Write response channel.
    arid, araddr, arlen, arsize, arburst, arlock, arcache, arprot, arqos, arvalid, arready
        Read address channel.
    rid, rdata, rresp, rlast, rvalid, rready
        Read data channel.

    Raises
    ------
    ValueError
        If a width is out of its range.
    """

    protocol = "AXI4"

    def _widths(self) -> dict[str, int]:
        return {"len": 8, "size": 3, "burst": 2, "lock": 1, "qos": 4}


class Axi3Signature(_AxiSignature):
    """An AXI3 port, seen by the manager, as hard HBM controllers have it.

    It differs from :class:`Axi4Signature` in three things: a burst has at most 16 transfers
    (``len`` has 4 bits), ``lock`` has two bits, write data name their burst by ``wid``, and there
    is no ``qos``.

    Parameters, Raises
    ------------------
    As :class:`Axi4Signature`.

    Members
    -------
    wid
        ID of the burst that write data belong to.
    others
        As :class:`Axi4Signature`.
    """

    protocol = "AXI3"

    def _widths(self) -> dict[str, int]:
        return {"len": 4, "size": 3, "burst": 2, "lock": 2}

    def _write_id(self) -> dict[str, wiring.Member]:
        return {"wid": Out(self.id_width)}


class AxiInterface(wiring.PureInterface):
    """The signals of an :class:`Axi4Signature` or an :class:`Axi3Signature`.

    ``awqos`` and ``arqos`` are AXI4's alone, ``wid`` is AXI3's alone.
    """

    awid: Signal
    awaddr: Signal
    awlen: Signal
    awsize: Signal
    awburst: Signal
    awlock: Signal
    awcache: Signal
    awprot: Signal
    awqos: Signal
    awuser: Signal
    awvalid: Signal
    awready: Signal
    wid: Signal
    wdata: Signal
    wstrb: Signal
    wlast: Signal
    wvalid: Signal
    wready: Signal
    bid: Signal
    bresp: Signal
    bvalid: Signal
    bready: Signal
    arid: Signal
    araddr: Signal
    arlen: Signal
    arsize: Signal
    arburst: Signal
    arlock: Signal
    arcache: Signal
    arprot: Signal
    arqos: Signal
    aruser: Signal
    arvalid: Signal
    arready: Signal
    rid: Signal
    rdata: Signal
    rresp: Signal
    rlast: Signal
    rvalid: Signal
    rready: Signal
