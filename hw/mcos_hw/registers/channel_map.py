"""The register map of one channel, declared once.

The AXI4-Lite bank, the image's sections, the policy compiler's names and every export come from
:func:`channel_map`. No offset or width is typed elsewhere.
"""

import dataclasses
import functools

from mcos_hw.config import ChannelConfig
from mcos_hw.registers.builder import Builder
from mcos_hw.registers.declaration import RegisterMap
from mcos_hw.registers.identification import add_identification
from mcos_hw.registers.image_port import add_image_port
from mcos_hw.registers.monitor import add_monitor
from mcos_hw.registers.settings import add_channel_settings, add_tenant_settings

__all__ = ["channel_map"]


@functools.lru_cache(maxsize=64)
def channel_map(config: ChannelConfig) -> RegisterMap:
    """The register map of a channel of the given sizes."""
    build = Builder()
    add_identification(build, config)
    build.at(0x40)
    add_image_port(build)
    build.at(0x100)
    add_channel_settings(build, config)
    build.at(0x200)
    add_tenant_settings(build, config)
    build.at(0x1000)
    add_monitor(build, config)
    registers = RegisterMap(
        name="mcos_channel",
        description=(
            "One MCOS channel: identification, the image port, the live configuration, and the "
            "monitor's last latched epoch. Per-tenant arrays are indexed by tenant tag."
        ),
        registers=tuple(build.registers),
        address_width=13,
    )
    # The hash does not cover reset values, so that it can be one.
    return _with_reset(registers, "MAP_HASH", registers.hash)


def _with_reset(registers: RegisterMap, name: str, value: int) -> RegisterMap:
    """The map with another reset value of the only field of a register."""
    (field,) = registers[name].fields
    named = dataclasses.replace(registers[name], fields=(dataclasses.replace(field, reset=value),))
    rows = tuple(named if each.name == name else each for each in registers.registers)
    return dataclasses.replace(registers, registers=rows)
