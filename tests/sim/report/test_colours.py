"""Colours: one for each thing, told apart by everybody."""

import itertools

import numpy as np
import pytest

from mcos_hw.config import ChannelConfig
from mcos_sim.report import colours
from mcos_sim.report.rows import RUNS
from mcos_sim.waves.signals import CLASS_NAMES

EVERY = {
    **colours.ARBITERS,
    **colours.CLASSES,
    "queued": colours.QUEUED,
    "violation": colours.VIOLATION,
    **{f"tenant {place}": colour for place, colour in enumerate(colours.TENANTS)},
}

LEAST_DIFFERENCE = 0.07
"""Distance in Oklab; two colours this far apart are told apart side by side."""

LEAST_CONTRAST = 2.5
"""Of a tenant's line with the white page, by WCAG's formula."""

# Linear sRGB to cone responses, and those to Oklab (Ottosson 2020).
CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
OKLAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def linear(colour: str) -> np.ndarray:
    """Linear sRGB of a colour."""
    encoded = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def difference(one: str, other: str) -> float:
    first, second = (OKLAB @ np.cbrt(CONES @ linear(colour)) for colour in (one, other))
    return float(np.linalg.norm(first - second))


def test_every_thing_has_a_colour():
    assert list(colours.ARBITERS) == list(RUNS)
    assert set(colours.CLASSES) == {*CLASS_NAMES.values(), "none"}
    assert len(colours.TENANTS) == ChannelConfig().tenants


def test_no_two_things_look_alike():
    close = [
        (one, other)
        for one, other in itertools.combinations(EVERY, 2)
        if difference(EVERY[one], EVERY[other]) < LEAST_DIFFERENCE
    ]
    assert close == []


@pytest.mark.parametrize("colour", colours.TENANTS)
def test_a_tenants_line_is_seen_on_a_white_page(colour: str):
    luminance = np.array([0.2126, 0.7152, 0.0722]) @ linear(colour)
    assert 1.05 / (luminance + 0.05) >= LEAST_CONTRAST


def test_colours_of_tenants_repeat_after_all_of_them():
    assert colours.tenant_colour(0) == colours.tenant_colour(len(colours.TENANTS))
    assert colours.tenant_colour(1) == colours.TENANTS[1]
