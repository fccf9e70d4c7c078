"""An AXI top that lets everything through, with mistakes in it of which one at a time is live."""

import contextlib
import functools
import os
from collections.abc import Generator

from mcos_sim.axi.library import Library, Sizes, build_library

__all__ = [
    "BUGS",
    "ID_WIDTH",
    "SIZES",
    "live_bug",
    "stand_in",
]


DATA_BYTES = 8
ID_WIDTH = 5
SIZES = Sizes(
    data_bytes=(DATA_BYTES,),
    id_widths=(ID_WIDTH,),
    memory_bytes=DATA_BYTES,
    memory_id_width=ID_WIDTH,
    unique_ids=False,
)

_VARIABLE = "MCOS_STAND_IN_BUG"

_ADDRESS = {
    "id": ID_WIDTH,
    "addr": 40,
    "len": 8,
    "size": 3,
    "burst": 2,
    "lock": 1,
    "cache": 4,
    "prot": 3,
    "qos": 4,
    "valid": 1,
}

_DOWN = {
    **{f"{channel}{name}": width for channel in ("aw", "ar") for name, width in _ADDRESS.items()},
    **{"wdata": 8 * DATA_BYTES, "wstrb": DATA_BYTES, "wlast": 1, "wvalid": 1},
    **{"bready": 1, "rready": 1},
}
"""Signals from the manager, with their widths."""

_UP = {
    **{"awready": 1, "arready": 1, "wready": 1, "bid": ID_WIDTH, "bresp": 2, "bvalid": 1},
    **{"rid": ID_WIDTH, "rdata": 8 * DATA_BYTES, "rresp": 2, "rlast": 1, "rvalid": 1},
}
"""Signals to the manager, with their widths."""

_LITE_IN = {
    **{"awaddr": 16, "awvalid": 1, "wdata": 32, "wstrb": 4, "wvalid": 1, "bready": 1},
    **{"araddr": 16, "arvalid": 1, "rready": 1},
}
_LITE_OUT = {
    **{"awready": 1, "wready": 1, "bresp": 2, "bvalid": 1},
    **{"arready": 1, "rdata": 32, "rresp": 2, "rvalid": 1},
}

_IN, _OUT = "s00_axi_", "m00_axi_"

BUGS: dict[str, tuple[str, str, str]] = {
    "a bit of data flips now and then": (
        "s00_axi_rdata",
        "m00_axi_rdata ^ {63'b0, &clocks[6:0]}",
        "corrupted",
    ),
    "a byte is written that should not be": (
        "m00_axi_wstrb",
        "s00_axi_wstrb | {7'b0, &clocks[6:0]}",
        "corrupted",
    ),
    "an error of memory is hidden": ("s00_axi_bresp", "2'b0", "corrupted"),
    "writes of one ID overtake each other": (
        "m00_axi_awid",
        "{writes, s00_axi_awid[3:0]}",
        "misordered",
    ),
    "reads of one ID overtake each other": (
        "m00_axi_arid",
        "{reads, s00_axi_arid[3:0]}",
        "corrupted",
    ),
    "an answer comes twice": ("m00_axi_bready", "s00_axi_bready & ~&clocks[6:0]", "duplicated"),
    "an answer is lost": ("s00_axi_bvalid", "m00_axi_bvalid & ~&clocks[6:0]", "deadlocks"),
    "reads stop": ("m00_axi_arvalid", "s00_axi_arvalid & (clocks < 2000)", "deadlocks"),
    "WLAST is lost": ("m00_axi_wlast", "1'b0", "protocol"),
    "RLAST is lost": ("s00_axi_rlast", "1'b0", "protocol"),
    "VALID drops": ("m00_axi_arvalid", "s00_axi_arvalid & clocks[2]", "protocol"),
}
"""By what goes wrong: the signal, what it is then, and how the soak must count it."""


def _verilog() -> str:
    ports = ["input clk", "input rst"]
    ports += [f"{way} [{width - 1}:0] {name}" for way, name, width in _pins()]
    body = []
    for names, to, of in ((_DOWN, _OUT, _IN), (_UP, _IN, _OUT)):
        for name, width in names.items():
            value = f"{of}{name}"
            # The IDs of bursts that overtake each other have a bit more, which nobody else sees.
            if name in ("bid", "rid"):
                value = f"{{1'b0, {of}{name}[{width - 2}:0]}}"
            for place, (signal, instead, _) in enumerate(BUGS.values()):
                if signal == f"{to}{name}":
                    value = f"(live == {place} ? {instead} : {value})"
            body.append(f"assign {to}{name} = {value};")
    body += [f"assign s_axil_{name} = 0;" for name in _LITE_OUT]
    return f"""
/* verilator lint_off UNUSEDSIGNAL */
module mcos_axi({", ".join(ports)});
reg [7:0] live;
initial live = $c8("(getenv(\\"{_VARIABLE}\\") ? atoi(getenv(\\"{_VARIABLE}\\")) : 255)");
reg [31:0] clocks;
reg writes, reads;
always @(posedge clk) begin
    clocks <= rst ? 0 : clocks + 1;
    writes <= rst ? 0 : writes ^ (m00_axi_awvalid & m00_axi_awready);
    reads <= rst ? 0 : reads ^ (m00_axi_arvalid & m00_axi_arready);
end
{chr(10).join(body)}
endmodule
"""


def _pins() -> list[tuple[str, str, int]]:
    rows = []
    for way, back, names in (("input", "output", _DOWN), ("output", "input", _UP)):
        rows += [(way, f"{_IN}{name}", width) for name, width in names.items()]
        rows += [(back, f"{_OUT}{name}", width) for name, width in names.items()]
    for way, names in (("input", _LITE_IN), ("output", _LITE_OUT)):
        rows += [(way, f"s_axil_{name}", width) for name, width in names.items()]
    return rows


@functools.cache
def stand_in() -> Library:
    """The stand-in; none of its mistakes is live."""
    return build_library(_verilog(), SIZES)


@contextlib.contextmanager
def live_bug(name: str) -> Generator[None, None, None]:
    """Runs that begin now have a mistake."""
    os.environ[_VARIABLE] = str(list(BUGS).index(name))
    try:
        yield
    finally:
        del os.environ[_VARIABLE]
