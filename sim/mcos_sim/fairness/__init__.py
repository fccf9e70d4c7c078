"""What a run or a waveform gave, against what WF2Q+ and the fluid reference promise."""
