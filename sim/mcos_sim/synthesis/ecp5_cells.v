// Models of the ECP5 cells that Yosys has as black boxes only, for the settings that its synth_ecp5
// chooses. Any other setting, port or parameter stops the build or the run. Places of bits are those
// of Yosys's brams_map_16kd.v and dsp_map_18x18.v: what these have wrong is not seen here.

/* verilator lint_off DECLFILENAME */

// The clock of the bench stands for that of the PLL, which is locked at once.
module EHXPLLL (
  input CLKI, CLKFB, RST, STDBY, ENCLKOP,
  input PHASEDIR, PHASELOADREG, PHASESEL0, PHASESEL1, PHASESTEP, PLLWAKESYNC,
  output CLKOP, LOCK
);
  parameter CLKFB_DIV = 1;
  parameter CLKI_DIV = 1;
  parameter CLKOP_CPHASE = 0;
  parameter CLKOP_DIV = 8;
  parameter CLKOP_ENABLE = "ENABLED";
  parameter CLKOP_FPHASE = 0;
  parameter DPHASE_SOURCE = "DISABLED";
  parameter FEEDBK_PATH = "CLKOP";
  parameter INTFB_WAKE = "DISABLED";
  parameter OUTDIVIDER_MUXA = "DIVA";
  parameter PLLRST_ENA = "DISABLED";
  parameter STDBY_ENABLE = "DISABLED";

  assign CLKOP = CLKI;
  assign LOCK = 1'b1;
endmodule

// A multiplier without registers and without cascade.
module MULT18X18D (
  input A17, A16, A15, A14, A13, A12, A11, A10, A9, A8, A7, A6, A5, A4, A3, A2, A1, A0,
  input B17, B16, B15, B14, B13, B12, B11, B10, B9, B8, B7, B6, B5, B4, B3, B2, B1, B0,
  input C17, C16, C15, C14, C13, C12, C11, C10, C9, C8, C7, C6, C5, C4, C3, C2, C1, C0,
  input SIGNEDA, SIGNEDB, SOURCEA, SOURCEB,
  output P35, P34, P33, P32, P31, P30, P29, P28, P27, P26, P25, P24, P23, P22, P21, P20, P19, P18,
    P17, P16, P15, P14, P13, P12, P11, P10, P9, P8, P7, P6, P5, P4, P3, P2, P1, P0
);
  wire signed [18:0] a = {SIGNEDA & A17, A17, A16, A15, A14, A13, A12, A11, A10, A9, A8, A7, A6,
    A5, A4, A3, A2, A1, A0};
  wire signed [18:0] b = {SIGNEDB & B17, B17, B16, B15, B14, B13, B12, B11, B10, B9, B8, B7, B6,
    B5, B4, B3, B2, B1, B0};
  wire signed [37:0] product = a * b;
  assign {P35, P34, P33, P32, P31, P30, P29, P28, P27, P26, P25, P24, P23, P22, P21, P20, P19,
    P18, P17, P16, P15, P14, P13, P12, P11, P10, P9, P8, P7, P6, P5, P4, P3, P2, P1, P0} =
    product[35:0];

  always @(*) if (SOURCEA | SOURCEB) $stop;
endmodule

