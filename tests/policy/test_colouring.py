"""Colours: named, allotted to quotas, shared; both sides of every limit."""

from collections.abc import Callable
from pathlib import Path

import pytest

from mcos_hw.config import ChannelConfig
from mcos_policy.compiler import compile_contract
from mcos_policy.diagnostics import ContractError
from mcos_policy.explain import explain

CONFIG = ChannelConfig()
MEMORY = '[memory]\nsize = "1 GiB"\ncolour_bits = [13, 14, 15]\n\n'
"""Eight colours of 128 MiB on each of eight channels: a quota of 1 GiB takes one."""

File = Callable[[str], Path]


def contract(
    base: str, *, memory: str = MEMORY, first: str | None = None, second: str | None = None
) -> str:
    """The base contract with a memory, and the placements of its two tenants."""
    head, one, other = base.split("[[tenant]]")
    parts = [head + memory]
    for body, placement in ((one, first), (other, second)):
        text = body if placement is None else f"{body}\n[tenant.placement]\n{placement}\n\n"
        parts.append("[[tenant]]" + text)
    return "".join(parts)


@pytest.mark.parametrize(
    ("first", "second", "masks"),
    [
        (None, None, (0xFF, 0xFF)),
        ("page_color = 0x3", None, (0x3, 0xFC)),
        ("page_color = 0x81", "page_color = 0x7E", (0x81, 0x7E)),
        ('hbm_quota = "2 GiB"', None, (0x3, 0xFC)),
        ('hbm_quota = "1025 MiB"', "page_color = 0x1", (0x6, 0x1)),
        ('hbm_quota = "3 GiB"', 'hbm_quota = "5 GiB"', (0x07, 0xF8)),
        ('hbm_quota = "2 GiB"\npage_color = 0x30', 'hbm_quota = "1 B"', (0x30, 0x1)),
        ("page_color = 0x3", "page_color = 0x2", (0x3, 0x2)),
    ],
)
def test_masks(
    base: str, contract_file: File, first: str | None, second: str | None, masks: tuple[int, int]
) -> None:
    path = contract_file(contract(base, first=first, second=second))
    compiled = compile_contract(path, CONFIG)
    tags = compiled.contract.tags()
    assert tuple(compiled.colours[tags[position]] for position in (0, 1)) == masks
    shown = {tenant.tag: tenant.colours for tenant in explain(compiled).tenants}
    assert shown == compiled.colours
    shared = masks[0] & masks[1] and first is not None
    assert bool(compiled.warnings) == bool(shared)


@pytest.mark.parametrize(
    ("memory", "placement", "bits", "masks"),
    [
        ("", None, (0, 0, 0, 0), (0xFFFF, 0xFFFF)),
        (MEMORY, "page_color = 0x41", (13, 14, 15, 0), (0x4141, 0xBEBE)),
        ("[memory]\ncolour_bits = [20]\n\n", "page_color = 2", (20, 0, 0, 0), (0xAAAA, 0x5555)),
        (
            "[memory]\ncolour_bits = [12, 13, 20, 30]\n\n",
            "page_color = 0x8001",
            (12, 13, 20, 30),
            (0x8001, 0x7FFE),
        ),
    ],
)
def test_the_image_has_a_mask_of_all_colours_that_the_hardware_tells_apart(
    base: str,
    contract_file: File,
    memory: str,
    placement: str | None,
    bits: tuple[int, ...],
    masks: tuple[int, int],
) -> None:
    text = contract(base, memory=memory, first=placement)
    compiled = compile_contract(contract_file(text), CONFIG)
    channel, tenants = compiled.settings.channel, compiled.settings.tenants
    tags = compiled.contract.tags()
    assert tuple(getattr(channel, f"colour_bit_{k}") for k in range(4)) == bits
    assert tuple(tenants[tags[position]].colours for position in (0, 1)) == masks
    assert {each.refuse_outside for each in tenants} == {0}


def test_colours_are_refused_by_tenant(base: str, contract_file: File) -> None:
    text = contract(base, first='page_color_mode = "refuse"', second='page_color_mode = "count"')
    compiled = compile_contract(contract_file(text), CONFIG)
    tags = compiled.contract.tags()
    refused = [compiled.settings.tenants[tags[position]].refuse_outside for position in (0, 1)]
    assert refused == [1, 0]


