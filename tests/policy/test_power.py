"""Power budgets: as a rate, feasible or not, and what each tenant has of them."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import fabric_map
from mcos_policy.compiler import compile_contract, examine
from mcos_policy.explain import explain
from mcos_policy.fabric_image import fabric_around, fabric_image
from mcos_policy.image import unpack
from mcos_policy.power import ENERGY, power_rate, rates_under_budget, required_power

CONFIG = ChannelConfig()
WIDE = ChannelConfig(beat_bytes=64, max_beats=8)
GIGA = 10**9
GUARANTEED = 120 * GIGA
"""Both tenants of the base contract together; its channels pass 409.6 GB/s."""


@pytest.fixture
def errors(contract_file: Callable[[str], Path]) -> Callable[[str], list[str]]:
    """Texts of the errors that a contract's text gives."""

    def found(text: str) -> list[str]:
        return [str(each) for each in examine(contract_file(text), CONFIG).diagnostics]

    return found


def _with(base: str, budget: str, baseline: str = "30 W") -> str:
    return f'{base}\n[power]\nbudget = "{budget}"\nbaseline = "{baseline}"\n'


def test_a_byte_takes_23_picojoules() -> None:
    assert Fraction("0.023") == ENERGY * GIGA


def test_the_budget_is_a_rate_rounded_down(base: str, contract_file: Callable[[str], Path]) -> None:
    contract = compile_contract(contract_file(_with(base, "34 W")), CONFIG).contract
    rate = power_rate(contract, CONFIG)
    per_clock = Fraction(4) / ENERGY / 8 / (CONFIG.clock_khz * 1000)
    assert rate == int(per_clock * 65536)
    assert 0 <= per_clock - Fraction(rate, 65536) < Fraction(1, 65536)


def test_a_budget_over_what_channels_pass_is_their_rate(
    base: str, contract_file: Callable[[str], Path]
) -> None:
    contract = compile_contract(contract_file(_with(base, "1 kW")), CONFIG).contract
    assert power_rate(contract, CONFIG) == 64 << CONFIG.rate_fraction


def test_without_a_budget_there_is_no_rate(base: str, contract_file: Callable[[str], Path]) -> None:
    contract = compile_contract(contract_file(base), CONFIG).contract
    assert power_rate(contract, CONFIG) is None
    with pytest.raises(ValueError, match="must be of a contract with a budget"):
        rates_under_budget(contract, CONFIG)


