"""What a comparison must reach, and whether it does."""

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any

from mcos_sim.memory.name import MemoryName

__all__ = [
    "Mark",
    "marks",
]


FCFS_OVER_ALONE = 4.0
"""Least slowdown under FCFS, or the workload shows nothing (docs/origins.md: 84 ms over 20)."""

MCOS_OVER_ALONE = {"loaded": 1.05, "saturated": 1.15}
"""Largest slowdown under MCOS by scenario (1.17 in docs/origins.md)."""

MCOS_OVER_ALONE_ON_HBM = 1.15
"""The same where the memory has rows and refresh, in both."""

PREFILL_OF_TARGET = 0.98
"""Least part of its target share that the prefill gets under MCOS."""

UTILISATION_OVER_FCFS = 0.99
"""Least utilisation under MCOS, relative to FCFS."""

SHARE_ERROR = 0.01
"""Largest relative error of a backlogged tenant's share under MCOS (3 % in docs/origins.md)."""

BACKLOGGED_GRANTS = 100_000
"""Fewest grants over which that error is measured."""

DECODER_STEPS = 300
"""Fewest steps of a decoder in any run; fewer say nothing of a 99th percentile."""

PREFILL_ACTIVE = 0.5
"""Least part of the run from the prefill's first grant to its last."""

GUARANTEE_OVER_DEMAND = 1.0
"""Least guarantee of a decoder over what it takes alone, in the scenario ``loaded``."""

ALONE_UTILISATION = (0.70, 0.75)
"""What the decoders alone may use of the channel in the scenario ``loaded``."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Mark:
    """One number of a result against its limit.

    Parameters
    ----------
    scope : str
        Scenario or phase that it belongs to.
    label : str
        What it is.
    value : float
        What was measured.
    limit : float
        What it must reach or keep.
    least : bool
        Whether ``limit`` is the least value that passes; else it is the largest.
    style : str
        How people write it: ``ratio``, ``percent`` or ``count``.
    """

    scope: str
    label: str
    value: float
    limit: float
    least: bool
    style: str = "ratio"

    @property
    def passed(self) -> bool:
        """Whether the value is on the right side of its limit; on it counts."""
        return self.value >= self.limit if self.least else self.value <= self.limit

    @property
    def text(self) -> str:
        """The value as people write it."""
        return self._written(self.value)

    @property
    def rule(self) -> str:
        """The limit as people write it."""
        return f"{'≥' if self.least else '≤'} {self._written(self.limit)}"

    def _written(self, number: float) -> str:
        match self.style:
            case "percent":
                return f"{number:.2%}"
            case "count":
                return f"{number:,}"
            case _:
                return f"{number:.3f}"


def marks(result: Mapping[str, Any]) -> list[Mark]:
    """Marks of a result, in the order in which people read them.

    Parameters
    ----------
    result : Mapping[str, Any]
        Result of a comparison.
    """
    found = []
    simple = result["settings"]["memory"]["name"] == MemoryName.SIMPLE
    for scenario, runs in result["scenarios"].items():
        mark = functools.partial(Mark, scope=scenario)
        ratios = runs["ratios"]
        found += [
            mark(
                label="FCFS p99 / alone",
                value=ratios["fcfs_over_alone"],
                limit=FCFS_OVER_ALONE,
                least=True,
            ),
            mark(
                label="MCOS p99 / alone",
                value=ratios["mcos_over_alone"],
                limit=MCOS_OVER_ALONE[scenario] if simple else MCOS_OVER_ALONE_ON_HBM,
                least=False,
            ),
            mark(
                label="prefill / target",
                value=ratios["prefill_of_target"],
                limit=PREFILL_OF_TARGET,
                least=True,
            ),
            mark(
                label="MCOS / FCFS utilisation",
                value=runs["mcos_utilisation_over_fcfs"],
                limit=UTILISATION_OVER_FCFS,
                least=True,
            ),
            mark(
                label="fewest decoder steps",
                value=runs["honesty"]["fewest_decoder_steps"],
                limit=DECODER_STEPS,
                least=True,
                style="count",
            ),
            mark(
                label="prefill active",
                value=runs["honesty"]["prefill_active"],
                limit=PREFILL_ACTIVE,
                least=True,
                style="percent",
            ),
        ]
        if scenario == "loaded":
            found.append(
                mark(
                    label="guarantee / alone demand",
                    value=runs["honesty"]["guarantee_over_alone_demand"],
                    limit=GUARANTEE_OVER_DEMAND,
                    least=True,
                )
            )
            least, most = ALONE_UTILISATION
            for label, limit in (("alone uses enough", least), ("alone uses no more", most)):
                found.append(
                    mark(
                        label=label,
                        value=runs["honesty"]["alone_utilisation"],
                        limit=limit,
                        least=limit == least,
                        style="percent",
                    )
                )
    backlogged = result["backlogged"]
    mark = functools.partial(Mark, scope="backlogged")
    found += [
        mark(
            label="MCOS share error",
            value=backlogged["max_share_error_mcos"],
            limit=SHARE_ERROR,
            least=False,
            style="percent",
        ),
        mark(
            label="grants",
            value=backlogged["grants"],
            limit=BACKLOGGED_GRANTS,
            least=True,
            style="count",
        ),
    ]
    return found
