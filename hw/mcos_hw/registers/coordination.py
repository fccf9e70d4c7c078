"""Registers of the coordinator, which an image sets."""

from mcos_hw.config import COORDINATOR_INTERVAL, COORDINATOR_INTERVALS
from mcos_hw.registers.builder import Builder
from mcos_hw.registers.declaration import Access, Field
from mcos_hw.registers.image import SectionKind

__all__ = ["add_coordinator"]


def add_coordinator(build: Builder) -> None:
    """Add what an image sets of the coordinator; after reset it lends nothing."""
    build.add(
        "COORDINATOR",
        Access.IMAGE,
        "Committed rate that a tenant does not use on one channel goes to another.",
        Field(
            name="coordinator_enable",
            low=0,
            width=1,
            description="Rates are lent; else each channel has the rates of its tenants.",
        ),
        Field(
            name="coordinator_interval",
            low=4,
            width=4,
            reset=COORDINATOR_INTERVAL,
            unit="log2 of clocks",
            description="From one look at all channels to the next.",
            least=COORDINATOR_INTERVALS[0],
            most=COORDINATOR_INTERVALS[-1],
        ),
        part=SectionKind.FABRIC,
    )
