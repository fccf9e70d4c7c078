"""Notes: what they say, where they point, and when there is none."""

from collections.abc import Callable
from pathlib import Path

import pytest

from mcos_hw.config import ChannelConfig
from mcos_policy.compiler import compile_contract
from mcos_policy.diagnostics import ContractError, Diagnostic, Severity
from mcos_policy.origin import Place
from mcos_policy.samples import SAMPLES

CAPACITY = (
    "1:2: note: capacity is assumed to be 8 channels of 51.2 GB/s, the hardware's rate; "
    "write [memory] rate if a channel of yours passes another"
)
PRIORITY = (
    "priority orders nothing here: MCOS shares by guarantee, and only the baseline of fixed "
    "priority goes by it; write overcommitted = true under [fabric] to have it go before fairness"
)
RATE = '[memory]\nrate = "51.2 GB/s"\n'


def _notes(path: Path) -> list[str]:
    compiled = compile_contract(path, ChannelConfig())
    assert all(each.severity is Severity.NOTE for each in compiled.notes)
    assert not any(each.severity is Severity.NOTE for each in compiled.warnings)
    return [str(each).removeprefix(f"{path}:") for each in compiled.notes]


def _prioritised(base: str, first: str, second: str) -> str:
    return base.replace("burst_duration_ms", f"{second}burst_duration_ms").replace(
        'burst_duration = "', f'{first}burst_duration = "'
    )


def test_capacity_is_said_to_be_assumed(base: str, contract_file: Callable[[str], Path]) -> None:
    assert _notes(contract_file(base)) == [CAPACITY]
    assert _notes(contract_file(base + RATE)) == []


@pytest.mark.parametrize(
    ("first", "second", "place"),
    [
        ("priority = 0\n", "priority = 1\n", "11:12"),
        ("priority = 0\n", "", "11:12"),
        ("", "priority = 0\n", "19:12"),
        ("priority = 2\n", "priority = 2\n", None),
        ("priority = 1\n", "", None),
    ],
    ids=["both", "first", "second", "the-same", "the-default"],
)
def test_priorities_that_order_nothing(
    first: str, second: str, place: str | None, base: str, contract_file: Callable[[str], Path]
) -> None:
    text = _prioritised(base, first, second) + RATE
    told = [] if place is None else [f"{place}: note: {PRIORITY}"]
    assert _notes(contract_file(text)) == told
    overcommitted = text.replace("channels = 8", "channels = 8\novercommitted = true")
    assert _notes(contract_file(overcommitted)) == []


def test_samples_assume_no_capacity() -> None:
    for path in SAMPLES.values():
        assert not any("capacity" in each for each in _notes(path)), path.name


def test_notes_go_last_where_there_are_too_many_remarks() -> None:
    def remark(severity: Severity, line: int) -> Diagnostic:
        place = Place(name="f", line=line, column=1, end=(line, 1), source_line="")
        return Diagnostic(severity=severity, text="x", origin=place)

    notes = [remark(Severity.NOTE, line) for line in range(1, 40)]
    warnings = [remark(Severity.WARNING, line) for line in range(40, 60)]
    error = ContractError([*notes, *warnings, remark(Severity.ERROR, 60)])
    kept = [each.severity for each in error.diagnostics[:-1]]
    assert [kept.count(each) for each in Severity] == [1, 20, 29]
