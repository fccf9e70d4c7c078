"""Registers of a fabric that an image sets: how addresses are spread over its channels."""

from mcos_hw.config import MASK_WIDTH, FabricConfig
from mcos_hw.registers.builder import Builder
from mcos_hw.registers.declaration import Access, Field, Register
from mcos_hw.registers.image import SectionKind

__all__ = [
    "add_channel_readings",
    "add_interleave",
    "channel_reading",
]


def add_interleave(build: Builder, fabric: FabricConfig) -> None:
    """Add the interleave, which after reset is block after block to channel after channel."""
    build.add(
        "INTERLEAVE_GRAIN",
        Access.IMAGE,
        "How far addresses go on in one channel.",
        Field(
            name="grain",
            width=3,
            unit="log2 of blocks of l_max",
            description="Lowest address bit, from that of a block on, that chooses the channel.",
        ),
        part=SectionKind.FABRIC,
    )
    for j in range(fabric.channel_width):
        build.add(
            f"INTERLEAVE_MASK_{j}",
            Access.IMAGE,
            f"Address bits whose parity is bit {j} of a channel's number. From the grain on it has "
            f"bit {j} alone of as many as such a number has, and none below.",
            Field(
                name=f"mask_{j}",
                width=MASK_WIDTH,
                reset=1 << j,
                description=f"Bit k stands for address bit {fabric.block_width} + k.",
            ),
            part=SectionKind.FABRIC,
        )


def channel_reading(register: Register) -> str:
    """Name of the array that a channel's setting reads as, an element for each channel."""
    return f"CHANNEL_{register.name}"


def add_channel_readings(
    build: Builder, fabric: FabricConfig, settings: tuple[Register, ...]
) -> None:
    """Add what the settings of every channel read as."""
    for register in settings:
        build.add(
            channel_reading(register),
            Access.READ,
            f"{register.name} of each channel.",
            *(
                Field(
                    name=field.name,
                    low=field.low,
                    width=field.width,
                    unit=field.unit,
                    description=field.description,
                )
                for field in register.fields
            ),
            count=fabric.channels,
        )
