"""Registers of the monitor: what the last latched epoch counted."""

import enum

from mcos_hw.config import ChannelConfig
from mcos_hw.registers.builder import Builder
from mcos_hw.registers.declaration import Access, Field, Register

__all__ = [
    "GRANT_KINDS",
    "LATENCY_BINS",
    "GrantClass",
    "add_monitor",
    "counter_registers",
    "monitor_registers",
]


LATENCY_BINS = 16
"""Bins of a latency histogram; bin b counts 2**b <= latency < 2**(b+1) clocks, the ends open."""

GRANT_KINDS = 8
"""Grant counters of a tenant: index ``4 * op + class``."""


class GrantClass(enum.IntEnum):
    """How a grant was covered by its tenant's buckets."""

    CONFORMING = 0
    BURST = 1
    SCAVENGED = 2


def _counter(unit: str) -> tuple[Field, Field]:
    return (
        Field(name="count", width=31, unit=unit, description="Count within the epoch, saturating."),
        Field(name="overflow", low=31, width=1, description="The count saturated."),
    )


def add_monitor(build: Builder, config: ChannelConfig) -> None:
    build.add(
        "EPOCH",
        Access.READ,
        "Number of the latched epoch, 0 until one has ended; the counters below belong to it.",
        Field(name="epoch", width=32, description="Epochs ended since power-up."),
    )
    if config.monitors:
        _add_channel_counters(build)
    build.add(
        "LOAD",
        Access.READ,
        "Present load of the channel.",
        Field(
            name="quarter",
            width=2,
            description="Bytes granted and not yet served, in quarters of the port credit.",
        ),
    )
    if config.monitors:
        _add_tenant_counters(build, config)


def _add_channel_counters(build: Builder) -> None:
    build.add(
        "BUSY",
        Access.READ,
        "Clocks in which granted bytes were owed to the pacer or unserved at the port.",
        *_counter("clocks"),
    )
    build.add(
        "STALLED",
        Access.READ,
        "Clocks in which a command waited for memory.",
        *_counter("clocks"),
    )


def _add_tenant_counters(build: Builder, config: ChannelConfig) -> None:
    count = config.tenants
    build.add(
        "QUEUE",
        Access.READ,
        "Queue of each tenant.",
        Field(name="now", low=0, width=8, unit="requests", description="Present depth."),
        Field(name="peak", low=8, width=8, unit="requests", description="Largest in the epoch."),
        count=count,
    )
    build.add(
        "HELD",
        Access.READ,
        "Clocks in which a head waited because no bucket covered it, or outside its colours.",
        *_counter("clocks"),
        count=count,
    )
    build.add("PROMOTIONS", Access.READ, "Grants by age.", *_counter("grants"), count=count)
    build.add("RESPONSES", Access.READ, "Requests served.", *_counter("requests"), count=count)
    build.add(
        "SLO_VIOLATIONS",
        Access.READ,
        "Requests served later than the latency objective.",
        *_counter("requests"),
        count=count,
    )
    build.add(
        "COLOUR_FAULTS",
        Access.READ,
        "Requests taken outside the tenant's page colours.",
        *_counter("requests"),
        count=count,
    )
    build.add(
        "GRANT_REQUESTS",
        Access.READ,
        "Requests granted: element 8 * tenant + 4 * op + class.",
        *_counter("requests"),
        count=count * GRANT_KINDS,
    )
    build.add(
        "GRANT_BYTES",
        Access.READ,
        "Bytes granted: element 8 * tenant + 4 * op + class.",
        *_counter("bytes"),
        count=count * GRANT_KINDS,
    )
    build.add(
        "LATENCY",
        Access.READ,
        "Latency histogram: element 16 * tenant + bin, from first offer to response.",
        *_counter("requests"),
        count=count * LATENCY_BINS,
    )


def monitor_registers(config: ChannelConfig) -> tuple[Register, ...]:
    """The monitor's registers in map order, at offsets from its first one."""
    build = Builder()
    add_monitor(build, config)
    return tuple(build.registers)


def counter_registers(config: ChannelConfig) -> tuple[Register, ...]:
    """Those that count within an epoch."""
    counter = [field.name for field in _counter("")]
    return tuple(
        register
        for register in monitor_registers(config)
        if [field.name for field in register.fields] == counter
    )
