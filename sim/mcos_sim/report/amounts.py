"""Amounts as sentences write them."""

import math
from collections.abc import Iterable

__all__ = [
    "UNITS",
    "bandwidth",
    "channels_words",
    "duration",
    "enumerated",
    "percent",
    "rounded",
    "span",
    "time_unit",
]


UNITS = {"ns": 1, "µs": 1_000, "ms": 1_000_000, "s": 1_000_000_000}
"""Units of time in nanoseconds."""


def rounded(value: float, digits: int = 3) -> str:
    """A number to a few significant digits, never with a power of ten: ``12,300``, ``1.02``."""
    if not value:
        return "0"
    places = digits - 1 - math.floor(math.log10(abs(value)))
    shown = f"{round(float(value), places):,.{max(places, 0)}f}"
    return shown.rstrip("0").rstrip(".") if "." in shown else shown


def channels_words(count: int) -> str:
    """How many channels: ``1 channel``, ``8 channels``."""
    return f"{count:,} channel{'' if count == 1 else 's'}"


def time_unit(nanoseconds: float) -> str:
    """The largest unit in which a time is at least 1; nanoseconds below."""
    return max(
        (unit for unit, size in UNITS.items() if nanoseconds >= size),
        key=UNITS.__getitem__,
        default="ns",
    )


def duration(clocks: float, clock_khz: int, *, digits: int = 3, with_unit: bool = True) -> str:
    """Clocks as time: ``1.7 µs``.

    Parameters
    ----------
    clocks : float
        How many; at least 0.
    clock_khz : int
        The clock in kHz.
    digits : int
        Significant digits, 3 at most; those before the point are all written.
    with_unit : bool
        Whether to write the unit.
    """
    # Rounded first: 999.9 ns are 1 µs.
    nanoseconds = float(f"{clocks * 1e6 / clock_khz:.3g}")
    unit = time_unit(nanoseconds)
    value = nanoseconds / UNITS[unit]
    number = rounded(value, max(digits, len(f"{value:.0f}")))
    return f"{number} {unit}" if with_unit else number


def span(clocks: Iterable[float], clock_khz: int, *, digits: int = 2) -> str:
    """The least and the largest of some times, once if both read the same: ``50 to 64 µs``."""
    ordered = sorted(clocks)
    least, most = (duration(ordered[end], clock_khz, digits=digits) for end in (0, -1))
    if least == most:
        return most
    number, unit = least.split()
    return f"{number if most.endswith(f' {unit}') else least} to {most}"


def bandwidth(gbps: float) -> str:
    """Bandwidth in 10^9 bytes a second: ``180 GB/s``, ``40.96 GB/s``."""
    return f"{rounded(gbps, 4)} GB/s"


def percent(part: float) -> str:
    """A part of 1 as percent: ``107 %``, ``99.6 %``, ``0.42 %``."""
    return f"{rounded(100 * part)} %"


def enumerated(items: Iterable[str], last: str = "and") -> str:
    """Items in a sentence: ``a, b and c``."""
    *front, end = items
    return f"{', '.join(front)} {last} {end}" if front else end
