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


@compiled
def age_bin(age):
    """The bin of an age of 0 to :data:`OLDEST` ticks: a priority encoder and a shift."""
    value = age + _PARTS
    octave = 0
    while value >= 2 * _PARTS:
        value >>= 1
        octave += 1
    return _PARTS * octave + (value & (_PARTS - 1))


def first_ages() -> np.ndarray:
    """The least age of each bin, and of the one after the last; shape (BINS + 1,), in ticks."""
    bins = np.arange(BINS + 1)
    parts = _PARTS + (bins & (_PARTS - 1))
    return (parts << (bins >> _PARTS_BITS)) - _PARTS


def bin_widths() -> np.ndarray:
    """Ticks in each bin, shape (BINS,)."""
    return np.diff(first_ages())
