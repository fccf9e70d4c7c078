"""The register map of a fabric: that of its channels, and the registers of its ports behind it."""

import dataclasses
import functools

from mcos_hw.config import CHANNELS, ChannelConfig, FabricConfig
from mcos_hw.registers.builder import Builder
from mcos_hw.registers.channel_map import channel_map
from mcos_hw.registers.channel_pages import add_page_places, channel_pages
from mcos_hw.registers.coordination import add_coordinator
from mcos_hw.registers.declaration import PortLimits, Register, RegisterMap
from mcos_hw.registers.fabric_settings import add_channel_readings, add_interleave
from mcos_hw.registers.guard import GUARD_WINDOWS, add_guard
from mcos_hw.registers.image import SectionKind
from mcos_hw.registers.interrupt import add_interrupt
from mcos_hw.registers.ports import add_ports
from mcos_hw.registers.power import add_power
from mcos_hw.registers.utilisation import add_utilisation_units

__all__ = [
    "channels_map",
    "fabric_map",
]


@functools.lru_cache(maxsize=64)
def fabric_map(fabric: FabricConfig) -> RegisterMap:
    """The register map of a fabric of the given sizes.

    What :func:`mcos_hw.registers.channel_map` has is at the same offsets, MAP_HASH included: an
    image for the channel is one for the fabric. With several channels, its monitor and what an
    image sets of it are those of channel 0. All monitors are in pages behind, and arrays have what
    is set of every channel. They have one guard and one interrupt.
    """
    channel = channel_map(fabric.channel)
    ports = Builder()
    ports.at(1 << channel.address_width)
    add_ports(ports, fabric)
    limits = tuple(
        PortLimits(rows=0 if port.inner else port.table_rows, last_id=(1 << port.id_width) - 1)
        for port in fabric.ports
    )
    if fabric.channels == 1:
        if fabric.power:
            add_power(ports, fabric)
        return RegisterMap(
            name="mcos_fabric",
            description=(
                "One MCOS channel with AXI ports in front of it: the channel's registers, and the "
                "tenant tables, credits and error counts of the ports."
            ),
            registers=(*channel.registers, *ports.registers),
            address_width=channel.address_width + 2,
            ports=limits,
        )
    add_interleave(ports, fabric)
    add_coordinator(ports)
    if fabric.power:
        add_power(ports, fabric)
    add_channel_readings(ports, fabric, channel.section(SectionKind.CHANNEL))
    shared = channels_map(fabric.channel, fabric.channels)
    registers = (*shared.registers, *ports.registers)
    return dataclasses.replace(
        shared,
        description=(
            f"{fabric.channels} MCOS channels with AXI ports in front of them: what they have one "
            "of, the tenant tables, credits and error counts of the ports, and a page with the "
            "monitor of each channel. The monitor in front of the ports is that of channel 0."
        ),
        registers=tuple(sorted(registers, key=lambda each: each.offset)),
        ports=limits,
    )


@functools.lru_cache(maxsize=64)
def channels_map(config: ChannelConfig, channels: int) -> RegisterMap:
    """What the register map of any fabric of several such channels has, whatever its ports are.

    Parameters
    ----------
    config : ChannelConfig
        Sizes of each channel.
    channels : int
        How many there are, 2 at least.
    """
    own = [_of_channels(each, channels) for each in channel_map(config).registers]
    shared = Builder()
    shared.at(0x20)
    add_page_places(shared)
    add_utilisation_units(shared)
    shared.at(0x80)
    add_guard(shared)
    shared.at(0xA0)
    add_interrupt(shared)
    pages = channel_pages(config, channels)
    end = pages.offset + CHANNELS[-1] * pages.stride
    return RegisterMap(
        name="mcos_fabric",
        description=(
            f"{channels} MCOS channels: what they have one of, and a page with the monitor of each."
        ),
        registers=tuple(sorted((*own, *shared.registers), key=lambda each: each.offset)),
        address_width=(GUARD_WINDOWS * end - 1).bit_length(),
        windows=GUARD_WINDOWS,
        file=pages,
    )


def _of_channels(register: Register, channels: int) -> Register:
    """The register of a channel's map, where it says of how many channels the core is."""
    fields = tuple(
        dataclasses.replace(field, reset=channels) if field.name == "channels" else field
        for field in register.fields
    )
    return dataclasses.replace(register, fields=fields)
