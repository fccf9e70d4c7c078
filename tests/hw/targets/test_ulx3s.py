# amaranth: UnusedElaboratable=no
"""The board ULX3S: every port has a pin, the clock is one that its PLL makes."""

import re
from fractions import Fraction
from pathlib import Path

import pytest

from mcos_hw.registers import ArbiterKind
from mcos_hw.targets import ulx3s
from mcos_hw.targets.ecp5_pll import EcpPll, pll_for

FILE = Path(__file__).parents[3] / "constraints" / "ulx3s" / f"{ulx3s.TOP}.lpf"

SITES = {
    "clk_25mhz": "G2",
    "ftdi_rxd": "L4",
    "ftdi_txd": "M1",
    "btn_fire1": "R1",
    "wifi_gpio0": "L2",
    **{
        f"led[{k}]": site for k, site in enumerate(["B2", "C2", "C1", "D2", "D1", "E2", "E1", "H3"])
    },
}
"""Balls of the package by port, from the board's own constraints (emard/ulx3s)."""


def bits():
    """Ports of the top module, bit by bit."""
    members = ulx3s.Ulx3sTop(ulx3s.board_config()).signature.members
    for name, member in members.items():
        width = member.shape
        yield from [name] if width == 1 else [f"{name}[{k}]" for k in range(width)]


def test_every_port_has_its_pin():
    assert {pin.port: pin.site for pin in ulx3s.PINS} == SITES
    assert sorted(bits()) == sorted(SITES)
    assert all("IO_TYPE=LVCMOS33" in pin.options for pin in ulx3s.PINS)


def test_the_folder_has_the_constraints_that_the_target_writes():
    text = FILE.read_text(encoding="utf-8")
    assert text == ulx3s.constraints()
    located = dict(re.findall(r'^LOCATE COMP "(\S+)" SITE "(\w+)";$', text, re.MULTILINE))
    assert located == SITES
    assert 'FREQUENCY PORT "clk_25mhz" 25 MHZ;' in text
    assert 'FREQUENCY PORT "clk_25mhz" 27.5 MHZ;' in ulx3s.constraints(margin=1.1)


@pytest.mark.parametrize(
    ("output_khz", "dividers"),
    [
        (25_000, (1, 1, 24)),
        (50_000, (1, 2, 12)),
        (40_000, (5, 8, 15)),
        (62_500, (2, 5, 10)),
        (75_000, (1, 3, 8)),
        (400_000, (1, 16, 1)),
    ],
)
def test_dividers_make_the_clock(output_khz, dividers):
    pll = pll_for(input_khz=25_000, output_khz=output_khz)
    assert pll == EcpPll(
        input_khz=25_000, reference=dividers[0], feedback=dividers[1], output=dividers[2]
    )
    assert pll.output_khz == output_khz
    assert 400_000 <= pll.vco_khz <= 800_000
    # The detector compares both at 3.125 MHz and more.
    assert Fraction(pll.input_khz, pll.reference) >= 3_125


@pytest.mark.parametrize("output_khz", [0, 3_000, 400_001, 33_333, 51_000])
def test_clocks_that_no_divider_makes(output_khz):
    told = f"must be one that a PLL makes of 25000 kHz exactly, not {output_khz}"
    with pytest.raises(ValueError, match=told):
        pll_for(input_khz=25_000, output_khz=output_khz)


def test_the_serial_line_is_as_fast_as_the_converter_can_be():
    config = ulx3s.board_config((ArbiterKind.FCFS,))
    assert config.baud == ulx3s.BAUD
    assert (3_000_000 / config.baud).is_integer()
    assert config.arbiters == (ArbiterKind.FCFS,)
    assert len(config.fabric.ports) == config.fabric.channel.tenants
