"""Where the monitor of each channel is among the registers of a simulated top."""

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import channel_map
from mcos_hw.registers.channel_pages import channel_pages
from mcos_hw.registers.monitor import monitor_registers

__all__ = [
    "monitor_addresses",
]


def monitor_addresses(config: ChannelConfig, channels: int) -> list[dict[str, list[int]]]:
    """Addresses of the words of each register of each channel's monitor, by its name.

    Parameters
    ----------
    config : ChannelConfig
        Sizes of each channel.
    channels : int
        How many channels.
    """
    registers = channel_map(config)
    names = [register.name for register in monitor_registers(config)]
    only = {name: _words(registers[name].offset, registers[name].count) for name in names}
    if channels == 1:
        return [only]
    pages = channel_pages(config, channels)
    found = []
    for channel in range(channels):
        page = pages.offset + pages.stride * channel
        paged = {
            each.name: _words(page + each.offset, each.count)
            for each in pages.registers
            if each.name in names
        }
        found.append({name: paged.get(name, only[name]) for name in names})
    return found


def _words(offset: int, count: int) -> list[int]:
    return [offset + 4 * k for k in range(count)]
