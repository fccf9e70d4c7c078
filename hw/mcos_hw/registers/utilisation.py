"""Registers of the utilisation: how much of a channel each tenant has had lately."""

from mcos_hw.config import ChannelConfig
from mcos_hw.registers.builder import Builder
from mcos_hw.registers.declaration import Access, Field

__all__ = [
    "UTILISATION_FULL",
    "UTILISATION_INTERVAL",
    "UTILISATION_SHIFT",
    "add_utilisation",
    "add_utilisation_units",
]


UTILISATION_INTERVAL = 1024
"""Clocks over which the grants of a tenant are counted, before they enter its average."""

UTILISATION_SHIFT = 3
"""Logarithm of the intervals over which the average reaches: 1 / 8 of each new interval counts."""

UTILISATION_FULL = 1024
"""What the whole rate of a channel reads as."""


def add_utilisation(build: Builder, config: ChannelConfig) -> None:
    build.add(
        "UTILISATION",
        Access.READ,
        "Bytes granted to each tenant, as an average over the last intervals.",
        Field(
            name="share",
            width=12,
            unit=f"1/{UTILISATION_FULL} of the channel's rate",
            description="Exponential average, see UTILISATION_UNITS; saturating.",
        ),
        count=config.tenants,
    )


def add_utilisation_units(build: Builder) -> None:
    build.add(
        "UTILISATION_UNITS",
        Access.READ,
        "How UTILISATION counts.",
        Field(
            name="interval_log2",
            low=0,
            width=8,
            reset=UTILISATION_INTERVAL.bit_length() - 1,
            description="Logarithm of the clocks of an interval.",
        ),
        Field(
            name="window_log2",
            low=8,
            width=8,
            reset=UTILISATION_SHIFT,
            description="Logarithm of the intervals that the average reaches over.",
        ),
        Field(
            name="full_log2",
            low=16,
            width=8,
            reset=UTILISATION_FULL.bit_length() - 1,
            description="Logarithm of what the whole rate of a channel reads as.",
        ),
    )
