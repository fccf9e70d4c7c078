import numpy as np
import pytest

from mcos_hw.config import ChannelConfig
from mcos_sim.errors import UserError
from mcos_sim.traffic.transfer import (
    TRANSFER,
    fragment,
    region_base,
    region_bytes,
    request_beats,
    request_counts,
)

CONFIG = ChannelConfig()


def test_fragments_are_contiguous_and_the_last_is_shorter():
    transfers = np.array([(1, 9, 4096), (0, 4, 0), (0, 1, 64)], TRANSFER)
    assert fragment(transfers, longest=4, config=CONFIG).tolist() == [
        (1, 4, 4096),
        (1, 4, 4096 + 128),
        (1, 1, 4096 + 256),
        (0, 4, 0),
        (0, 1, 64),
    ]
    assert request_counts(transfers["beats"], 4).tolist() == [3, 1, 1]


def test_nothing_becomes_nothing():
    assert len(fragment(np.zeros(0, TRANSFER), longest=4, config=CONFIG)) == 0


def test_regions_fill_the_address_space_without_overlap():
    assert region_base(CONFIG.tenants, CONFIG) == 1 << CONFIG.address_width
    assert region_base(1, CONFIG) == region_bytes(CONFIG)


@pytest.mark.parametrize("request_bytes", [0, -128, 16, 96, 1024])
def test_requests_that_could_cross_4_kib_are_refused(request_bytes):
    with pytest.raises(UserError, match=rf"power of two in 32\.\.512, not {request_bytes}$"):
        request_beats(request_bytes, CONFIG)


def test_request_beats():
    assert [request_beats(size, CONFIG) for size in (32, 128, 512)] == [1, 4, 16]
