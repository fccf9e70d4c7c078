"""Contracts and images that went wrong on their way: refused in words, never a traceback."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import channel_map
from mcos_hw.registers.image import ImageCode
from mcos_policy.compiler import compile_contract
from mcos_policy.diagnostics import ContractError
from mcos_policy.image import decode, unpack, verify
from tests.mutation import examples, mutated
from tests.policy.conftest import BASE

CONFIG = ChannelConfig(tenants=4)
RICH = (
    BASE.replace("channels = 8", 'channels = 8\nepoch = "1 ms"\nlatency = "180 ns"\ndepth1 = "0 s"')
    + """\
priority = 0
latency_slo = "1 \N{MICRO SIGN}s"
age_limit = "0 s"
cost = 1.25

[tenant.placement]
page_color = 0x3
page_color_mode = "refuse"

[memory]
rate = "50 GB/s"
stall = "350 ns"
size = "512 MiB"
colour_bits = [13, 14]
"""
)
COUNTS = [300, pytest.param(3_000, marks=pytest.mark.soak)]


@pytest.fixture(scope="module")
def image() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "c.toml")
        path.write_text(BASE, encoding="utf-8")
        return compile_contract(path, CONFIG).image.to_bytes()


@pytest.mark.parametrize("count", COUNTS)
def test_contracts(count: int, tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    outcomes = {True: 0, False: 0}
    path.write_text(RICH, encoding="utf-8")
    compile_contract(path, CONFIG)

    @examples(count)
    @given(mutated(BASE.encode(), RICH.encode()))
    def refused_in_words(content: bytes) -> None:
        path.write_bytes(content)
        try:
            compile_contract(path, CONFIG)
        except ContractError as error:
            told = [str(each) for each in error.diagnostics]
        else:
            told = []
        outcomes[not told] += 1
        for each in told:
            assert each.startswith(f"{path}:")
            assert "\n" not in each

    refused_in_words()
    # Edits within comments, names and numbers leave some good.
    assert min(outcomes.values()) > count // 50


@pytest.mark.parametrize("count", COUNTS)
def test_images(count: int, image: bytes) -> None:
    registers = channel_map(CONFIG)
    codes = set()

    @examples(count)
    @given(mutated(image))
    def judged(content: bytes) -> None:
        try:
            read = decode(content)
        except ValueError:
            codes.add(None)
            return
        code = verify(read.words, CONFIG)
        codes.add(code)
        assert (code is ImageCode.NONE) == (content == image)
        if code is ImageCode.NONE:
            unpack(registers, read)

    judged()
    assert {None, ImageCode.MAGIC, ImageCode.CRC} <= codes
