"""Epochs that are longer than a counter of the monitor."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from mcos_hw.config import ChannelConfig
from mcos_policy.compiler import compile_contract

CONFIG = ChannelConfig()
MOST = 2**31 - 1
CLOCK_PS = 1250

# What a tenant that conserves work may be granted: 64 bytes a clock, the last request at once.
BYTES = (MOST - 512) // 64
# One that does not: 25.6 GB/s, 32 bytes a clock, and a bucket of 2 ms, 51.2 MB.
HELD = (MOST - 51_200_000 - 512) // 32


def contract(epoch_clocks: int, *, more: str = "", fabric: str = "") -> str:
    return f"""
[fabric]
channels = 1
epoch = "{epoch_clocks * CLOCK_PS} ps"
{fabric}
[[tenant]]
name = "a"
[tenant.bandwidth]
guaranteed = "1 GB/s"
burst = "25.6 GB/s"
burst_duration = "2 ms"
{more}
"""


def warnings(path: Path) -> list[str]:
    told = [str(each) for each in compile_contract(path, CONFIG).warnings]
    assert all(each.startswith(f"{path}:4:9: warning: epoch should be at most ") for each in told)
    return [each.split("because ")[1] for each in told]


@pytest.mark.parametrize(
    ("longest", "more", "fabric", "told"),
    [
        (BYTES, "", "", "GRANT_BYTES could saturate at 2,147,483,647 bytes"),
        (HELD, "work_conserving = false", "", "GRANT_BYTES could saturate at 2,147,483,647 bytes"),
        (MOST, "", "", "BUSY, STALLED, HELD could saturate at 2,147,483,647 clocks"),
        (
            MOST - 16,
            "",
            "",
            "RESPONSES, SLO_VIOLATIONS, COLOUR_FAULTS, GRANT_REQUESTS, LATENCY could saturate at",
        ),
        (MOST - 1, "", "promotion_interval = 1", "PROMOTIONS could saturate at"),
        (2 * (MOST - 1), "", "promotion_interval = 2", "PROMOTIONS could saturate at"),
    ],
)
def test_the_longest_epoch_that_fits(
    contract_file: Callable[[str], Path], longest: int, more: str, fabric: str, told: str
) -> None:
    for clocks, warned in ((longest, 0), (longest + 1, 1)):
        found = warnings(contract_file(contract(clocks, more=more, fabric=fabric)))
        assert sum(told in each for each in found) == warned


def test_what_is_shown_fits(contract_file: Callable[[str], Path]) -> None:
    path = contract_file(contract(800_000_000))
    (warning,) = compile_contract(path, CONFIG).warnings
    assert warning.text == (
        "epoch should be at most 41.94 ms, not 1 s, because GRANT_BYTES could saturate at "
        "2,147,483,647 bytes; shorten it, or expect counts with their highest bit set"
    )
    shown = int(Fraction(4194, 100_000) * 10**12 / CLOCK_PS)
    assert warnings(contract_file(contract(shown))) == []


def test_no_epoch_and_the_default_one_warn_of_nothing(
    contract_file: Callable[[str], Path], base: str
) -> None:
    assert warnings(contract_file(contract(0))) == []
    assert compile_contract(contract_file(base), CONFIG).warnings == ()
