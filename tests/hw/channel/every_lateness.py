"""Every lateness that a channel is built with: its ends in each run, all in the soak."""

import pytest

__all__ = ["EVERY_LATENESS"]


EVERY_LATENESS = pytest.mark.parametrize(
    "lateness",
    [0, pytest.param(1, marks=pytest.mark.soak), pytest.param(2, marks=pytest.mark.soak), 3],
)
