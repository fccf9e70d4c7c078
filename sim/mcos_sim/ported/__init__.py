"""A controller behind AXI ports, with the boundary of one without, so that any engine runs it."""
