"""Movement engines in a whole fabric, between managers and memories that nobody here wrote."""

import pytest

from tests.sim.movement.bench import regress

pytestmark = pytest.mark.cocotb


def test_objects_move_between_channels(tmp_path):
    regress(tmp_path, rounds=2)


@pytest.mark.soak
def test_objects_move_for_long(tmp_path):
    regress(tmp_path, rounds=60)
