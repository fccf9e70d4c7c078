"""Registers of the interrupt: what has happened, and what of it interrupts."""

import enum

from mcos_hw.registers.builder import Builder
from mcos_hw.registers.declaration import Access, Field

__all__ = [
    "InterruptEvent",
    "add_interrupt",
]


class InterruptEvent(enum.IntEnum):
    """What may interrupt software: the bit of each event."""

    EPOCH = 0
    """An epoch has ended."""
    VIOLATION = 1
    """The epoch that has ended counted a request served later than its latency objective."""
    REFUSED = 2
    """An image or a commit was refused."""
    GUARD = 3
    """A write was refused by the guard."""


def add_interrupt(build: Builder) -> None:
    def fields(low: int, suffix: str, text: str) -> list[Field]:
        return [
            Field(
                name=f"{event.name.lower()}{suffix}",
                low=low + event,
                width=1,
                description=f"{text}: {meaning}.",
            )
            for event, meaning in _MEANINGS.items()
        ]

    build.add(
        "INTERRUPT",
        Access.READ,
        "What has happened and was not cleared since. The interrupt is high while any of it is "
        "enabled.",
        *fields(0, "", "Pending"),
        *fields(16, "_enabled", "Enabled"),
    )
    build.add(
        "INTERRUPT_MASK",
        Access.WRITE,
        "Sets which events interrupt; none after reset.",
        *fields(0, "", "Enable"),
    )
    build.add(
        "INTERRUPT_CLEAR",
        Access.WRITE,
        "Clears what is pending: a bit that is written as 1. What happens in the same clock stays.",
        *fields(0, "", "Clear"),
    )


_MEANINGS = {
    InterruptEvent.EPOCH: "an epoch has ended",
    InterruptEvent.VIOLATION: "the epoch that has ended counted an SLO violation",
    InterruptEvent.REFUSED: "an image or a commit was refused",
    InterruptEvent.GUARD: "a write was refused by the guard",
}
