"""The channel's cycle-exact model in compiled Python: the second opinion on the hardware."""
