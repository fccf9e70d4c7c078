"""A board's netlist in co-simulation, beside the Verilog that it was made of."""

import hashlib
import importlib.util
import tempfile
from pathlib import Path

from mcos_hw.targets import ulx3s
from mcos_sim.cosim.build import Built, build_verilog, recipe
from mcos_sim.stages import stage
from mcos_sim.synthesis.tool import SYNTHESISER, require_module, run_yosys

__all__ = [
    "build_netlist",
]


_NAME = "mcos_netlist"

_NETLIST = "netlist"
"""Name of the netlist's module, which is not that of the Verilog."""

_CELLS = Path(__file__).parents[1] / "synthesis" / "ecp5_cells.v"
"""Models of the cells that Yosys knows from outside only."""

_MODELLED = "=LUT4 =LUT2 =CCU2C =TRELLIS_FF =TRELLIS_DPR16X4"
"""Cells that Yosys has models of, and the parts of those models."""

_PORTS = ("clk", "rst", "received", "sent", "lights", "differed")

_WRAPPER = f"""
// Both have the same inputs, and every clock on which a pin differs is counted.
module {_NAME} (
  input clk, rst, received,
  output sent,
  output [7:0] lights,
  output reg [31:0] differed
);
  wire awake, verilog_sent, verilog_awake;
  wire [7:0] verilog_lights;

  {_NETLIST} netlist (
    .clk_25mhz(clk), .btn_fire1(rst), .ftdi_txd(received),
    .ftdi_rxd(sent), .led(lights), .wifi_gpio0(awake)
  );
  {ulx3s.TOP} verilog (
    .clk_25mhz(clk), .btn_fire1(rst), .ftdi_txd(received),
    .ftdi_rxd(verilog_sent), .led(verilog_lights), .wifi_gpio0(verilog_awake)
  );

  initial differed = 0;
  always @(posedge clk)
    if ({{sent, lights, awake}} != {{verilog_sent, verilog_lights, verilog_awake}})
      differed <= differed + 1;
endmodule
"""

_VISIBLE = "\n".join(
    [
        "`verilator_config",
        *(f'public_flat_rw -module "{_NAME}" -var "{port}"' for port in _PORTS),
        "",
    ]
)


def build_netlist(netlist: Path, verilog: str) -> Built:
    """The simulator of a netlist of the board ULX3S, built or found.

    The clock of the bench stands for that of the PLL. The netlist drives the pins, and beside it
    the Verilog gets the same inputs; ``differed`` counts the clocks on which a pin of both was not
    the same.

    Parameters
    ----------
    netlist : pathlib.Path
        Yosys's JSON, as :func:`mcos_sim.synthesis.bitstream.synthesise` leaves it.
    verilog : str
        The Verilog that it was made of.

    Raises
    ------
    UserError
        If Yosys is not installed.
    BuildFailed
        If Verilator refuses a cell or its settings, or the C++ compiler fails.
    """
    require_module(SYNTHESISER, SYNTHESISER)
    cells = _CELLS.read_text(encoding="utf-8")
    made_of = hashlib.sha256(netlist.read_bytes()).hexdigest()
    return build_verilog(
        lambda: "\n".join((cells, verilog, _flat(netlist), _WRAPPER)),
        name=_NAME,
        visible=_VISIBLE,
        digest=recipe(made_of, verilog, cells, _WRAPPER, _VISIBLE, *_passes(Path())),
        arguments=("-Wno-lint",),
    )


def _flat(netlist: Path) -> str:
    """A netlist as Verilog, with Yosys's models in the place of their cells."""
    with stage("writing the netlist as Verilog"), tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "synthesised.json").symlink_to(netlist.resolve())
        run_yosys(_passes(_library()), directory=folder, name="netlist")
        return (folder / "netlist.v").read_text(encoding="utf-8")


def _library() -> Path:
    """Yosys's folder of models."""
    spec = importlib.util.find_spec(SYNTHESISER)
    assert spec is not None, "it was required"
    assert spec.origin is not None, "it is a package"
    return Path(spec.origin).with_name("share")


def _passes(library: Path) -> tuple[str, ...]:
    models = library / "ecp5"
    return (
        "read_json synthesised.json",
        # What is known of cells comes with the netlist, without what they do.
        "delete =A:blackbox =A:whitebox =A:lib_whitebox",
        f"read_verilog -lib {models}/cells_bb.v",
        f"read_verilog -overwrite -DNO_INCLUDES -I{library}/lattice {models}/cells_sim.v",
        f"setattr -mod -unset lib_whitebox -unset abc9_box -unset abc9_flop {_MODELLED}",
        f"hierarchy -check -top {ulx3s.TOP}",
        "proc",
        "flatten",
        "delete t:$scopeinfo",
        # Choices between constants become gates, and names of one word each: Verilator and the
        # compiler take a quarter of the time.
        "simplemap t:$mux t:$not t:$and t:$or t:$xor",
        "opt_expr",
        "opt_merge",
        "opt_clean -purge",
        "rename -hide w:* x:* %d",
        f"rename {ulx3s.TOP} {_NETLIST}",
        "write_verilog -noattr netlist.v",
    )
