"""Rules for LPF: each finds the mistake that is planted, where it is, and no other."""

import json

import pytest

from mcos_sim.constraints.check import check_file
from tests.sim.constraints.small import VERILOG

PINS = {"clk": "G2", "rst": "D6", "found[0]": "B2", "found[1]": "C2"}
PINS |= {f"data[{i}]": f"A{i + 2}" for i in range(4)}
LPF = "\n".join(
    [
        "# A board.",
        "BLOCK RESETPATHS; BLOCK ASYNCPATHS;",
        "SYSCONFIG CONFIG_IOVOLTAGE=3.3 COMPRESS_CONFIG=ON;",
        'FREQUENCY PORT "clk" 25 MHZ;',
        'FREQUENCY NET "inner_2.clock_2" 25 MHZ;  // the same one',
        *(f'LOCATE COMP "{name}" SITE "{pin}";' for name, pin in PINS.items()),
        *(f'IOBUF PORT "{name}" PULLMODE=NONE IO_TYPE=LVCMOS33;' for name in PINS),
        "",
    ]
)
EVERY = "1: port: every port must have"


@pytest.fixture
def core(tmp_path):
    path = tmp_path / "top.v"
    path.write_text(VERILOG)
    record = {"config": {"clock_khz": 25_000}, "regenerate": "make it"}
    path.with_suffix(".json").write_text(json.dumps(record))
    return path


def _found(text, core):
    path = core.with_name("board.lpf")
    path.write_text(text)
    return [str(each).removeprefix(f"{path}:") for each in check_file(path, core)]


def test_preferences_without_a_mistake(core):
    assert _found(LPF, core) == []
    # Those of a core alone have no pins.
    assert _found('FREQUENCY PORT "clk" 25 MHz;', core) == []


MISTAKES = {
    "a misspelt port": (
        ('COMP "rst"', 'COMP "rest"'),
        [
            f"{EVERY} LOCATE COMP, and rst has none",
            "7: name: a port must be one of top, not rest; did you mean rst?",
        ],
    ),
    "no clock": (
        ('FREQUENCY PORT "clk" 25 MHZ;', ""),
        [
            (
                "1: clock: every clock must have a frequency, and clk has none; "
                'add FREQUENCY PORT "clk" N MHZ;'
            )
        ],
    ),
    "another frequency": (
        ('"clk" 25 MHZ', '"clk" 50000 KHZ'),
        [
            (
                "4: clock: clock clk must have the period that the Verilog was built for, "
                "40.000 ns, not 20; change the frequency, or the Verilog with --clock"
            )
        ],
    ),
    "a frequency of nothing": (
        ('"clk" 25 MHZ', '"clk" 0 MHZ'),
        ["4: clock: clock clk must have a frequency over 0, not 0; give one"],
    ),
    "a misspelt net": (
        ("inner_2.clock_2", "inner_2.clock"),
        ["5: name: a net must be one of top, not inner_2.clock; did you mean inner_2/clock_2?"],
    ),
    "an unconstrained pin": (
        ('LOCATE COMP "data[2]" SITE "A4";\n', ""),
        [f"{EVERY} LOCATE COMP, and data[2] has none"],
    ),
    "a pin without a standard": (
        ('PORT "found[1]" PULLMODE=NONE IO_TYPE=LVCMOS33', 'PORT "found[1]" PULLMODE=NONE'),
        [f"{EVERY} IOBUF PORT with IO_TYPE, and found[1] has none"],
    ),
    "a pin for two": (
        ('"A5"', '"A4"'),
        ["13: pin: a pin must have one port, and A4 has data[2] and data[3]; move one"],
    ),
    "a pin that no package has": (
        ('"A5"', '"5A"'),
        ["13: pin: a site must be a pin such as G2, not 5A"],
    ),
    "a misspelt preference": (
        ("IOBUF PORT", "IOBUFF PORT"),
        [
            (
                "14: syntax: a preference must be LOCATE COMP, IOBUF PORT, FREQUENCY, SYSCONFIG or "
                'BLOCK, each ended by a semicolon, not IOBUFF PORT "clk" PULLMODE=NONE'
            )
        ],
    ),
}


@pytest.mark.parametrize(("edit", "expected"), MISTAKES.values(), ids=MISTAKES)
def test_planted_mistakes(core, edit, expected):
    assert edit[0] in LPF
    assert _found(LPF.replace(*edit, 1), core) == expected
