"""Contracts of programs: the same rules as for a file, told by the way to the value."""

import dataclasses
import pickle
import tomllib
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from mcos_hw.config import ChannelConfig
from mcos_policy.compiler import compile_contract, examine
from mcos_policy.contract import Bandwidth, Contract, Fabric, Tenant
from mcos_policy.diagnostics import ContractError
from mcos_policy.plain import PlainDocument, contract_document
from mcos_policy.samples import SAMPLES

CONFIG = ChannelConfig()
BUILT = Contract(
    fabric=Fabric(channels=8),
    tenants={
        0: Tenant(
            name="a",
            tag=3,
            bandwidth=Bandwidth(
                guaranteed=Fraction(40 * 10**9),
                burst=Fraction(400 * 10**9),
                burst_duration=Fraction(2, 1000),
            ),
        ),
        1: Tenant(
            name="b",
            bandwidth=Bandwidth(
                guaranteed=Fraction(80 * 10**9),
                burst=Fraction(1605 * 10**8),
                burst_duration=Fraction(15, 10_000),
            ),
        ),
    },
)


def _values(text: str, parse_float: Callable[[str], Any] = Decimal) -> dict[str, Any]:
    return tomllib.loads(text, parse_float=parse_float)


@pytest.mark.parametrize("parse_float", [Decimal, float])
def test_values_compile_as_the_file(base: str, parse_float: Callable[[str], Any]) -> None:
    compiled = compile_contract(PlainDocument(_values(base, parse_float)), CONFIG)
    assert compiled.contract == BUILT
    assert compiled.settings == compile_contract(BUILT, CONFIG).settings


@pytest.mark.parametrize("sample", SAMPLES)
def test_a_contract_given_back_is_the_same(sample: str) -> None:
    compiled = compile_contract(SAMPLES[sample], CONFIG)
    again = compile_contract(compiled.contract, CONFIG)
    assert again.contract == compiled.contract
    assert again.settings == compiled.settings


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "channels = 8",
            "chanels = 8",
            "contract:fabric.chanels: error: a key of [fabric] must be one of channels, ",
        ),
        (
            'burst = "400 GB/s"',
            'burst = "30 GB/s"',
            (
                "contract:tenant[0].bandwidth.burst: error: "
                "burst must be at least the guarantee of "
                '40 GB/s, not "30 GB/s"; raise burst or lower the guarantee'
            ),
        ),
        (
            "burst_gbps = 160.5",
            "burst_gbps = true",
            (
                "contract:tenant[1].bandwidth.burst_gbps: error: "
                "burst_gbps must be a finite number of "
                "GB/s, not true; write it without quotes, or use the key without a unit"
            ),
        ),
        (
            'name = "b"',
            'name = "a"',
            (
                "contract:tenant[1].name: error: "
                "name must be unique, and tenant 1 of the contract has "
                'this one already, not "a"; rename one'
            ),
        ),
        (
            'name = "a"',
            'name = ["a", "b"]',
            (
                "contract:tenant[0].name: error: "
                "name must be 1 to 32 of the characters a-z, 0-9 and "
                '-, not ["a", "b"]; rename the tenant'
            ),
        ),
    ],
)
def test_messages_name_the_way(base: str, old: str, new: str, message: str) -> None:
    text = base.replace(old, new)
    with pytest.raises(ContractError) as caught:
        compile_contract(PlainDocument(_values(text)), CONFIG)
    told = [each.render() for each in caught.value.diagnostics]
    assert any(each.startswith(message) for each in told), told


def test_a_built_contract_is_checked_as_well() -> None:
    tenant = BUILT.tenants[0]
    changed = dataclasses.replace(
        tenant, bandwidth=dataclasses.replace(tenant.bandwidth, priority=16)
    )
    wrong = dataclasses.replace(BUILT, tenants={**BUILT.tenants, 0: changed})
    assert [str(each) for each in examine(wrong, CONFIG).diagnostics] == [
        (
            "contract:tenant[0].bandwidth.priority: error: priority must be an integer in 0..15, "
            "not 16; write a whole number without quotes"
        )
    ]


def test_messages_come_in_the_order_of_the_values(base: str) -> None:
    text = base.replace("= 80", '= "80 GB/s"').replace("channels = 8", "channels = 0")
    with pytest.raises(ContractError) as caught:
        compile_contract(PlainDocument(_values(text), name="request 7"), CONFIG)
    assert [each.origin.place for each in caught.value.diagnostics] == [
        "request 7:fabric.channels",
        "request 7:tenant[1].bandwidth.guaranteed_gbps",
    ]


def test_the_label_follows_the_values(base: str) -> None:
    first = compile_contract(PlainDocument(_values(base)), CONFIG)
    assert first.origin["name"] == "contract"
    assert first.image.label == int(first.origin["sha256"][:8], 16)
    other = _values(base.replace("tag = 3", "tag = 4"))
    assert compile_contract(PlainDocument(other), CONFIG).image.label != first.image.label


def test_a_contract_goes_to_other_processes(
    base: str, contract_file: Callable[[str], Path]
) -> None:
    compiled = compile_contract(contract_file(base), CONFIG)
    again = pickle.loads(pickle.dumps(compiled))
    assert again.contract == compiled.contract
    place = again.contract.tenants[0].bandwidth.at("burst").origin
    assert place.place.endswith("c.toml:10:9")


def test_a_value_that_no_front_end_has() -> None:
    with pytest.raises(TypeError, match="a value must be plain"):
        PlainDocument({"fabric": Fabric(channels=8)})
    assert contract_document(BUILT).value(("fabric",)) == {"channels": 8}
