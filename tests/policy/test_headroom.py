"""What a contract leaves, on both sides of every limit."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

from mcos_hw.config import ChannelConfig
from mcos_policy.compiler import examine
from mcos_policy.headroom import Headroom, headroom

CONFIG = ChannelConfig()
GIGA = 10**9


def _headroom(path: Path, config: ChannelConfig = CONFIG) -> Headroom:
    contract = examine(path, config).contract
    assert contract is not None
    return headroom(contract, config)


def test_what_is_left(contract_file: Callable[[str], Path], base: str) -> None:
    room = _headroom(contract_file(base))
    assert (room.capacity, room.limit) == (409.6 * GIGA, Fraction("348.16") * GIGA)
    assert (room.charged, room.free, room.over) == (120 * GIGA, Fraction("228.16") * GIGA, 0)
    assert (room.factor, room.enough_channels) == (1, 3)
    # From a 255th of the largest guarantee to what is left.
    assert room.further == (Fraction(80, 255) * GIGA, room.free)


def test_a_small_guarantee_limits_the_next_one(
    contract_file: Callable[[str], Path], base: str
) -> None:
    room = _headroom(contract_file(base.replace('"40 GB/s"', '"0.5 GB/s"')))
    assert room.further == (Fraction(80, 255) * GIGA, Fraction("127.5") * GIGA)


def test_costs_take_memory_time(contract_file: Callable[[str], Path], base: str) -> None:
    room = _headroom(contract_file(base + "cost = 2\n"))
    assert room.charged == 200 * GIGA


def test_no_further_tenant_fits(contract_file: Callable[[str], Path], base: str) -> None:
    full = base.replace("= 80", "= 308").replace("= 160.5", "= 309")
    # 0.16 GB/s are left, and a 255th of 308 GB/s is more.
    assert _headroom(contract_file(full)).further is None
    few = ChannelConfig(tenants=4)
    three = base + base.split("[[tenant]]")[1].replace('"a"', '"c"').replace("tag = 3", "").join(
        ["[[tenant]]", ""]
    )
    assert _headroom(contract_file(three), few).further is not None
    four = three + three.split("[[tenant]]")[3].replace('"c"', '"d"').join(["[[tenant]]", ""])
    assert _headroom(contract_file(four), few).further is None


def test_too_much(contract_file: Callable[[str], Path], base: str) -> None:
    room = _headroom(contract_file(base.replace("= 80", "= 360")))
    assert (room.free, room.over) == (0, Fraction("51.84") * GIGA)
    assert room.factor == Fraction("348.16") / 400
    assert room.enough_channels == 10
    assert room.further is None