// A memory of 2048 units of 9 bits, of which port B reads only. With DATA_WIDTH_A = 36 port A writes
// through both data inputs and port B answers at both outputs, the lower half at DOA. What port B
// reads while port A writes it is not defined: here it is the complement of what was there.
module DP16KD (
  input DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6, DIA5,
    DIA4, DIA3, DIA2, DIA1, DIA0,
  input ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0,
  input CLKA, CEA, OCEA, WEA, RSTA, CSA2, CSA1, CSA0,
  output DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5,
    DOA4, DOA3, DOA2, DOA1, DOA0,
  input DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5,
    DIB4, DIB3, DIB2, DIB1, DIB0,
  input ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0,
  input CLKB, CEB, OCEB, WEB, RSTB, CSB2, CSB1, CSB0,
  output DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5,
    DOB4, DOB3, DOB2, DOB1, DOB0
);
  parameter DATA_WIDTH_A = 18;
  parameter DATA_WIDTH_B = 18;
  parameter REGMODE_A = "NOREG";
  parameter REGMODE_B = "NOREG";
  parameter RESETMODE = "SYNC";
  parameter ASYNC_RESET_RELEASE = "SYNC";
  parameter CSDECODE_A = "0b000";
  parameter CSDECODE_B = "0b000";
  parameter WRITEMODE_A = "NORMAL";
  parameter WRITEMODE_B = "NORMAL";
  parameter CLKAMUX = "CLKA";
  parameter CLKBMUX = "CLKB";
  parameter GSR = "ENABLED";
  parameter [319:0] INITVAL_00 = 320'h0;
  parameter [319:0] INITVAL_01 = 320'h0;
  parameter [319:0] INITVAL_02 = 320'h0;
  parameter [319:0] INITVAL_03 = 320'h0;
  parameter [319:0] INITVAL_04 = 320'h0;
  parameter [319:0] INITVAL_05 = 320'h0;
  parameter [319:0] INITVAL_06 = 320'h0;
  parameter [319:0] INITVAL_07 = 320'h0;
  parameter [319:0] INITVAL_08 = 320'h0;
  parameter [319:0] INITVAL_09 = 320'h0;
  parameter [319:0] INITVAL_0A = 320'h0;
  parameter [319:0] INITVAL_0B = 320'h0;
  parameter [319:0] INITVAL_0C = 320'h0;
  parameter [319:0] INITVAL_0D = 320'h0;
  parameter [319:0] INITVAL_0E = 320'h0;
  parameter [319:0] INITVAL_0F = 320'h0;
  parameter [319:0] INITVAL_10 = 320'h0;
  parameter [319:0] INITVAL_11 = 320'h0;
  parameter [319:0] INITVAL_12 = 320'h0;
  parameter [319:0] INITVAL_13 = 320'h0;
  parameter [319:0] INITVAL_14 = 320'h0;
  parameter [319:0] INITVAL_15 = 320'h0;
  parameter [319:0] INITVAL_16 = 320'h0;
  parameter [319:0] INITVAL_17 = 320'h0;
  parameter [319:0] INITVAL_18 = 320'h0;
  parameter [319:0] INITVAL_19 = 320'h0;
  parameter [319:0] INITVAL_1A = 320'h0;
  parameter [319:0] INITVAL_1B = 320'h0;
  parameter [319:0] INITVAL_1C = 320'h0;
  parameter [319:0] INITVAL_1D = 320'h0;
  parameter [319:0] INITVAL_1E = 320'h0;
  parameter [319:0] INITVAL_1F = 320'h0;
  parameter [319:0] INITVAL_20 = 320'h0;
  parameter [319:0] INITVAL_21 = 320'h0;
  parameter [319:0] INITVAL_22 = 320'h0;
  parameter [319:0] INITVAL_23 = 320'h0;
  parameter [319:0] INITVAL_24 = 320'h0;
  parameter [319:0] INITVAL_25 = 320'h0;
  parameter [319:0] INITVAL_26 = 320'h0;
  parameter [319:0] INITVAL_27 = 320'h0;
  parameter [319:0] INITVAL_28 = 320'h0;
  parameter [319:0] INITVAL_29 = 320'h0;
  parameter [319:0] INITVAL_2A = 320'h0;
  parameter [319:0] INITVAL_2B = 320'h0;
  parameter [319:0] INITVAL_2C = 320'h0;
  parameter [319:0] INITVAL_2D = 320'h0;
  parameter [319:0] INITVAL_2E = 320'h0;
  parameter [319:0] INITVAL_2F = 320'h0;
  parameter [319:0] INITVAL_30 = 320'h0;
  parameter [319:0] INITVAL_31 = 320'h0;
  parameter [319:0] INITVAL_32 = 320'h0;
  parameter [319:0] INITVAL_33 = 320'h0;
  parameter [319:0] INITVAL_34 = 320'h0;
  parameter [319:0] INITVAL_35 = 320'h0;
  parameter [319:0] INITVAL_36 = 320'h0;
  parameter [319:0] INITVAL_37 = 320'h0;
  parameter [319:0] INITVAL_38 = 320'h0;
  parameter [319:0] INITVAL_39 = 320'h0;
  parameter [319:0] INITVAL_3A = 320'h0;
  parameter [319:0] INITVAL_3B = 320'h0;
  parameter [319:0] INITVAL_3C = 320'h0;
  parameter [319:0] INITVAL_3D = 320'h0;
  parameter [319:0] INITVAL_3E = 320'h0;
  parameter [319:0] INITVAL_3F = 320'h0;

  localparam WIDE = DATA_WIDTH_A == 36;
  localparam UNITS_A = DATA_WIDTH_A / 9;
  localparam UNITS_B = DATA_WIDTH_B / 9;

  generate
    if (DATA_WIDTH_A != 9 && DATA_WIDTH_A != 18 && DATA_WIDTH_A != 36) $error("DATA_WIDTH_A");
    if (DATA_WIDTH_B != 9 && DATA_WIDTH_B != 18 && !(WIDE && DATA_WIDTH_B == 36))
      $error("DATA_WIDTH_B");
    if (WIDE && DATA_WIDTH_B != 36) $error("DATA_WIDTH_A and DATA_WIDTH_B");
    if (REGMODE_A != "NOREG" || REGMODE_B != "NOREG") $error("REGMODE");
    if (RESETMODE != ASYNC_RESET_RELEASE) $error("ASYNC_RESET_RELEASE");
    if (CSDECODE_A != "0b000" || CSDECODE_B != "0b000") $error("CSDECODE");
    if (WRITEMODE_A != "NORMAL" && WRITEMODE_A != "READBEFOREWRITE") $error("WRITEMODE_A");
    if (CLKAMUX != "CLKA" || CLKBMUX != "CLKB") $error("CLKMUX");
  endgenerate

  wire [13:0] ada = {ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2,
    ADA1, ADA0};
  wire [13:0] adb = {ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2,
    ADB1, ADB0};
  wire [35:0] di = {DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7,
    DIB6, DIB5, DIB4, DIB3, DIB2, DIB1, DIB0, DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11,
    DIA10, DIA9, DIA8, DIA7, DIA6, DIA5, DIA4, DIA3, DIA2, DIA1, DIA0};
  wire [10:0] first_a = ada[13:3] & ~(UNITS_A - 11'd1);
  wire [10:0] first_b = adb[13:3] & ~(UNITS_B - 11'd1);
  wire [3:0] enabled = UNITS_A == 1 ? 4'b0001 : UNITS_A == 2 ? {2'b00, ada[1:0]} : ada[3:0];
  wire works_a = CEA & ~CSA2 & ~CSA1 & ~CSA0;
  wire works_b = CEB & ~CSB2 & ~CSB1 & ~CSB0;
  wire writes = works_a & WEA;

  reg [8:0] units [0:2047];
  reg [35:0] read_a, read_b, next_a, next_b;
  reg [10:0] place;
  integer k;

  always @(*) begin
    next_a = read_a;
    next_b = read_b;
    place = 0;
    if (works_a && !(writes && WRITEMODE_A == "NORMAL"))
      for (k = 0; k < UNITS_A; k = k + 1) next_a[9 * k +: 9] = units[first_a + k];
    if (works_b)
      for (k = 0; k < UNITS_B; k = k + 1) begin
        next_b[9 * k +: 9] = units[first_b + k];
        place = first_b + k - first_a;
        if (writes && place < UNITS_A && enabled[place[1:0]])
          next_b[9 * k +: 9] = ~units[first_b + k];
      end
  end

  always @(posedge CLKA)
    if (writes)
      for (k = 0; k < UNITS_A; k = k + 1)
        if (enabled[k]) units[first_a + k] <= di[9 * k +: 9];

  generate
    if (RESETMODE == "ASYNC") begin
      always @(posedge CLKA, posedge RSTA) read_a <= RSTA ? 36'd0 : next_a;
      always @(posedge CLKB, posedge RSTB) read_b <= RSTB ? 36'd0 : next_b;
    end else begin
      always @(posedge CLKA) read_a <= RSTA ? 36'd0 : next_a;
      always @(posedge CLKB) read_b <= RSTB ? 36'd0 : next_b;
    end
  endgenerate

  always @(posedge CLKB) if (works_b & WEB) $stop;

  assign {DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5,
    DOA4, DOA3, DOA2, DOA1, DOA0} = WIDE ? read_b[17:0] : read_a[17:0];
  assign {DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5,
    DOB4, DOB3, DOB2, DOB1, DOB0} = WIDE ? read_b[35:18] : read_b[17:0];

  task load(input integer row, input [319:0] value);
    integer word;
    for (word = 0; word < 16; word = word + 1) begin
      units[32 * row + 2 * word] = value[20 * word +: 9];
      units[32 * row + 2 * word + 1] = value[20 * word + 9 +: 9];
    end
  endtask

  initial begin
    read_a = 0;
    read_b = 0;
    load(0, INITVAL_00);
    load(1, INITVAL_01);
    load(2, INITVAL_02);
    load(3, INITVAL_03);
    load(4, INITVAL_04);
    load(5, INITVAL_05);
    load(6, INITVAL_06);
    load(7, INITVAL_07);
    load(8, INITVAL_08);
    load(9, INITVAL_09);
    load(10, INITVAL_0A);
    load(11, INITVAL_0B);
    load(12, INITVAL_0C);
    load(13, INITVAL_0D);
    load(14, INITVAL_0E);
    load(15, INITVAL_0F);
    load(16, INITVAL_10);
    load(17, INITVAL_11);
    load(18, INITVAL_12);
    load(19, INITVAL_13);
    load(20, INITVAL_14);
    load(21, INITVAL_15);
    load(22, INITVAL_16);
    load(23, INITVAL_17);
    load(24, INITVAL_18);
    load(25, INITVAL_19);
    load(26, INITVAL_1A);
    load(27, INITVAL_1B);
    load(28, INITVAL_1C);
    load(29, INITVAL_1D);
    load(30, INITVAL_1E);
    load(31, INITVAL_1F);
    load(32, INITVAL_20);
    load(33, INITVAL_21);
    load(34, INITVAL_22);
    load(35, INITVAL_23);
    load(36, INITVAL_24);
    load(37, INITVAL_25);
    load(38, INITVAL_26);
    load(39, INITVAL_27);
    load(40, INITVAL_28);
    load(41, INITVAL_29);
    load(42, INITVAL_2A);
    load(43, INITVAL_2B);
    load(44, INITVAL_2C);
    load(45, INITVAL_2D);
    load(46, INITVAL_2E);
    load(47, INITVAL_2F);
    load(48, INITVAL_30);
    load(49, INITVAL_31);
    load(50, INITVAL_32);
    load(51, INITVAL_33);
    load(52, INITVAL_34);
    load(53, INITVAL_35);
    load(54, INITVAL_36);
    load(55, INITVAL_37);
    load(56, INITVAL_38);
    load(57, INITVAL_39);
    load(58, INITVAL_3A);
    load(59, INITVAL_3B);
    load(60, INITVAL_3C);
    load(61, INITVAL_3D);
    load(62, INITVAL_3E);
    load(63, INITVAL_3F);
  end
endmodule
