"""Faulty contracts: the whole message of each, and all of them in one go."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mcos_hw.config import ChannelConfig
from mcos_policy.compiler import compile_contract
from mcos_policy.diagnostics import ContractError

CONFIG = ChannelConfig()
RATES = "B/s, kB/s, MB/s, GB/s, TB/s, KiB/s, MiB/s, GiB/s, TiB/s"
FABRIC_KEYS = (
    "channels, coordinator, depth1, epoch, interleave, latency, overcommitted, pacer, "
    "port_credit, promotion_interval"
)
BANDWIDTH_KEYS = (
    "age_limit, burst, burst_duration, burst_duration_ms, burst_gbps, cost, guaranteed, "
    "guaranteed_gbps, latency_slo, latency_slo_us, priority, work_conserving"
)

FAULTS = [
    # Keys.
    (
        "channels = 8",
        "channels = 8\nchanels = 4",
        (
            f"3:1: error: a key of [fabric] must be one of {FABRIC_KEYS}, not 'chanels'; "
            "did you mean channels?"
        ),
    ),
    (
        "[fabric]",
        "colour = 3\n[fabric]",
        (
            "1:1: error: a key of a contract must be one of fabric, hardware, memory, power, "
            "tenant, not 'colour'; remove it"
        ),
    ),
    (
        "tag = 3",
        "tags = 3",
        (
            "6:1: error: a key of [[tenant]] must be one of bandwidth, name, placement, port, tag, "
            "not 'tags'; "
            "did you mean tag?"
        ),
    ),
    (
        'burst_duration = "2 ms"',
        'burst_duration = "2 ms"\n"x y" = 1',
        (
            f"12:1: error: a key of [tenant.bandwidth] must be one of {BANDWIDTH_KEYS}, not 'x y'; "
            "remove it"
        ),
    ),
    (
        "guaranteed_gbps = 80",
        "guaranteed_gbps = 80\nguaranteed_Gbps = 80",
        (
            f"18:1: error: a key of [tenant.bandwidth] must be one of {BANDWIDTH_KEYS}, not "
            "'guaranteed_Gbps'; gbps in a contract's keys means GB/s, bytes, eight times as much "
            'as Gbit/s; write guaranteed = "10 GB/s" if bits are meant, eight to a byte, or '
            'guaranteed = "80 GB/s" if bytes are meant'
        ),
    ),
    (
        "channels = 8",
        "",
        "1:2: error: [fabric] must have the key channels; add it",
    ),
    (
        'name = "a"\n',
        "",
        "4:3: error: [[tenant]] must have the key name; add it",
    ),
    (
        'guaranteed = "40 GB/s"\n',
        "",
        "8:2: error: [tenant.bandwidth] must have the key guaranteed or guaranteed_gbps; add it",
    ),
    (
        "guaranteed_gbps = 80",
        'guaranteed_gbps = 80\nguaranteed = "80 GB/s"',
        (
            "17:1: error: [tenant.bandwidth] must have guaranteed or guaranteed_gbps, not both; "
            "remove one"
        ),
    ),
    (
        "[[tenant]]\nname",
        '[[tenant]]\nplacement = {hbm_quota = "8 GiB"}\nname',
        (
            "5:14: error: hbm_quota needs colour_bits in [memory], the address bits that make a "
            "colour; add them or remove hbm_quota"
        ),
    ),
    # Tables.
    (
        "[fabric]\nchannels = 8",
        "fabric = 8",
        "1:10: error: [fabric] must be a table, not 8; give it keys",
    ),
    (
        "[fabric]\nchannels = 8",
        "",
        "1:1: error: a contract must have the key fabric; add it",
    ),
    # Values.
    (
        "channels = 8",
        "channels = 0",
        (
            "2:12: error: channels must be an integer in 1..1024, not 0; "
            "write a whole number without quotes"
        ),
    ),
    (
        "channels = 8",
        "channels = 8.0",
        (
            "2:12: error: channels must be an integer in 1..1024, not 8.0; "
            "write a whole number without quotes"
        ),
    ),
    (
        "channels = 8",
        "channels = 1025",
        (
            "2:12: error: channels must be an integer in 1..1024, not 1025; "
            "write a whole number without quotes"
        ),
    ),
    (
        "channels = 8",
        'channels = 8\npacer = "yes"',
        '3:9: error: pacer must be true or false, not "yes"; write one of them without quotes',
    ),
    (
        "channels = 8",
        'channels = 8\nport_credit = "1000.5 B"',
        '3:15: error: port_credit must be a whole number of bytes, not "1000.5 B"; round it',
    ),
    (
        "channels = 8",
        "channels = 8\npromotion_interval = 0",
        (
            "3:22: error: promotion_interval must be an integer of at least 1, not 0; "
            "write a whole number without quotes"
        ),
    ),
    (
        'name = "a"',
        'name = "A"',
        (
            '5:8: error: name must be 1 to 32 of the characters a-z, 0-9 and -, not "A"; '
            "rename the tenant"
        ),
    ),
    (
        "tag = 3",
        "tag = -1",
        (
            "6:7: error: tag must be an integer of at least 0, not -1; "
            "write a whole number without quotes"
        ),
    ),
    (
        "burst_gbps = 160.5",
        "burst_gbps = 160.5\npriority = 16",
        (
            "19:12: error: priority must be an integer in 0..15, not 16; "
            "write a whole number without quotes"
        ),
    ),
    # Quantities.
    (
        '"40 GB/s"',
        '"40 Gb/s"',
        (
            '9:14: error: guaranteed must be a rate such as "120 GB/s", not "40 Gb/s"; '
            'write "5 GB/s" if bits are meant, eight to a byte, or "40 GB/s" if bytes are meant'
        ),
    ),
    (
        '"40 GB/s"',
        "40",
        (
            '9:14: error: guaranteed must be a rate such as "120 GB/s", not 40; '
            f'write "40 GB/s", in quotes, or another of the units {RATES}'
        ),
    ),
    (
        '"40 GB/s"',
        '"nan GB/s"',
        (
            '9:14: error: guaranteed must be a rate such as "120 GB/s", not "nan GB/s"; '
            f"write a finite number and one of the units {RATES}"
        ),
    ),
    (
        '"2 ms"',
        '"0 ms"',
        '11:18: error: burst_duration must be over 0, not "0 ms"; write a duration such as "2 ms"',
    ),
    (
        '"40 GB/s"',
        '"-40 GB/s"',
        (
            '9:14: error: guaranteed must be at least 0, not "-40 GB/s"; write a rate such as '
            '"120 GB/s"'
        ),
    ),
    (
        '"2 ms"',
        '"2 GB/s"',
        (
            '11:18: error: burst_duration must be a duration such as "2 ms", not "2 GB/s"; '
            "use one of the units ps, ns, us, ms, s"
        ),
    ),
    (
        "guaranteed_gbps = 80",
        "guaranteed_gbps = nan",
        (
            "17:19: error: guaranteed_gbps must be a finite number of GB/s, not nan; "
            "write it without quotes, or use the key without a unit"
        ),
    ),
    (
        "guaranteed_gbps = 80",
        'guaranteed_gbps = "80"',
        (
            '17:19: error: guaranteed_gbps must be a finite number of GB/s, not "80"; '
            "write it without quotes, or use the key without a unit"
        ),
    ),
    (
        "burst_gbps = 160.5",
        "burst_gbps = inf",
        (
            "18:14: error: burst_gbps must be a finite number of GB/s, not inf; "
            "write it without quotes, or use the key without a unit"
        ),
    ),
]


@pytest.mark.parametrize(("old", "new", "message"), FAULTS)
def test_fault(
    contract_file: Callable[[str], Path], base: str, old: str, new: str, message: str
) -> None:
    assert old in base
    path = contract_file(base.replace(old, new, 1))
    with pytest.raises(ContractError) as caught:
        compile_contract(path, CONFIG)
    assert str(caught.value) == f"{path}:{message}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "[fabric]\nchannels = 1\n",
            "1:1: error: a contract must have the key tenant; add it",
        ),
        (
            "tenant = []\n[fabric]\nchannels = 1\n",
            (
                "1:10: error: [[tenant]] must be an array of at least one table, not []; "
                "begin each tenant with [[tenant]]"
            ),
        ),
        (
            '[fabric]\nchannels = 1\n[tenant]\nname = "a"\n',
            (
                "3:2: error: [[tenant]] must be an array of at least one table, not a table; "
                "begin each tenant with [[tenant]], in double brackets"
            ),
        ),
        (
            "tenant = [7]\n[fabric]\nchannels = 1\n",
            "1:11: error: [[tenant]] must be a table, not 7; give it keys",
        ),
        (
            '[fabric]\nchannels = 1\n[[tenant]]\nname = "a"\nbandwidth = 3\n',
            "5:13: error: [tenant.bandwidth] must be a table, not 3; give it keys",
        ),
    ],
)
def test_tenant_tables(contract_file: Callable[[str], Path], text: str, message: str) -> None:
    path = contract_file(text)
    with pytest.raises(ContractError) as caught:
        compile_contract(path, CONFIG)
    assert str(caught.value) == f"{path}:{message}"


def test_all_errors_in_one_go(contract_file: Callable[[str], Path], base: str) -> None:
    text = base.replace("channels = 8", 'channels = 8\nepoch = "1 h"\nextra = 1')
    text = text.replace("tag = 3", 'tag = "3"')  # the tenant's other keys are still checked
    text = text.replace('"400 GB/s"', '"39 GB/s"')
    text = text.replace("= 80", "= 9000\nguarantee = 1")
    path = contract_file(text)
    with pytest.raises(ContractError) as caught:
        compile_contract(path, CONFIG)
    places = [each.origin.order for each in caught.value.diagnostics]
    assert places == [(3, 9), (4, 1), (8, 7), (12, 9), (19, 19), (20, 1), (21, 14)]


def test_essay_spellings_mean_the_same(contract_file: Callable[[str], Path], base: str) -> None:
    plain = base.replace("guaranteed_gbps = 80", 'guaranteed = "80 GB/s"')
    plain = plain.replace("burst_gbps = 160.5", 'burst = "160.5 GB/s"')
    plain = plain.replace("burst_duration_ms = 1.5", 'burst_duration = "1.5 ms"')
    essay = compile_contract(contract_file(base + "latency_slo_us = 25\n"), CONFIG)
    united = compile_contract(contract_file(plain + 'latency_slo = "25 us"\n'), CONFIG)
    assert essay.settings == united.settings


@pytest.mark.parametrize(
    ("given", "tags"),
    [
        ([None, None, None], [0, 1, 2]),
        ([2, None, 0], [2, 1, 0]),
        ([None, 0, None], [1, 0, 2]),
        ([15, None, 14], [15, 0, 14]),
    ],
)
def test_tags(
    contract_file: Callable[[str], Path], given: list[int | None], tags: list[int]
) -> None:
    text = "[fabric]\nchannels = 8\n"
    for name, tag in zip("abc", given, strict=True):
        text += f'[[tenant]]\nname = "{name}"\n'
        text += "" if tag is None else f"tag = {tag}\n"
        text += 'bandwidth = {guaranteed = "1 GB/s", burst = "2 GB/s", burst_duration_ms = 1}\n'
    contract = compile_contract(contract_file(text), CONFIG).contract
    assert list(contract.tags().values()) == tags


def faults(count: int) -> str:
    return "[fabric]\nchannels = 1\n" + "\n".join(f"k{k} = 1" for k in range(count)) + "\n"


@pytest.mark.parametrize(("count", "shown", "last"), [(49, 50, "k48"), (50, 51, "and 1 more; ")])
def test_no_more_than_people_read_are_shown(
    contract_file: Callable[[str], Path], count: int, shown: int, last: str
) -> None:
    """One more fault is that there is no tenant."""
    with pytest.raises(ContractError) as caught:
        compile_contract(contract_file(faults(count)), CONFIG)
    told = [each.text for each in caught.value.diagnostics]
    assert len(told) == shown
    assert last in told[-1]


MANY = {
    "lines": faults(9_000),
    "one line": "fabric = {channels = 1}\ntenant = ["
    + ", ".join(
        f'{{name = "\N{LATIN SMALL LETTER E WITH ACUTE}{k}", x{k} = 1}}' for k in range(9_000)
    )
    + "]\n",
    "keys again": "[fabric]\nchannels = 1\n" + "pacer = 1\n" * 9_000,
    "tenants": "[fabric]\nchannels = 1\n"
    + "[[tenant]]\nname = 'a'\ntag = 1\nbandwidth = {guaranteed = '1 B/s', burst = '1 kB/s', "
    "burst_duration = '1 us'}\n" * 9_000,
}


@pytest.mark.parametrize("text", MANY.values(), ids=MANY)
def test_9000_faults_take_seconds(contract_file: Callable[[str], Path], text: str) -> None:
    begun = time.process_time()
    with pytest.raises(ContractError) as caught:
        compile_contract(contract_file(text), CONFIG)
    assert time.process_time() - begun < 10
    assert len(str(caught.value)) < 20_000


def test_a_traffic_file_is_known(contract_file: Callable[[str], Path]) -> None:
    path = contract_file('[traffic.chat]\npattern = "idle"\n')
    with pytest.raises(ContractError) as caught:
        compile_contract(path, CONFIG)
    (told,) = [each.text for each in caught.value.diagnostics]
    assert told.endswith(
        "this is a traffic file; give it to mcos run with --traffic, behind its contract"
    )
    with pytest.raises(ContractError, match="a key of a contract must be one of"):
        compile_contract(contract_file("[traffic]\n[fabric]\nchannels = 8\n"), CONFIG)
