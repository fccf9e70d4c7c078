"""What a map of registers refuses, and where an image carries its registers."""

import pytest

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import Access, Field, Register, RegisterMap, channel_map
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
