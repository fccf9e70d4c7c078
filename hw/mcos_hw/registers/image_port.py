"""Registers through which software loads an image."""

from mcos_hw.registers.builder import Builder
from mcos_hw.registers.declaration import Access, Field
from mcos_hw.registers.image import ImageCode, ImageState

__all__ = ["add_image_port"]


def add_image_port(build: Builder) -> None:
    build.add(
        "IMAGE_CONTROL",
        Access.WRITE,
        "Starts and commits images.",
        Field(name="begin", low=0, width=1, description="Forget what was staged; expect word 0."),
        Field(name="commit", low=1, width=1, description="Make the staged image live."),
    )
    build.add(
        "IMAGE_DATA",
        Access.WRITE,
        "Takes the words of an image in order.",
        Field(name="word", width=32, description="Next word."),
    )
    build.add(
        "IMAGE_STATUS",
        Access.READ,
        "State of the loader.",
        Field(name="state", low=0, width=3, values=ImageState, description="Where the loader is."),
        Field(name="code", low=8, width=5, values=ImageCode, description="Why it refused."),
        Field(
            name="received", low=16, width=16, unit="words", description="Words taken, saturating."
        ),
    )
    build.add(
        "GENERATION",
        Access.READ,
        "Commits since reset; 0 means that no image is live.",
        Field(name="commits", width=32, description="Number of the live generation."),
    )
    build.add(
        "LIVE_LABEL",
        Access.READ,
        "Label of the live image.",
        Field(name="label", width=32, description="Label word of the live image's header."),
    )
    build.add(
        "LIVE_CRC",
        Access.READ,
        "CRC-32 of the live image.",
        Field(name="crc", width=32, description="Last word of the live image."),
    )
