"""The emitted Verilog as a shared library: the hardware without Python between its clocks."""
