"""Images: layout, files, and the loader's decision."""

import json
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import channel_map
from mcos_hw.registers.image import (
    HEADER_WORDS,
    IMAGE_MAGIC,
    IMAGE_VERSION,
    HeaderWord,
    ImageCode,
    Section,
    SectionKind,
)
from mcos_policy.compiler import Compiled, compile_contract
from mcos_policy.image import (
    Image,
    decode,
    encode,
    hardware_of,
    refusal,
    register_words,
    unpack,
    verify,
    write_image,
)

CONFIG = ChannelConfig()
MAP = channel_map(CONFIG)
PLACES = {(register.name, index): place for place, (register, index) in MAP.image_places().items()}
CHANNEL = HEADER_WORDS
"""Where the CHANNEL section begins; those of the tenants follow it."""
TENANT_WORDS = 1 + len(MAP.section(SectionKind.TENANT))


def _tenant(tag: int) -> int:
    """Where a TENANT section begins."""
    return CHANNEL + 1 + len(MAP.section(SectionKind.CHANNEL)) + tag * TENANT_WORDS


@pytest.fixture
def compiled(contract_file: Callable[[str], Path], base: str) -> Compiled:
    return compile_contract(contract_file(base), CONFIG)


def _sealed(words: Iterable[int]) -> list[int]:
    """The words with the length and the checksum that they have."""
    body = list(words)[:-1]
    body[HeaderWord.WORDS] = len(body) + 1
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
    label = int(compiled.origin["sha256"][:8], 16)
    capability = 1 | 16 << 8 | 16 << 16 | 32 << 24
    limits = 512 | 1 << 12 | 3 << 16 | 64 << 20
    header = (IMAGE_MAGIC, IMAGE_VERSION, capability, limits, 800_000, MAP.hash, len(words), label)
    assert words[:HEADER_WORDS] == header
    assert len(words) == MAP.image_length
    assert compiled.image.label == label
    assert words[CHANNEL] == 8 << 16 | 0xFF << 8 | 1
    for tag in range(16):
        assert words[_tenant(tag)] == 9 << 16 | tag << 8 | 2
    assert _tenant(16) == len(words) - 1
    assert compiled.image.crc == zlib.crc32(compiled.image.to_bytes()[:-4])
    assert compiled.image.to_bytes()[:4] == b"MIMG"
    assert words[PLACES["TENANT_MODE", 3]] == 0b1_0011  # priority 1, work conserving, enabled
    assert verify(words, CONFIG) is ImageCode.NONE


def test_decode_and_unpack_invert_encode(compiled: Compiled) -> None:
    image = decode(compiled.image.to_bytes())
    assert image == compiled.image
    assert unpack(MAP, image) == compiled.settings
    assert ChannelConfig(**hardware_of(image)) == CONFIG


def test_sections_of_the_channel_may_come_last(compiled: Compiled) -> None:
    words = compiled.image.words
    turned = _sealed([*words[:CHANNEL], *words[_tenant(0) : -1], *words[CHANNEL : _tenant(0)], 0])
    assert verify(turned, CONFIG) is ImageCode.NONE
    assert unpack(MAP, Image(words=tuple(turned))) == compiled.settings


def test_an_image_of_another_map_is_not_read(compiled: Compiled) -> None:
    with pytest.raises(ValueError, match=r"^an image must have a word for each image register of"):
        register_words(channel_map(ChannelConfig(tenants=8)), compiled.image)


def test_encode_refuses(compiled: Compiled) -> None:
    with pytest.raises(ValueError, match=r"^label must be in 0..2\*\*32 - 1, not 4294967296$"):
        encode(CONFIG, MAP, compiled.settings, 1 << 32)
    small = ChannelConfig(tenants=4)
    with pytest.raises(
        ValueError, match=r"^settings must have one tenant for each of 4 tags, not 16$"
    ):
        encode(small, channel_map(small), compiled.settings, 0)


@pytest.mark.parametrize("size", [0, 32, 35, 37])
def test_decode_refuses(size: int) -> None:
    with pytest.raises(ValueError, match=rf"^an image must be at least 9 words.*, not {size} byt"):
        decode(bytes(size))