@pytest.mark.parametrize(
    ("memory", "first", "second", "message"),
    [
        (MEMORY, "page_color = 0", None, "page_color must be an integer of at least 1, not 0"),
        (MEMORY, "page_color = 0x100", None, "a mask of 8 colours, at most 0xff, not 0x100"),
        (MEMORY, "page_color = 0xFF", None, "'b' must have a colour, and others have all 8"),
        (MEMORY, 'hbm_quota = "8 GiB"', None, "'b' must have a colour, and others have all 8"),
        (
            MEMORY,
            'hbm_quota = "6 GiB"',
            'hbm_quota = "3 GiB"',
            "hbm_quota must fit the 2 colours that are left, and 3.221225472 GB takes 3",
        ),
        (
            MEMORY,
            'page_color = 0x3\nhbm_quota = "2049 MiB"',
            None,
            "hbm_quota must fit the 2 colours of page_color, and 2.148532224 GB takes 3",
        ),
        ("", "page_color = 0x1", None, "page_color needs colour_bits in [memory]"),
        (
            "[memory]\ncolour_bits = [13]\n\n",
            'hbm_quota = "1 GiB"',
            None,
            "hbm_quota needs size in [memory]",
        ),
        ("[memory]\ncolour_bits = [11]\n\n", None, None, "must be above a page of 4.096 kB"),
        (
            '[memory]\nsize = "1 MiB"\ncolour_bits = [13, 20]\n\n',
            None,
            None,
            "colour_bits must be within the 1.048576 MB of a channel, at most 19",
        ),
        ("[memory]\ncolour_bits = []\n\n", None, None, "must be a list of 1 to 4 different"),
        ("[memory]\ncolour_bits = [14, 13]\n\n", None, None, "must be a list of 1 to 4"),
        ("[memory]\ncolour_bits = [13, 14, 15, 16, 17]\n\n", None, None, "a list of 1 to 4"),
        (MEMORY, 'page_color_mode = "deny"', None, 'must be "count" or "refuse", not "deny"'),
        ("", 'page_color_mode = "refuse"', None, "page_color_mode needs colour_bits in [memory]"),
        ('[memory]\npage = "3 KiB"\n\n', None, None, "page must be a power of two"),
        (
            '[memory]\nrate = "51.3 GB/s"\n\n',
            None,
            None,
            "rate must be in 800 MB/s..51.2 GB/s, the rate of the hardware's channel, not \"51.3",
        ),
    ],
)
def test_faults(
    base: str,
    contract_file: File,
    memory: str,
    first: str | None,
    second: str | None,
    message: str,
) -> None:
    path = contract_file(contract(base, memory=memory, first=first, second=second))
    with pytest.raises(ContractError) as caught:
        compile_contract(path, CONFIG)
    assert message in str(caught.value)
    assert str(caught.value).startswith(f"{path}:")


def test_bits_at_the_limits(base: str, contract_file: File) -> None:
    """The lowest bit above a page, and the highest within the memory."""
    memory = '[memory]\nsize = "1 MiB"\ncolour_bits = [12, 19]\n\n'
    compiled = compile_contract(contract_file(contract(base, memory=memory)), CONFIG)
    assert set(compiled.colours.values()) == {0xF}


@pytest.mark.parametrize(("rate", "admitted"), [("17.647059 GB/s", True), ("17.64 GB/s", False)])
def test_the_rate_of_the_memory_is_the_capacity(
    base: str, contract_file: File, rate: str, admitted: bool
) -> None:
    """120 GB/s are 0.85 of eight times 17.647 GB/s."""
    text = contract(base, memory=f'[memory]\nrate = "{rate}"\n\n')
    text = text.replace('"400 GB/s"', '"100 GB/s"').replace("burst_gbps = 160.5", "burst_gbps = 90")
    path = contract_file(text)
    if admitted:
        compiled = compile_contract(path, CONFIG)
        assert compiled.settings.channel.pacer_rate == int(17.647059 / 0.8 * (1 << 16))
        plain = compile_contract(contract_file(base), CONFIG)
        assert (
            explain(compiled).tenants[0].delay_clocks > 2.5 * explain(plain).tenants[0].delay_clocks
        )
        assert compiled.settings.channel.port_credit < plain.settings.channel.port_credit
    else:
        with pytest.raises(ContractError, match=r"the sum of guarantees must be at most 119\.9"):
            compile_contract(path, CONFIG)


@pytest.mark.parametrize(("cost", "admitted"), [("3.352", True), ("3.353", False)])
def test_costs_are_admitted_as_memory_time(
    base: str, contract_file: File, cost: str, admitted: bool
) -> None:
    """214.08 + 40 x 3.352 are the 348.16 GB/s that may be guaranteed."""
    text = base.replace('"2 ms"\n', f'"2 ms"\ncost = {cost}\n').replace("= 80", "= 214.08")
    path = contract_file(text.replace("burst_gbps = 160.5", "burst_gbps = 400"))
    if admitted:
        compiled = compile_contract(path, CONFIG)
        shown = explain(compiled)
        assert shown.shared_rate == pytest.approx(51.2 * 254.08 / 348.16)
        # 9,216 bytes of credit at 64 bytes a clock are 144 clocks, and 2.352 times as many more.
        assert shown.memory_wait_clocks == pytest.approx(144 * 2.352)
        assert compiled.settings.channel.pacer_rate == 64 << 16
    else:
        with pytest.raises(ContractError, match=r"a 40 GB/s at a cost of 3\.353, b 214\.08 GB/s"):
            compile_contract(path, CONFIG)


@pytest.mark.parametrize("cost", ["0.99", "65", "true", '"2"', "nan"])
def test_a_cost_is_a_number_of_at_least_one(base: str, contract_file: File, cost: str) -> None:
    path = contract_file(base.replace('"2 ms"\n', f'"2 ms"\ncost = {cost}\n'))
    with pytest.raises(ContractError, match=r"cost must be a number in 1\.\.64"):
        compile_contract(path, CONFIG)
