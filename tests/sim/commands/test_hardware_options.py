"""Options of the hardware: one model for all commands that have them."""

import pytest

from mcos_hw.config import ChannelConfig
from mcos_policy.diagnostics import ContractError
from mcos_policy.hardware import OPTIONS, hardware_words, option_words
from mcos_policy.samples import SAMPLES
from mcos_sim.commands.hardware_options import HardwareOptions
from mcos_sim.errors import UserError

FAULTS = [
    (
        {"clock": "100"},
        (
            '--clock must be a frequency such as "100 MHz", not \'100\'; write "100 MHz", or '
            "another of the units Hz, kHz, MHz, GHz"
        ),
    ),
    (
        {"slots": 100},
        "--slots must be a power of two in 16..4096, not 100; write a whole number",
    ),
    (
        {"bytes_per_clock": 16},
        "bytes_per_clock must be at least beat_bytes, 32, not 16; make beats of 16 bytes or less",
    ),
    ({"tenants": 5}, "tenants must be a power of two, not 5; the hardware has 4, 8 or 16 tags"),
]


@pytest.mark.parametrize(("given", "message"), FAULTS)
def test_fault(given, message):
    with pytest.raises(UserError) as caught:
        HardwareOptions(**given).config()
    assert str(caught.value) == message


def test_options_ask_again_for_the_hardware_that_they_asked_for():
    sizes = {"bytes_per_clock": 8, "beat_bytes": 8, "max_beats": 4, "id_width": 4}
    config = HardwareOptions(tenants=4, clock="33.333 MHz", **sizes).config()
    assert config == ChannelConfig(tenants=4, clock_khz=33_333, **sizes)
    words = option_words(config)
    keys = {option: key for key, option in OPTIONS.items()} | {"--tenants": "tenants"}
    again = {keys[words[k]]: words[k + 1] for k in range(0, len(words), 2)}
    numbers = {key: value if key == "clock" else int(value) for key, value in again.items()}
    assert HardwareOptions(**numbers).config() == config
    assert option_words(ChannelConfig()) == ["--tenants", "16"]
    assert hardware_words(config) == "4 tags, 33.333 MHz, 8 B a clock, beats of 8 B, 512 slots"


def test_options_ask_again_for_a_compact_channel():
    config = HardwareOptions(tenants=8, grant_interval=6).config()
    assert config == ChannelConfig(tenants=8, lateness=0, grant_interval=6)
    assert option_words(config) == ["--tenants", "8", "--grant-interval", "6"]
    assert hardware_words(config).endswith("512 slots, a grant in 6 clocks")


def test_a_contract_says_the_hardware_and_its_options_must_agree():
    config = HardwareOptions(tenants=4, slots=64).config(SAMPLES["fpga"])
    assert config == ChannelConfig(tenants=4, clock_khz=100_000, bytes_per_clock=32, slots=64)
    with pytest.raises(ContractError, match=r"slots must be the 32 of --slots, not 64"):
        HardwareOptions(slots=32).config(SAMPLES["fpga"])
