# ASIC: the core alone, before a clock tree, with an ideal clock.
# mcos at 800 MHz.
# Generated from constraints/asic/target.toml; do not edit.
# Generate it again: mcos constraints write asic --core mcos.v -o FILE
# after mcos verilog --target generic --arbiter mcos --memories wrapped --tenants 16 -o DIRECTORY

set_units -time ns

create_clock -name clk -period 1.250 [get_ports clk]
set_clock_uncertainty -setup 0.062 [get_clocks clk]

# Inputs s_axil_*: 50% of a period are outside.
set_input_delay -clock clk 0.625 \
  [get_ports {s_axil_awaddr[*] s_axil_awprot[*] s_axil_awvalid s_axil_wdata[*] s_axil_wstrb[*] \
    s_axil_wvalid s_axil_bready s_axil_araddr[*] s_axil_arprot[*] s_axil_arvalid s_axil_rready}]

# Outputs s_axil_*: 50% of a period are outside.
set_output_delay -clock clk 0.625 \
  [get_ports {s_axil_awready s_axil_wready s_axil_bresp[*] s_axil_bvalid s_axil_arready \
    s_axil_rdata[*] s_axil_rresp[*] s_axil_rvalid}]

# Inputs *: 40% of a period are outside.
set_input_delay -clock clk 0.500 \
  [get_ports {rst request_tenant[*] request_id[*] request_op request_address[*] request_beats[*] \
    request_offered[*] request_valid command_ready completion_slot[*] completion_valid}]

# Outputs *: 40% of a period are outside.
set_output_delay -clock clk 0.500 \
  [get_ports {now[*] request_ready[*] response_tenant[*] response_id[*] response_valid \
    command_slot[*] command_tenant[*] command_op command_address[*] command_beats[*] \
    command_valid}]

# Hold times at ports belong to the design around the core, with its clock tree.
set_false_path -hold -from \
  [get_ports {rst s_axil_awaddr[*] s_axil_awprot[*] s_axil_awvalid s_axil_wdata[*] \
    s_axil_wstrb[*] s_axil_wvalid s_axil_bready s_axil_araddr[*] s_axil_arprot[*] s_axil_arvalid \
    s_axil_rready request_tenant[*] request_id[*] request_op request_address[*] request_beats[*] \
    request_offered[*] request_valid command_ready completion_slot[*] completion_valid}]
set_false_path -hold -to \
  [get_ports {s_axil_awready s_axil_wready s_axil_bresp[*] s_axil_bvalid s_axil_arready \
    s_axil_rdata[*] s_axil_rresp[*] s_axil_rvalid now[*] request_ready[*] response_tenant[*] \
    response_id[*] response_valid command_slot[*] command_tenant[*] command_op \
    command_address[*] command_beats[*] command_valid}]
