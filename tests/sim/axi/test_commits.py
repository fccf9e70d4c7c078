"""What counts from which generation, while images are committed under full load."""

import dataclasses
import functools

import pytest

from mcos_policy.compiler import compile_contract
from mcos_policy.objectives import judge
from mcos_policy.ports import TenantRow
from mcos_policy.quantize import per_clock
from mcos_sim.axi.commits.generation import generation, random_generation
from mcos_sim.axi.commits.judge import Judge
from mcos_sim.axi.commits.run import run_commits
from mcos_sim.axi.session import Manager
from mcos_sim.axi.settings import MemoryHabits, PortHabits, Region
from mcos_sim.axi.soak import REGIONS
from mcos_sim.axi.steady import ENDLESS
from tests.sim.axi.bugs import COMMIT_BUGS
from tests.sim.axi.fabrics import SPREAD_FABRIC, spread_bug, spread_library

pytestmark = pytest.mark.cocotb


CHANNEL = SPREAD_FABRIC.channel

STEADY, CHANGING = 6, 2
"""IDs of every port that are always of an enabled tenant, and that are so now and then."""

# All sorts of bursts, as fast as they go; and long ones to everywhere, which fill the channels.
ANY = PortHabits(budget=ENDLESS, vary=False, hot=4096)
LONG = PortHabits(budget=ENDLESS, vary=False, length=8, faulty=0, stray=0)
MEMORY = MemoryHabits(memory_vary=False, memory_spread=0)


def soak(commits, *, habits=ANY, move_every=10, seed=1):
    """Random generations, of which one in ``move_every`` has another interleave."""
    managers = [
        Manager(
            ids=range(STEADY),
            unmapped=(STEADY + CHANGING, 15),
            changing=range(STEADY, STEADY + CHANGING),
            habits=dataclasses.replace(habits, size=port.size_limit),
        )
        for port in SPREAD_FABRIC.ports
    ]
    anything = functools.partial(
        random_generation,
        SPREAD_FABRIC,
        steady=STEADY,
        changing=CHANGING,
        colour_bits=(7, 8, 9, 10),
    )
    return run_commits(
        SPREAD_FABRIC,
        spread_library(),
        managers,
        lambda rng, interleave, drains: anything(rng, interleave=interleave, drains=drains),
        commits=commits,
        move_every=move_every,
        memory=MEMORY,
        regions=REGIONS,
        seed=seed,
    )


@pytest.mark.parametrize("habits", [ANY, LONG], ids=["any", "long"])
def test_what_counts_from_which_generation(habits):
    found = soak(100, habits=habits)
    assert not found.first
    assert (found.commits, found.moves) == (100, 10)
    # Each move was refused under load first.
    assert found.not_drained >= 10
    assert found.requests > 10_000
    for port in found.soak.ports:
        assert min(port.reads, port.writes, port.unmapped, port.refused) > 20


@pytest.mark.parametrize("name", COMMIT_BUGS)
def test_a_mistake_in_a_commit_is_seen(name):
    with spread_bug(name):
        found = soak(150, move_every=3)
    assert found.first, f"{name}: nothing was seen"


STEADY_GBPS = 3.2
"""What the tenant is guaranteed that no image changes."""

FABRIC_GBPS = 51.2

OWN_CLOCKS = 6 + (1 + 5 + 1) + 16
"""Of a longest read on its port: address, data, a completion's turn, and its transfers."""


