"""An HBM channel: what the device allows, and a controller that stays within it."""

from mcos_sim.memory.hbm.policy import Page, Policy, Refresh, Scheduler
from mcos_sim.memory.hbm.preset import PRESETS, Preset, find_preset
from mcos_sim.memory.hbm.run import BURST, Served, serve

__all__ = [
    "BURST",
    "PRESETS",
    "Page",
    "Policy",
    "Preset",
    "Refresh",
    "Scheduler",
    "Served",
    "find_preset",
    "serve",
]
