
// verilator lint_save
// Values are checked as integers, which are also indices.
// verilator lint_off WIDTH
// verilator lint_off UNUSEDSIGNAL
// Constants are those of every testbench.
// verilator lint_off UNUSEDPARAM
// One file holds the whole example.
// verilator lint_off DECLFILENAME
// What the example remembers changes at once; what it drives changes after the edge.
// verilator lint_off BLKSEQ

// ---- A manager ----------------------------------------------------------------------------------
//
// Burst n writes a region of memory of its own; once that is answered, it is read back and compared.
// Bursts are of IDS + 1 IDs by turns. The last one is the highest there is, which no row has: its
// bursts are answered with DECERR. So are all of them while no image is live (refused).

module mcos_axi_manager #(
  parameter PORT = 0,
  parameter ID_BITS = 6,
  parameter ADDRESS_BITS = 40,
  parameter DATA_BYTES = 64,
  parameter REGION = 1024,  // bytes of memory for each burst: 16 transfers or more
  parameter BURSTS = 20,    // most of them
  parameter IDS = 4
) (
  input wire clk,
  input wire hold,          // begin again, and do nothing
  input wire refused,       // all bursts are
  input wire [15:0] wanted, // how many bursts
  output wire done,
  output reg bad,

  output reg [ID_BITS - 1:0] awid,
  output reg [ADDRESS_BITS - 1:0] awaddr,
  output reg [7:0] awlen,
  output reg [2:0] awsize,
  output reg [1:0] awburst,
  output wire awlock,
  output wire [3:0] awcache,
  output wire [2:0] awprot,
  output wire [3:0] awqos,
  output reg awvalid,
  input wire awready,
  output reg [8 * DATA_BYTES - 1:0] wdata,
  output reg [DATA_BYTES - 1:0] wstrb,
  output reg wlast,
  output reg wvalid,
  input wire wready,
  input wire [ID_BITS - 1:0] bid,
  input wire [1:0] bresp,
  input wire bvalid,
  output reg bready,
  output reg [ID_BITS - 1:0] arid,
  output reg [ADDRESS_BITS - 1:0] araddr,
  output reg [7:0] arlen,
  output reg [2:0] arsize,
  output reg [1:0] arburst,
  output wire arlock,
  output wire [3:0] arcache,
  output wire [2:0] arprot,
  output wire [3:0] arqos,
  output reg arvalid,
  input wire arready,
  input wire [ID_BITS - 1:0] rid,
  input wire [8 * DATA_BYTES - 1:0] rdata,
  input wire [1:0] rresp,
  input wire rlast,
  input wire rvalid,
  output reg rready
);
  localparam LANES = IDS + 1;
  localparam SIZE = $clog2(DATA_BYTES);
  localparam HIGHEST = (1 << ID_BITS) - 1;
  localparam [1:0] INCR = 1;
  localparam [1:0] WRAP = 2;

  assign {awlock, awcache, awprot, awqos} = 12'h0;
  assign {arlock, arcache, arprot, arqos} = 12'h0;

  // ---- What burst n is: long, single, wrapping, or of narrow transfers from anywhere

  function integer kind_of(input integer n);
    kind_of = (n / LANES + n) % 4;
  endfunction

  function integer id_of(input integer n);
    id_of = n % LANES == IDS ? HIGHEST : n % LANES;
  endfunction

  function integer size_of(input integer n);
    size_of = kind_of(n) % 2 == 0 ? SIZE : n % (SIZE + 1);
  endfunction

  function integer length_of(input integer n);
    case (kind_of(n))
      0: length_of = 16;
      1: length_of = 1;
      2: length_of = 2 << n % 3;
      default: length_of = 1 + n % 16;
    endcase
  endfunction

  function [ADDRESS_BITS - 1:0] address_of(input integer n);
    integer offset;
    begin
      case (kind_of(n))
        0: offset = 0;
        1: offset = 5 * n % DATA_BYTES;
        2: offset = n % length_of(n) * DATA_BYTES;
        default: offset = n % DATA_BYTES;
      endcase
      address_of = (PORT * BURSTS + n) * REGION + offset;
    end
  endfunction

  function [ADDRESS_BITS - 1:0] place_of(input integer n, input integer transfer);
    integer first, bytes, whole;
    begin
      first = address_of(n);
      bytes = 1 << size_of(n);
      whole = length_of(n) * bytes;
      if (transfer == 0) place_of = first;
      else if (kind_of(n) != 2) place_of = first / bytes * bytes + transfer * bytes;
      else place_of = first / whole * whole + (first + transfer * bytes) % whole;
    end
  endfunction

  // Byte lanes of a transfer, and what is written to them: each byte of memory has its own value.
  function [DATA_BYTES - 1:0] lanes_of(input [ADDRESS_BITS - 1:0] place, input integer size);
    integer i, low;
    begin
      low = place % DATA_BYTES;
      for (i = 0; i < DATA_BYTES; i = i + 1)
        lanes_of[i] = i >= low && i >> size == low >> size;
    end
  endfunction

  function [8 * DATA_BYTES - 1:0] data_of(input [ADDRESS_BITS - 1:0] place);
    integer i, at;
    begin
      for (i = 0; i < DATA_BYTES; i = i + 1) begin
        at = place / DATA_BYTES * DATA_BYTES + i;
        data_of[8 * i +: 8] = 29 * at + at / 256 + 1;
      end
    end
  endfunction

  // ---- The bursts

  reg [31:0] random;
  reg [DATA_BYTES - 1:0] lanes;
  reg [8 * DATA_BYTES - 1:0] data;
  reg [1:0] response;
  integer writes, sent, transfer;   // AW offered; bursts and transfers of W offered
  integer reads, read;              // AR offered; bursts that are read
  integer lane, n, i;
  integer written [0:LANES - 1];    // bursts of each ID that are written
  integer got [0:LANES - 1];        // and read, and transfers of the next one
  integer transfers [0:LANES - 1];
  reg [ADDRESS_BITS - 1:0] place;

  assign done = read == wanted;

  task fail(input [8 * 48 - 1:0] what);
    begin
      if (!bad) $display("FAIL at port %0d: %0s", PORT, what);
      bad <= 1;
    end
  endtask

  // Sets lane and response.
  task look_up(input integer id);
    begin
      lane = id == HIGHEST ? IDS : id;
      if (lane > IDS) begin
        fail("an ID that no burst has");
        lane = IDS;
      end
      response = refused || lane == IDS ? 3 : 0;
    end
  endtask

  initial bad = 0;

  always @(posedge clk) if (hold) begin
    random = 32'h1 + PORT;
    awvalid <= 0;
    wvalid <= 0;
    bready <= 0;
    arvalid <= 0;
    rready <= 0;
    writes = 0;
    sent = 0;
    transfer = 0;
    reads = 0;
    read = 0;
    for (i = 0; i < LANES; i = i + 1) begin
      written[i] = 0;
      got[i] = 0;
      transfers[i] = 0;
    end
  end else begin
    random = {random[30:0], random[31] ^ random[21] ^ random[1] ^ random[0]};

    if (awready || !awvalid) begin
      awvalid <= writes < wanted;
      awid <= id_of(writes);
      awaddr <= address_of(writes);
      awlen <= length_of(writes) - 1;
      awsize <= size_of(writes);
      awburst <= kind_of(writes) == 2 ? WRAP : INCR;
      if (writes < wanted) writes = writes + 1;
    end

    if (wready || !wvalid) begin
      wvalid <= 0;
      if (sent < wanted && random[2:0] != 0) begin
        place = place_of(sent, transfer);
        wvalid <= 1;
        wdata <= data_of(place);
        wstrb <= lanes_of(place, size_of(sent));
        wlast <= transfer + 1 == length_of(sent);
        transfer = transfer + 1;
        if (transfer == length_of(sent)) begin
          sent = sent + 1;
          transfer = 0;
        end
      end
    end

    bready <= random[4:3] != 0;
    if (bvalid && bready) begin
      look_up(bid);
      if (lane + LANES * written[lane] >= sent) fail("a write response to nothing");
      if (bresp !== response) fail("a wrong write response");
      written[lane] = written[lane] + 1;
    end

    if (arready || !arvalid) begin
      arvalid <= 0;
      if (reads < wanted && written[reads % LANES] > reads / LANES) begin
        arvalid <= 1;
        arid <= id_of(reads);
        araddr <= address_of(reads);
        arlen <= length_of(reads) - 1;
        arsize <= size_of(reads);
        arburst <= kind_of(reads) == 2 ? WRAP : INCR;
        reads = reads + 1;
      end
    end

    rready <= random[6:5] != 0;
    if (rvalid && rready) begin
      look_up(rid);
      n = lane + LANES * got[lane];
      place = place_of(n, transfers[lane]);
      lanes = lanes_of(place, size_of(n));
      data = data_of(place);
      if (n >= reads) fail("read data of nothing");
      if (rresp !== response) fail("a wrong read response");
      for (i = 0; i < DATA_BYTES; i = i + 1)
        if (lanes[i] && response == 0 && rdata[8 * i +: 8] !== data[8 * i +: 8])
          fail("wrong read data");
      transfers[lane] = transfers[lane] + 1;
      if (rlast !== (transfers[lane] == length_of(n))) fail("RLAST elsewhere");
      if (transfers[lane] == length_of(n)) begin
        transfers[lane] = 0;
        got[lane] = got[lane] + 1;
        read = read + 1;
      end
    end
  end
