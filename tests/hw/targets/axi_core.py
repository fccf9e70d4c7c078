"""A small core behind an AXI port, and an image for it; its files are made once a process."""

import functools

from mcos_hw.config import ChannelConfig, FabricConfig, MemoryProtocol, PortConfig
from mcos_hw.registers import channel_map
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


@functools.cache
def core() -> dict[str, str]:
    """Files of the hardware, and ``good.hex``, an image in which tenant 3 is not enabled."""
    made = files(FABRIC, regenerate="make it so", compile_command="compile it so")
    settings = open_settings(FABRIC.channel, disabled=[3])
    words = encode(FABRIC.channel, channel_map(FABRIC.channel), settings, label=1).words
    return {**made, "good.hex": "\n".join(f"{word:08x}" for word in words)}
