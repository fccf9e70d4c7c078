"""The register map, its AXI4-Lite bank and its exports."""

from mcos_hw.registers.channel_map import channel_map
from mcos_hw.registers.declaration import Access, Field, Register, RegisterFile, RegisterMap
from mcos_hw.registers.fabric_map import channels_map, fabric_map
from mcos_hw.registers.identification import CORE_MAGIC, CORE_VERSION, ArbiterKind
from mcos_hw.registers.monitor import GRANT_KINDS, LATENCY_BINS, GrantClass
from mcos_hw.registers.ports import PORT_ERROR_KINDS, PortError
from mcos_hw.registers.settings import COLOUR_BITS

__all__ = [
    "COLOUR_BITS",
    "CORE_MAGIC",
    "CORE_VERSION",
    "GRANT_KINDS",
    "LATENCY_BINS",
    "PORT_ERROR_KINDS",
    "Access",
    "ArbiterKind",
    "Field",
    "GrantClass",
    "PortError",
    "Register",
    "RegisterFile",
    "RegisterMap",
    "channel_map",
    "channels_map",
    "fabric_map",
]