endmodule

// ---- A memory -----------------------------------------------------------------------------------
//
// It takes INCR bursts of whole beats. Two banks answer by turns, so that later bursts overtake
// earlier ones and the data of two reads alternate.

module mcos_axi_memory #(
  parameter ID_BITS = 9,
  parameter ADDRESS_BITS = 40,
  parameter LENGTH_BITS = 8,
  parameter DATA_BYTES = 64,
  parameter MAX_BEATS = 8,
  parameter BYTES = 65536,
  parameter CLOCKS = 12     // from a burst to its answer; bank 1 twice
) (
  input wire clk,
  input wire rst,
  output reg bad,

  input wire [ID_BITS - 1:0] awid,
  input wire [ADDRESS_BITS - 1:0] awaddr,
  input wire [LENGTH_BITS - 1:0] awlen,
  input wire [2:0] awsize,
  input wire [1:0] awburst,
  input wire awvalid,
  output reg awready,
  input wire [8 * DATA_BYTES - 1:0] wdata,
  input wire [DATA_BYTES - 1:0] wstrb,
  input wire wlast,
  input wire wvalid,
  output wire wready,
  output reg [ID_BITS - 1:0] bid,
  output wire [1:0] bresp,
  output reg bvalid,
  input wire bready,
  input wire [ID_BITS - 1:0] arid,
  input wire [ADDRESS_BITS - 1:0] araddr,
  input wire [LENGTH_BITS - 1:0] arlen,
  input wire [2:0] arsize,
  input wire [1:0] arburst,
  input wire arvalid,
  output reg arready,
  output reg [ID_BITS - 1:0] rid,
  output reg [8 * DATA_BYTES - 1:0] rdata,
  output wire [1:0] rresp,
  output reg rlast,
  output reg rvalid,
  input wire rready
);
  localparam ALL = 1 << ID_BITS;  // bursts that there may be at once
  localparam SIZE = $clog2(DATA_BYTES);

  reg [8 * DATA_BYTES - 1:0] words [0:BYTES / DATA_BYTES - 1];

  // Queues: of writes that wait for data, and for each bank of writes and reads to be answered.
  reg [ID_BITS - 1:0] write_id [0:ALL - 1];
  reg [ADDRESS_BITS - 1:0] write_address [0:ALL - 1];
  integer write_beats [0:ALL - 1];
  reg [ID_BITS - 1:0] answer_id [0:2 * ALL - 1];
  integer answer_due [0:2 * ALL - 1];
  reg [ID_BITS - 1:0] read_id [0:2 * ALL - 1];
  reg [ADDRESS_BITS - 1:0] read_address [0:2 * ALL - 1];
  integer read_beats [0:2 * ALL - 1];
  integer read_due [0:2 * ALL - 1];
  integer write_head, write_tail;
  integer answer_head [0:1];
  integer answer_tail [0:1];
  integer read_head [0:1];
  integer read_tail [0:1];
  integer beat, clock, i, bank, index, word;
  integer read_beat [0:1];
  reg [31:0] random;
  reg open, answer_turn, read_turn;

  assign bresp = 0;
  assign rresp = 0;
  assign wready = open && write_head != write_tail;

  task fail(input [8 * 48 - 1:0] what);
    begin
      if (!bad) $display("FAIL in memory: %0s", what);
      bad <= 1;
    end
  endtask

  task look_at(
    input [ADDRESS_BITS - 1:0] address,
    input integer length,
    input [2:0] size,
    input [1:0] burst
  );
    begin
      if (size != SIZE || address % DATA_BYTES != 0) fail("not whole beats");
      if (burst != 1) fail("not INCR");
      if (length >= MAX_BEATS) fail("too long");
      if (address + (length + 1) * DATA_BYTES > BYTES) fail("an address that nobody asked for");
    end
  endtask

  function answers(input integer of);
    answers = answer_head[of] != answer_tail[of]
      && answer_due[of * ALL + answer_head[of] % ALL] <= clock;
  endfunction

  function returns(input integer of);
    returns = read_head[of] != read_tail[of] && read_due[of * ALL + read_head[of] % ALL] <= clock;
  endfunction

  initial bad = 0;

  always @(posedge clk) if (rst) begin
    awready <= 0;
    arready <= 0;
    bvalid <= 0;
    rvalid <= 0;
    open <= 0;
    answer_turn = 0;
    read_turn = 0;
    write_head = 0;
    write_tail = 0;
    beat = 0;
    clock = 0;
    random = 32'h5;
    for (i = 0; i < 2; i = i + 1) begin
      answer_head[i] = 0;
      answer_tail[i] = 0;
      read_head[i] = 0;
      read_tail[i] = 0;
      read_beat[i] = 0;
    end
  end else begin
    clock = clock + 1;
    random = {random[30:0], random[31] ^ random[21] ^ random[1] ^ random[0]};
    awready <= random[1:0] != 0;
    arready <= random[3:2] != 0;
    open <= random[5:4] != 0;

    if (wvalid && wready) begin
      index = write_head % ALL;
      word = write_address[index] / DATA_BYTES + beat;
      for (i = 0; i < DATA_BYTES; i = i + 1)
        if (wstrb[i]) words[word][8 * i +: 8] = wdata[8 * i +: 8];
      beat = beat + 1;
      if (wlast !== (beat == write_beats[index])) fail("WLAST elsewhere");
      if (beat == write_beats[index]) begin
        bank = write_address[index] / (MAX_BEATS * DATA_BYTES) % 2;
        i = bank * ALL + answer_tail[bank] % ALL;
        answer_id[i] = write_id[index];
        answer_due[i] = clock + (1 + bank) * CLOCKS;
        answer_tail[bank] = answer_tail[bank] + 1;
        write_head = write_head + 1;
        beat = 0;
      end
    end

    if (awvalid && awready) begin
      look_at(awaddr, awlen, awsize, awburst);
      index = write_tail % ALL;
      write_id[index] = awid;
      write_address[index] = awaddr;
      write_beats[index] = awlen + 1;
      write_tail = write_tail + 1;
    end

    if (arvalid && arready) begin
      look_at(araddr, arlen, arsize, arburst);
      bank = araddr / (MAX_BEATS * DATA_BYTES) % 2;
      index = bank * ALL + read_tail[bank] % ALL;
      read_id[index] = arid;
      read_address[index] = araddr;
      read_beats[index] = arlen + 1;
      read_due[index] = clock + (1 + bank) * CLOCKS;
      read_tail[bank] = read_tail[bank] + 1;
    end

    if (bready || !bvalid) begin
      bvalid <= 0;
      answer_turn = !answer_turn;
      bank = answers(answer_turn) ? answer_turn : !answer_turn;
      if (answers(bank)) begin
        bvalid <= 1;
        bid <= answer_id[bank * ALL + answer_head[bank] % ALL];
        answer_head[bank] = answer_head[bank] + 1;
      end
    end

    if (rready || !rvalid) begin
      rvalid <= 0;
      read_turn = !read_turn;
      bank = returns(read_turn) ? read_turn : !read_turn;
      if (returns(bank)) begin
        index = bank * ALL + read_head[bank] % ALL;
        rvalid <= 1;
        rid <= read_id[index];
        rdata <= words[read_address[index] / DATA_BYTES + read_beat[bank]];
        read_beat[bank] = read_beat[bank] + 1;
        rlast <= read_beat[bank] == read_beats[index];
        if (read_beat[bank] == read_beats[index]) begin
          read_beat[bank] = 0;
          read_head[bank] = read_head[bank] + 1;
        end
      end
    end
  end
