"""Buckets that last less than lent rate stays away."""

import pytest

from mcos_hw.config import ChannelConfig
from mcos_policy.compiler import compile_contract
from mcos_policy.diagnostics import ContractError
from mcos_policy.fabric_image import fabric_settings

CONFIG = ChannelConfig(beat_bytes=64, max_beats=8)


SPREAD = 'interleave = {grain = "512 B"}\n'


def contract(channels: int, durations: tuple[str, ...], fabric: str) -> str:
    tenants = "".join(
        f"""
[[tenant]]
name = "{name}"
[tenant.bandwidth]
guaranteed = "1 GB/s"
burst = "2 GB/s"
burst_duration = "{duration}"
"""
        for name, duration in zip("abc", durations, strict=False)
    )
    best_effort = """
[[tenant]]
name = "z"
[tenant.bandwidth]
guaranteed = "0 GB/s"
"""
    return f"[fabric]\nchannels = {channels}\n{fabric}{tenants}{best_effort}"


@pytest.mark.parametrize(
    ("fabric", "durations", "lines"),
    [
        (f"{SPREAD}coordinator = true\n", ("2560 ns", "20 us"), []),
        (f"{SPREAD}coordinator = true\n", ("2559 ns", "20 us", "1 us"), [11, 25]),
        (SPREAD, ("1 us",), []),
    ],
)
def test_guarantees_of_several_channels_whose_buckets_last_under_two_intervals(
    tmp_path, fabric, durations, lines
):
    path = tmp_path / "contract.toml"
    path.write_text(contract(8, durations, fabric))
    told = [str(each) for each in compile_contract(path, CONFIG).warnings]
    assert [int(each.removeprefix(f"{path}:").split(":")[0]) for each in told] == lines
    for text in told:
        assert "burst_duration should be at least 2.56 us, 2,048 clocks, not " in text


@pytest.mark.parametrize("lends", [False, True])
def test_the_image_says_whether_rates_are_lent(tmp_path, lends):
    path = tmp_path / "contract.toml"
    path.write_text(contract(8, ("20 us",), SPREAD + "coordinator = true\n" * lends))
    assert fabric_settings(compile_contract(path, CONFIG)).fabric["coordinator_enable"] == lends


def test_one_image_is_lent_within(tmp_path):
    path = tmp_path / "contract.toml"
    path.write_text(contract(8, ("20 us",), "coordinator = true\n"))
    with pytest.raises(ContractError, match=r":3:1: error: coordinator needs interleave, "):
        compile_contract(path, CONFIG)
