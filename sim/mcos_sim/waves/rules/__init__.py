"""Rules of a channel, checked from what a waveform shows and from nothing else."""

from mcos_sim.waves.rules.check import check_waveform
from mcos_sim.waves.rules.quantity import Quantity
from mcos_sim.waves.rules.violation import CLAIMS, Rule, Violation
from mcos_sim.waves.rules.wording import Wording

__all__ = [
    "CLAIMS",
    "Quantity",
    "Rule",
    "Violation",
    "Wording",
    "check_waveform",
]
