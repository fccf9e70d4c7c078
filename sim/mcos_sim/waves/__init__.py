"""Waveforms: windows of clocks as VCD, and how viewers show them."""

from mcos_sim.waves.signals import PortEvents, Radix, Signal
from mcos_sim.waves.window import WindowWriter

__all__ = [
    "PortEvents",
    "Radix",
    "Signal",
    "WindowWriter",
]
