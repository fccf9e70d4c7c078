  // ---- Registers --------------------------------------------------------------------------------
  //
  // The test below decides at falling edges, and all inputs but rst change at rising ones.

  initial clk = 0;
  always #1 clk = !clk;  // without a timescale, since time is counted in clocks

  localparam MOST_BUS_CLOCKS = 64;  // the longest answer of a register

  reg [31:0] image [0:IMAGE_WORDS - 1];
  integer image_last;  // place of its checksum
  reg [8 * 512 - 1:0] file, line;
  reg [31:0] word;
  reg failed;
  integer k, place_of_word, handle;

  task fail(input [8 * 48 - 1:0] what);
    begin
      if (!failed) $display("FAIL in clock %0d: %0s", now, what);
      failed = 1;
    end
  endtask

  reg starts_write, starts_read;
  reg [REGISTER_ADDRESS_BITS - 1:0] address;
  reg [31:0] data;
  integer orders, answers;

  always @(posedge clk) begin
    if (s_axil_awready) s_axil_awvalid <= 0;
    if (s_axil_wready) s_axil_wvalid <= 0;
    if (s_axil_arready) s_axil_arvalid <= 0;
    if (starts_write) begin
      s_axil_awaddr <= address;
      s_axil_awvalid <= 1;
      s_axil_wdata <= data;
      s_axil_wvalid <= 1;
    end
    if (starts_read) begin
      s_axil_araddr <= address;
      s_axil_arvalid <= 1;
    end
    if (s_axil_bvalid || s_axil_rvalid) answers = answers + 1;
    if (s_axil_bvalid && s_axil_bresp != 0) fail("a write is refused");
    if (s_axil_rvalid && s_axil_rresp != 0) fail("a read is refused");
    if (s_axil_rvalid) word = s_axil_rdata;
  end

  // The bus takes a write while earlier ones are not answered yet.
  task write_register(input [REGISTER_ADDRESS_BITS - 1:0] where, input [31:0] what);
    begin
      address = where;
      data = what;
      starts_write = 1;
      @(negedge clk) starts_write = 0;
      orders = orders + 1;
      for (k = 0; k < MOST_BUS_CLOCKS && (s_axil_awvalid || s_axil_wvalid); k = k + 1)
        @(negedge clk);
    end
  endtask

  task read_register(input [REGISTER_ADDRESS_BITS - 1:0] where);
    begin
      wait_for_answers;
      address = where;
      starts_read = 1;
      @(negedge clk) starts_read = 0;
      orders = orders + 1;
      wait_for_answers;
    end
  endtask

  task wait_for_answers;
    begin
      for (k = 0; k < MOST_BUS_CLOCKS && answers != orders; k = k + 1) @(negedge clk);
      if (answers != orders) begin
        fail("no answer on the bus");
        finish;
      end
    end
  endtask

  task finish;
    begin
      if (failed) $display("FAIL");
      else $display("PASS");
      $finish;
    end
  endtask

  task begin_registers;
    begin
      starts_write = 0;
      starts_read = 0;
      orders = 0;
      answers = 0;
      failed = 0;
    end
  endtask

  // It is the core that this testbench was written for.
  task check_core;
    begin
      read_register(MAP_HASH);
      if (word != MAP_HASH_VALUE) fail("another register map");
      read_register(CLOCK);
      if (word != CLOCK_KHZ) fail("another clock");
    end
  endtask

  task read_image;
    begin
      for (k = 0; k < IMAGE_WORDS; k = k + 1) image[k] = 0;
      if (!$value$plusargs("image=%s", file)) file = "mcos.img.hex";
      // A word a line; images have different lengths.
      image_last = 0;
      handle = $fopen(file, "r");
      if (handle != 0) begin
        while (!$feof(handle)) begin
          k = $fgets(line, handle);
          if (k != 0 && $sscanf(line, "%h", word) == 1 && image_last < IMAGE_WORDS) begin
            image[image_last] = word;
            image_last = image_last + 1;
          end
        end
        $fclose(handle);
      end
      if (image[0] != IMAGE_MAGIC) fail("no image in the file of +image=FILE");
      // Not every image has all sections.
      image_last = image[IMAGE_LENGTH_PLACE] - 1;
      if (image_last < 1 || image_last >= IMAGE_WORDS) begin
        fail("an image of another length");
        image_last = IMAGE_WORDS - 1;
      end
    end
  endtask

  // Afterwards word is IMAGE_STATUS.
  task load_image;
    begin
      write_register(IMAGE_CONTROL, IMAGE_CONTROL_BEGIN);
      for (place_of_word = 0; place_of_word <= image_last; place_of_word = place_of_word + 1)
        write_register(IMAGE_DATA, image[place_of_word]);
      // Checking takes a few clocks a tenant.
      repeat (4 * TENANTS + 8) @(negedge clk);
      read_register(IMAGE_STATUS);
    end
  endtask

  task commit_image;
    begin
      if ((word & STATE_MASK) != STAGED) begin
        $display("IMAGE_STATUS is 0x%0h", word);
        fail("the image is refused");
      end
      write_register(IMAGE_CONTROL, IMAGE_CONTROL_COMMIT);
      read_register(LIVE_CRC);
      if (word != image[image_last]) fail("another image is live");
      read_register(GENERATION);
      if (word != 1) fail("more or less than one commit");
    end
  endtask
