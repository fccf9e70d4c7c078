"""Hardware and model side by side, clock by clock."""
