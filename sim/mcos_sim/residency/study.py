"""Many runs of the cache: every trace, size, policy and kind of hints, as rows."""

import dataclasses
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from mcos_sim.residency.accesses import Accesses
from mcos_sim.residency.hints import Told, told
from mcos_sim.residency.names import HINTED, Hints, Policy
from mcos_sim.residency.replay import Setting, replay

__all__ = [
    "Study",
]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Study:
    """What is run.

    Parameters
    ----------
    traces : Sequence[Accesses]
        Accesses, each with a name of its own.
    blocks : Sequence[int]
        Frames of the cache.
    policies : Sequence[Policy]
        Who leaves.
    hints : Sequence[Hints]
        What clients say; of no effect on policies that look at none.
    setting : Setting
        Of the gates.
    quotas, priorities : Mapping[str, int]
        Frames that are a tenant's alone, and its priority in the others, by its name.
    liar : str or None
        The tenant that lies where one does, None for all; the others then say nothing.
    """

    traces: Sequence[Accesses]
    blocks: Sequence[int]
    policies: Sequence[Policy]
    hints: Sequence[Hints] = (Hints.NONE,)
    setting: Setting = dataclasses.field(default_factory=Setting)
    quotas: Mapping[str, int] = dataclasses.field(default_factory=dict)
    priorities: Mapping[str, int] = dataclasses.field(default_factory=dict)
    liar: str | None = None

    @property
    def runs(self) -> list[tuple[Policy, Hints]]:
        """Policies with the hints that mean something to them."""
        return [
            (policy, hints)
            for policy in self.policies
            for hints in (self.hints if policy in HINTED else (Hints.NONE,))
            if policy not in HINTED or hints in HINTED[policy]
        ]

    @property
    def work(self) -> int:
        """Accesses of all runs together."""
        return sum(map(len, self.traces)) * len(self.blocks) * len(self.runs)

    def run(self, on_progress: Callable[[int], None] | None = None) -> Iterator[dict[str, Any]]:
        """Run all of it.

        Parameters
        ----------
        on_progress : Callable or None
            Called with accesses done since the last call.

        Yields
        ------
        dict[str, Any]
            ``trace``, ``blocks``, ``policy``, ``hints``, ``hit_rate``, ``prefix_hit_rate`` (None
            for the optimum, which is one of single blocks), ``accesses_per_s`` of a core, and
            ``tenants``, the hit rate of each.
        """
        for accesses in self.traces:
            said: dict[Hints, Told] = {}
            for hints in {hints for _, hints in self.runs}:
                liars = None if self.liar is None else frozenset([accesses.names.index(self.liar)])
                said[hints] = told(accesses, hints, seed=self.setting.seed, liars=liars)
            for policy, hints in self.runs:
                # So that compiling does not count as running.
                replay(accesses.head(1), policy, 1, hints=told(accesses.head(1), hints))
            for blocks in self.blocks:
                for policy, hints in self.runs:
                    yield self._row(accesses, blocks, policy, hints, said[hints], on_progress)

    def _row(
        self,
        accesses: Accesses,
        blocks: int,
        policy: Policy,
        hints: Hints,
        said: Told,
        on_progress: Callable[[int], None] | None,
    ) -> dict[str, Any]:
        begun = time.process_time()
        outcome = replay(
            accesses,
            policy,
            blocks,
            setting=self.setting,
            hints=said,
            quotas=_numbered(accesses, self.quotas),
            priorities=_numbered(accesses, self.priorities),
            on_progress=on_progress,
        )
        seconds = time.process_time() - begun
        rates = outcome.tenant_rates()
        return {
            "trace": accesses.name,
            "blocks": blocks,
            "policy": str(policy),
            "hints": str(hints),
            "hit_rate": outcome.hit_rate,
            "prefix_hit_rate": None if policy is Policy.OPTIMUM else outcome.prefix_hit_rate,
            "accesses_per_s": len(accesses) / seconds,
            "tenants": {accesses.names[tenant]: rate for tenant, rate in rates.items()},
        }


def _numbered(accesses: Accesses, by_name: Mapping[str, int]) -> dict[int, int]:
    return {accesses.names.index(name): value for name, value in by_name.items()}
