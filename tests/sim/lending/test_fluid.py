"""What tenants that favour some channels get of their guarantees, by the fluid."""

import numpy as np
import pytest

from mcos_sim.lending.fluid import Flow, Lending
from mcos_sim.lending.shows import HOT, OTHER, WARM_UP, demands

CHANNELS = 8
INTERVALS = 640


def shares(wanted, *, lends, parts=(HOT, OTHER, OTHER, OTHER)):
    """Of their guarantees, of any class; all but the first tenant want all they can get."""
    everything = np.ones((INTERVALS, CHANNELS))
    flows = [
        Flow(guarantee=part, peak=2 * part, demand=wanted if not i else everything)
        for i, part in enumerate(parts)
    ]
    total, conforming = Lending(channels=CHANNELS, lends=lends).served(flows)
    return (
        total[WARM_UP:].sum(axis=1).mean(axis=0) / CHANNELS / parts,
        conforming[WARM_UP:].sum(axis=1).mean(axis=0) / CHANNELS / parts,
    )


@pytest.mark.parametrize("show", ["skewed", "wandering", "waking"])
def test_everyone_gets_the_guarantee_of_the_whole_fabric(show):
    wanted = demands(CHANNELS, INTERVALS, show=show)
    _, conforming = shares(wanted, lends=True)
    assert (conforming >= 0.98).all()


def test_without_a_coordinator_the_channels_do_not_add_up():
    wanted = demands(CHANNELS, INTERVALS, show="skewed")
    total, conforming = shares(wanted, lends=False)
    assert conforming[0] == pytest.approx(0.25, abs=0.01)
    assert total[0] < 0.5
    assert (conforming[1:] >= 0.98).all()


def test_no_more_is_lent_than_a_channel_admits():
    """With 0.2 on each channel the others leave 0.25 of it, where 0.8 would be needed."""
    parts = (0.2, 0.2, 0.2, 0.2)
    wanted = 2 * demands(CHANNELS, INTERVALS, show="skewed")
    _, conforming = shares(wanted, lends=True, parts=parts)
    assert conforming[0] == pytest.approx(0.25 / 0.8, abs=0.01)
    assert (conforming[1:] >= 0.98).all()