class Contracts:
    """Contracts with a tenant that stays as it is, and others that come and go.

    Parameters
    ----------
    folder : pathlib.Path
        Where they are written.
    """

    def __init__(self, folder):
        self.path = folder / "contract.toml"
        self.bound = 0
        """The longest printed bound of the tenant that stays, in clocks."""

    def next(self, rng, interleave, _):
        """The next generation; the tenants on port 0 are others, too."""
        others = [tag for tag in (1, 2, 3) if rng.random() < 0.7] or [1]
        left = 0.8 * FABRIC_GBPS - STEADY_GBPS
        text = ['[fabric]\nchannels = 4\nlatency = "80 ns"\nepoch = "100 us"\n']
        text.append(self._tenant("steady", 0, STEADY_GBPS, 12.8, 1))
        for tag in others:
            share = round(rng.uniform(0.5, left / len(others)), 1)
            burst = round(rng.uniform(share, FABRIC_GBPS), 1)
            text.append(self._tenant(f"other-{tag}", tag, share, burst, rng.choice((1, 2))))
        self.path.write_text("\n".join(text))
        compiled = compile_contract(self.path, CHANNEL)
        self.bound = max(self.bound, judge(compiled.contract, CHANNEL)[0].bound + OWN_CLOCKS)
        rows = [TenantRow(port=1, row=0, tenant=0, first=0, last=15)]
        for row in (0, 1):
            first = row * STEADY
            tenant = rng.choice(others)
            rows.append(TenantRow(port=0, row=row, tenant=tenant, first=first, last=first + 5))
        return generation(SPREAD_FABRIC, compiled.settings, rows, interleave)

    def _tenant(self, name, tag, guaranteed, burst, duration):
        return (
            f'[[tenant]]\nname = "{name}"\ntag = {tag}\n[tenant.bandwidth]\n'
            f'guaranteed = "{guaranteed} GB/s"\nburst = "{burst} GB/s"\n'
            f'burst_duration = "{duration} us"\n'
        )


def steady_beside(contracts, commits, *, seed=1):
    """A tenant that asks for its guarantee alone, beside a port that asks for all it can."""
    wide, narrow = SPREAD_FABRIC.ports
    asks = PortHabits(
        budget=ENDLESS,
        writes=0,
        vary=False,
        unmapped=0,
        faulty=0,
        period=round(CHANNEL.l_max / per_clock(round(STEADY_GBPS * 10**9), 1, CHANNEL)),
        length=CHANNEL.l_max // narrow.data_bytes,
        size=narrow.size_limit,
        stream=True,
        regions=1,
    )
    # Most of it goes to one channel, which is full then.
    floods = dataclasses.replace(
        LONG, size=wide.size_limit, length=2, unmapped=0, regions=2, favourite=2, favours=800
    )
    return run_commits(
        SPREAD_FABRIC,
        spread_library(),
        [Manager(ids=range(2 * STEADY), habits=floods), Manager(ids=range(4), habits=asks)],
        contracts.next,
        commits=commits,
        move_every=0,
        memory=dataclasses.replace(
            MEMORY, memory_latency=20, memory_interleave=False, memory_shuffle=False
        ),
        regions=(Region(base=0x10_0000, size=0x1_0000), Region(base=0x20_0000, size=0x1_0000)),
        seed=seed,
    )


def test_a_tenant_whose_contract_stays_keeps_its_bound(tmp_path):
    contracts = Contracts(tmp_path)
    found = steady_beside(contracts, 100)
    assert not found.first
    assert found.soak.ports[1].reads > 1_000
    assert found.soak.ports[1].worst_read <= contracts.bound
    # The others are there.
    assert found.soak.ports[0].bytes_read > 100_000


def test_a_bound_that_is_not_kept_is_seen(tmp_path, monkeypatch):
    monkeypatch.setattr(Judge, "_channel", lambda *_: "")
    contracts = Contracts(tmp_path)
    with spread_bug("nobody is served in every other generation"):
        found = steady_beside(contracts, 20)
    assert found.soak.ports[1].worst_read > contracts.bound


@pytest.mark.soak
@pytest.mark.parametrize("habits", [ANY, LONG], ids=["any", "long"])
def test_ten_thousand_commits(habits):
    found = soak(5_000, habits=habits, seed=7)
    assert not found.first
    assert found.commits == 5_000


@pytest.mark.soak
def test_a_bound_beside_two_thousand_commits(tmp_path):
    contracts = Contracts(tmp_path)
    found = steady_beside(contracts, 2_000, seed=7)
    assert not found.first
    assert found.soak.ports[1].worst_read <= contracts.bound
