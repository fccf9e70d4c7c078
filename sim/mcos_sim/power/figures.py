"""What the power governor keeps, measured on RTL channels: power, guarantees, time of a cap."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from random import Random

from mcos_hw.config import ChannelConfig, FabricConfig, PortConfig
from mcos_policy.compiler import Compiled, compile_contract
from mcos_policy.power import power_rate
from mcos_sim.power.library import RunningRig
from mcos_sim.power.rig import DEMAND_FRACTION, Rig

__all__ = [
    "CONTRACT",
    "SLOWEST_KHZ",
    "Figures",
    "measure",
]


CONTRACT = Path(__file__).with_name("governed.toml")
"""What is measured."""

SLOWEST_KHZ = 1000
"""The slowest clock that hardware can have; a cap takes as many clocks at any."""

_SMALL = ChannelConfig(tenants=4, queue_depth=4, stamp_width=24)
_PORT = PortConfig(data_bytes=16, read_units=16, write_units=16)

_EPOCH_CLOCKS = 32_768
_CAP_CLOCKS = 3000
"""Clocks that are watched one by one after a cap."""

_OVER = 1.1
"""Demand over the budget by this factor is over it for sure."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Figures:
    """What was measured.

    Parameters
    ----------
    worst_epoch_error : float
        Largest relative difference of an epoch's power from the budget, over the epochs in which
        demand exceeds it. There is no baseline, and demand and budget change with each epoch.
    guarantee_kept : float
        Smallest part of its guarantee that a tenant got that asked for more, in an epoch.
    broadcast_us : float
        From a cap to the clock from which on no more passes than the cap allows from there on, and
        a longest request of each channel; at the slowest clock.
    epochs, counted : int
        Epochs, and those of them in which demand exceeds the budget.
    """

    worst_epoch_error: float
    guarantee_kept: float
    broadcast_us: float
    epochs: int
    counted: int

    def as_mapping(self) -> dict[str, float]:
        """The keys of a result file's ``governor``."""
        names = ("worst_epoch_error", "guarantee_kept", "broadcast_us")
        return {name: getattr(self, name) for name in names}


def measure(*, epochs: int, seed: int) -> Figures:
    """Runs random demands, budgets and caps on the RTL, then a cap under full load.

    Parameters
    ----------
    epochs : int
        Epochs of random demands and rates.
    seed : int
        Seed of them.
    """
    compiled = compile_contract(CONTRACT, _SMALL)
    fabric = FabricConfig(
        channel=compiled.config,
        channels=compiled.contract.fabric.channels,
        ports=(_PORT,),
        power=True,
    )
    with RunningRig(Rig(fabric, compiled.settings)) as rig:
        return _Measurement(compiled, fabric, rig, Random(seed)).figures(epochs)


class _Measurement:
    def __init__(
        self, compiled: Compiled, fabric: FabricConfig, rig: RunningRig, random: Random
    ) -> None:
        self.fabric = fabric
        self.rig = rig
        self.random = random
        self.tenants = compiled.settings.tenants
        self.unit = 1 << fabric.channel.rate_fraction
        self.whole = fabric.channel.bytes_per_clock
        self.guarantees = [each.committed_rate / self.unit for each in self.tenants]
        self.budget = (power_rate(compiled.contract, compiled.config) or 0) / self.unit
        self.passed = [0] * len(self.tenants)

    def figures(self, epochs: int) -> Figures:
        """Everything."""
        errors, kept = [], []
        for _ in range(epochs):
            demands, budget, cap = self._situation()
            rate = min(each for each in (budget, cap) if each is not None)
            got = self._run(_EPOCH_CLOCKS, demands, budget, cap)
            if self._passable(demands) > _OVER * rate:
                errors.append(abs(sum(got) / rate - 1))
            kept += [
                mine / guarantee
                for mine, guarantee, demand in zip(got, self.guarantees, demands, strict=True)
                if guarantee and demand > _OVER * guarantee
            ]
        return Figures(
            worst_epoch_error=max(errors),
            guarantee_kept=min(kept),
            broadcast_us=self._cap_clocks() * 1000 / SLOWEST_KHZ,
            epochs=epochs,
            counted=len(errors),
        )

    def _situation(self) -> tuple[list[float], float, float | None]:
        """Demands, the image's budget and a cap: bytes per clock of each channel."""
        least = 1.02 * sum(self.guarantees)
        rates = [self.random.uniform(least, 0.9 * self.whole) for _ in range(2)]
        demands = [self.random.choice([0, 0.3, 1, 2, 6, self.whole]) for _ in self.tenants]
        return demands, rates[0], rates[1] if self.random.random() < 0.5 else None

    def _passable(self, demands: list[float]) -> float:
        """Bytes per clock that would pass on a channel without a budget."""
        most = [
            self.whole if each.work_conserving else each.peak_rate / self.unit
            for each in self.tenants
        ]
        return min(sum(map(min, demands, most)), self.whole)

    def _run(
        self, clocks: int, demands: list[float], budget: float, cap: float | None
    ) -> list[float]:
        """Bytes per clock of each channel that each tenant got."""
        inputs = {
            f"demand_{i}": int(demand * (1 << DEMAND_FRACTION)) for i, demand in enumerate(demands)
        }
        inputs |= {
            "enable": 1,
            "budget": int(budget * self.unit),
            "cap_valid": int(cap is not None),
            "cap_rate": int((cap or 0) * self.unit),
        }
        before, self.passed = self.passed, _passed(self.rig.run(clocks, **inputs))
        each = clocks * self.fabric.channels
        return [(now - then) / each for now, then in zip(self.passed, before, strict=True)]

    def _cap_clocks(self) -> int:
        """Clocks from a cap under full load, at its clock full of saved bursts, until it holds.

        One tenant has slept until then. The cap leaves little beside the guarantees, whose buckets
        are empty.
        """
        asleep = [0.0 if each.committed_rate == 0 else self.whole for each in self.tenants]
        cap = 1.1 * sum(self.guarantees)
        self._run(_EPOCH_CLOCKS, asleep, self.whole, None)
        awake = [float(self.whole)] * len(self.tenants)
        ahead, leads = 0.0, []
        for _ in range(_CAP_CLOCKS):
            got = self._run(1, awake, self.whole, cap)
            ahead += (sum(got) - cap) * self.fabric.channels
            leads.append(ahead)
        slack = self.fabric.channel.l_max * self.fabric.channels
        return next(k for k, lead in enumerate(leads) if max(leads[k:]) <= lead + slack)


def _passed(outputs: Mapping[str, int]) -> list[int]:
    """Bytes of each tenant since reset."""
    return [outputs[f"bytes_{i}"] for i in range(sum(n.startswith("bytes_") for n in outputs))]
