"""Buckets that last less than lent rate stays away."""

import pytest

from mcos_hw.config import ChannelConfig
from mcos_policy.compiler import compile_contract

CONFIG = ChannelConfig()


def contract(channels: int, durations: tuple[str, ...]) -> str:
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
    return f"[fabric]\nchannels = {channels}\n{tenants}{best_effort}"


@pytest.mark.parametrize(
    ("channels", "durations", "lines"),
    [
        (8, ("2560 ns", "20 us"), []),
        (8, ("2559 ns", "20 us", "1 us"), [9, 23]),
        (1, ("1 us",), []),
    ],
)
def test_guarantees_of_several_channels_whose_buckets_last_under_two_intervals(
    tmp_path, channels, durations, lines
):
    path = tmp_path / "contract.toml"
    path.write_text(contract(channels, durations))
    told = [str(each) for each in compile_contract(path, CONFIG).warnings]
    assert [int(each.removeprefix(f"{path}:").split(":")[0]) for each in told] == lines
    for text in told:
        assert "burst_duration should be at least 2.56 us, 2,048 clocks, not " in text
