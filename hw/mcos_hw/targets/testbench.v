
// verilator lint_save
// Values are checked as integers, which are also indices.
// verilator lint_off WIDTH
// verilator lint_off UNUSEDSIGNAL
// What the testbench remembers changes at once; what it drives changes after the edge.
// verilator lint_off BLKSEQ
module mcos_tb;
  //@CONSTANTS

  localparam REQUESTS = 64 / TENANTS;  // of each tenant
  localparam TOTAL = REQUESTS * TENANTS;
  localparam MEMORY_CLOCKS = 24;       // from a command's last byte to its completion; bank 1 twice
  localparam MOST_CLOCKS = 20000;      // the longest traffic; then something is stuck
  localparam L_MAX = MAX_BEATS * BEAT_BYTES;
  localparam IDS = ID_BITS < 8 ? 1 << ID_BITS : 256;  // numbers that requests have here

  //@SIGNALS

  //@INSTANCE

  reg refused, running;
  integer n;

  //@REGISTERS

  // ---- Requesters and memory --------------------------------------------------------------------

  reg [TENANTS - 1:0] enabled;
  reg [31:0] random;
  reg taken, turn;
  integer clock, wanted, requests, commands, completions, responses;
  integer free_at, tenant, bank, index, place, other;
  integer sent [0:TENANTS - 1];
  integer granted [0:TENANTS - 1];
  reg [31:0] beats_of [0:TOTAL - 1];
  reg op_of [0:TOTAL - 1];
  integer due [0:TENANTS * IDS - 1];   // completed and not yet answered, by tenant and number
  reg busy [0:SLOTS - 1];              // commands in memory, by slot
  integer owner [0:SLOTS - 1];         // and whose they are: an index of due
  integer slot_at [0:2 * SLOTS - 1];   // a queue for each of two banks
  integer done_at [0:2 * SLOTS - 1];
  integer head [0:1];
  integer tail [0:1];

  function has_done(input integer of);
    has_done = head[of] < tail[of] && done_at[of * SLOTS + head[of] % SLOTS] <= clock;
  endfunction

  always @(posedge clk) if (running) begin
    clock = clock + 1;
    random = {random[30:0], random[31] ^ random[21] ^ random[1] ^ random[0]};

    // A request is taken if the queue of its tenant is ready. Then the next tenant offers one.
    taken = request_valid && request_ready[request_tenant];
    if (taken) begin
      tenant = request_tenant;
      sent[tenant] = sent[tenant] + 1;
      requests = requests + 1;
      request_valid <= 0;
    end
    if (taken || !request_valid) begin
      index = request_tenant;
      for (other = TENANTS; other > 0; other = other - 1) begin
        tenant = (request_tenant + other) % TENANTS;
        if (enabled[tenant] && sent[tenant] < REQUESTS) index = tenant;
      end
      if (enabled[index] && sent[index] < REQUESTS) begin
        place = index * REQUESTS + sent[index];
        beats_of[place] = 1 + random[7:0] % MAX_BEATS;
        op_of[place] = random[9];
        request_valid <= 1;
        request_tenant <= index;
        request_id <= sent[index] % IDS;
        request_op <= op_of[place];
        request_address <= index * (1 << 24) + sent[index] * L_MAX;
        request_beats <= beats_of[place];
        request_offered <= now + 1;    // it is first seen in the next clock
      end
    end

    // Memory takes three commands of four, and passes BYTES_PER_CLOCK.
    command_ready <= random[13:12] != 0;
    if (command_valid && command_ready) begin
      tenant = command_tenant;
      place = tenant * REQUESTS + granted[tenant];
      if (granted[tenant] >= sent[tenant]) fail("a command nobody asked for");
      if (command_address != tenant * (1 << 24) + granted[tenant] * L_MAX) fail("wrong address");
      if (command_beats != beats_of[place]) fail("wrong length");
      if (command_op != op_of[place]) fail("wrong direction");
      if (busy[command_slot]) fail("a slot is used twice");
      busy[command_slot] = 1;
      owner[command_slot] = tenant * IDS + granted[tenant] % IDS;
      if (free_at < clock) free_at = clock;
      free_at = free_at + (command_beats * BEAT_BYTES + BYTES_PER_CLOCK - 1) / BYTES_PER_CLOCK;
      bank = granted[tenant] % 2;
      slot_at[bank * SLOTS + tail[bank] % SLOTS] = command_slot;
      done_at[bank * SLOTS + tail[bank] % SLOTS] = free_at + (1 + bank) * MEMORY_CLOCKS;
      tail[bank] = tail[bank] + 1;
      granted[tenant] = granted[tenant] + 1;
      commands = commands + 1;
    end

    // Banks complete by turns, so that later commands overtake earlier ones.
    completion_valid <= 0;
    turn = !turn;
    bank = has_done(turn) ? turn : !turn;
    if (has_done(bank)) begin
      place = bank * SLOTS + head[bank] % SLOTS;
      head[bank] = head[bank] + 1;
      completion_valid <= 1;
      completion_slot <= slot_at[place];
      busy[slot_at[place]] = 0;
      due[owner[slot_at[place]]] = due[owner[slot_at[place]]] + 1;
      completions = completions + 1;
    end

    // Each completion gives one response, to the tenant and with the number of its request.
    if (response_valid) begin
      place = response_tenant * IDS + response_id;
      if (response_id >= IDS) fail("a number that no request has");
      else if (due[place] == 0) fail("a response to nothing");
      else due[place] = due[place] - 1;
      responses = responses + 1;
    end
  end

  // ---- The test ---------------------------------------------------------------------------------

  initial begin
    //@IDLE
    begin_registers;
    turn = 0;
    running = 0;
    random = 32'h1;
    clock = 0;
    requests = 0;
    commands = 0;
    completions = 0;
    responses = 0;
    free_at = 0;
    bank = 0;
    for (n = 0; n < TENANTS; n = n + 1) begin
      sent[n] = 0;
      granted[n] = 0;
    end
    for (n = 0; n < TENANTS * IDS; n = n + 1) due[n] = 0;
    for (n = 0; n < SLOTS; n = n + 1) busy[n] = 0;
    for (n = 0; n < 2; n = n + 1) begin
      head[n] = 0;
      tail[n] = 0;
    end
    refused = $test$plusargs("refused") != 0;
    read_image;

    repeat (4) @(negedge clk);
    rst = 0;

    check_core;
    if (request_ready != 0) fail("requests are taken without an image");

    // Load the image, and wait for the loader's verdict.
    load_image;
    if (refused) begin
      if ((word & STATE_MASK) != REFUSED) fail("the image is not refused");
      else $display("the image is refused with code %0d", (word & CODE_MASK) >> CODE_LOW);
      write_register(IMAGE_CONTROL, IMAGE_CONTROL_COMMIT);
      read_register(GENERATION);
      if (word != 0) fail("a refused image is live");
      if (request_ready != 0) fail("requests are taken under a refused image");
    end else begin
      commit_image;
      enabled = request_ready;
      wanted = 0;
      for (n = 0; n < TENANTS; n = n + 1) if (enabled[n]) wanted = wanted + REQUESTS;
      if (wanted == 0) fail("no tenant is enabled");
      running = !failed;
      while (!failed && responses < wanted && clock < MOST_CLOCKS) @(negedge clk);
      repeat (8) @(negedge clk);
      if (requests != wanted) fail("not every request is taken");
      if (commands != wanted) fail("not every request is granted");
      if (responses != wanted) fail("not every request is answered once");
      for (n = 0; n < TENANTS * IDS; n = n + 1) if (due[n] != 0) fail("a number is not answered");
      $display("%0d requests answered in %0d clocks, %0d in all", responses, clock, now);
    end
    finish;
  end
endmodule

// verilator lint_restore
