"""Contracts that say at which AXI ports their tenants are: tables, credits, errors."""

from collections.abc import Callable
from pathlib import Path

import pytest

from mcos_hw.config import ChannelConfig, FabricConfig, PortConfig
from mcos_hw.registers import fabric_map
from mcos_hw.registers.image import ImageCode
from mcos_policy.compiler import compile_contract
from mcos_policy.diagnostics import ContractError
from mcos_policy.fabric_image import fabric_around, fabric_image
from mcos_policy.image import unpack, verify
from mcos_policy.ports import TenantRow, port_sections

CONFIG = ChannelConfig()
DEPTH = CONFIG.queue_depth

File = Callable[[str], Path]


def at_ports(base: str, first: str, second: str = "", *, channels: int = 8) -> str:
    """The base contract with ports of its two tenants."""
    head, one, other = base.split("[[tenant]]")
    head = "[hardware]\nbeat_bytes = 64\nmax_beats = 8\n\n" + head
    head = head.replace("channels = 8", f"channels = {channels}")
    return f"{head}[[tenant]]{one}\n{first}\n[[tenant]]{other}\n{second}\n"


def port(number: int, ids: str, places: int | None = None) -> str:
    told = "" if places is None else f"\nplaces = {places}"
    return f"\n[[tenant.port]]\nport = {number}\nids = {ids}{told}\n"


def fabric_of(config: ChannelConfig, **sizes: int) -> FabricConfig:
    return fabric_around(config, 8, ports=2, port=PortConfig(**{"table_rows": 2} | sizes))


def test_the_image_has_the_tables_and_credits(base: str, contract_file: File) -> None:
    text = at_ports(base, port(0, "[0, 7]") + port(1, "[3, 3]"), port(1, "[0, 2]"))
    compiled = compile_contract(contract_file(text), CONFIG)
    fabric = fabric_of(compiled.config)
    image = fabric_image(compiled, fabric)
    assert verify(image.words, fabric) is ImageCode.NONE
    one, other = (compiled.contract.tags()[position] for position in (0, 1))
    rows = [
        TenantRow(port=0, row=0, tenant=one, first=0, last=7),
        TenantRow(port=1, row=0, tenant=one, first=3, last=3),
        TenantRow(port=1, row=1, tenant=other, first=0, last=2),
    ]
    places = {(0, one): DEPTH // 2, (1, one): DEPTH // 2, (1, other): DEPTH}
    assert unpack(fabric_map(fabric), image).ports == port_sections(fabric, rows, places)


def test_places_are_those_that_are_told(base: str, contract_file: File) -> None:
    text = at_ports(base, port(0, "[0, 7]", DEPTH - 1) + port(1, "[3, 3]", 1))
    compiled = compile_contract(contract_file(text), CONFIG)
    fabric = fabric_of(compiled.config)
    tables = unpack(fabric_map(fabric), fabric_image(compiled, fabric)).ports
    tag = compiled.contract.tags()[0]
    first = 2 * fabric_map(fabric)["PORT_ROW_NOW"].each
    assert [table[first + tag] for table in tables] == [DEPTH - 1, 1]


@pytest.mark.parametrize(
    ("first", "second", "text"),
    [
        (
            port(0, "[0, 7]"),
            port(0, "[7, 9]"),
            "ids must be of one tenant at a port, and a has some of [7, 9] at port 0; take",
        ),
        (
            port(0, "[0, 7]", DEPTH) + port(1, "[0, 0]", 1),
            "",
            f"places of a tenant must add up to at most its queue, {DEPTH}, not {DEPTH + 1}; lower",
        ),
        (
            port(0, "[0, 7]", 3) + port(1, "[0, 0]"),
            "",
            "places must be told for each port of the tenant or for none; add the others",
        ),
        (
            port(0, "[0, 7]", 3) + port(0, "[8, 9]", 3),
            "",
            "places of a tenant at port 0 must be told once; remove the others",
        ),
        (
            port(0, "[8, 7]"),
            "",
            "ids must be the first and the last of rising IDs in 0..65535, not",
        ),
        (port(16, "[0, 7]"), "", "port must be an integer in 0..15, not 16; write a whole number"),
    ],
    ids=["shared", "queue", "some", "twice", "falling", "port"],
)
def test_what_no_port_can_have_is_an_error(
    base: str, contract_file: File, first: str, second: str, text: str
) -> None:
    with pytest.raises(ContractError) as caught:
        compile_contract(contract_file(at_ports(base, first, second)), CONFIG)
    (found,) = caught.value.diagnostics
    assert found.text.startswith(text)
    assert found.origin.line > 5


@pytest.mark.parametrize(
    ("first", "text"),
    [
        (port(2, "[0, 7]"), "port must be in 0..1, the ports of the hardware, not 2; choose"),
        (port(1, "[0, 16]"), "ids must be in 0..15, the IDs of port 1, not [0, 16]; take others"),
        (
            port(1, "[0, 1]") + port(1, "[2, 3]") + port(1, "[4, 15]"),
            "port 1 must have at most 2 ranges of IDs, the rows of its table; take longer ranges",
        ),
    ],
    ids=["port", "ids", "rows"],
)
def test_what_these_ports_have_not_is_an_error(
    base: str, contract_file: File, first: str, text: str
) -> None:
    compiled = compile_contract(contract_file(at_ports(base, first)), CONFIG)
    with pytest.raises(ContractError) as caught:
        fabric_image(compiled, fabric_of(compiled.config, id_width=4))
    (found,) = caught.value.diagnostics
    assert found.text.startswith(text)


def test_a_beat_that_is_no_clocks_worth_is_an_error(base: str, contract_file: File) -> None:
    text = at_ports(base, port(0, "[0, 7]")).replace("beat_bytes = 64\nmax_beats = 8", "")
    with pytest.raises(ContractError, match=r"\[\[tenant.port\]\] needs hardware whose beat is"):
        compile_contract(contract_file(text), CONFIG)
