"""Best-effort tenants: what they may say, what they get, and what they cost the others."""

import dataclasses
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import channel_map
from mcos_hw.registers.image import ImageCode
from mcos_policy.compiler import compile_contract
from mcos_policy.diagnostics import ContractError
from mcos_policy.explain import explain
from mcos_policy.image import encode, verify
from mcos_policy.quantize import shared_rate, weights

CONFIG = ChannelConfig()
LONGEST = (1 << CONFIG.clocks_width) - 1
SPARE = """
[[tenant]]
name = "spare"

[tenant.bandwidth]
guaranteed = 0
"""
Write = Callable[[str], Path]


def _refused(path: Path) -> list[str]:
    with pytest.raises(ContractError) as caught:
        compile_contract(path, CONFIG)
    return [str(each).removeprefix(f"{path}:") for each in caught.value.diagnostics]


@pytest.mark.parametrize(
    "spelling", ["guaranteed = 0", 'guaranteed = "0 GB/s"', "guaranteed_gbps = 0"]
)
def test_nothing_but_the_guarantee_is_needed(
    spelling: str, base: str, contract_file: Write
) -> None:
    compiled = compile_contract(
        contract_file(base + SPARE.replace("guaranteed = 0", spelling)), CONFIG
    )
    spare = compiled.settings.tenants[1]
    assert (spare.enable, spare.work_conserving, spare.inverse_weight) == (1, 1, 1 << 24)
    assert (spare.committed_rate, spare.committed_depth) == (0, 0)
    assert (spare.peak_rate, spare.peak_depth) == (0, 0)
    assert spare.age_limit == LONGEST
    assert verify(compiled.image.words, CONFIG) is ImageCode.NONE
    told = next(each for each in explain(compiled).tenants if each.name == "spare")
    assert (told.guaranteed_fabric, told.rate_error, told.peak_error) == (0, 0, 0)


@pytest.mark.parametrize(
    ("lines", "depth"),
    [
        ('burst = "40 GB/s"', CONFIG.l_max),
        ('burst = "40 GB/s"\nburst_duration = "20 us"', 100_000),
    ],
    ids=["no-duration", "duration"],
)
def test_a_burst_makes_it_burst(lines: str, depth: int, base: str, contract_file: Write) -> None:
    compiled = compile_contract(contract_file(f"{base}{SPARE}{lines}\n"), CONFIG)
    spare = compiled.settings.tenants[1]
    assert (spare.committed_rate, spare.committed_depth) == (0, 0)
    assert (spare.peak_rate, spare.peak_depth) == (6.25 * 2**16, depth)