def test_a_budget_is_feasible_from_what_the_guarantees_take_on(
    base: str, contract_file: Callable[[str], Path], errors: Callable[[str], list[str]]
) -> None:
    free = compile_contract(contract_file(base), CONFIG).contract
    least = required_power(free, CONFIG)
    # Rates are rounded up to a unit in each channel for each tenant.
    unit = Fraction(2 * 8 * CONFIG.clock_khz * 1000, 65536)
    assert 0 <= least - ENERGY * GUARANTEED < ENERGY * unit
    nanowatts = -(-least * 10**9 // 1)
    enough, short = (
        f"{30 + float(Fraction(each, 10**9)):.9f} W" for each in (nanowatts, nanowatts - 1)
    )
    assert errors(_with(base, enough)) == []
    (text,) = errors(_with(base, short))
    assert "BUDGET_INFEASIBLE" in text


def test_an_infeasible_budget_says_what_the_guarantees_take(
    base: str, errors: Callable[[str], list[str]]
) -> None:
    (text,) = errors(_with(base, "31.5 W"))
    assert text.split(": error: ")[1] == (
        'budget must be at least 32.76 W, not "31.5 W": the guarantees are 120 GB/s, which take '
        "2.76 W beside the baseline of 30 W (BUDGET_INFEASIBLE); raise it, or guarantee at most "
        "65.21 GB/s in all"
    )


def test_a_budget_is_over_the_baseline(base: str, errors: Callable[[str], list[str]]) -> None:
    (text,) = errors(_with(base, "30 W"))
    assert "budget must be over the baseline of 30 W, which" in text
    (text,) = errors(_with(base, "78 watts").replace('baseline = "30 W"', ""))
    assert 'write "78 W"' in text


PRIORITIES = """\
[fabric]
channels = 8

[power]
budget = "36.9 W"
baseline = "30 W"
"""
"""300 GB/s."""

TENANT = """
[[tenant]]
name = "{name}"
[tenant.bandwidth]
guaranteed = "{guaranteed} GB/s"
burst = "{burst} GB/s"
burst_duration = "2 ms"
priority = {priority}
work_conserving = {work_conserving}
"""


@pytest.mark.parametrize(
    ("tenants", "expected"),
    [
        ([(40, 100, 0, "false"), (80, 160, 1, "true")], [100, 200]),
        ([(40, 100, 1, "false"), (80, 160, 0, "true")], [40, 260]),
        ([(40, 100, 3, "true"), (80, 160, 3, "true")], [100, 200]),
        ([(40, 50, 3, "false"), (80, 160, 3, "false"), (10, 400, 9, "true")], [50, 160, 90]),
    ],
    ids=["highest first", "lowest at its guarantee", "by weight", "what is left"],
)
def test_what_the_budget_leaves_goes_by_priority(
    tenants: list[tuple[int, int, int, str]],
    expected: list[int],
    contract_file: Callable[[str], Path],
) -> None:
    text = PRIORITIES + "".join(
        TENANT.format(name=f"t{k}", guaranteed=a, burst=b, priority=c, work_conserving=d)
        for k, (a, b, c, d) in enumerate(tenants)
    )
    contract = compile_contract(contract_file(text), CONFIG).contract
    rates = rates_under_budget(contract, CONFIG)
    assert [float(rates[k]) / GIGA for k in rates] == pytest.approx(expected, rel=1e-4)


def test_a_bucket_leaves_room_for_what_a_closed_one_owes(
    errors: Callable[[str], list[str]],
) -> None:
    text = PRIORITIES + TENANT.format(
        name="t", guaranteed=40, burst=40, priority=0, work_conserving="true"
    )
    longest = ((1 << CONFIG.depth_width) - 4 * CONFIG.l_max) * 8 / 40
    for nanoseconds, good in ((int(longest), True), (int(longest) + 1, False)):
        found = errors(text.replace('"2 ms"', f'"{nanoseconds} ns"'))
        assert good is not any("under a power budget" in each for each in found)


def test_explain_says_what_the_budget_allows(
    base: str, contract_file: Callable[[str], Path]
) -> None:
    for budget, gets in (("36.9 W", [100, 200]), ("32 W", [None, None])):
        path = contract_file(_with(base, budget))
        explanation = explain(examine(path, CONFIG))
        power = explanation.power
        assert power is not None
        assert power.required == pytest.approx(32.76)
        assert power.full == pytest.approx(30 + 0.023 * 409.6)
        assert power.rate_fabric == pytest.approx((power.budget - 30) / 0.023, rel=1e-4)
        assert power.rate_register == power_rate(examine(path, CONFIG).contract, CONFIG)
        by_tag = sorted(explanation.tenants, key=lambda tenant: tenant.name)
        assert [each.power_fabric for each in by_tag] == [
            each if each is None else pytest.approx(each, rel=1e-4) for each in gets
        ]
    assert explain(examine(contract_file(base), CONFIG)).power is None


@pytest.mark.parametrize("channels", [1, 8])
@pytest.mark.parametrize("added", ["", '[fabric.interleave]\ngrain = "512 B"\nhash = "xor"\n'])
def test_the_image_of_a_fabric_has_the_budget(
    channels: int, added: str, contract_file: Callable[[str], Path]
) -> None:
    tenant = TENANT.format(name="t", guaranteed=4, burst=4, priority=0, work_conserving="true")
    added = added if channels > 1 else ""
    for asks, enabled in (('budget = "2 W"', 1), ('baseline = "1 W"', 0)):
        text = f"[fabric]\nchannels = {channels}\n{added}[power]\n{asks}\n{tenant}"
        compiled = compile_contract(contract_file(text), WIDE)
        assert compiled.contract.power.asked
        fabric = fabric_around(compiled.config, channels, power=True)
        values = unpack(fabric_map(fabric), fabric_image(compiled, fabric)).fabric
        assert values is not None
        assert values["power_enable"] == enabled
        assert values["power_budget"] == (power_rate(compiled.contract, CONFIG) or 0)


def test_a_budget_is_for_channels_that_hardware_has(
    base: str, errors: Callable[[str], list[str]]
) -> None:
    (text,) = errors(_with(base.replace("channels = 8", "channels = 9"), "40 W"))
    assert "channels must be one of 1, 2, 4, 8, 16, 32 under a power budget, not 9" in text
