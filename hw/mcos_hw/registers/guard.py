"""Registers of the guard: who may write."""

from mcos_hw.registers.builder import Builder
from mcos_hw.registers.declaration import Access, Field

__all__ = [
    "GUARD_KEY",
    "GUARD_WINDOWS",
    "add_guard",
]


GUARD_WINDOWS = 8
"""Address windows in which a guarded map appears; each is that of one writer."""

GUARD_KEY = int.from_bytes(b"TAKE", "little")
"""What a takeover writes, so that none happens by mistake."""


def add_guard(build: Builder) -> None:
    build.add(
        "GUARD",
        Access.READ,
        "Who owns the registers. With an owner, a write through any other address window is "
        "refused; without one anybody may write. Reads are free.",
        Field(name="owned", low=0, width=1, description="There is an owner."),
        Field(name="owner", low=8, width=3, description="Address window of the owner."),
        Field(name="window", low=16, width=3, description="Address window of this very read."),
    )
    build.add(
        "GUARD_FAULTS",
        Access.READ,
        "Writes refused by the guard.",
        Field(name="count", width=32, unit="writes", description="Since reset, modulo 2**32."),
    )
    build.add(
        "GUARD_CLAIM",
        Access.WRITE,
        "Makes the address window of the write the owner, if there is none.",
        Field(name="claim", width=1, description="Claim; 0 does nothing."),
    )
    build.add(
        "GUARD_RELEASE",
        Access.WRITE,
        "Leaves the registers without an owner.",
        Field(name="release", width=1, description="Release; 0 does nothing."),
    )
    build.add(
        "GUARD_TAKEOVER",
        Access.WRITE,
        "Makes address window 0 the owner, whoever was; refused from another window, or without "
        "the key.",
        Field(name="key", width=32, description=f"The key: {GUARD_KEY:#010x}, TAKE read as bytes."),
    )
