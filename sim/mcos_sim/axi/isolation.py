"""What a neighbour on another port does to a tenant that keeps to its guarantee."""

import dataclasses
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

from mcos_hw.config import FabricConfig
from mcos_policy.compiler import compile_contract
from mcos_policy.objectives import judge
from mcos_policy.ports import TenantRow
from mcos_policy.quantize import per_clock
from mcos_sim.axi.fabric import image_writes
from mcos_sim.axi.library import Library
from mcos_sim.axi.session import Manager, Soak
from mcos_sim.axi.settings import MemoryHabits, PortHabits, Region
from mcos_sim.axi.soak import run

__all__ = [
    "NEIGHBOURS",
    "Isolation",
    "measure_isolation",
]


_CONTRACT = Path(__file__).with_suffix(".toml")

_CONFORMING, _NEIGHBOUR = 0, 1

_ANYTHING = PortHabits(vary=False, unmapped=0, faulty=0, stray=0, writes=500, length=16)

NEIGHBOURS: Mapping[str, PortHabits] = {
    "nobody": dataclasses.replace(_ANYTHING, window=0),
    "flooder": _ANYTHING,
    "slow writer": dataclasses.replace(_ANYTHING, writes=900, stall_w=960),
    "non-reader": dataclasses.replace(
        _ANYTHING, writes=100, hold_period=12_000, hold_clocks=10_000
    ),
}
"""What the manager of the second port does: asks for nothing, asks for all it can, is slow with W,
takes no R for long stretches."""

_MEMORY = MemoryHabits(
    memory_vary=False,
    memory_latency=20,
    memory_spread=0,
    memory_interleave=False,
    memory_shuffle=False,
)
"""It takes 20 clocks, and a beat a clock in each direction."""

_REGIONS = (Region(base=0x10_0000, size=0x1_0000), Region(base=0x20_0000, size=0x1_0000))

_MOST_CLOCKS = 3_000_000

_ADDRESS_CLOCKS = 6
"""From AR at a port to the channel, and from the channel to AR at the memory port."""

_DATA_CLOCKS = 1 + 5
"""From the last beat at the memory port to R: a register of the memory port, and the read side."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Isolation:
    """Worst latency of the conforming tenant beside each neighbour, in clocks.

    Parameters
    ----------
    bound : float
        Its printed bound: that of the channel, from the first offer to the response, and the
        stages of the port.
    worst : Mapping[str, int]
        From ARVALID to RLAST, by neighbour.
    mean : Mapping[str, float]
        Likewise, the mean.
    neighbour_bytes : Mapping[str, int]
        What the neighbour read and wrote meanwhile.
    faults : int
        Faults of all runs.
    """

    bound: float
    worst: Mapping[str, int]
    mean: Mapping[str, float]
    neighbour_bytes: Mapping[str, int]
    faults: int

    @property
    def kept(self) -> bool:
        """Whether nobody moved the tenant over its bound."""
        return not self.faults and max(self.worst.values()) <= self.bound

    def figures(self) -> dict[str, object]:
        """The keys of a result file's ``port_isolation``."""
        return {
            "bound_clocks": self.bound,
            "worst_clocks": dict(self.worst),
            "mean_clocks": dict(self.mean),
            "neighbour_bytes": dict(self.neighbour_bytes),
        }


def measure_isolation(
    fabric: FabricConfig, library: Library, *, bursts: int, seed: int
) -> Isolation:
    """Runs the conforming tenant beside each neighbour.

    It reads a longest request at a time, with the period of its guarantee.

    Parameters
    ----------
    fabric : FabricConfig
        Two ports in front of a channel of 12.8 GB/s.
    library : Library
        Its library.
    bursts : int
        Reads of the conforming tenant in each run.
    seed : int
        Seed of every run.
    """
    config = fabric.channel
    compiled = compile_contract(_CONTRACT, config)
    rows = [
        TenantRow(
            port=port, row=0, tenant=tag, first=0, last=(1 << fabric.ports[port].id_width) - 1
        )
        for port, tag in enumerate((_CONFORMING, _NEIGHBOUR))
    ]
    writes = image_writes(fabric, compiled.image.words, rows)
    objective = judge(compiled.contract, config)[0]
    assert objective.bound is not None
    rate = per_clock(compiled.contract.tenants[0].bandwidth.guaranteed, 1, config)

    port = fabric.ports[0]
    transfers = config.l_max // port.data_bytes
    conforming = PortHabits(
        budget=bursts,
        writes=0,
        vary=False,
        unmapped=0,
        faulty=0,
        period=int(config.l_max / rate),
        length=transfers,
        size=port.size_limit,
        regions=1,
    )
    # R of a longest request takes a clock for each beat or transfer, whichever are more.
    own = _ADDRESS_CLOCKS + _DATA_CLOCKS + max(transfers, config.max_beats)
    found: dict[str, Soak] = {}
    for name, habits in NEIGHBOURS.items():
        neighbour = dataclasses.replace(habits, size=fabric.ports[1].size_limit, regions=2)
        managers = [
            Manager(ids=range(4), habits=conforming),
            Manager(ids=range(4), habits=neighbour),
        ]
        found[name] = run(
            library,
            managers,
            writes=writes,
            memory=_MEMORY,
            regions=_REGIONS,
            seed=seed,
            most_clocks=_MOST_CLOCKS,
        )
    return Isolation(
        bound=float(objective.bound + Fraction(own)),
        worst={name: each.ports[0].worst_read for name, each in found.items()},
        mean={name: round(each.ports[0].mean_read, 2) for name, each in found.items()},
        neighbour_bytes={
            name: each.ports[1].bytes_read + each.ports[1].bytes_written
            for name, each in found.items()
        },
        faults=sum(each.faults for each in found.values()),
    )
