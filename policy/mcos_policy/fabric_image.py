"""The image of a compiled contract for a whole fabric: all its channels, interleave and power."""

import dataclasses

from mcos_hw.config import COORDINATOR_INTERVAL, ChannelConfig, FabricConfig, PortConfig
from mcos_hw.registers import fabric_map
from mcos_hw.registers.image import ImageCode
from mcos_policy.compiler import Compiled
from mcos_policy.diagnostics import ContractError
from mcos_policy.image import Image, encode, verify
from mcos_policy.port_rows import asked_sections, check_fabric_ports
from mcos_policy.power import power_values
from mcos_policy.settings import Settings
from mcos_policy.spreading import interleave_of

__all__ = [
    "fabric_around",
    "fabric_image",
    "fabric_settings",
]


_PORT = PortConfig()


def fabric_around(
    config: ChannelConfig,
    channels: int,
    *,
    power: bool = False,
    ports: int = 1,
    port: PortConfig = _PORT,
) -> FabricConfig:
    """A fabric of so many channels of these sizes, with such ports and maybe a power governor.

    Images of a fabric without sections for its ports are for any with the same channels. Those with
    such sections are for ports with as many rows and IDs.

    Raises
    ------
    ValueError
        If there is no such fabric.
    """
    units = max(PortConfig.read_units, 1 << (config.max_beats * channels - 1).bit_length())
    port = dataclasses.replace(
        port, data_bytes=min(64, config.l_max), read_units=units, write_units=units
    )
    fabric = FabricConfig.around(config, channels=channels, ports=(port,) * ports)
    return dataclasses.replace(fabric, power=power)


def fabric_settings(compiled: Compiled, *, power: bool = False) -> Settings:
    """Register values of a compiled contract for all its channels, with the interleave it asks for,
    and whether rates are lent between them.

    With ``power`` also its power budget, or that there is none.

    Each channel has the guarantee divided by their number: what a tenant's requests take if they
    are spread evenly.
    """
    interleave = interleave_of(compiled.contract, compiled.config)
    values = power_values(compiled.contract, compiled.config) if power else {}
    if interleave is not None:
        values["grain"] = interleave.grain
        values |= {f"mask_{j}": mask for j, mask in enumerate(interleave.masks)}
        values["coordinator_enable"] = int(compiled.contract.fabric.coordinator)
        values["coordinator_interval"] = COORDINATOR_INTERVAL
    return dataclasses.replace(compiled.settings, fabric=values) if values else compiled.settings


def fabric_image(compiled: Compiled, fabric: FabricConfig) -> Image:
    """The image of a compiled contract for a fabric.

    Without an interleave in the contract it leaves that as it is, which after reset is by blocks of
    ``l_max`` bytes. With a power governor it sets both, and the interleave to that. If the contract
    says at which ports tenants are, the image sets all tenant tables and credits.

    Parameters
    ----------
    compiled : Compiled
        The contract, for ``fabric.channel``.
    fabric : FabricConfig
        The hardware.

    Raises
    ------
    ValueError
        If the contract is for another number of channels.
    ContractError
        If the contract names a port, or an ID, that the hardware has not.
    """
    channels = compiled.contract.fabric.channels
    if channels != fabric.channels:
        raise ValueError(
            f"channels of the contract must be those of the fabric, {fabric.channels}, "
            f"not {channels}"
        )
    faults = list(check_fabric_ports(compiled.contract, fabric))
    if faults:
        raise ContractError(faults)
    settings = dataclasses.replace(
        fabric_settings(compiled, power=fabric.power),
        ports=asked_sections(compiled.contract, fabric),
    )
    image = encode(fabric.channel, fabric_map(fabric), settings, compiled.image.label)
    code = verify(image.words, fabric)
    assert code is ImageCode.NONE, f"an admitted contract gave an image refused as {code.name}"
    return image
