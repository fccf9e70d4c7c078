// The PLL of ECP5 as a lint needs it: its ports and parameters, and no function.
// Synthesis has its own.

/* verilator lint_off DECLFILENAME */
/* verilator lint_off UNUSED */

module EHXPLLL #(
  parameter integer CLKFB_DIV = 1,
  parameter integer CLKI_DIV = 1,
  parameter integer CLKOP_CPHASE = 0,
  parameter integer CLKOP_DIV = 8,
  parameter CLKOP_ENABLE = "ENABLED",
  parameter integer CLKOP_FPHASE = 0,
  parameter DPHASE_SOURCE = "DISABLED",
  parameter FEEDBK_PATH = "CLKOP",
  parameter INTFB_WAKE = "DISABLED",
  parameter OUTDIVIDER_MUXA = "DIVA",
  parameter PLLRST_ENA = "DISABLED",
  parameter STDBY_ENABLE = "DISABLED"
) (
  input wire CLKFB,
  input wire CLKI,
  output wire CLKOP,
  input wire ENCLKOP,
  output wire LOCK,
  input wire PHASEDIR,
  input wire PHASELOADREG,
  input wire PHASESEL0,
  input wire PHASESEL1,
  input wire PHASESTEP,
  input wire PLLWAKESYNC,
  input wire RST,
  input wire STDBY
);
  assign CLKOP = CLKI;
  assign LOCK = 1'b1;
endmodule
