import pytest
from amaranth.back import rtlil
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.bus.axi4lite import Axi4LiteInterface, Axi4LiteSignature

# AMBA AXI: signals of an AXI4-Lite interface, by the side that drives them.
DRIVEN_BY_MANAGER = {
    "awaddr": 13,
    "awprot": 3,
    "awvalid": 1,
    "wdata": 32,
    "wstrb": 4,
    "wvalid": 1,
    "bready": 1,
    "araddr": 13,
    "arprot": 3,
    "arvalid": 1,
    "rready": 1,
}
DRIVEN_BY_SUBORDINATE = {
    "awready": 1,
    "wready": 1,
    "bresp": 2,
    "bvalid": 1,
    "arready": 1,
    "rdata": 32,
    "rresp": 2,
    "rvalid": 1,
}


class Subordinate(wiring.Component):
    def __init__(self):
        super().__init__({"s_axil": In(Axi4LiteSignature(13))})

    def elaborate(self, platform):
        m = Module()
        m.d.sync += self.s_axil.bvalid.eq(self.s_axil.awvalid & self.s_axil.wvalid)
        return m


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 32), r"^address_width must be at least 1, not 0$"),
        ((13, 16), r"^data_width must be 32 or 64, not 16$"),
    ],
)
def test_parameters(arguments, message):
    with pytest.raises(ValueError, match=message):
        Axi4LiteSignature(*arguments)


def test_signature():
    members = Axi4LiteSignature(13).members
    assert {name: members[name].shape for name in members if members[name].flow is Out} == (
        DRIVEN_BY_MANAGER
    )
    assert {name: members[name].shape for name in members if members[name].flow is In} == (
        DRIVEN_BY_SUBORDINATE
    )


def test_wide_data():
    members = Axi4LiteSignature(40, 64).members
    assert (members["wdata"].shape, members["wstrb"].shape, members["rdata"].shape) == (64, 8, 64)


def test_equality():
    assert Axi4LiteSignature(13) == Axi4LiteSignature(13, 32)
    assert Axi4LiteSignature(13) != Axi4LiteSignature(14)
    assert Axi4LiteSignature(13) != Axi4LiteSignature(13, 64)
    assert repr(Axi4LiteSignature(13)) == "Axi4LiteSignature(13, 32)"


def test_interface_annotates_every_signal():
    assert set(Axi4LiteInterface.__annotations__) == set(Axi4LiteSignature(13).members)
    assert isinstance(Axi4LiteSignature(13).create(), Axi4LiteInterface)


def test_port_names():
    text = rtlil.convert(Subordinate(), emit_src=False)
    for name in (*DRIVEN_BY_MANAGER, *DRIVEN_BY_SUBORDINATE):
        assert f"\\s_axil__{name}\n" in text
