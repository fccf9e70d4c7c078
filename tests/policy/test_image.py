"""Images: layout, files, and the loader's decision."""

import json
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import channel_map
from mcos_hw.registers.image import HEADER_WORDS, IMAGE_MAGIC, IMAGE_VERSION, ImageCode
from mcos_policy.compiler import Compiled, compile_contract
from mcos_policy.image import decode, encode, unpack, verify, write_image

CONFIG = ChannelConfig()
MAP = channel_map(CONFIG)
PLACES = {
    (register.name, index): HEADER_WORDS + offset
    for offset, (register, index) in enumerate(MAP.image_words())
}


@pytest.fixture
def compiled(contract_file: Callable[[str], Path], base: str) -> Compiled:
    return compile_contract(contract_file(base), CONFIG)


def _sealed(words: Iterable[int]) -> list[int]:
    """The words with a checksum that matches them."""
    body = list(words)[:-1]
    data = b"".join(word.to_bytes(4, "little") for word in body)
    return [*body, zlib.crc32(data)]


def _with(words: Iterable[int], changes: dict[tuple[str, int], int]) -> list[int]:
    """The words with some registers replaced and the checksum made to match."""
    changed = list(words)
    for place, value in changes.items():
        changed[PLACES[place]] = value
    return _sealed(changed)


def test_layout(compiled: Compiled) -> None:
    words = compiled.image.words
    assert words[:4] == (IMAGE_MAGIC, IMAGE_VERSION, MAP.hash, len(words))
    assert len(words) == HEADER_WORDS + MAP.image_length + 1
    assert compiled.image.label == words[4] == int(compiled.origin["sha256"][:8], 16)
    assert compiled.image.crc == zlib.crc32(compiled.image.to_bytes()[:-4])
    assert compiled.image.to_bytes()[:4] == b"MIMG"
    assert words[PLACES["TENANT_MODE", 3]] == 0b1_0011  # priority 1, work conserving, enabled
    assert verify(words, CONFIG) is ImageCode.NONE


def test_decode_and_unpack_invert_encode(compiled: Compiled) -> None:
    image = decode(compiled.image.to_bytes())
    assert image == compiled.image
    assert unpack(MAP, image) == compiled.settings


def test_encode_refuses(compiled: Compiled) -> None:
    with pytest.raises(ValueError, match=r"^label must be in 0..2\*\*32 - 1, not 4294967296$"):
        encode(CONFIG, MAP, compiled.settings, 1 << 32)
    small = ChannelConfig(tenants=4)
    with pytest.raises(
        ValueError, match=r"^settings must have one tenant for each of 4 tags, not 16$"
    ):
        encode(small, channel_map(small), compiled.settings, 0)


@pytest.mark.parametrize("size", [0, 20, 23, 25])
def test_decode_refuses(size: int) -> None:
    with pytest.raises(ValueError, match=rf"^an image must be at least 6 words.*, not {size} byt"):
        decode(bytes(size))


@pytest.mark.parametrize(
    ("index", "code"),
    [
        (0, ImageCode.MAGIC),
        (1, ImageCode.VERSION),
        (2, ImageCode.MAP_HASH),
        (3, ImageCode.WORDS),
        (4, ImageCode.CRC),
        (PLACES["MODE", 0], ImageCode.CRC),
        (-1, ImageCode.CRC),
    ],
)
def test_verify_one_bit(compiled: Compiled, index: int, code: ImageCode) -> None:
    words = list(compiled.image.words)
    words[index] ^= 1
    assert verify(words, CONFIG) is code


def test_verify_refuses_every_single_bit(compiled: Compiled) -> None:
    for index in range(len(compiled.image.words)):
        for bit in range(0, 32, 5):
            words = list(compiled.image.words)
            words[index] ^= 1 << bit
            assert verify(words, CONFIG) is not ImageCode.NONE, (index, bit)


