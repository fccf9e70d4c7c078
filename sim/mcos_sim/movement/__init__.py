"""The reference model of the movement engines, in plain Python, clock by clock."""
