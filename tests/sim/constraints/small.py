"""A small core as Yosys writes it, and constraints without a mistake for it."""

import pytest

from mcos_sim.constraints.tcl import interpreter

NEEDS_TCL = pytest.mark.skipif(interpreter() is None, reason="neither tkinter nor tclsh is there")

VERILOG = """\
module top (
  input wire clk,          // Clock.
  input wire rst,          // Reset.
  input wire [3:0] data,   // Data; input wire [9:0] in_a_comment.
  output wire [1:0] found  // Result.
);
  wire [3:0] inner__data;
  top_inner  inner_2  (
    .clk(clk),
    .data(data),
    .found(found)
  );
  assign inner__data = data;
endmodule

module top_inner (clk, data, found);
  input clk;
  wire clk;
  input [3:0] data;
  output [1:0] found;
  reg [1:0] found;
  initial found = 2'h0;
  reg [7:0] rows [3:0];
  wire clock_2;
  assign clock_2 = clk;
  always @(posedge clock_2)
    found <= data[1:0];
endmodule
"""

XDC = """\
# The clock, and every port.
create_clock -name clk -period 10.000 [get_ports clk]
set_input_delay -clock clk 4.000 \\
  [get_ports {rst data[*]}]
set_output_delay -clock [get_clocks clk] 4.000 [get_ports {found[*]}]
set_false_path -hold -to [get_ports {found[*]}]
set_multicycle_path -setup 2 -from [get_cells {inner_2/found_reg[1]}]
"""
