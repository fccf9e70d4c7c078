"""An HBM channel: what the device allows, and a controller that stays within it."""

from mcos_sim.memory.hbm.mapping import (
    Field,
    Mapping,
    bursts_of,
    coloured_mapping,
    default_mapping,
)
from mcos_sim.memory.hbm.policy import Page, Policy, Refresh, Scheduler
from mcos_sim.memory.hbm.preset import PRESETS, Preset, find_preset
from mcos_sim.memory.hbm.serve_requests import BURST, Served, serve

__all__ = [
    "BURST",
    "PRESETS",
    "Field",
    "Mapping",
    "Page",
    "Policy",
    "Preset",
    "Refresh",
    "Scheduler",
    "Served",
    "bursts_of",
    "coloured_mapping",
    "default_mapping",
    "find_preset",
    "serve",
]
