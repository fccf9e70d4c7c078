"""The compiler as a whole: golden images, determinism, and contracts nobody wrote."""

import difflib
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import channel_map
from mcos_hw.registers.image import ImageCode
from mcos_policy.compiler import compile_contract
from mcos_policy.diagnostics import ContractError
from mcos_policy.image import unpack, verify, write_image
from mcos_policy.samples import SAMPLES

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize(
    ("contract", "tenants"),
    [
        (SAMPLES["decode-prefill"], 16),
        (GOLDEN / "every-key.toml", 4),
    ],
    ids=["decode-prefill", "every-key"],
)
def test_golden(contract: Path, tenants: int, tmp_path: Path, update_golden: bool) -> None:
    config = ChannelConfig(tenants=tenants)
    compiled = compile_contract(contract, config)
    _, *texts = write_image(
        compiled.image,
        tmp_path / f"{contract.stem}.img",
        config=config,
        origin=compiled.origin,
        names=compiled.names,
    )
    for text in texts:
        golden = GOLDEN / text.name
        if update_golden:
            shutil.copyfile(text, golden)
        difference = difflib.unified_diff(
            golden.read_text().splitlines(keepends=True),
            text.read_text().splitlines(keepends=True),
            str(golden.relative_to(GOLDEN)),
            "compiled",
        )
        assert "".join(difference) == "", "to accept: pytest tests/policy --update-golden"


def test_deterministic(contract_file: Callable[[str], Path], base: str, tmp_path: Path) -> None:
    contents = []
    for run in ("one", "two"):
        compiled = compile_contract(contract_file(base), ChannelConfig())
        files = write_image(
            compiled.image,
            tmp_path / run / "x.img",
            config=compiled.config,
            origin=compiled.origin,
        )
        contents.append([file.read_bytes() for file in files])
    assert contents[0] == contents[1]


def test_origin_does_not_depend_on_the_folder(tmp_path: Path, base: str) -> None:
    origins = []
    for folder in ("one", "two"):
        path = tmp_path / folder / "c.toml"
        path.parent.mkdir()
        path.write_text(base)
        origins.append(compile_contract(path, ChannelConfig()).origin)
    assert origins[0] == origins[1]


ODD = ["0", "-1", "nan", "inf", "true", '""', '"1"', '"1e99 GB/s"', "1e400", "[]", "{}", '"é"']


def _mostly(good: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """A good value most of the time, else something odd."""
    dice = st.integers(0, 30 * len(ODD))
    return st.builds(lambda roll, value: ODD[roll] if roll < len(ODD) else value, dice, good)


def _quoted(low: int, high: int, unit: str) -> st.SearchStrategy[str]:
    return st.integers(1000 * low, 1000 * high).map(lambda milli: f'"{milli / 1000} {unit}"')


def _optional(key: str, value: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(st.just(""), _mostly(value).map(lambda text: f"{key} = {text}\n"))


def _required(key: str, value: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return _mostly(value).map(lambda text: f"{key} = {text}\n")


def _lines(*parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(*parts).map("".join)


SWITCH = st.sampled_from(["true", "false"])
FABRIC = _lines(
    st.just("[fabric]\n"),
    _required("channels", st.sampled_from(["8", "16", "32"])),
    _optional("latency", _quoted(10, 900, "ns")),
    _optional("epoch", _quoted(0, 9999, "us")),
    _optional("depth1", _quoted(0, 99, "ns")),
    _optional("pacer", SWITCH),
    _optional("overcommitted", SWITCH),
    _optional("promotion_interval", st.integers(1, 255).map(str)),
)
TENANT = _lines(
    st.just("[[tenant]]\n"),
    _required("name", st.integers(0, 999).map(lambda number: f'"tenant-{number}"')),
    st.just("[tenant.bandwidth]\n"),
    st.one_of(
        _required("guaranteed", _quoted(1, 90, "GB/s")),
        _required("guaranteed_gbps", st.integers(1, 90).map(str)),
    ),
    _required("burst", _quoted(90, 400, "GB/s")),
    _required("burst_duration", _quoted(0, 4000, "us")),
    _optional("priority", st.integers(0, 15).map(str)),
    _optional("latency_slo", _quoted(1, 50, "us")),
    _optional("age_limit", _quoted(1, 50, "us")),
    _optional("work_conserving", SWITCH),
)
WHOLE = st.tuples(FABRIC, st.lists(TENANT, min_size=1, max_size=5)).map(
    lambda parts: parts[0] + "".join(parts[1])
)
CUT = st.tuples(WHOLE, st.integers(0, 999), st.text(max_size=3)).map(
    lambda parts: parts[0][: parts[1]] + parts[2] + parts[0][parts[1] + 1 :]
)


@pytest.mark.slow
@pytest.mark.parametrize("examples", [500, pytest.param(2000, marks=pytest.mark.soak)])
def test_random_contracts(examples: int, tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    config = ChannelConfig(tenants=4)
    outcomes = {True: 0, False: 0}

    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.one_of(WHOLE, WHOLE, CUT))
    def check(text: str) -> None:
        path.write_bytes(text.encode(errors="surrogatepass"))
        try:
            compiled = compile_contract(path, config)
        except ContractError as error:
            outcomes[False] += 1
            lines = str(error).split("\n")
        else:
            outcomes[True] += 1
            lines = []
            assert verify(compiled.image.words, config) is ImageCode.NONE
            assert unpack(channel_map(config), compiled.image) == compiled.settings
        for line in lines:
            assert line.startswith(f"{path}:")
            assert ": error: " in line or ": warning: " in line

    check()
    assert min(outcomes.values()) >= examples // 20, outcomes
