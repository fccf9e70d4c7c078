"""Sizes, chosen once and shared by hardware, policy and simulation."""

from mcos_hw.config.channel import ADMISSIBLE_SHARE, POWERS_OF_TWO, RANGES, SWITCHES, ChannelConfig
from mcos_hw.config.fabric import PORT_RANGES, FabricConfig, MemoryProtocol, PortConfig

__all__ = [
    "ADMISSIBLE_SHARE",
    "PORT_RANGES",
    "POWERS_OF_TWO",
    "RANGES",
    "SWITCHES",
    "ChannelConfig",
    "FabricConfig",
    "MemoryProtocol",
    "PortConfig",
]