def test_it_weighs_a_tenth_of_the_guarantees(base: str, contract_file: Write) -> None:
    alone = compile_contract(contract_file(base), CONFIG).settings
    beside = compile_contract(contract_file(base + SPARE), CONFIG).settings
    one = 1 << CONFIG.reciprocal_fraction
    assert [alone.tenants[tag].inverse_weight for tag in (3, 0)] == [one, one // 2]
    assert [beside.tenants[tag].inverse_weight for tag in (3, 0, 1)] == [
        round(one / Fraction(40, 12)),
        round(one / Fraction(80, 12)),
        one,
    ]


@pytest.mark.parametrize(
    ("guarantees", "expected"),
    [
        ({0: 10, 1: 0, 2: 0}, {0: 20, 1: 1, 2: 1}),
        ({0: 1, 1: 79, 2: 0}, {0: 1, 1: 79, 2: 8}),
        # The spread of live tags is kept on both sides.
        ({0: 1, **dict.fromkeys(range(1, 15), 255), 15: 0}, {0: 1, 1: 255, 15: 255}),
        ({0: 255, **dict.fromkeys(range(1, 16), 0)}, {0: 150, 1: 1, 15: 1}),
    ],
)
def test_weights_beside_best_effort(guarantees: dict, expected: dict) -> None:
    found = weights({key: Fraction(each) for key, each in guarantees.items()}, CONFIG).exact
    assert {key: found[key] for key in expected} == expected


def test_weights_of_best_effort_alone() -> None:
    found = weights({0: Fraction(0), 5: Fraction(0)}, CONFIG)
    assert found.quantized == found.exact == {0: 1, 5: 1}
    assert found.share(5) == Fraction(1, 2)


def test_a_contract_of_best_effort_alone(contract_file: Write) -> None:
    spares = "".join(SPARE.replace("spare", f"spare-{i}") for i in range(16))
    compiled = compile_contract(contract_file(f"[fabric]\nchannels = 8\n{spares}"), CONFIG)
    assert verify(compiled.image.words, CONFIG) is ImageCode.NONE
    assert shared_rate(compiled.contract, CONFIG) == CONFIG.bytes_per_clock
    assert {each.weight_share for each in explain(compiled).tenants} == {1 / 16}
    assert explain(compiled).reserved_share == 0


def test_guarantees_are_left_where_best_effort_costs_much(base: str, contract_file: Write) -> None:
    """The sum of guarantees at its limit, and as many best-effort tenants as there are tags."""

    def text(cost: float) -> str:
        spares = "".join(
            SPARE.replace("spare", f"spare-{i}") + f"cost = {cost}\n" for i in range(14)
        )
        return base.replace("= 80", "= 308.16").replace("= 160.5", "= 400") + spares

    # r w / sum(w c) >= g is sum(g) + sum(g) / 10 c <= r, in GB/s of the fabric.
    most = (Fraction("409.6") - Fraction("348.16")) * 10 / Fraction("348.16")
    compiled = compile_contract(contract_file(text(float(most) - 0.01)), CONFIG)
    contract = compiled.contract
    shares = weights({key: t.bandwidth.guaranteed for key, t in contract.tenants.items()}, CONFIG)
    for key, tenant in contract.tenants.items():
        share = shared_rate(contract, CONFIG) * shares.share(key) * 8 * CONFIG.clock_khz * 1000
        assert share >= tenant.bandwidth.guaranteed
    (told,) = _refused(contract_file(text(float(most) + 0.01)))
    assert (
        "error: best-effort tenants must leave the others their guarantees while all are " in told
    )
    assert told.endswith("lower their costs or guarantee less")


def test_the_smallest_guarantee_is_still_a_255th(base: str, contract_file: Write) -> None:
    text = base.replace("= 80", "= 255").replace("= 160.5", "= 255") + SPARE
    compile_contract(contract_file(text.replace('"40 GB/s"', '"1 GB/s"')), CONFIG)
    (told,) = _refused(contract_file(text.replace('"40 GB/s"', '"0.99 GB/s"')))
    assert "must be at most 255 times the smallest guarantee (990 MB/s of a), not 255" in told


FAULTS = [
    (
        "work_conserving = false",
        (
            "26:19: error: work_conserving must be true for a tenant with neither guarantee nor "
            "burst, not false; nothing else would ever serve it"
        ),
    ),
    (
        'age_limit = "1.279 us"',
        (
            '26:13: error: age_limit must be in 1.28 us to 1.31071875 ms, or 0, not "1.279 us"; '
            "change it, or omit it to have the longest"
        ),
    ),
    (
        'age_limit = "1.32 ms"',
        (
            '26:13: error: age_limit must be in 1.28 us to 1.31071875 ms, or 0, not "1.32 ms"; '
            "change it, or omit it to have the longest"
        ),
    ),
    (
        'burst = "-1 GB/s"',
        '26:9: error: burst must be at least 0, not "-1 GB/s"; write a rate such as "120 GB/s"',
    ),
    (
        'burst = "410 GB/s"',
        (
            "26:9: error: burst must be at most the capacity 409.6 GB/s (8 channels of 51.2 GB/s), "
            'not "410 GB/s"; lower it or add channels'
        ),
    ),
]


@pytest.mark.parametrize(("line", "message"), FAULTS, ids=[line for line, _ in FAULTS])
def test_faults(line: str, message: str, base: str, contract_file: Write) -> None:
    assert _refused(contract_file(f"{base}{SPARE}{line}\n")) == [message]


def test_nothing_at_all_is_one_fault(contract_file: Write) -> None:
    """A tenant that could be granted nothing is alone: no counter grows, nothing divides by 0."""
    text = f"[fabric]\nchannels = 8\n{SPARE}burst = 0\nwork_conserving = false\n"
    (told,) = _refused(contract_file(text))
    assert "work_conserving must be true for a tenant with neither guarantee nor burst" in told


@pytest.mark.parametrize(
    ("line", "limit"), [("age_limit = 0", 0), ('age_limit = "1.28 us"', 1024), ("", LONGEST)]
)
def test_age_limits(line: str, limit: int, base: str, contract_file: Write) -> None:
    compiled = compile_contract(contract_file(f"{base}{SPARE}{line}\n"), CONFIG)
    assert compiled.settings.tenants[1].age_limit == limit


def test_no_burst_is_a_fault_of_a_guarantee(base: str, contract_file: Write) -> None:
    (told,) = _refused(contract_file(base.replace('"400 GB/s"', "0")))
    assert told.startswith("10:9: error: burst must be at least the guarantee of 40 GB/s, not 0")
    (told,) = _refused(contract_file(base.replace('burst = "400 GB/s"\n', "")))
    assert told.endswith("[tenant.bandwidth] must have the key burst or burst_gbps; add it")


def test_an_objective_is_not_promised(base: str, contract_file: Write) -> None:
    compiled = compile_contract(contract_file(f'{base}{SPARE}latency_slo = "25 us"\n'), CONFIG)
    (told,) = map(str, compiled.warnings)
    assert "it is not promised; a guarantee of 314 MB/s would do" in told


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({}, ImageCode.NONE),
        ({"committed_depth": 512}, ImageCode.FIELD),
        ({"committed_rate": 1}, ImageCode.FIELD),
        ({"peak_depth": 512}, ImageCode.FIELD),
        ({"peak_rate": 1}, ImageCode.FIELD),
        ({"peak_rate": 1, "peak_depth": 511}, ImageCode.FIELD),
        ({"peak_rate": 1, "peak_depth": 512}, ImageCode.NONE),
        ({"peak_rate": 1, "peak_depth": 512, "work_conserving": 0}, ImageCode.NONE),
        ({"work_conserving": 0}, ImageCode.FIELD),
    ],
    ids=str,
)
def test_what_an_image_may_have(
    change: dict[str, int], code: ImageCode, base: str, contract_file: Write
) -> None:
    settings = compile_contract(contract_file(base + SPARE), CONFIG).settings
    tenants = list(settings.tenants)
    tenants[1] = dataclasses.replace(tenants[1], **change)
    changed = dataclasses.replace(settings, tenants=tuple(tenants))
    assert verify(encode(CONFIG, channel_map(CONFIG), changed, 0).words, CONFIG) is code


@pytest.mark.parametrize(
    ("others", "advice"),
    [(True, "a guarantee of 314 MB/s would do"), (False, "a guarantee of 97.7 kB/s would do")],
)
def test_the_advice_for_an_objective_is_a_guarantee_that_can_be(
    others: bool, advice: str, base: str, contract_file: Write
) -> None:
    """At least the smallest rate, and a 255th of the largest guarantee."""
    text = base if others else "[fabric]\nchannels = 8\n"
    path = contract_file(f'{text}{SPARE}latency_slo = "1.3 ms"\n')
    (told,) = map(str, compile_contract(path, CONFIG).warnings)
    assert told.endswith(advice)