FULL = 64 << 16
ONE = 1 << 24
LIMIT = CONFIG.admissible_rate


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, ImageCode.NONE),
        # A bit outside the register's fields, and the topmost bit inside.
        ({("MODE", 0): 1 << 2}, ImageCode.FIELD),
        ({("PACER_RATE", 0): 1 << 23}, ImageCode.FIELD),
        ({("EPOCH_LENGTH", 0): (1 << 32) - 1}, ImageCode.NONE),
        ({("TENANT_MODE", 3): 0xF3}, ImageCode.NONE),
        ({("TENANT_MODE", 3): 0x103}, ImageCode.FIELD),
        # The sum of guarantees: 0.85 of capacity, and one unit over.
        ({("COMMITTED_RATE", 0): LIMIT - 409_600, ("PEAK_RATE", 0): FULL}, ImageCode.NONE),
        (
            {("COMMITTED_RATE", 0): LIMIT - 409_599, ("PEAK_RATE", 0): FULL},
            ImageCode.OVERSUBSCRIBED,
        ),
        ({("COMMITTED_RATE", 9): LIMIT}, ImageCode.OVERSUBSCRIBED),
        # The sum goes before the fields.
        ({("COMMITTED_RATE", 0): LIMIT, ("PORT_CREDIT", 0): 0}, ImageCode.OVERSUBSCRIBED),
        # An enabled tenant.
        ({("COMMITTED_RATE", 3): 0}, ImageCode.FIELD),
        ({("PEAK_RATE", 3): 409_600}, ImageCode.NONE),
        ({("PEAK_RATE", 3): 409_599}, ImageCode.FIELD),
        ({("COMMITTED_DEPTH", 3): 512}, ImageCode.NONE),
        ({("COMMITTED_DEPTH", 3): 511}, ImageCode.FIELD),
        ({("PEAK_DEPTH", 3): 10_000_000}, ImageCode.NONE),
        ({("PEAK_DEPTH", 3): 9_999_999}, ImageCode.FIELD),
        ({("INVERSE_WEIGHT", 3): 1}, ImageCode.NONE),
        ({("INVERSE_WEIGHT", 3): 0}, ImageCode.FIELD),
        ({("INVERSE_WEIGHT", 3): ONE}, ImageCode.NONE),
        ({("INVERSE_WEIGHT", 3): ONE + 1}, ImageCode.FIELD),
        # A disabled tenant.
        ({("COMMITTED_RATE", 9): 1}, ImageCode.FIELD),
        ({("PEAK_RATE", 9): 1, ("INVERSE_WEIGHT", 9): ONE + 1}, ImageCode.NONE),
        ({("TENANT_MODE", 9): 1}, ImageCode.FIELD),
        # The channel.
        ({("PACER_RATE", 0): FULL}, ImageCode.NONE),
        ({("PACER_RATE", 0): FULL + 1}, ImageCode.FIELD),
        ({("PACER_RATE", 0): 0}, ImageCode.FIELD),
        ({("PACER_RATE", 0): 0, ("MODE", 0): 0}, ImageCode.NONE),
        ({("PORT_CREDIT", 0): 512}, ImageCode.NONE),
        ({("PORT_CREDIT", 0): 511}, ImageCode.FIELD),
        ({("PROMOTION", 0): 1}, ImageCode.NONE),
        ({("PROMOTION", 0): 0}, ImageCode.FIELD),
        ({("INVERSE_TOTAL_WEIGHT", 0): 1 << 28}, ImageCode.NONE),
        ({("INVERSE_TOTAL_WEIGHT", 0): (1 << 28) + 1}, ImageCode.FIELD),
        ({("INVERSE_TOTAL_WEIGHT", 0): 0}, ImageCode.FIELD),
        # No tenant at all.
        (
            {
                ("TENANT_MODE", 0): 0,
                ("TENANT_MODE", 3): 0,
                ("COMMITTED_RATE", 0): 0,
                ("COMMITTED_RATE", 3): 0,
            },
            ImageCode.NONE,
        ),
    ],
)
def test_verify_values(
    compiled: Compiled, changes: dict[tuple[str, int], int], code: ImageCode
) -> None:
    assert verify(_with(compiled.image.words, changes), CONFIG) is code


def test_verify_length(compiled: Compiled) -> None:
    words = list(compiled.image.words)
    assert verify([], CONFIG) is ImageCode.TRUNCATED
    assert verify(words[:-1], CONFIG) is ImageCode.TRUNCATED
    assert verify([*words, 0], CONFIG) is ImageCode.OVERLONG
    assert verify([0, *words[1:-1]], CONFIG) is ImageCode.MAGIC


def test_verify_first_broken_word_wins(compiled: Compiled) -> None:
    words = [~word & 0xFFFF_FFFF for word in compiled.image.words]
    order = [ImageCode.MAGIC, ImageCode.VERSION, ImageCode.MAP_HASH, ImageCode.WORDS]
    for index, code in enumerate(order):
        assert verify(words, CONFIG) is code
        words[index] = compiled.image.words[index]
    assert verify(words, CONFIG) is ImageCode.FIELD


def test_verify_another_size(compiled: Compiled) -> None:
    assert verify(compiled.image.words, ChannelConfig(tenants=8)) is ImageCode.MAP_HASH


def test_write_image(compiled: Compiled, tmp_path: Path) -> None:
    path = tmp_path / "made" / "x.img"
    files = write_image(
        compiled.image, path, config=CONFIG, origin=compiled.origin, names=compiled.names
    )
    assert [file.name for file in files] == ["x.img", "x.img.json", "x.img.hex"]
    assert decode(path.read_bytes()) == compiled.image
    record = json.loads(files[1].read_text())
    assert record["contract"] == compiled.origin
    assert record["config_hash"] == CONFIG.hash
    assert record["map_hash"] == f"0x{MAP.hash:08x}"
    assert record["crc"] == f"0x{compiled.image.crc:08x}"
    assert record["tenants"] == {"0": "b", "3": "a"}
    assert record["registers"]["COMMITTED_RATE"][3] == {"committed_rate": 409_600}
    assert record["registers"]["TENANT_MODE"][0]["enable"] == 1
    lines = files[2].read_text().splitlines()
    assert lines[0].startswith("// Generated from c.toml (sha256 ")
    assert lines[1] == "// To regenerate: mcos compile c.toml --tenants 16 -o IMAGE"
    assert tuple(int(line.split()[0], 16) for line in lines[2:]) == compiled.image.words
