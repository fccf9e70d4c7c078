// A channel between requesters and a memory, for a simulator that knows nothing of MCOS.
//
// Registers are written as writes.hex says: clock, address and word of each row. Requests come from
// all tenants in turn; memory answers LATENCY clocks after it took a command. Everything changes at
// the rising edge, as the counter of clocks does.
`timescale 1ns / 1ps

module bench;
    localparam LATENCY = 20;

    reg clk = 0;
    reg rst = 1;
    reg [31:0] cycle = 0;
    always #0.625 clk = ~clk;

    reg [95:0] writes[0:`WRITES];
    integer next = 0;
    reg write = 0;
    reg [31:0] address = 0;
    reg [31:0] word = 0;

    reg request_valid = 0;
    reg [`TENANT_BITS - 1:0] tenant = 0;
    reg [11:0] id = 0;
    reg [39:0] place = 0;
    reg [4:0] beats = 1;
    reg [23:0] offered = 0;
    wire [23:0] now;
    wire [(1 << `TENANT_BITS) - 1:0] request_ready;
    wire request_taken = request_valid & request_ready[tenant];

    reg command_ready = 1;
    wire command_valid;
    wire [`SLOT_BITS - 1:0] command_slot;
    wire [`TENANT_BITS - 1:0] command_tenant;
    wire command_op;
    wire [39:0] command_address;
    wire [4:0] command_beats;
    wire command_taken = command_valid & command_ready;

    reg [`SLOT_BITS:0] served[0:LATENCY - 1];
    reg completion_valid = 0;
    reg [`SLOT_BITS - 1:0] completion_slot = 0;
    wire response_valid;
    wire [`TENANT_BITS - 1:0] response_tenant;
    wire [11:0] response_id;

    mcos dut (
        .clk(clk), .rst(rst),
        .s_axil_awaddr(address), .s_axil_awprot(3'd0), .s_axil_awvalid(write),
        .s_axil_wdata(word), .s_axil_wstrb(4'hF), .s_axil_wvalid(write), .s_axil_bready(1'b1),
        .s_axil_araddr(32'd0), .s_axil_arprot(3'd0), .s_axil_arvalid(1'b0), .s_axil_rready(1'b1),
        .now(now),
        .request_valid(request_valid), .request_tenant(tenant), .request_id(id),
        .request_op(id[0]), .request_address(place), .request_beats(beats),
        .request_offered(offered), .request_ready(request_ready),
        .response_valid(response_valid), .response_tenant(response_tenant),
        .response_id(response_id),
        .command_valid(command_valid), .command_ready(command_ready),
        .command_slot(command_slot), .command_tenant(command_tenant), .command_op(command_op),
        .command_address(command_address), .command_beats(command_beats),
        .completion_valid(completion_valid), .completion_slot(completion_slot)
    );

    integer k;
    initial begin
        $readmemh("writes.hex", writes);
        for (k = 0; k < LATENCY; k = k + 1) served[k] = 0;
        #4 rst = 0;
    end

    always @(posedge clk) begin
        cycle <= cycle + 1;
        write <= writes[next][95:64] == cycle;
        if (writes[next][95:64] == cycle) begin
            address <= writes[next][63:32];
            word <= writes[next][31:0];
            next <= next + 1;
        end
        if (request_taken) id <= id + 1;
        if (request_taken | ~request_valid) begin
            request_valid <= cycle > `BEGIN && $random % 3 != 0;
            tenant <= $random;
            place <= {8'd0, $random};
            beats <= 1 + ($random & 15);
            offered <= now + 1;
        end
        command_ready <= $random % 5 != 0;
        served[0] <= {command_taken, command_slot};
        for (k = 1; k < LATENCY; k = k + 1) served[k] <= served[k - 1];
        {completion_valid, completion_slot} <= served[LATENCY - 1];
        case (cycle)
            `BEGIN: begin
                $dumpfile("bench.vcd");
                $dumpvars(1, bench);
                $dumpvars(1, bench.dut.controller);
            end
            `BEGIN + 90: $dumpall;
            `BEGIN + 150: $dumpoff;
            `BEGIN + 170: $dumpon;
            `BEGIN + 300: $finish;
        endcase
    end
endmodule
