"""A small core behind an AXI port, and an image for it; its files are made once a process."""

import dataclasses
import functools

from mcos_hw.config import ChannelConfig, FabricConfig, MemoryProtocol, PortConfig
from mcos_hw.registers import fabric_map
from mcos_hw.targets.axi import files
from mcos_policy.image import encode
from mcos_sim.axi.fabric import open_settings

__all__ = [
    "FABRIC",
    "core",
]


FABRIC = FabricConfig.around(
    ChannelConfig(
        tenants=4,
        queue_depth=4,
        bytes_per_clock=8,
        beat_bytes=8,
        slots=16,
        monitors=False,
        loader_checks=False,
    ),
    ports=(
        PortConfig(
            data_bytes=8,
            id_width=4,
            order_width=2,
            reads=4,
            read_units=16,
            writes=4,
            write_units=16,
            table_rows=4,
            hazard_rows=16,
        ),
    ),
    memory_protocol=MemoryProtocol.AXI3,
)
"""One channel and one port."""


@functools.cache
def core(channels: int = 1) -> dict[str, str]:
    """Files of the hardware, and ``good.hex``, an image in which tenant 3 is not enabled.

    Each of several channels has a port.
    """
    units = FABRIC.channel.max_beats * channels
    port = dataclasses.replace(FABRIC.ports[0], read_units=units, write_units=units)
    fabric = FabricConfig.around(
        FABRIC.channel,
        channels=channels,
        ports=(port,) * channels,
        memory_protocol=FABRIC.memory_protocol,
    )
    made = files(fabric, regenerate="make it so", compile_command="compile it so")
    settings = open_settings(fabric.channel, disabled=[3])
    words = encode(fabric.channel, fabric_map(fabric), settings, label=1).words
    return {**made, "good.hex": "\n".join(f"{word:08x}" for word in words)}
