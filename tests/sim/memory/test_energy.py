"""Energy is that of the commands, each counted once."""

import numpy as np
import pytest

from mcos_sim.memory.hbm import Policy, Refresh, bursts_of, find_preset, serve
from mcos_sim.memory.hbm.constraint import Command
from mcos_sim.memory.hbm.energy import ESSAY_PJ_PER_BYTE, HBM2_ENERGY, energy_of

HBM3 = find_preset("hbm3")


def run(addresses, *, write=False, refresh=Refresh.NONE):
    bursts = bursts_of(np.asarray(addresses), HBM3, size=64, write=write)
    served = serve(bursts, HBM3, Policy(refresh=refresh))
    return bursts, served


def test_one_row_is_opened_once():
    bursts, served = run([0], write=True)
    found = energy_of(served, HBM3, write=bursts["write"], tenants=np.zeros(2, int))
    assert found.activate.tolist() == [828.0]
    assert found.write.tolist() == [1068.0]
    assert found.read.tolist() == [0.0]
    assert found.refresh == 0
    assert found.bytes == 64
    # 66 mW for the time to the second write.
    picoseconds = int(served.completed.max()) * 312.5
    assert found.background == pytest.approx(66e-3 * picoseconds)
    assert found.total == pytest.approx(828 + 1068 + found.background)


def test_a_tenant_that_misses_rows_pays_for_them():
    """Two tenants of the same bytes: one reads along rows, the other jumps about."""
    rng = np.random.default_rng(1)
    count = 4_000
    addresses = np.stack([np.arange(count) * 64, rng.integers(0, 1 << 22, count) * 64 + (1 << 28)])
    tenants = np.repeat(np.tile([0, 1], count), 2)
    bursts, served = run(addresses.T.ravel(), refresh=Refresh.ALL_BANK)
    found = energy_of(served, HBM3, write=bursts["write"], tenants=tenants)
    assert found.read[0] == found.read[1] == count * 804.0
    assert found.activate[1] > 3 * found.activate[0]
    assert found.activate.sum() == pytest.approx(served.commands[Command.ACT] * 828.0)
    assert found.refresh == served.commands[Command.REFAB] * HBM2_ENERGY.refresh_pj
    assert 804 / 64 < found.pj_per_byte < 2 * ESSAY_PJ_PER_BYTE


def test_nothing_moved():
    bursts, served = run(np.zeros(0, int))
    found = energy_of(served, HBM3, write=bursts["write"], tenants=np.zeros(0, int))
    assert (found.total, found.bytes) == (0, 0)
