"""Many runs of the cache: every trace, size and policy, as rows."""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from mcos_sim.residency.accesses import Accesses
from mcos_sim.residency.names import Policy
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
    setting : Setting
        Of the gates.
    """

    traces: Sequence[Accesses]
    blocks: Sequence[int]
    policies: Sequence[Policy]
    setting: Setting

    @property
    def work(self) -> int:
        """Accesses of all runs together."""
        return sum(map(len, self.traces)) * len(self.blocks) * len(self.policies)

    def run(self, on_progress: Callable[[int], None] | None = None) -> Iterator[dict[str, Any]]:
        """Run all of it.

        Parameters
        ----------
        on_progress : Callable or None
            Called with accesses done since the last call.

        Yields
        ------
        dict[str, Any]
            ``trace``, ``blocks``, ``policy``, ``hints``, ``hit_rate``, ``prefix_hit_rate`` and
            ``tenants``, the hit rate of each.
        """
        for accesses in self.traces:
            for blocks in self.blocks:
                for policy in self.policies:
                    outcome = replay(accesses, policy, blocks, setting=self.setting)
                    if on_progress is not None:
                        on_progress(len(accesses))
                    yield {
                        "trace": accesses.name,
                        "blocks": blocks,
                        "policy": str(policy),
                        "hints": "none",
                        "hit_rate": outcome.hit_rate,
                        "prefix_hit_rate": outcome.prefix_hit_rate,
                        "tenants": {
                            str(tenant): rate for tenant, rate in outcome.tenant_rates().items()
                        },
                    }
