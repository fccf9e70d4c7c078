"""What software reads of each of several channels: a page of registers for each."""

from mcos_hw.config import ChannelConfig
from mcos_hw.registers.builder import Builder
from mcos_hw.registers.declaration import Access, Field, RegisterFile
from mcos_hw.registers.monitor import add_monitor
from mcos_hw.registers.utilisation import add_utilisation

__all__ = [
    "PAGES_OFFSET",
    "PAGE_BYTES",
    "add_page_places",
    "channel_pages",
]


PAGE_BYTES = 0x1000
"""Bytes from the registers of a channel to those of the next."""

PAGES_OFFSET = 0x20000
"""Where the page of channel 0 begins, for any number of channels."""


def channel_pages(config: ChannelConfig, channels: int) -> RegisterFile:
    """The monitors of several channels.

    In a page, the registers of a monitor are where those of the only channel are behind EPOCH.
    UTILISATION is the last one.
    """
    build = Builder()
    add_monitor(build, config)
    add_utilisation(build, config)
    return RegisterFile(
        name="CHANNEL",
        offset=PAGES_OFFSET,
        stride=PAGE_BYTES,
        count=channels,
        registers=tuple(each for each in build.registers if each.name != "EPOCH"),
        description="Monitor of each channel; its counters belong to the latched epoch, EPOCH.",
    )


def add_page_places(build: Builder) -> None:
    """Add the register that says where the pages are."""
    build.add(
        "CHANNEL_PAGES",
        Access.READ,
        "Where the monitor of each channel is; CAPABILITY says how many channels there are.",
        Field(
            name="first",
            low=0,
            width=24,
            unit="bytes",
            reset=PAGES_OFFSET,
            description="Offset of the page of channel 0.",
        ),
        Field(
            name="stride_log2",
            low=24,
            width=8,
            unit="bits",
            reset=PAGE_BYTES.bit_length() - 1,
            description="Logarithm of the bytes from a page to the next.",
        ),
    )
