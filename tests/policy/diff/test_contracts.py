"""What two contracts promise differently, and what follows."""

from collections.abc import Callable
from pathlib import Path

import pytest

from mcos_hw.config import ChannelConfig
from mcos_policy.compiler import Compiled, compile_contract
from mcos_policy.diff.change import Change
from mcos_policy.diff.contracts import ContractDifference, compare_contracts
from mcos_policy.samples import SAMPLES

Compile = Callable[[str], Compiled]


@pytest.fixture
def compiled(tmp_path: Path) -> Compile:
    def write(text: str) -> Compiled:
        path = tmp_path / "c.toml"
        path.write_text(text)
        return compile_contract(path, ChannelConfig())

    return write


def _told(difference: ContractDifference) -> list[tuple[str, str, str, str, str]]:
    return [(c.subject, c.key, c.before, c.after, c.words) for c in difference.changes]


CHANGES = [
    ('"40 GB/s"', '"48 GB/s"', ("a", "guaranteed", "40 GB/s", "48 GB/s", "+20 %")),
    ('"400 GB/s"', '"100 GB/s"', ("a", "burst", "400 GB/s", "100 GB/s", "-75 %")),
    ("= 80", "= 80.0000001", ("b", "guaranteed", "80 GB/s", "80.0000001 GB/s", "+1.25e-07 %")),
    ("= 80", "= 1", ("b", "guaranteed", "80 GB/s", "1 GB/s", "-98.8 %")),
    ('"2 ms"', '"20 us"', ("a", "burst_duration", "2 ms", "20 us", "-99 %")),
    ("tag = 3", "tag = 4", ("a", "tag", "3", "4", "")),
    ('name = "b"', 'name = "c"', ("c", "name", "b", "c", "")),
    ("= 8\n", "= 16\n", ("[fabric]", "channels", "8", "16", "+100 %")),
    ("= 8\n", "= 8\npacer = false\n", ("[fabric]", "pacer", "true", "false", "")),
    (
        "= 8\n",
        '= 8\nport_credit = "9216 B"\n',
        ("[fabric]", "port_credit", "not set", "9.216 kB", ""),
    ),
    (
        "= 8\n",
        '= 8\n[memory]\nrate = "50 GB/s"\n',
        ("[memory]", "rate", "not set", "50 GB/s", ""),
    ),
    (
        '"2 ms"\n',
        '"2 ms"\nlatency_slo = "25 us"\n',
        ("a", "latency_slo", "not set", "25 us", ""),
    ),
    ('"2 ms"\n', '"2 ms"\npriority = 0\n', ("a", "priority", "1", "0", "")),
    ('"2 ms"\n', '"2 ms"\ncost = 1.5\n', ("a", "cost", "1", "1.5", "+50 %")),
]


@pytest.mark.parametrize(
    ("old", "new", "told"), CHANGES, ids=[new.strip() for _, new, _ in CHANGES]
)
def test_one_change(
    old: str, new: str, told: tuple[str, ...], base: str, compiled: Compile
) -> None:
    assert old in base
    difference = compare_contracts(compiled(base), compiled(base.replace(old, new, 1)))
    assert _told(difference) == [told]


def test_comments_and_spellings_are_no_change(base: str, compiled: Compile) -> None:
    other = base.replace("guaranteed_gbps = 80", 'guaranteed = "80000 MB/s"  # as before')
    difference = compare_contracts(compiled(base), compiled(other))
    assert difference == ContractDifference(changes=(), consequences=())


def test_tenants_that_come_and_go(base: str, compiled: Compile) -> None:
    spare = '\n[[tenant]]\nname = "c"\ntag = 9\n[tenant.bandwidth]\nguaranteed = 0\n'
    difference = compare_contracts(compiled(base), compiled(base + spare))
    assert _told(difference) == [("c", "tenant", "-", "best effort", "")]
    difference = compare_contracts(compiled(base + spare), compiled(base))
    assert _told(difference) == [("c", "tenant", "best effort", "-", "")]
    gone = base[: base.rindex("[[tenant]]")]
    difference = compare_contracts(compiled(base), compiled(gone))
    assert _told(difference) == [("b", "tenant", "guaranteed 80 GB/s, burst 160.5 GB/s", "-", "")]


def test_tenants_are_the_same_by_name_before_they_are_by_tag(base: str, compiled: Compile) -> None:
    """The two change their tags: neither is renamed."""
    other = base.replace("tag = 3", "tag = 0").replace('name = "b"', 'name = "b"\ntag = 3')
    difference = compare_contracts(compiled(base), compiled(other))
    assert _told(difference) == [("a", "tag", "3", "0", ""), ("b", "tag", "0", "3", "")]


def test_what_follows(base: str, compiled: Compile) -> None:
    slo = base.replace('"2 ms"\n', '"2 ms"\nlatency_slo = "450 ns"\n', 1)
    difference = compare_contracts(compiled(slo), compiled(slo.replace("= 80", "= 160")))
    told = {(c.subject, c.key): (c.before, c.after) for c in difference.consequences}
    assert told["fabric", "headroom"] == ("228.16 GB/s", "148.16 GB/s")
    assert told["a", "share if all are backlogged"] == ("33.3333 %", "20 %")
    assert told["b", "share if all are backlogged"] == ("66.6667 %", "80 %")
    before, after = told["a", "bound"]
    assert float(before.split()[0]) < float(after.split()[0])
    assert told["a", "objective"] == ("holds", "not promised")
    assert ("fabric", "capacity") not in told


def test_samples_differ_in_what_they_are_for() -> None:
    sides = [compile_contract(SAMPLES[f"llama-3-{n}"], ChannelConfig()) for n in ("8b", "70b")]
    difference = compare_contracts(*sides)
    assert Change(subject="[fabric]", key="channels", before="96", after="768", by=7.0) in (
        difference.changes
    )
    assert [c.words for c in difference.changes if c.key == "channels"] == ["+700 %"]
    assert sides[0].settings == sides[1].settings


@pytest.mark.parametrize(
    ("by", "words"),
    [(None, ""), (9.99, "+999 %"), (10.0, "x 11"), (-0.5, "-50 %"), (1e6, "x 1e+06")],
)
def test_words(by: float | None, words: str) -> None:
    assert Change(subject="s", key="k", before="1", after="2", by=by).words == words
