"""What a run gave against what WF2Q+ and the fluid reference promise."""
