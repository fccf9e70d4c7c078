"""The hardware that a contract is for: its table, options beside it, and what follows of both."""

import pytest

from mcos_hw.config import ChannelConfig
from mcos_policy.compiler import compile_contract, examine
from mcos_policy.diagnostics import ContractError
from mcos_policy.hardware import (
    Hardware,
    HardwareMismatch,
    choose_config,
)
from mcos_policy.samples import SAMPLES

DEFAULT = ChannelConfig()
TABLE = """\
[hardware]
clock = "100 MHz"
bytes_per_clock = 32
slots = 64

"""

FAULTS = [
    (
        "clock = 100",
        '2:9: error: clock must be a frequency such as "100 MHz", not 100; write',
    ),
    (
        'clock = "100 mhz"',
        '2:9: error: clock must be a frequency such as "100 MHz", not "100 mhz"; write "100 MHz"',
    ),
    (
        'clock = "1 kHz"',
        '2:9: error: clock must be a whole number of kHz, 1 MHz to 4 GHz, not "1 kHz"; write it',
    ),
    (
        "clock_mhz = 100",
        "2:1: error: a key of [hardware] must be one of beat_bytes, bytes_per_clock, clock, ",
    ),
    (
        "slots = 100",
        "2:9: error: slots must be a power of two in 16..4096, not 100; write a whole number",
    ),
    ("id_width = 17", "2:12: error: id_width must be an integer in 1..16, not 17; write a whole"),
    ("beat_bytes = 6.5", "2:14: error: beat_bytes must be a power of two in 8..128, not 6.5;"),
    (
        "bytes_per_clock = 16",
        "2:19: error: bytes_per_clock must be at least beat_bytes, 32, not 16; make beats of 16",
    ),
    (
        "grant_interval = 3",
        "2:18: error: grant_interval must be 1, or an integer in 4..8, not 3; write a whole number",
    ),
    (
        "grant_interval = 4\nlateness = 1",
        "3:12: error: lateness must be 0 with a grant_interval of 4, not 1; leave it out, or make",
    ),
    (
        "beat_bytes = 128",
        "2:14: error: bytes_per_clock must be at least beat_bytes, 128, not 64; make beats of 64",
    ),
]


def test_the_table_decides_capacity_and_clocks(contract_file, base):
    small = base.replace('"400 ', '"6 ').replace('"40 ', '"1 ').replace("160.5", "2")
    path = contract_file(TABLE + small.replace("= 80", "= 1"))
    compiled = compile_contract(path, DEFAULT)
    assert compiled.config == ChannelConfig(clock_khz=100_000, bytes_per_clock=32, slots=64)
    assert compiled.settings.channel.pacer_rate == 32 << DEFAULT.rate_fraction
    # 10 ms at 100 MHz.
    assert compiled.settings.channel.epoch_clocks == 1_000_000
    # Both factors of the rate are given, so that nothing is assumed.
    assert not any("capacity is assumed" in each.text for each in compiled.notes)


@pytest.mark.parametrize(("line", "message"), FAULTS)
def test_fault(contract_file, base, line, message):
    path = contract_file(f"[hardware]\n{line}\n{base}")
    with pytest.raises(ContractError) as caught:
        compile_contract(path, DEFAULT)
    # Promises are not judged by a hardware that nobody asked for.
    (said,) = str(caught.value).splitlines()
    assert said.startswith(f"{path}:{message}")


def test_an_option_that_contradicts_the_table_is_said_with_both(contract_file, base):
    path = contract_file(TABLE + base)
    options = Hardware(clock=200_000, slots=32, bytes_per_clock=32)
    examined = examine(path, DEFAULT, options=options)
    assert not examined.admitted
    clock, slots = map(str, examined.diagnostics)
    assert clock.endswith(
        "2:9: error: clock must be the 200 MHz of --clock, not 100 MHz; change one of them, or "
        "leave the option out"
    )
    assert "4:9: error: slots must be the 32 of --slots, not 64;" in slots


def test_options_are_for_contracts_without_a_table(contract_file, base):
    options = Hardware(clock=400_000)
    path = contract_file(base.replace('"400 ', '"200 '))
    compiled = compile_contract(path, DEFAULT, options=options)
    assert compiled.config == ChannelConfig(clock_khz=400_000)
    assert compiled.config.capacity * 2 == DEFAULT.capacity


def test_sizes_that_cannot_be_together_are_refused_without_a_contract():
    with pytest.raises(HardwareMismatch, match=r"^bytes_per_clock must be at least beat_bytes, 32"):
        choose_config(Hardware(), Hardware(bytes_per_clock=8), DEFAULT)


def test_the_sample_for_an_fpga_has_no_remark():
    compiled = compile_contract(SAMPLES["fpga"], DEFAULT)
    assert compiled.config.capacity == 3_200_000_000
    assert compiled.warnings == compiled.notes == ()


def test_a_compact_channel_is_not_late_unless_it_is_asked_to():
    config = choose_config(Hardware(), Hardware(grant_interval=8), DEFAULT)
    assert config == ChannelConfig(lateness=0, grant_interval=8)
    assert choose_config(Hardware(lateness=0), Hardware(grant_interval=8), DEFAULT) == config
    with pytest.raises(HardwareMismatch, match=r"^lateness must be 0 with a grant_interval of 8"):
        choose_config(Hardware(lateness=3), Hardware(grant_interval=8), DEFAULT)


@pytest.mark.parametrize("interval", [0, 2, 3, 9])
def test_there_is_no_other_interval(interval):
    with pytest.raises(ValueError, match=r"^grant_interval must be .*, not"):
        ChannelConfig(lateness=0, grant_interval=interval)


def test_a_compact_channel_cannot_be_late():
    with pytest.raises(ValueError, match=r"^lateness must be 0 with a grant_interval of 4, not 3$"):
        ChannelConfig(grant_interval=4)


def test_a_rate_that_grants_do_not_reach_is_refused(contract_file, base):
    """Longest requests of 128 B, one in 4 clocks, are half of 64 B a clock."""
    options = Hardware(grant_interval=4, max_beats=4)
    examined = examine(contract_file(base), DEFAULT, options=options)
    assert not examined.admitted
    assert "the channel must pass at most 25.6 GB/s, that is a longest request in 4 clocks" in str(
        examined.diagnostics[0]
    )
    compiled = compile_contract(contract_file(base), DEFAULT, options=Hardware(grant_interval=4))
    assert "guarantees and delay bounds are for requests of 256 B or more" in str(
        compiled.notes[-1]
    )
