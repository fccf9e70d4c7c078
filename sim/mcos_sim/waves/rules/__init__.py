"""Rules of a channel, checked from what a waveform shows and from nothing else."""

from mcos_sim.waves.rules.check import check_waveform
from mcos_sim.waves.rules.violation import CLAIMS, Rule, Violation

__all__ = [
    "CLAIMS",
    "Rule",
    "Violation",
    "check_waveform",
]
