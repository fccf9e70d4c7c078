"""Units that a contract does not have but people write, and their possible meanings."""

import dataclasses
import re
from fractions import Fraction

__all__ = [
    "Meaning",
    "duration_meanings",
    "frequency_meanings",
    "power_meanings",
    "rate_meanings",
    "size_meanings",
]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Meaning:
    """One thing that a unit may mean.

    Parameters
    ----------
    unit : str
        A unit of a contract.
    factor : Fraction
        How many of that unit one foreign unit is.
    condition : str
        When this meaning applies, for a unit with several: "if bits are meant".
    """

    unit: str
    factor: Fraction = Fraction(1)
    condition: str = ""


_PER_SECOND = re.compile(
    r"(?:ps|(?<=b)s|[/_ ]s(?:ec(?:ond)?)?|per *s(?:ec(?:ond)?)?)$", re.IGNORECASE
)
_AMOUNT = re.compile(r"([kmgt]?)(i?)(b|bytes?|bits?|)", re.IGNORECASE)
_DURATION = re.compile(
    r"(m|milli|u|micro|n|nano|p|pico|)(?:s|secs?|seconds?)|(mins?|minutes?|h|hrs?|hours?)",
    re.IGNORECASE,
)
_SECONDS = {"m": "ms", "u": "us", "micro": "us", "n": "ns", "p": "ps"}
"""Units of a duration by their prefix; that of milli is its first letter's, like most."""
_FREQUENCY = re.compile(r"([kmg]|kilo|mega|giga|)(?:hz|hertz)", re.IGNORECASE)
_POWER = re.compile(r"(m|milli|k|kilo|)(?:w|watts?)", re.IGNORECASE)
_BITS_OF_A_BYTE = 8


def rate_meanings(unit: str) -> tuple[Meaning, ...]:
    """What a unit may mean as one of a rate, the likeliest first; none for a word of no unit."""
    return _amounts(_PER_SECOND.sub("", unit), "/s")


def size_meanings(unit: str) -> tuple[Meaning, ...]:
    """The same as a unit of a size."""
    return _amounts(unit, "")


def duration_meanings(unit: str) -> tuple[Meaning, ...]:
    """The same as a unit of a duration."""
    match = _DURATION.fullmatch(unit)
    if match is None:
        return ()
    if match[2] is not None:
        minutes = match[2].lower().startswith("m")
        return (Meaning(unit="s", factor=Fraction(60 if minutes else 3600)),)
    prefix = match[1].lower()
    return (Meaning(unit=_SECONDS.get(prefix) or _SECONDS.get(prefix[:1], "s")),)


def frequency_meanings(unit: str) -> tuple[Meaning, ...]:
    """The same as a unit of a frequency; no clock is in millihertz."""
    match = _FREQUENCY.fullmatch(unit)
    if match is None:
        return ()
    prefix = match[1][:1].upper()
    return (Meaning(unit=f"{'k' if prefix == 'K' else prefix}Hz"),)


def power_meanings(unit: str) -> tuple[Meaning, ...]:
    """What a unit may mean as one of a power; no fabric takes megawatts."""
    match = _POWER.fullmatch(unit)
    return () if match is None else (Meaning(unit=f"{match[1][:1].lower()}W"),)


def _amounts(unit: str, suffix: str) -> tuple[Meaning, ...]:
    """Bytes or bits with a prefix; small letters alone may be bits in a rate only."""
    match = _AMOUNT.fullmatch(unit.rstrip(" _"))
    if match is None or not match[0]:
        return ()
    prefix, binary, noun = match[1].upper(), match[2].lower(), match[3]
    if binary and not prefix:
        return ()
    own = f"{'k' if prefix == 'K' and not binary else prefix}{binary}B{suffix}"
    certain = noun != "b" or match[1].isupper()
    likely = suffix and not binary
    if noun.lower().startswith("bit") or (noun == "b" and (certain or likely)):
        as_bytes = Meaning(unit=own, condition="if bytes are meant")
        eighth = Fraction(1, _BITS_OF_A_BYTE)
        as_bits = Meaning(unit=own, factor=eighth, condition="if bits are meant, eight to a byte")
        return (as_bits, as_bytes) if certain else (as_bytes, as_bits)
    return (Meaning(unit=own),)