endmodule

// ---- The example --------------------------------------------------------------------------------

module mcos_axi_example;
  //@CONSTANTS

  localparam BURSTS = 20;               // of each manager: every kind from every ID
  localparam IDS = LEAST_ID_BITS > 2 ? 4 : (1 << LEAST_ID_BITS) - 1;  // that rows have
  localparam USED_ROWS = ROWS < IDS ? ROWS : IDS;
  localparam REGION = 16 * MOST_DATA_BYTES > BEAT_BYTES ? 16 * MOST_DATA_BYTES : BEAT_BYTES;
  localparam MOST_CLOCKS = 40000;       // the longest traffic; then something is stuck

  //@SIGNALS

  //@INSTANCE

  reg hold, refused;
  reg [15:0] wanted;
  wire [PORTS - 1:0] done;
  wire [PORTS - 1:0] bad;
  wire [CHANNELS - 1:0] memory_bad;

  //@MANAGERS

  //@MEMORIES

  //@REGISTERS

  integer n, p, enabled, unmapped;
  integer tag_of [0:TENANTS - 1];  // tags of the enabled tenants

  task run_traffic(input refuse, input integer bursts);
    begin
      refused = refuse;
      wanted = bursts;
      hold = 0;
      @(negedge clk);
      for (n = 0; n < MOST_CLOCKS && !failed && !(&done); n = n + 1) begin
        @(negedge clk);
        if (bad != 0 || memory_bad != 0) failed = 1;
      end
      if (!failed && !(&done)) fail("not every burst is answered");
      hold = 1;
      repeat (4) @(negedge clk);
    end
  endtask

  task check_errors(input integer kind, input integer count);
    begin
      read_register(PORT_ERRORS + 4 * (ERROR_KINDS * p + kind));
      if (word != count) fail("wrong count of bursts of no tenant");
    end
  endtask

  initial begin
    //@IDLE
    begin_registers;
    hold = 1;
    refused = 0;
    wanted = 0;
    read_image;
    repeat (4) @(negedge clk);
    rst = 0;
    check_core;

    // The loader refuses a damaged image. Nothing is live, so that every burst is refused.
    image[image_last] = image[image_last] ^ 1;
    load_image;
    if ((word & STATE_MASK) != REFUSED) fail("a damaged image is not refused");
    $display("a damaged image is refused with code %0d", (word & CODE_MASK) >> CODE_LOW);
    write_register(IMAGE_CONTROL, IMAGE_CONTROL_COMMIT);
    read_register(GENERATION);
    if (word != 0) fail("a refused image is live");
    run_traffic(1, IDS + 1);

    image[image_last] = image[image_last] ^ 1;
    load_image;
    commit_image;

    // Rows give the IDs of all ports to the enabled tenants by turns.
    enabled = 0;
    for (n = 0; n < TENANTS; n = n + 1) begin
      read_register(TENANT_MODE + 4 * n);
      if (word & ENABLE_MASK) begin
        tag_of[enabled] = n;
        enabled = enabled + 1;
      end
    end
    if (enabled == 0) begin
      fail("no tenant is enabled");
      finish;
    end
    for (p = 0; p < PORTS; p = p + 1)
      for (n = 0; n < USED_ROWS; n = n + 1) begin
        // The last row has all IDs that are left.
        write_register(
          PORT_IDS, n << IDS_FIRST_LOW | (n == USED_ROWS - 1 ? IDS - 1 : n) << IDS_LAST_LOW
        );
        write_register(
          PORT_ROW,
          1 << ROW_USED_LOW | tag_of[(p * IDS + n) % enabled] << ROW_TENANT_LOW
            | n << ROW_ROW_LOW | p << ROW_PORT_LOW
        );
      end

    run_traffic(0, BURSTS);
    if (!failed) begin
      unmapped = IDS + 1 + BURSTS / (IDS + 1);
      for (p = 0; p < PORTS; p = p + 1) begin
        check_errors(UNMAPPED_READ, unmapped);
        check_errors(UNMAPPED_WRITE, unmapped);
      end
      $display("%0d bursts written and read in %0d clocks", PORTS * BURSTS, now);
    end
    finish;
  end
endmodule

// verilator lint_restore
