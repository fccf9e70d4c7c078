"""Registers that an image sets: those of the channel, and those of each tenant."""

from mcos_hw.config import ChannelConfig
from mcos_hw.registers.builder import Builder
from mcos_hw.registers.declaration import Access, Field

__all__ = [
    "COLOUR_BITS",
    "add_channel_settings",
    "add_tenant_settings",
]


COLOUR_BITS = 4
"""Address bits that can make a page's colour."""


def add_channel_settings(build: Builder, config: ChannelConfig) -> None:
    build.add(
        "MODE",
        Access.IMAGE,
        "Switches of the channel.",
        Field(
            name="pacer_enable", low=0, width=1, description="Keep granted bytes at the paced rate."
        ),
        Field(
            name="overcommitted",
            low=1,
            width=1,
            description="Capacity is under the sum of guarantees: priority goes before finish tag.",
        ),
    )
    build.add(
        "PACER_RATE",
        Access.IMAGE,
        "Rate at which bytes may be granted.",
        Field(
            name="pacer_rate",
            width=config.rate_width,
            unit=f"bytes per clock / 2**{config.rate_fraction}",
            description="Paced rate, at most the channel's rate r.",
            least=1,
            most=config.bytes_per_clock << config.rate_fraction,
            when="pacer_enable",
        ),
    )
    build.add(
        "PORT_CREDIT",
        Access.IMAGE,
        "Bytes that may be granted and not yet served.",
        Field(
            name="port_credit",
            width=config.credit_width,
            unit="bytes",
            description="Port credit, at least l_max.",
            least=config.l_max,
        ),
    )
    build.add(
        "INVERSE_TOTAL_WEIGHT",
        Access.IMAGE,
        "Reciprocal of the sum of the weights of all enabled tenants.",
        Field(
            name="inverse_total_weight",
            width=config.total_reciprocal_width,
            unit=f"2**-{config.total_reciprocal_fraction}",
            description="1/W, over 0 and at most 1.0.",
            least=1,
            most=1 << config.total_reciprocal_fraction,
        ),
    )
    build.add(
        "DEPTH1",
        Access.IMAGE,
        "Depth-1 rule.",
        Field(
            name="depth1_clocks",
            width=8,
            unit="clocks",
            description="A request this soon after the tenant's last response keeps its turn.",
        ),
    )
    build.add(
        "PROMOTION",
        Access.IMAGE,
        "Age guard.",
        Field(
            name="promotion_interval",
            width=8,
            unit="grants",
            description="At most one age promotion in this many grants, at least 1.",
            least=1,
        ),
    )
    build.add(
        "EPOCH_LENGTH",
        Access.IMAGE,
        "Metrics period.",
        Field(
            name="epoch_clocks",
            width=32,
            unit="clocks",
            description="Clocks of an epoch; 0 latches never.",
        ),
    )
    build.add(
        "COLOUR_BITS",
        Access.IMAGE,
        "Which bits of an address make the colour of its page.",
        *(
            Field(
                name=f"colour_bit_{k}",
                low=8 * k,
                width=6,
                description=f"Address bit that is bit {k} of the colour.",
            )
            for k in range(COLOUR_BITS)
        ),
    )


def add_tenant_settings(build: Builder, config: ChannelConfig) -> None:
    """Add what an image sets of each tenant.

    A compact channel reads these settings of one tenant at a time, but for the switches.
    """
    count = config.tenants
    rate_unit = f"bytes per clock / 2**{config.rate_fraction}"
    build.add(
        "TENANT_MODE",
        Access.IMAGE,
        "Switches of each tenant.",
        Field(name="enable", low=0, width=1, description="The tenant's requests are taken."),
        Field(
            name="work_conserving",
            low=1,
            width=1,
            description="Requests that neither bucket covers may use idle slots.",
        ),
        Field(
            name="refuse_outside",
            low=2,
            width=1,
            description="A request outside the tenant's page colours waits while this is set.",
        ),
        Field(name="priority", low=4, width=4, description="0 is highest."),
        count=count,
    )
    build.add(
        "COMMITTED_RATE",
        Access.IMAGE,
        "Refill rate of each committed bucket: the tenant's guarantee on this channel.",
        Field(
            name="committed_rate",
            width=config.rate_width,
            unit=rate_unit,
            description="Guaranteed rate; 0 for best effort.",
        ),
        count=count,
        paged=config.compact,
    )
    build.add(
        "COMMITTED_DEPTH",
        Access.IMAGE,
        "Depth of each committed bucket.",
        Field(
            name="committed_depth",
            width=config.depth_width,
            unit="bytes",
            description="Guaranteed rate times burst duration, at least l_max; 0 without a rate.",
        ),
        count=count,
        paged=config.compact,
    )
    build.add(
        "PEAK_RATE",
        Access.IMAGE,
        "Refill rate of each peak bucket.",
        Field(
            name="peak_rate",
            width=config.rate_width,
            unit=rate_unit,
            description="Burst rate, at least the committed rate; 0 for idle slots alone.",
        ),
        count=count,
        paged=config.compact,
    )
    build.add(
        "PEAK_DEPTH",
        Access.IMAGE,
        "Depth of each peak bucket.",
        Field(
            name="peak_depth",
            width=config.depth_width,
            unit="bytes",
            description=(
                "Burst rate times burst duration, at least l_max and the committed depth; 0 "
                "without a rate."
            ),
        ),
        count=count,
        paged=config.compact,
    )
    build.add(
        "INVERSE_WEIGHT",
        Access.IMAGE,
        "Reciprocal of each tenant's weight.",
        Field(
            name="inverse_weight",
            width=config.reciprocal_width,
            unit=f"2**-{config.reciprocal_fraction}",
            description="1/w, over 0 and at most 1.0.",
            least=1,
            most=1 << config.reciprocal_fraction,
            when="enable",
        ),
        count=count,
        paged=config.compact,
    )
    build.add(
        "AGE_LIMIT",
        Access.IMAGE,
        "Age at which a serviceable head goes first.",
        Field(
            name="age_limit",
            width=config.clocks_width,
            unit="clocks",
            description="Limit; 0 switches the guard off.",
        ),
        count=count,
        paged=config.compact,
    )
    build.add(
        "LATENCY_SLO",
        Access.IMAGE,
        "Latency objective of a request, from first offer to response.",
        Field(
            name="latency_slo",
            width=config.clocks_width,
            unit="clocks",
            description="Objective; 0 counts no violations.",
        ),
        count=count,
        paged=config.compact,
    )
    build.add(
        "COLOURS",
        Access.IMAGE,
        "Page colours of each tenant.",
        Field(
            name="colours",
            width=1 << COLOUR_BITS,
            description="Bit c: its pages may have colour c. At least one.",
            least=1,
            when="enable",
        ),
        count=count,
        paged=config.compact,
    )
