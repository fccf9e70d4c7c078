"""How near shares come to guarantees, also where some tenants have none."""

import numpy as np
import pytest

from mcos_hw.config import ChannelConfig
from mcos_policy.compiler import Compiled, compile_contract
from mcos_sim.experiments.backlog import share_error
from mcos_sim.scenario import RunResult, TenantResult

CLOCKS = 10_000


def _compiled(tmp_path, *guarantees: int) -> Compiled:
    tenants = "".join(
        f'[[tenant]]\nname = "t{i}"\n[tenant.bandwidth]\nguaranteed = "{each} GB/s"\n'
        f'burst = "40 GB/s"\nburst_duration = "1 us"\n'
        for i, each in enumerate(guarantees)
    )
    path = tmp_path / "c.toml"
    path.write_text(f"[fabric]\nchannels = 1\n{tenants}")
    return compile_contract(path, ChannelConfig(tenants=4))


def _result(*grants: int) -> RunResult:
    def tenant(tag: int, count: int) -> TenantResult:
        granted = np.linspace(CLOCKS // 5, CLOCKS - 1, count).astype(np.int64)
        nothing = np.zeros(count, dtype=np.int64)
        return TenantResult(
            name=str(tag),
            tag=tag,
            sizes=np.full(count, 64, dtype=np.int64),
            offered=nothing,
            taken=nothing,
            granted=granted,
            classes=nothing,
            completed=nothing,
            step_started=nothing,
            step_ended=nothing,
            bytes_granted=64 * count,
        )

    tenants = tuple(tenant(tag, count) for tag, count in enumerate(grants))
    return RunResult(clocks=CLOCKS, tenants=tenants, channels=(), seconds=0.0)


@pytest.mark.parametrize(
    ("guarantees", "grants", "error"),
    [
        ((10, 20), (100, 200), 0),
        ((10, 20), (150, 150), 0.5),
        # Best effort may get anything, and counts for nothing.
        ((10, 20, 0), (100, 200, 1), 0),
        ((10, 20, 0), (100, 200, 500), 0),
        ((0, 0), (100, 100), 0),
        ((0, 0), (150, 50), 0.5),
    ],
)
def test_share_error(guarantees, grants, error, tmp_path):
    counted, found = share_error(_compiled(tmp_path, *guarantees), _result(*grants))
    assert counted == sum(grants)
    assert found == pytest.approx(error, abs=1e-4)
