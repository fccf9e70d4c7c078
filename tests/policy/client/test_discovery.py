"""Which cores a client knows, and what it says of those that it does not."""

import dataclasses

import pytest

from mcos_hw.config import RANGES, ChannelConfig, FabricConfig, PortConfig
from mcos_hw.registers import Access, ArbiterKind, Field, Register, RegisterMap, channel_map
from mcos_hw.registers.fabric_map import fabric_map
from mcos_policy.client import ClientError, MappedFile, discover
from mcos_policy.client.discovery import UNTOLD
from tests.policy.client.bench import core_file

FOUR = ChannelConfig(tenants=4)

CORES = {
    "default": ChannelConfig(),
    "fpga": ChannelConfig(
        tenants=4, clock_khz=100_000, bytes_per_clock=32, beat_bytes=32, slots=64
    ),
    "compact": ChannelConfig(tenants=8, lateness=0, grant_interval=6),
    "bare": ChannelConfig(
        tenants=8, queue_depth=2, max_beats=4, lateness=0, loader_checks=False, monitors=False
    ),
}


def port_map(config: ChannelConfig) -> RegisterMap:
    """The registers of a channel, and some of a port behind them."""
    registers = channel_map(config)
    more = Register(
        name="PORTS",
        offset=0x2000,
        access=Access.READ,
        fields=(Field(name="ports", width=8, description="Ports."),),
        description="Ports.",
    )
    return dataclasses.replace(registers, registers=(*registers.registers, more), address_width=14)


def found(path, config=None, **options):
    with MappedFile(path, writable=False) as registers:
        return discover(registers, config, **options)


@pytest.mark.parametrize("config", CORES.values(), ids=CORES)
def test_a_core_tells_its_sizes(config, tmp_path):
    path = core_file(tmp_path / "core", config, ARBITER=2)
    core = found(path)
    assert (core.config, core.version) == (config, (0, 1, 0))
    assert core.arbiter is ArbiterKind.ROUND_ROBIN
    assert core.registers.hash == channel_map(config).hash
    assert found(path, config) == core


def test_sizes_that_no_register_tells_change_none():
    for name in UNTOLD:
        for value in RANGES[name]:
            other = dataclasses.replace(FOUR, **{name: value})
            assert channel_map(other).hash == channel_map(FOUR).hash
    others = {
        name: dataclasses.replace(FOUR, **{name: 20 if name != "slots" else 64})
        for name in RANGES
        if "fraction" in name or name in ("slots", "depth_width")
    }
    hashes = {name: channel_map(config).hash for name, config in others.items()}
    assert {name for name, each in hashes.items() if each == channel_map(FOUR).hash} == {
        "tag_fraction"
    }


def test_a_core_with_more_registers_is_found_with_its_map(tmp_path):
    path = core_file(tmp_path / "core", FOUR, port_map(FOUR), MAP_HASH=port_map(FOUR).hash)
    assert found(path, maps=(channel_map, port_map)).registers == port_map(FOUR)
    with pytest.raises(ClientError, match="the register map must follow from the sizes"):
        found(path)


def test_a_fabric_is_found_as_its_channel(tmp_path):
    """It reads the hash of its channel's map: an image for the one is for the other."""
    channel = dataclasses.replace(FOUR, beat_bytes=FOUR.bytes_per_clock)
    fabric = FabricConfig(channel=channel, ports=(PortConfig(), PortConfig()))
    core = found(core_file(tmp_path / "core", channel, fabric_map(fabric)))
    assert (core.config, core.registers.hash) == (channel, channel_map(channel).hash)


REFUSED = {
    "no core": (
        {"CORE": 0xFFFFFFFF},
        FOUR,
        r"register CORE must read 0x534f434d, which spells MCOS, not 0xffffffff; give the address",
    ),
    "version": (
        {"CORE_VERSION": 0x010203},
        FOUR,
        r"must be of version 0\.x of the hardware interface, not 1\.2\.3; use the software of MCOS",
    ),
    "sizes": (
        {"CLOCK": 100_000, "LIMITS": 0x04021200},
        FOUR,
        r"that software was given: lateness 3, khz 800000, not lateness 2, khz 100000; give the",
    ),
    "map": (
        {"MAP_HASH": 0x12345678},
        FOUR,
        r"MAP_HASH must read 0x[0-9a-f]{8}, that of .*, not 0x12345678; give .* or the slots$",
    ),
    "map of no sizes": (
        {"MAP_HASH": 0x12345678},
        None,
        r"must follow from the sizes that registers tell: 0x[0-9a-f]{8}, not 0x12345678; give the",
    ),
    "map of a minor version": (
        {"MAP_HASH": 0x12345678, "CORE_VERSION": 0x000201},
        None,
        r"; or the core's interface 0\.2\.1 has other registers than 0\.1\.0 of this software$",
    ),
    "impossible sizes": (
        {"CAPABILITY": 0x20100501},
        None,
        r"tell possible ones: tenants must be a power of two, not 5; use the software",
    ),
    "no sizes": ({"CAPABILITY": 0}, None, r"tell possible ones: tenants must be in 4\.\.16, not 0"),
    "no clock": ({"CLOCK": 0}, None, r"tell possible ones: clock_khz must be in .*, not 0; use"),
}


@pytest.mark.parametrize(("words", "config", "told"), REFUSED.values(), ids=REFUSED)
def test_a_core_that_is_another_is_refused(words, config, told, tmp_path):
    path = core_file(tmp_path / "core", FOUR, **words)
    with pytest.raises(ClientError, match=told):
        found(path, config)


def test_an_error_has_its_parts(tmp_path):
    path = core_file(tmp_path / "core", FOUR, CORE=7)
    with pytest.raises(ClientError) as caught:
        found(path)
    error = caught.value
    assert str(error) == f"{error.rule}, not {error.value}; {error.way_out}"
    assert error.value == "0x00000007"
