"""What a map of registers refuses, and where an image carries its registers."""

import pytest

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import Access, Field, Register, RegisterFile, RegisterMap, channel_map
from mcos_hw.registers.image import HEADER_WORDS, SectionKind


def field(**more):
    return Field(name="size", width=4, description="A field.", **more)


def register(name="SIZE", access=Access.IMAGE, *, offset=0, count=1, **more):
    return Register(
        name=name,
        offset=offset,
        access=access,
        fields=(field(**more),),
        description="A register.",
        count=count,
    )


@pytest.mark.parametrize("rule", [{"most": 16}, {"least": 16}, {"least": 3, "most": 2}])
def test_a_rule_has_values_that_fit(rule):
    with pytest.raises(ValueError, match=r"^least and most of field 'size' must rise and fit 4 b"):
        field(**rule)


def test_only_what_an_image_sets_has_a_rule():
    with pytest.raises(ValueError, match=r"^fields of 'SIZE' must have no rule, as no image"):
        register(access=Access.READ, least=1)


def test_arrays_of_an_image_have_one_length():
    with pytest.raises(ValueError, match=r"must have one length, not \[2, 4\]$"):
        RegisterMap(
            name="odd",
            description="A map.",
            registers=(register(count=2), register("OTHER", offset=0x10, count=4)),
            address_width=8,
        )


def test_an_image_carries_the_channel_and_then_each_tenant():
    registers = channel_map(ChannelConfig(tenants=4))
    channel, tenant = (
        registers.section(kind) for kind in (SectionKind.CHANNEL, SectionKind.TENANT)
    )
    places = [None] * HEADER_WORDS
    for rows in ([(each, 0) for each in channel], *([(e, i) for e in tenant] for i in range(4))):
        places += [None, *rows]
    assert registers.image_places() == {
        place: row for place, row in enumerate(places) if row is not None
    }
    assert registers.image_length == len(places) + 1
    assert registers["MAP_HASH"].reset == registers.hash


def parts(**changes):
    register = Register(
        name="WORD",
        offset=4,
        access=Access.READ,
        fields=(Field(name="word", width=32, description="A word."),),
        description="A word.",
        count=2,
    )
    options = {"offset": 256, "stride": 64, "count": 4, "registers": (register,)} | changes
    return RegisterFile(name="PART", description="Parts.", **options)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"stride": 48}, "stride of 'PART' must be a power of two from 4 on, not 48"),
        ({"count": 1}, "count of 'PART' must be a power of two from 2 on, not 1"),
        ({"count": 3}, "count of 'PART' must be a power of two from 2 on, not 3"),
        ({"offset": 128}, "offset of 'PART' must be a multiple of its size, 256, not 128"),
        ({"stride": 8}, "registers of 'PART' must fit the stride, 8 bytes, not 12"),
    ],
)
def test_parts_are_addressed_by_bits(changes, told):
    with pytest.raises(ValueError, match=f"^{told}$"):
        parts(**changes)


def test_a_register_of_a_part_is_at_its_place():
    file = parts()
    assert [file.of("WORD", part).offset for part in range(4)] == [260, 324, 388, 452]
    with pytest.raises(KeyError):
        file.of("NONE", 0)
    with pytest.raises(IndexError, match=r"^part of 'PART' must be below 4, not 4$"):
        file.of("WORD", 4)


def test_a_map_has_its_parts_behind_its_registers_once_in_each_window():
    options = {"name": "map", "description": "Map.", "registers": (parts().of("WORD", 0),)}
    with pytest.raises(ValueError, match=r"^register file 'PART' must start at 0x10c or above"):
        RegisterMap(**options, address_width=10, file=parts())
    moved = parts(offset=512)
    assert RegisterMap(**options, address_width=12, windows=4, file=moved).map_width == 10
    with pytest.raises(ValueError, match=r"^the map must fit 9 address bits, not 0x300$"):
        RegisterMap(**options, address_width=11, windows=4, file=moved)
    alike = RegisterMap(**options, address_width=12, file=parts(offset=1024))
    assert alike.hash != RegisterMap(**options, address_width=12, file=moved).hash
