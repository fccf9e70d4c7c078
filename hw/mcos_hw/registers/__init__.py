"""The register map, its AXI4-Lite bank and its exports."""

from mcos_hw.registers.channel_map import (
    COLOUR_BITS,
    CORE_MAGIC,
    CORE_VERSION,
    GRANT_KINDS,
    LATENCY_BINS,
    ArbiterKind,
    GrantClass,
    channel_map,
)
from mcos_hw.registers.declaration import Access, Field, Register, RegisterMap

__all__ = [
    "COLOUR_BITS",
    "CORE_MAGIC",
    "CORE_VERSION",
    "GRANT_KINDS",
    "LATENCY_BINS",
    "Access",
    "ArbiterKind",
    "Field",
    "GrantClass",
    "Register",
    "RegisterMap",
    "channel_map",
]
