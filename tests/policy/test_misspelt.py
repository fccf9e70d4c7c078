"""Keys, units and tables that are nearly right: the message says what to write."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from mcos_hw.config import ChannelConfig
from mcos_policy.compiler import compile_contract
from mcos_policy.contract import TABLES, validate
from mcos_policy.diagnostics import ContractError
from mcos_policy.keys import declared
from mcos_policy.samples import SAMPLES
from mcos_policy.source import read_source

GBPS = "gbps in a contract's keys means GB/s, bytes, eight times as much as Gbit/s; "
BITS = "if bits are meant, eight to a byte"
BYTES = "if bytes are meant"
RATE, BURST, DURATION = 'guaranteed = "40 GB/s"', 'burst = "400 GB/s"', 'burst_duration = "2 ms"'

KEYS = [
    # A unit that bits may have.
    (
        RATE,
        "guaranteed_Gbps = 800",
        f'{GBPS}write guaranteed = "100 GB/s" {BITS}, or guaranteed = "800 GB/s" {BYTES}',
    ),
    (
        RATE,
        "guaranteed_Mbps = 80e3",
        f'{GBPS}write guaranteed = "10000 MB/s" {BITS}, or guaranteed = "80000 MB/s" {BYTES}',
    ),
    (
        RATE,
        "guaranteed_gbs = 40",
        f'{GBPS}write guaranteed = "40 GB/s" {BYTES}, or guaranteed = "5 GB/s" {BITS}',
    ),
    (
        "channels = 8",
        "channels = 8\n[memory]\nrate_gbps = 51.2",
        f'{GBPS}write rate = "51.2 GB/s" {BYTES}, or rate = "6.4 GB/s" {BITS}',
    ),
    # A unit, and no doubt.
    (RATE, "guaranteed_GBps = 40", 'write guaranteed = "40 GB/s"'),
    (RATE, "Guaranteed_GBPS = 40", 'write guaranteed = "40 GB/s"'),
    (RATE, "guaranteed_GB_s = 40", 'write guaranteed = "40 GB/s"'),
    (RATE, "guaranteed_gibps = 40", 'write guaranteed = "40 GiB/s"'),
    (BURST, "burst_GBps = 40.5", 'write burst = "40.5 GB/s"'),
    (DURATION, "burst_duration_us = 20", 'write burst_duration = "20 us"'),
    (DURATION, "burst_duration_s = 0.001", 'write burst_duration = "0.001 s"'),
    (DURATION, "burst_duration_usec = 20", 'write burst_duration = "20 us"'),
    (DURATION, "duration_us = 20", 'write burst_duration = "20 us"'),
    (DURATION, f"{DURATION}\nlatency_slo_ns = 500", 'write latency_slo = "500 ns"'),
    (DURATION, f"{DURATION}\nlatency_slo_ms = 0.5", 'write latency_slo = "0.5 ms"'),
    (DURATION, f"{DURATION}\nlatency_ns = 500", 'write latency_slo = "500 ns"'),
    (DURATION, f"{DURATION}\nslo_us = 5", 'write latency_slo = "5 us"'),
    (DURATION, f"{DURATION}\nage_limit_us = 5", 'write age_limit = "5 us"'),
    (DURATION, f'{DURATION}\nslo_ns = "5 us"', 'write latency_slo = "5 us"'),
    (DURATION, f"{DURATION}\nlatency_slo_ns = true", 'write latency_slo = "2 ms" or such'),
    ("channels = 8", "channels = 8\nlatency_ns = 180", 'write latency = "180 ns"'),
    ("channels = 8", "channels = 8\nport_credit_bytes = 9216", 'write port_credit = "9216 B"'),
    ("channels = 8", "channels = 8\nport_credit_kib = 9", 'write port_credit = "9 KiB"'),
    # No unit.
    (
        DURATION,
        f"{DURATION}\nlatency_slo_clocks = 5",
        'did you mean latency_slo, a duration such as "2 ms"?',
    ),
    (RATE, "guarantee = 1", "did you mean guaranteed?"),
    (RATE, "guaranteed_gpbs = 1", "did you mean guaranteed_gbps, in GB/s?"),
    (DURATION, f"{DURATION}\nslo = 5", "did you mean latency_slo?"),
    (DURATION, f"{DURATION}\nweight = 5", "remove it"),
    # Another table.
    (DURATION, f"{DURATION}\npage_color = 5", "it belongs under [tenant.placement]"),
    ("channels = 8", 'channels = 8\nrate = "1 GB/s"', "it belongs under [memory]"),
    ("tag = 3", "tag = 3\npriority = 3", "it belongs under [tenant.bandwidth]"),
    ("[fabric]", "[placement]\n[fabric]", "write [tenant.placement]"),
]


def _refused(path: Path) -> str:
    with pytest.raises(ContractError) as caught:
        compile_contract(path, ChannelConfig())
    return str(caught.value)


@pytest.mark.parametrize(("old", "new", "way_out"), KEYS, ids=[new for _, new, _ in KEYS])
def test_a_key_that_is_nearly_right(
    old: str, new: str, way_out: str, base: str, contract_file: Callable[[str], Path]
) -> None:
    assert old in base
    told = _refused(contract_file(base.replace(old, new, 1)))
    assert told.endswith(f"; {way_out}")
    assert "\n" not in told, "a key that is misspelt is not missing too"
    for line in re.findall(r'[a-z_]+ = ".*?"', way_out):
        replaced = new.replace(new.splitlines()[-1], line)
        path = contract_file(base.replace(old, replaced, 1))
        assert validate(read_source(path))[1] == []


def test_every_quantity_is_known_as_one(base: str, contract_file: Callable[[str], Path]) -> None:
    for table, model in TABLES.items():
        for key in declared(model):
            body = f"{table}\n{key} = 1e-300\n"
            text = base.replace(f"{table}\n", body) if table in base else base + body
            told = _refused(contract_file(text))
            if not any(f"must be {kind}" in told for kind in ("a rate", "a size", "a duration")):
                continue
            assert f"not '{key}_clocks'; did you mean {key}, a" in _refused(
                contract_file(text.replace(f"{key} = 1e-300", f"{key}_clocks = 1"))
            )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "[tenant]\n[tenant]\n",
            (
                "2:2: error: several tables must begin with [[tenant]], in double brackets, not "
                "with [tenant]; write [[tenant]] here and on line 1"
            ),
        ),
        (
            "[[tenant]]\nname = 'a'\n[tenant]\nname = 'b'\n",
            (
                "3:2: error: several tables must begin with [[tenant]], in double brackets, not "
                "with [tenant]; write [[tenant]] here and on line 1"
            ),
        ),
        (
            "[tenant]\nname = 'a'\n[[tenant]]\nname = 'b'\n",
            (
                "3:3: error: several tables must begin with [[tenant]], in double brackets, not "
                "with [tenant]; write [[tenant]] here and on line 1"
            ),
        ),
        (
            "[tenant.bandwidth]\n[[tenant]]\n",
            ("1:2: error: [[tenant]] must come before the tables in it; write it before this line"),
        ),
        (
            "[[fabric]]\nchannels = 8\n[[tenant]]\nname = 'a'\nbandwidth = {}\n",
            (
                "1:3: error: [fabric] must be a table, not an array of tables; write [fabric], in "
                "single brackets"
            ),
        ),
        (
            "[fabric]\nlatency = 180 ns\n",
            ('2:15: error: a quantity must be in quotes, not 180 ns; write latency = "180 ns"'),
        ),
        (
            "[fabric]\nlatency = 20 \N{MICRO SIGN}s # short\n",
            (
                "2:14: error: a quantity must be in quotes, not 20 \N{MICRO SIGN}s; write "
                'latency = "20 \N{MICRO SIGN}s"'
            ),
        ),
    ],
)
def test_tables_and_quotes(contract_file: Callable[[str], Path], text: str, message: str) -> None:
    path = contract_file(text)
    assert _refused(path).splitlines()[0] == f"{path}:{message}"


def test_a_key_with_a_unit_that_has_a_quantity(
    base: str, contract_file: Callable[[str], Path]
) -> None:
    told = _refused(
        contract_file(base.replace("guaranteed_gbps = 80", 'guaranteed_gbps = "8 GB/s"'))
    )
    assert told.endswith('not "8 GB/s"; write guaranteed = "8 GB/s"')


def test_samples_are_offered_for_a_missing_file(tmp_path: Path) -> None:
    told = _refused(tmp_path / "mine.toml")
    assert told.endswith(
        "must be a file that exists, not this; correct the path, or name a sample: "
        + ", ".join(SAMPLES)
    )
    told = _refused(tmp_path / "decode-prefil.toml")
    assert told.endswith("correct the path, or did you mean the sample decode-prefill?")
