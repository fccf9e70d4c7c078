# ASIC: the core alone, before a clock tree, with an ideal clock.
# mcos_axi at 800 MHz.
# Generated from constraints/asic/target.toml; do not edit.
# Generate it again: mcos constraints write asic --core mcos_axi.v -o FILE
# after mcos verilog --top axi --target generic --arbiter mcos --memories wrapped --ports 1
#   --data-bits 512 --axi-id-bits 6 --table-rows 8 --outstanding 64 --memory-protocol axi4
#   --tenants 16 --beat-bytes 64 --max-beats 8 -o DIRECTORY

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
  [get_ports {rst s00_axi_awid[*] s00_axi_awaddr[*] s00_axi_awlen[*] s00_axi_awsize[*] \
    s00_axi_awburst[*] s00_axi_awlock s00_axi_awqos[*] s00_axi_awcache[*] s00_axi_awprot[*] \
    s00_axi_awvalid s00_axi_wdata[*] s00_axi_wstrb[*] s00_axi_wlast s00_axi_wvalid \
    s00_axi_bready s00_axi_arid[*] s00_axi_araddr[*] s00_axi_arlen[*] s00_axi_arsize[*] \
    s00_axi_arburst[*] s00_axi_arlock s00_axi_arqos[*] s00_axi_arcache[*] s00_axi_arprot[*] \
    s00_axi_arvalid s00_axi_rready m00_axi_awready m00_axi_wready m00_axi_bid[*] \
    m00_axi_bresp[*] m00_axi_bvalid m00_axi_arready m00_axi_rid[*] m00_axi_rdata[*] \
    m00_axi_rresp[*] m00_axi_rlast m00_axi_rvalid}]

# Outputs *: 40% of a period are outside.
set_output_delay -clock clk 0.500 \
  [get_ports {s00_axi_awready s00_axi_wready s00_axi_bid[*] s00_axi_bresp[*] s00_axi_bvalid \
    s00_axi_arready s00_axi_rid[*] s00_axi_rdata[*] s00_axi_rresp[*] s00_axi_rlast \
    s00_axi_rvalid m00_axi_awid[*] m00_axi_awaddr[*] m00_axi_awlen[*] m00_axi_awsize[*] \
    m00_axi_awburst[*] m00_axi_awlock m00_axi_awqos[*] m00_axi_awcache[*] m00_axi_awprot[*] \
    m00_axi_awvalid m00_axi_wdata[*] m00_axi_wstrb[*] m00_axi_wlast m00_axi_wvalid \
    m00_axi_bready m00_axi_arid[*] m00_axi_araddr[*] m00_axi_arlen[*] m00_axi_arsize[*] \
    m00_axi_arburst[*] m00_axi_arlock m00_axi_arqos[*] m00_axi_arcache[*] m00_axi_arprot[*] \
    m00_axi_arvalid m00_axi_rready now[*]}]

# Hold times at ports belong to the design around the core, with its clock tree.
set_false_path -hold -from \
  [get_ports {rst s_axil_awaddr[*] s_axil_awprot[*] s_axil_awvalid s_axil_wdata[*] \
    s_axil_wstrb[*] s_axil_wvalid s_axil_bready s_axil_araddr[*] s_axil_arprot[*] s_axil_arvalid \
    s_axil_rready s00_axi_awid[*] s00_axi_awaddr[*] s00_axi_awlen[*] s00_axi_awsize[*] \
    s00_axi_awburst[*] s00_axi_awlock s00_axi_awqos[*] s00_axi_awcache[*] s00_axi_awprot[*] \
    s00_axi_awvalid s00_axi_wdata[*] s00_axi_wstrb[*] s00_axi_wlast s00_axi_wvalid \
    s00_axi_bready s00_axi_arid[*] s00_axi_araddr[*] s00_axi_arlen[*] s00_axi_arsize[*] \
    s00_axi_arburst[*] s00_axi_arlock s00_axi_arqos[*] s00_axi_arcache[*] s00_axi_arprot[*] \
    s00_axi_arvalid s00_axi_rready m00_axi_awready m00_axi_wready m00_axi_bid[*] \
    m00_axi_bresp[*] m00_axi_bvalid m00_axi_arready m00_axi_rid[*] m00_axi_rdata[*] \
    m00_axi_rresp[*] m00_axi_rlast m00_axi_rvalid}]
set_false_path -hold -to \
  [get_ports {s_axil_awready s_axil_wready s_axil_bresp[*] s_axil_bvalid s_axil_arready \
    s_axil_rdata[*] s_axil_rresp[*] s_axil_rvalid s00_axi_awready s00_axi_wready s00_axi_bid[*] \
    s00_axi_bresp[*] s00_axi_bvalid s00_axi_arready s00_axi_rid[*] s00_axi_rdata[*] \
    s00_axi_rresp[*] s00_axi_rlast s00_axi_rvalid m00_axi_awid[*] m00_axi_awaddr[*] \
    m00_axi_awlen[*] m00_axi_awsize[*] m00_axi_awburst[*] m00_axi_awlock m00_axi_awqos[*] \
    m00_axi_awcache[*] m00_axi_awprot[*] m00_axi_awvalid m00_axi_wdata[*] m00_axi_wstrb[*] \
    m00_axi_wlast m00_axi_wvalid m00_axi_bready m00_axi_arid[*] m00_axi_araddr[*] \
    m00_axi_arlen[*] m00_axi_arsize[*] m00_axi_arburst[*] m00_axi_arlock m00_axi_arqos[*] \
    m00_axi_arcache[*] m00_axi_arprot[*] m00_axi_arvalid m00_axi_rready now[*]}]
