"""Sizes, chosen once and shared by hardware, policy and simulation."""

from mcos_hw.config.channel import (
    ADMISSIBLE_SHARE,
    COMPACT_INTERVALS,
    POWERS_OF_TWO,
    RANGES,
    REFILL_CLOCKS,
    SWITCHES,
    UPDATE_CLOCKS,
    ChannelConfig,
)
from mcos_hw.config.fabric import (
    CHANNELS,
    COORDINATOR_INTERVAL,
    COORDINATOR_INTERVALS,
    GRAINS,
    MASK_WIDTH,
    PORT_RANGES,
    FabricConfig,
    MemoryProtocol,
    PortConfig,
)
from mcos_hw.config.movement import MOVEMENT_RANGES, TIERS, MovementConfig

__all__ = [
    "ADMISSIBLE_SHARE",
    "CHANNELS",
    "COMPACT_INTERVALS",
    "COORDINATOR_INTERVAL",
    "COORDINATOR_INTERVALS",
    "GRAINS",
    "MASK_WIDTH",
    "MOVEMENT_RANGES",
    "PORT_RANGES",
    "POWERS_OF_TWO",
    "RANGES",
    "REFILL_CLOCKS",
    "SWITCHES",
    "TIERS",
    "UPDATE_CLOCKS",
    "ChannelConfig",
    "FabricConfig",
    "MemoryProtocol",
    "MovementConfig",
    "PortConfig",
]