@pytest.mark.parametrize(
    ("index", "code"),
    [
        (0, ImageCode.MAGIC),
        (1, ImageCode.VERSION),
        (2, ImageCode.SIZES),
        (3, ImageCode.SIZES),
        (4, ImageCode.CLOCK),
        (5, ImageCode.MAP_HASH),
        (6, ImageCode.WORDS),
        (7, ImageCode.CRC),
        (CHANNEL, ImageCode.SECTION_KIND),
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


def _changed(words: Iterable[int], changes: dict[int, int]) -> list[int]:
    return [changes.get(place, word) for place, word in enumerate(words)]


def _begin(kind: int, index: int, words: int) -> int:
    return Section(kind=kind, index=index, words=words).pack()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({CHANNEL: _begin(1, 0, 8)}, ImageCode.NONE),
        ({CHANNEL: _begin(0, 0xFF, 8)}, ImageCode.SECTION_KIND),
        ({CHANNEL: _begin(3, 0xFF, 8)}, ImageCode.SECTION_KIND),
        ({CHANNEL: _begin(1, 1, 8)}, ImageCode.SECTION_INDEX),
        ({CHANNEL: _begin(1, 0xFF, 7)}, ImageCode.SECTION_WORDS),
        ({CHANNEL: _begin(1, 1, 7)}, ImageCode.SECTION_INDEX),
        ({_tenant(5): _begin(2, 16, 9)}, ImageCode.SECTION_INDEX),
        ({_tenant(5): _begin(2, 0xFF, 9)}, ImageCode.SECTION_INDEX),
        ({_tenant(5): _begin(2, 5, 10)}, ImageCode.SECTION_WORDS),
        ({_tenant(5): _begin(2, 5, 1 << 15 | 9)}, ImageCode.SECTION_WORDS),
        ({_tenant(5): _begin(2, 4, 9)}, ImageCode.REPEATED),
        ({_tenant(5): _begin(2, 0, 9)}, ImageCode.REPEATED),
        ({_tenant(5): _begin(2, 6, 9)}, ImageCode.MISSING),
        ({_tenant(5): _begin(1, 0xFF, 8)}, ImageCode.REPEATED),
    ],
)
def test_verify_sections(compiled: Compiled, changes: dict[int, int], code: ImageCode) -> None:
    assert verify(_sealed(_changed(compiled.image.words, changes)), CONFIG) is code


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (CHANNEL, _tenant(0)),
        (_tenant(3), _tenant(4)),
        (_tenant(15), _tenant(16)),
        (_tenant(16) - 1, _tenant(16)),
        (CHANNEL, _tenant(16)),
    ],
)
def test_verify_what_is_left_out(compiled: Compiled, first: int, last: int) -> None:
    words = _sealed([*compiled.image.words[:first], *compiled.image.words[last:]])
    assert verify(words, CONFIG) is ImageCode.MISSING
    words[-1] ^= 1
    missing = first == _tenant(3)
    assert verify(words, CONFIG) is (ImageCode.MISSING if missing else ImageCode.CRC)


def test_verify_without_checks_of_values(compiled: Compiled) -> None:
    config = ChannelConfig(loader_checks=False)
    words = _with(compiled.image.words, {("MODE", 0): 1 << 31, ("COMMITTED_RATE", 0): FULL})
    assert verify(words, CONFIG) is ImageCode.FIELD
    assert verify(words, config) is ImageCode.NONE
    assert verify(_changed(words, {HeaderWord.CLOCK: 400_000}), config) is ImageCode.CLOCK
    assert verify([*words[:-1], words[-1] ^ 1], config) is ImageCode.CRC


@pytest.mark.parametrize(
    ("sizes", "text"),
    [
        ({"tenants": 8}, "an image must be for the sizes of this hardware: tenants 8, not 16; "),
        (
            {"queue_depth": 8, "lateness": 0},
            "an image must be for the sizes of this hardware: queue_depth 8, not 16; ",
        ),
        ({"lateness": 0}, "an image must be for the sizes of this hardware: lateness 0, not 3; "),
        (
            {"bytes_per_clock": 32},
            "an image must be for the sizes of this hardware: bytes_per_clock 32, not 64; ",
        ),
        (
            {"clock_khz": 250_500},
            "an image must be for this hardware's clock of 250.5 MHz, not 800 MHz; ",
        ),
    ],
)
def test_what_an_image_of_other_hardware_is_told(
    compiled: Compiled, sizes: dict[str, int], text: str
) -> None:
    refused = refusal(compiled.image.words, ChannelConfig(**sizes))
    assert refused is not None
    assert refused.code is (ImageCode.CLOCK if "clock_khz" in sizes else ImageCode.SIZES)
    assert refused.text.startswith(f"{text}compile the contract for this hardware: mcos compile ")


def test_a_value_is_named_when_it_is_refused(compiled: Compiled) -> None:
    refused = refusal(_with(compiled.image.words, {("PORT_CREDIT", 0): 511}), CONFIG)
    assert refused is not None
    assert refused.text == (
        "port_credit must be in 512..524287, not 511; compile the contract again"
    )


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
    for length in (HEADER_WORDS, len(words) + 1):
        assert verify(_changed(words, {HeaderWord.WORDS: length}), CONFIG) is ImageCode.WORDS
    assert verify([], CONFIG) is ImageCode.TRUNCATED
    assert verify(words[:HEADER_WORDS], CONFIG) is ImageCode.TRUNCATED
    assert verify(words[:-1], CONFIG) is ImageCode.TRUNCATED
    assert verify([*words, 0], CONFIG) is ImageCode.OVERLONG
    assert verify([0, *words[1:-1]], CONFIG) is ImageCode.MAGIC


def test_verify_first_broken_word_wins(compiled: Compiled) -> None:
    words = [~word & 0xFFFF_FFFF for word in compiled.image.words]
    order = [
        ImageCode.MAGIC,
        ImageCode.VERSION,
        ImageCode.SIZES,
        ImageCode.SIZES,
        ImageCode.CLOCK,
        ImageCode.MAP_HASH,
        ImageCode.WORDS,
    ]
    for index, code in enumerate(order):
        assert verify(words, CONFIG) is code
        words[index] = compiled.image.words[index]
    assert verify(words, CONFIG) is ImageCode.SECTION_KIND
    words[CHANNEL] = compiled.image.words[CHANNEL]
    assert verify(words, CONFIG) is ImageCode.FIELD


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
