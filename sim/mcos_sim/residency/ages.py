"""Ages as gates tell them apart: four bins for each doubling."""

import numpy as np

from mcos_sim.compiling import compiled

__all__ = [
    "BINS",
    "OLDEST",
    "age_bin",
    "bin_widths",
    "first_ages",
]


_PARTS_BITS = 2
_PARTS = 1 << _PARTS_BITS

_AGE_BITS = 10

OLDEST = (1 << _AGE_BITS) - 1
"""Largest age that is told from others; what is older counts as this."""

BINS = _PARTS * (_AGE_BITS - _PARTS_BITS + 1)
"""Bins of ages up to :data:`OLDEST`, and one octave that only its carry reaches."""


def _bin(age: int) -> int:
    octave = max(0, (age + _PARTS).bit_length() - _PARTS_BITS - 1)
    return _PARTS * octave + ((age + _PARTS) >> octave & (_PARTS - 1))


_BIN_OF = np.array([_bin(age) for age in range(OLDEST + 1)], np.int64)


@compiled
def age_bin(age):
    """The bin of an age of 0 to :data:`OLDEST` ticks.

    Gates have a priority encoder and a shift for it, compiled code the table of what they give.
    """
    return _BIN_OF[age]


def first_ages() -> np.ndarray:
    """The least age of each bin, and of the one after the last; shape (BINS + 1,), in ticks."""
    bins = np.arange(BINS + 1)
    parts = _PARTS + (bins & (_PARTS - 1))
    return (parts << (bins >> _PARTS_BITS)) - _PARTS


def bin_widths() -> np.ndarray:
    """Ticks in each bin, shape (BINS,)."""
    return np.diff(first_ages())
