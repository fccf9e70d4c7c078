"""Contracts for all channels of a fabric: interleave, colour bits, guarantees, errors."""

import dataclasses
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from mcos_hw.config import ChannelConfig, FabricConfig
from mcos_hw.registers import fabric_map
from mcos_hw.registers.image import ImageCode
from mcos_policy.compiler import compile_contract
from mcos_policy.diagnostics import ContractError
from mcos_policy.fabric_image import fabric_around, fabric_image, fabric_settings
from mcos_policy.image import encode, told_fabric, unpack, verify
from mcos_policy.ports import TenantRow, port_sections
from mcos_policy.spreading import interleave_of

CONFIG = ChannelConfig()
FITTED = '[hardware]\nbeat_bytes = 64\nmax_beats = 8\n\n[fabric]\ninterleave = {grain = "1 KiB"'

File = Callable[[str], Path]


def spread(base: str, hash_: str = "none", *, memory: str = "", grain: str = "1 KiB") -> str:
    """The base contract, of eight channels, with an interleave."""
    asked = FITTED.replace("1 KiB", grain) + f', hash = "{hash_}"}}\n'
    return base.replace("[fabric]\n", asked).replace("[[tenant]]", f"{memory}[[tenant]]", 1)


@pytest.mark.parametrize(
    ("hash_", "masks"),
    [("none", (2, 4, 8)), ("xor", (0x92492492, 0x24924924, 0x49249248))],
)
def test_the_image_has_the_interleave(
    base: str, contract_file: File, hash_: str, masks: tuple[int, ...]
) -> None:
    compiled = compile_contract(contract_file(spread(base, hash_)), CONFIG)
    fabric = fabric_around(compiled.config, 8)
    image = fabric_image(compiled, fabric)
    assert verify(image.words, fabric) is ImageCode.NONE
    settings = unpack(fabric_map(fabric), image)
    wanted = {"grain": 1, **{f"mask_{j}": mask for j, mask in enumerate(masks)}}
    assert settings.fabric is not None
    assert wanted.items() <= settings.fabric.items()
    assert settings.tenants == compiled.settings.tenants
    interleave = interleave_of(compiled.contract, compiled.config)
    assert interleave is not None
    # A power of two of any stride up to 512 KiB visits all channels with the hash, one without.
    for stride in (1 << 13, 1 << 16, 1 << 19):
        visited = np.unique(interleave.channel(np.arange(64) * stride))
        assert len(visited) == (8 if hash_ == "xor" else 1)


def test_a_guarantee_is_of_the_whole_and_never_short(base: str, contract_file: File) -> None:
    compiled = compile_contract(contract_file(spread(base)), CONFIG)
    config = compiled.config
    tags = compiled.contract.tags()
    for position, tenant in compiled.contract.tenants.items():
        rate = compiled.settings.tenants[tags[position]].committed_rate
        each = Fraction(rate, 1 << config.rate_fraction) * config.clock_khz * 1000
        unit = Fraction(config.clock_khz * 1000, 1 << config.rate_fraction)
        assert 0 <= 8 * each - tenant.bandwidth.guaranteed < 8 * unit


