"""What stands around a violation in its waveform: names, settings, and values by clock."""

import dataclasses
from fractions import Fraction

import numpy as np

from mcos_policy.settings import Settings, TenantSettings
from mcos_sim.waves.reading import NO_VALUE, Waveform
from mcos_sim.waves.rules.amounts import amount
from mcos_sim.waves.rules.violation import Violation
from mcos_sim.waves.signals import CLASS_NAMES

__all__ = [
    "Scene",
    "Told",
    "weighed",
]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Told:
    """A violation in words.

    Parameters
    ----------
    value_text, expected_text : str
        What is there and what must be, with units; they differ.
    what : str
        Who, what is there, what must be and why, in one sentence.
    """

    value_text: str
    expected_text: str
    what: str


class Scene:
    """One violation and the clocks around it.

    Parameters
    ----------
    waveform : Waveform
        Where it was found.
    violation : Violation
        The violation.
    """

    def __init__(self, waveform: Waveform, violation: Violation) -> None:
        self.waveform = waveform
        self.config = waveform.config
        self.violation = violation
        self.value = violation.value
        self.expected = violation.expected
        self.tenant = violation.tenant
        self.row = int(np.searchsorted(waveform.clocks, violation.clock))
        self.name = self.name_of(violation.tenant)
        self.other = self.name_of(violation.other)

    def name_of(self, tag: int) -> str:
        """Name of a tenant."""
        return self.waveform.names.get(tag, f"tag {tag}")

    def settings(self, clocks_ago: int = 0) -> Settings:
        """The image that was live so many clocks before."""
        clock = self.violation.clock - clocks_ago
        images = self.waveform.images
        return next((image for since, image in reversed(images) if since <= clock), images[0][1])

    def settings_of_tenant(self, clocks_ago: int = 0) -> TenantSettings:
        """The tenant's settings in that image."""
        return self.settings(clocks_ago).tenants[self.tenant]

    def channel(self, name: str, clocks_ago: int = 0) -> int:
        """A value of the channel so many clocks before."""
        return int(self.waveform.channel[name][max(self.row - clocks_ago, 0)])

    def head(self, name: str, clocks_ago: int = 0, tag: int | None = None) -> int:
        """A value of a tenant's head so many clocks before."""
        column = self.tenant if tag is None else tag
        return int(self.waveform.tenants[name][max(self.row - clocks_ago, 0), column])

    def event(self, name: str, clocks_ago: int = 0) -> int:
        """A member of a port event so many clocks before."""
        return int(self.waveform.events[name][max(self.row - clocks_ago, 0)])

    def granted_bytes(self, clocks_ago: int = 0, tag: int | None = None) -> int:
        """Bytes granted so many clocks before, to one tenant or to anybody."""
        if not self.channel("granted", clocks_ago):
            return 0
        if tag is not None and self.channel("tenant", clocks_ago) != tag:
            return 0
        return self.channel("beats", clocks_ago) * self.config.beat_bytes

    def level(self, value: int) -> Fraction:
        """Bytes of a bucket's level."""
        return Fraction(value, 1 << self.config.rate_fraction)

    def tag(self, value: int) -> str:
        """A tag as a viewer shows it."""
        return f"{value:#x}"

    def distance(self, ahead: int, behind: int) -> Fraction:
        """Bytes over weight from one tag to another on the modular scale, negative if behind it."""
        width = self.config.tag_width
        steps = ahead - behind & (1 << width) - 1
        if steps >> width - 1:
            steps -= 1 << width
        return self.tags(steps)

    def tags(self, steps: int) -> Fraction:
        """Bytes over weight of a difference of tags."""
        return Fraction(steps, 1 << self.config.tag_fraction)

    def apart(self, ahead: int, behind: int) -> str:
        """The distance of two tags without its sign, exact where it is short."""
        return weighed(abs(self.distance(ahead, behind)))

    def class_name(self, code: int) -> str:
        """A class for people; none where there is no grant."""
        return CLASS_NAMES.get(code, "none" if code == NO_VALUE else f"class {code}")


def weighed(value: Fraction) -> str:
    """Bytes over weight, with at least three digits that count."""
    digits = 2
    while value and round(value, digits) == 0:
        digits += 1
    return f"{amount(round(value, digits))} B/weight"
