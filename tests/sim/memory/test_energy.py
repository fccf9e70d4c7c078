"""Energy is that of the commands, each counted once."""

import numpy as np
import pytest

from mcos_sim.memory.hbm import Policy, Refresh, bursts_of, find_preset, serve
from mcos_sim.memory.hbm.constraint import Command
from mcos_sim.memory.hbm.counts import MemoryCounts
from mcos_sim.memory.hbm.energy import ESSAY_PJ_PER_BYTE, HBM2_ENERGY, energy_of

HBM3 = find_preset("hbm3")


def run(addresses, *, write=0, tenants=None, refresh=Refresh.NONE):
    """Requests of 64 B one after the other; what was counted, and the seconds until the last."""
    bursts = bursts_of(np.asarray(addresses), HBM3, size=64, write=bool(write))
    served = serve(bursts, HBM3, Policy(refresh=refresh))
    whose = np.zeros(len(bursts), int) if tenants is None else tenants
    rows = np.zeros((2, 3), dtype=np.int64)
    np.add.at(rows, (whose, served.classes), 1)
    each = rows.sum(axis=1)
    counts = MemoryCounts(
        classes=rows,
        reads=each * (1 - write),
        writes=each * write,
        commands=served.commands,
        burst_bytes=HBM3.burst_bytes,
    )
    return counts, int(served.completed.max(initial=0)) * 312.5e-12


def test_one_row_is_opened_once():
    counts, seconds = run([0], write=1)
    found = energy_of(counts, seconds=seconds)
    assert found.activate.tolist() == [828.0, 0.0]
    assert found.write.tolist() == [1068.0, 0.0]
    assert found.read.tolist() == [0.0, 0.0]
    assert found.refresh == 0
    assert found.bytes == 64
    # 66 mW for the time to the second write.
    assert found.background == pytest.approx(66e-3 * seconds * 1e12)
    assert found.total == pytest.approx(828 + 1068 + found.background)


def test_a_tenant_that_misses_rows_pays_for_them():
    """Two tenants of the same bytes: one reads along rows, the other jumps about."""
    rng = np.random.default_rng(1)
    count = 4_000
    addresses = np.stack([np.arange(count) * 64, rng.integers(0, 1 << 22, count) * 64 + (1 << 28)])
    tenants = np.repeat(np.tile([0, 1], count), 2)
    counts, seconds = run(addresses.T.ravel(), tenants=tenants, refresh=Refresh.ALL_BANK)
    found = energy_of(counts, seconds=seconds)
    assert found.read[0] == found.read[1] == count * 804.0
    assert found.activate[1] > 3 * found.activate[0]
    assert found.activate.sum() == pytest.approx(counts.commands[Command.ACT] * 828.0)
    assert found.refresh == counts.commands[Command.REFAB] * HBM2_ENERGY.refresh_pj
    assert 804 / 64 < found.pj_per_byte < 2 * ESSAY_PJ_PER_BYTE


def test_nothing_moved():
    counts, seconds = run(np.zeros(0, int))
    found = energy_of(counts, seconds=seconds)
    assert (found.total, found.bytes, found.pj_per_byte) == (0, 0, 0)
