"""Registers of the power governor: the budget that an image sets, and what is in force."""

from mcos_hw.config import FabricConfig
from mcos_hw.registers.builder import Builder
from mcos_hw.registers.declaration import Access, Field
from mcos_hw.registers.image import SectionKind

__all__ = [
    "POWER_READINGS",
    "add_power",
]


POWER_READINGS = ("POWER_STATUS", "POWER_IN_FORCE", "POWER_GUARANTEED")
"""Registers that the governor drives."""


def add_power(build: Builder, fabric: FabricConfig) -> None:
    """Add the budget, of which docs/power.md has the formula, and what the governor tells."""
    channel = fabric.channel
    unit = f"bytes per clock / 2**{channel.rate_fraction}"
    whole = channel.bytes_per_clock << channel.rate_fraction
    build.add(
        "POWER_MODE",
        Access.IMAGE,
        "Switches of the power governor.",
        Field(name="power_enable", low=0, width=1, description="The budget is in force."),
        part=SectionKind.FABRIC,
    )
    build.add(
        "POWER_BUDGET",
        Access.IMAGE,
        "Power budget as the rate that it allows each channel.",
        Field(
            name="power_budget",
            width=channel.rate_width,
            unit=unit,
            description="Bytes that each channel may pass on average, at most the rate r.",
            most=whole,
            when="power_enable",
        ),
        part=SectionKind.FABRIC,
    )
    build.add(
        "POWER_STATUS",
        Access.READ,
        "What the power governor does.",
        Field(name="governs", low=0, width=1, description="A budget or a cap is in force."),
        Field(name="capped", low=1, width=1, description="It is the broadcast cap's."),
        Field(
            name="infeasible",
            low=2,
            width=1,
            description="BUDGET_INFEASIBLE: the guarantees of the live image are over it.",
        ),
        Field(
            name="closes",
            low=3,
            width=1,
            description="An enabled tenant is held to its guarantee in this clock.",
        ),
    )
    build.add(
        "POWER_IN_FORCE",
        Access.READ,
        "The lower of budget and cap.",
        Field(
            name="power_rate",
            width=channel.rate_width,
            unit=unit,
            description="Rate in force; it means nothing while the governor does not govern.",
        ),
    )
    build.add(
        "POWER_GUARANTEED",
        Access.READ,
        "What the guarantees take.",
        Field(
            name="power_guaranteed",
            width=channel.rate_width,
            unit=unit,
            description="Sum of the committed rates of a channel, all ones if it is more.",
        ),
    )