def test_colour_bits_are_where_a_channel_has_them(base: str, contract_file: File) -> None:
    memory = '[memory]\npage = "1 KiB"\ncolour_bits = {}\nsize = "1 MiB"\n\n'
    text = spread(base, "xor", memory=memory.format([13, 14, 22]), grain="2 KiB")
    with pytest.raises(ContractError) as caught:
        compile_contract(contract_file(text), CONFIG)
    (found,) = caught.value.diagnostics
    assert found.text == (
        "colour_bits must not be among the address bits 11..13, which choose the channel, not "
        "[13, 14, 22]; take others, or another grain in [fabric.interleave]"
    )
    text = spread(base, "xor", memory=memory.format([10, 14, 22]), grain="2 KiB")
    compiled = compile_contract(contract_file(text), CONFIG)
    interleave = interleave_of(compiled.contract, compiled.config)
    assert interleave is not None
    channel = compiled.settings.channel
    bits = [channel.colour_bit_0, channel.colour_bit_1, channel.colour_bit_2]
    assert bits == [10, 11, 19]
    # The colour of an address is that of its local address.
    for address in np.random.default_rng(24).integers(0, 1 << 23, 50):
        local = int(interleave.local(int(address)))
        assert [local >> bit & 1 for bit in bits] == [int(address) >> b & 1 for b in (10, 14, 22)]
    text = spread(base, memory=memory.format([23]), grain="2 KiB")
    with pytest.raises(ContractError, match="of all channels, at most 22, not"):
        compile_contract(contract_file(text), CONFIG)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (
            ("channels = 8", "channels = 12"),
            "channels must be one of 2, 4, 8, 16, 32 with an interleave, not 12; change it or",
        ),
        (
            ('"1 KiB"', '"256 B"'),
            'grain must be in 512 B..64 KiB, l_max to 128 times that, not "256 B"; change it',
        ),
        (
            ('"1 KiB"', '"128 KiB"'),
            'grain must be in 512 B..64 KiB, l_max to 128 times that, not "128 KiB"; change it',
        ),
        (('"1 KiB"', '"3 KiB"'), 'grain must be a power of two, not "3 KiB"; write a size such as'),
        (('"none"', '"crc"'), 'hash must be "none" or "xor", not "crc"; choose one of them'),
        (
            ("beat_bytes = 64\nmax_beats = 8", "beat_bytes = 32"),
            "interleave needs hardware whose beat is what a channel moves in a clock, 64 bytes,",
        ),
    ],
)
def test_what_no_hardware_has_is_an_error(
    base: str, contract_file: File, change: tuple[str, str], text: str
) -> None:
    assert change[0] in spread(base)
    with pytest.raises(ContractError) as caught:
        compile_contract(contract_file(spread(base).replace(*change)), CONFIG)
    (found,) = caught.value.diagnostics
    assert found.text.startswith(text)
    assert found.origin.line > 1


def test_only_the_limits_of_the_grain_are_refused(base: str, contract_file: File) -> None:
    for grain, number in (("512 B", 0), ("64 KiB", 7)):
        compiled = compile_contract(contract_file(spread(base, grain=grain)), CONFIG)
        interleave = interleave_of(compiled.contract, compiled.config)
        assert interleave is not None
        assert interleave.grain == number


def test_another_number_of_channels_is_refused(base: str, contract_file: File) -> None:
    compiled = compile_contract(contract_file(spread(base)), CONFIG)
    with pytest.raises(ValueError, match=r"must be those of the fabric, 4, not 8$"):
        fabric_image(compiled, fabric_around(compiled.config, 4))


@pytest.mark.parametrize("ports", [0, 1, 3])
def test_an_image_tells_its_fabric(base: str, contract_file: File, ports: int) -> None:
    compiled = compile_contract(contract_file(spread(base)), CONFIG)
    fabric = fabric_around(compiled.config, 8)
    (port,) = fabric.ports
    fabric = FabricConfig.around(fabric.channel, channels=8, ports=(port,) * max(1, ports))
    settings = fabric_settings(compiled)
    if ports:
        rows = [
            TenantRow(port=each, row=each, tenant=2, first=0, last=each) for each in range(ports)
        ]
        settings = dataclasses.replace(settings, ports=port_sections(fabric, rows))
    image = encode(fabric.channel, fabric_map(fabric), settings, 1)
    told = told_fabric(image, compiled.config)
    assert told is not None
    assert (told.channels, len(told.ports)) == (8, max(1, ports))
    read = unpack(fabric_map(told), image)
    assert dataclasses.replace(read, fabric=settings.fabric) == settings
    assert read.fabric is not None
    assert settings.fabric is not None
    assert settings.fabric.items() <= read.fabric.items()
    assert verify(image.words, told) is ImageCode.NONE
    assert told_fabric(compiled.image, compiled.config) is None
