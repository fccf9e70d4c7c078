"""What is said of objectives that are not promised, and that what it proposes would do."""

import dataclasses
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from mcos_hw.config import ChannelConfig
from mcos_policy.advice import least_guarantee
from mcos_policy.compiler import compile_contract
from mcos_policy.contract import Contract
from mcos_policy.objectives import Verdict, judge

CONFIG = ChannelConfig()


def _warnings(contract_file: Callable[[str], Path], text: str) -> list[str]:
    warnings = compile_contract(contract_file(text), CONFIG).warnings
    return [str(each).split(": ", 2)[2] for each in warnings]


@pytest.mark.parametrize(
    ("slo", "warning"),
    [
        ("348.8 ns", None),
        (
            "348.7 ns",
            (
                'latency_slo should be at least the bound 348.8 ns, not "348.7 ns": it is not '
                "promised; an objective of 348.8 ns would do, or a guarantee of 80.3 GB/s"
            ),
        ),
        (
            "300 ns",
            (
                'latency_slo should be at least the bound 348.8 ns, not "300 ns": it is not '
                "promised; an objective of 348.8 ns would do, and no guarantee that the others "
                "leave"
            ),
        ),
        (
            "184 ns",
            (
                "latency_slo should be at least 185 ns, which an idle channel takes, not "
                '"184 ns": it is not promised; an objective of 348.8 ns would do, and no guarantee '
                "that the others leave"
            ),
        ),
    ],
)
def test_warnings(
    contract_file: Callable[[str], Path], base: str, slo: str, warning: str | None
) -> None:
    found = _warnings(contract_file, base + f'latency_slo = "{slo}"\n')
    assert found == ([] if warning is None else [warning])


def test_without_the_pacer(contract_file: Callable[[str], Path], base: str) -> None:
    text = base.replace("channels = 8", "channels = 8\npacer = false")
    (warning,) = _warnings(contract_file, text + 'latency_slo = "1 ms"\n')
    assert warning.endswith(
        'a bound, not "1 ms": it is not promised; without the pacer nothing is; write pacer = true'
    )


def _holds(contract: Contract, position: int, guarantee: Fraction) -> bool:
    tenant = contract.tenants[position]
    bandwidth = dataclasses.replace(tenant.bandwidth, guaranteed=guarantee)
    changed = dataclasses.replace(tenant, bandwidth=bandwidth)
    other = dataclasses.replace(contract, tenants=contract.tenants | {position: changed})
    return judge(other, CONFIG)[position].verdict is Verdict.HOLDS


def test_the_least_guarantee_is_the_least(contract_file: Callable[[str], Path], base: str) -> None:
    for slo in ("0.4 us", "0.45 us", "0.5 us", "0.6 us"):
        text = base.replace("burst =", f'latency_slo = "{slo}"\nburst =')
        text = text.replace('"40 GB/s"', '"10 GB/s"')
        contract = compile_contract(contract_file(text), CONFIG).contract
        least = least_guarantee(contract, CONFIG, 0)
        assert least is not None
        assert 10 * 10**9 < least < 268.16 * 10**9
        assert _holds(contract, 0, least)
        assert not _holds(contract, 0, least * Fraction(99, 100))


def test_no_guarantee_helps_where_the_others_leave_nothing(
    contract_file: Callable[[str], Path], base: str
) -> None:
    text = base.replace("burst =", 'latency_slo = "0.4 us"\nburst =')
    text = text.replace("= 80", "= 308.16").replace("= 160.5", "= 309")
    contract = compile_contract(contract_file(text), CONFIG).contract
    assert least_guarantee(contract, CONFIG, 0) is None
