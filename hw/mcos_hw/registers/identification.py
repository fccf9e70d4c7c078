"""Registers that say what was built."""

import enum

from mcos_hw.config import ChannelConfig
from mcos_hw.registers.builder import Builder
from mcos_hw.registers.declaration import Access, Field

__all__ = [
    "CORE_MAGIC",
    "CORE_VERSION",
    "ArbiterKind",
    "add_identification",
]


CORE_MAGIC = int.from_bytes(b"MCOS", "little")
"""Word that identifies the core."""

CORE_VERSION = (0, 1, 0)
"""Version of the hardware interface: major, minor, patch."""


class ArbiterKind(enum.IntEnum):
    """Which arbiter the channel was built with."""

    MCOS = 0
    FCFS = 1
    ROUND_ROBIN = 2
    FIXED_PRIORITY = 3


def add_identification(build: Builder, config: ChannelConfig) -> None:
    major, minor, patch = CORE_VERSION
    build.add(
        "CORE",
        Access.READ,
        "Identifies the core.",
        Field(name="magic", width=32, reset=CORE_MAGIC, description='"MCOS" read as bytes.'),
    )
    build.add(
        "CORE_VERSION",
        Access.READ,
        "Version of the hardware interface.",
        Field(name="patch", low=0, width=8, reset=patch, description="Compatible corrections."),
        Field(name="minor", low=8, width=8, reset=minor, description="Compatible additions."),
        Field(name="major", low=16, width=8, reset=major, description="Incompatible changes."),
    )
    build.add(
        "MAP_HASH",
        Access.READ,
        "Hash of this register map; an image names the hash it was compiled for.",
        Field(name="hash", width=32, description="First 32 bits of the map's SHA-256."),
    )
    build.add(
        "CAPABILITY",
        Access.READ,
        "Sizes the core was built with.",
        Field(name="channels", low=0, width=8, reset=1, description="Channels in this core."),
        Field(name="tenants", low=8, width=8, reset=config.tenants, description="Tenant tags."),
        Field(
            name="queue_depth",
            low=16,
            width=8,
            unit="requests",
            reset=config.queue_depth,
            description="Queue of each tenant.",
        ),
        Field(
            name="beat_bytes",
            low=24,
            width=8,
            unit="bytes",
            reset=config.beat_bytes,
            description="Bytes of a beat.",
        ),
    )
    build.add(
        "LIMITS",
        Access.READ,
        "Limits the core was built with.",
        Field(
            name="l_max",
            low=0,
            width=12,
            unit="bytes",
            reset=config.l_max,
            description="Longest request.",
        ),
        Field(
            name="grant_interval",
            low=12,
            width=4,
            unit="clocks",
            reset=config.grant_interval,
            description="Clocks from a grant to the next: 1 at line rate, more if compact.",
        ),
        Field(
            name="lateness",
            low=16,
            width=4,
            unit="grants",
            reset=config.lateness,
            description="L: how late eligibility sees virtual time.",
        ),
        Field(
            name="bytes_per_clock",
            low=20,
            width=12,
            unit="bytes per clock",
            reset=config.bytes_per_clock,
            description="The channel's rate r.",
        ),
    )
    build.add(
        "CLOCK",
        Access.READ,
        "Nominal clock frequency.",
        Field(name="khz", width=32, unit="kHz", reset=config.clock_khz, description="Frequency."),
    )
    build.add(
        "OPTIONS",
        Access.READ,
        "What the core was built with or without.",
        Field(
            name="loader_checks",
            width=1,
            reset=int(config.loader_checks),
            description="The loader judges the values of an image.",
        ),
        Field(
            name="monitors",
            low=1,
            width=1,
            reset=int(config.monitors),
            description="The channel counts what it grants and serves.",
        ),
    )
    build.add(
        "ARBITER",
        Access.READ,
        "Arbiter the core was built with.",
        Field(
            name="kind", width=4, values=ArbiterKind, description="Which arbiter grants requests."
        ),
    )
