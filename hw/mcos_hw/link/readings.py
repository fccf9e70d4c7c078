"""What software reads of the counters of a channel."""

from typing import Protocol

from amaranth.hdl import Signal
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.config import ChannelConfig
from mcos_hw.link.epoch import epoch_signature
from mcos_hw.link.events import events_signature
from mcos_hw.registers import Access, RegisterFile, channel_map

__all__ = [
    "CounterRead",
    "PageRead",
    "Readings",
    "Window",
    "counter_read_signature",
    "delayed_registers",
    "monitor_signature",
    "monitor_windows",
    "page_clocks",
    "page_read_signature",
    "readings_signature",
]


def monitor_windows(config: ChannelConfig) -> dict[str, int]:
    """The monitor's register arrays by lower-case name: how many words each has."""
    return {
        register.name.lower(): register.count
        for register in channel_map(config).registers
        if register.access is Access.READ and register.count > 1
    }


class Window(Protocol):
    """How one of the monitor's arrays is read: ``data`` is the word of ``index`` a clock before."""

    index: Signal
    data: Signal


class Readings(Protocol):
    """What software reads of the epoch that ended last.

    Beside the members below there is a :class:`Window` for each name of :func:`monitor_windows`.
    """

    busy: Signal
    """Clocks in which the channel owed bytes; bit 31 says that the count saturated."""

    stalled: Signal
    """Clocks in which a command waited for memory; bit 31 says that the count saturated."""

    queue: Window
    held: Window
    reading: "CounterRead"
    """Who reads; only in a compact channel, where a word takes clocks to be there."""


class CounterRead(Protocol):
    """A read of a register whose word takes clocks to be there: of a memory that counts meanwhile.

    ``asked`` stays high until ``given`` is, and ``address`` longer. From the clock after ``given``
    until the next read the word is there, whatever the index of its window.
    """

    asked: Signal
    """The register at ``address`` is to be read."""

    address: Signal
    """Number of its word in the channel's map."""

    given: Signal
    """Its word is there from the next clock on."""


def counter_read_signature(config: ChannelConfig) -> wiring.Signature:
    """:class:`CounterRead` as the reader drives it."""
    address_width = channel_map(config).address_width - 2
    return wiring.Signature({"asked": Out(1), "address": Out(address_width), "given": In(1)})


def delayed_registers(config: ChannelConfig) -> tuple[str, ...]:
    """Names of the registers that are read by :class:`CounterRead`."""
    if not (config.compact and config.monitors):
        return ()
    return ("BUSY", "STALLED", *(name.upper() for name in monitor_windows(config)))


def readings_signature(config: ChannelConfig) -> wiring.Signature:
    """:class:`Readings` as the monitor drives them."""
    windows = {
        name: In(wiring.Signature({"index": Out((count - 1).bit_length()), "data": In(32)}))
        for name, count in monitor_windows(config).items()
    }
    reading = {"reading": In(counter_read_signature(config))} if config.compact else {}
    return wiring.Signature({"busy": Out(32), "stalled": Out(32), **windows, **reading})


class PageRead(Protocol):
    """A read of a register that each channel has.

    ``word`` is that of ``part`` and ``index`` :func:`page_clocks` clocks later. With registers
    whose word takes clocks to be there, ``asked`` and ``given`` are as in :class:`CounterRead`, and
    the word comes as many clocks after ``given``.
    """

    part: Signal
    """Which channel."""

    index: Signal
    """Number of the word in its page."""

    word: Signal
    asked: Signal
    given: Signal


PARTS_IN_STEP = 4
"""Channels among which one step of a read selects: their words come from all over the fabric."""


def page_clocks(parts: int) -> int:
    """Clocks from the index of a read to its word, of so many channels."""
    # Index and word of a window, the word of the channel, and the steps of the selection.
    clocks = 4
    while parts > 1:
        parts = -(-parts // PARTS_IN_STEP)
        clocks += 1
    return clocks


def page_read_signature(file: RegisterFile, *, delayed: bool) -> wiring.Signature:
    """:class:`PageRead` as the reader drives it."""
    waits = {"asked": Out(1), "given": In(1)} if delayed else {}
    return wiring.Signature(
        {
            "part": Out(range(file.count)),
            "index": Out(range(file.stride // 4)),
            "word": In(32),
            **waits,
        }
    )


def monitor_signature(config: ChannelConfig) -> wiring.Signature:
    """What a monitor counts, and what software reads of it."""
    return wiring.Signature(
        {
            "epoch": In(epoch_signature()),
            "events": In(events_signature(config)),
            "counts": In(data.ArrayLayout(config.queue_depth.bit_length(), config.tenants)),
            "readings": Out(readings_signature(config)),
        }
    )
