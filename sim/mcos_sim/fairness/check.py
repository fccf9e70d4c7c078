"""Bounds of one run, tenant by tenant."""

import dataclasses
from collections.abc import Mapping
from fractions import Fraction

import numpy as np

from mcos_hw.config import ChannelConfig
from mcos_policy.bounds import blocked_index, delay_bound
from mcos_policy.quantize import single_class_index
from mcos_sim.fairness.fluid import worst_lag, worst_lateness
from mcos_sim.scenario import RunResult, TenantResult

__all__ = [
    "TenantBounds",
    "check_bounds",
    "share_errors",
]


@dataclasses.dataclass(frozen=True, kw_only=True)
class TenantBounds:
    """What a tenant was promised and what it got.

    Parameters
    ----------
    tag : int
        Tenant.
    grants : int
        Requests granted.
    wfi_bytes, wfi_bound_bytes : float
        Worst-case fair index in bytes, measured and promised.
    late_clocks, late_bound_clocks : float
        Longest time from a request's fluid finish to its grant, measured and promised.
    """

    tag: int
    grants: int
    wfi_bytes: float
    wfi_bound_bytes: float
    late_clocks: float
    late_bound_clocks: float

    @property
    def wfi_holds(self) -> bool:
        """Whether the fair index is at or under its bound."""
        return self.wfi_bytes <= self.wfi_bound_bytes

    @property
    def delay_holds(self) -> bool:
        """Whether no request was later than its bound."""
        return self.late_clocks <= self.late_bound_clocks


def check_bounds(
    result: RunResult,
    weights: Mapping[int, int],
    config: ChannelConfig,
    *,
    first: int = 0,
    two_classes: bool = False,
) -> list[TenantBounds]:
    """Every tenant of a run against the bounds of docs/fairness.md, with the pacer on.

    Parameters
    ----------
    result : RunResult
        Of any engine.
    weights : Mapping[int, int]
        w_i of every enabled tenant, exact, by tag.
    config : ChannelConfig
        Sizes.
    first : int
        Clock before which nothing is looked at; nobody is backlogged in it.
    two_classes : bool
        Conforming requests meet those of lower classes; see docs/fairness.md.
    """
    clocks, tenants, sizes = _all_grants(result, first)
    total = sum(weights.values())
    rate = config.bytes_per_clock
    rows = []
    for tenant in result.tenants:
        share = Fraction(weights[tenant.tag], total)
        skipped = int(np.searchsorted(tenant.granted, first))
        entered, granted = _entered(tenant, config)[skipped:], tenant.granted[skipped:]
        own = tenant.sizes[skipped:]
        lag, _ = worst_lag(
            clocks, tenants, sizes, entered, granted, tenant.tag, weights[tenant.tag], total
        )
        late, _ = worst_lateness(entered, granted, own, weights[tenant.tag], total, rate)
        # What was served before may still count against a tenant.
        longest = int(tenant.sizes.max(initial=config.beat_bytes))
        index = single_class_index(share, config, longest=longest)
        if two_classes:
            index += blocked_index(l_max=config.l_max, share=share)
        rows.append(
            TenantBounds(
                tag=tenant.tag,
                grants=len(granted),
                wfi_bytes=lag / total,
                wfi_bound_bytes=float(index),
                late_clocks=late / (rate * weights[tenant.tag]),
                late_bound_clocks=float(
                    delay_bound(sigma=0, index=index, share=share, bytes_per_clock=rate)
                ),
            )
        )
    return rows


def _entered(tenant: TenantResult, config: ChannelConfig) -> np.ndarray:
    """Clock from which each request is in its queue."""
    return tenant.taken + (2 if config.steps else 0) + 1


def _all_grants(result: RunResult, first: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Clock, tenant and bytes of every grant from a clock on, in the order of clocks."""
    clocks = np.concatenate([tenant.granted for tenant in result.tenants])
    tags = np.concatenate([np.full(len(t.granted), t.tag) for t in result.tenants])
    sizes = np.concatenate([t.sizes[: len(t.granted)] for t in result.tenants])
    order = np.argsort(clocks, kind="stable")
    order = order[clocks[order] >= first]
    return clocks[order], tags[order], sizes[order]


def share_errors(
    result: RunResult, weights: Mapping[int, float], *, first: int, epoch: int
) -> dict[int, float]:
    """Largest relative error of each tenant's share of the bytes of an epoch, by tag.

    Parameters
    ----------
    result : RunResult
        Of any engine; all tenants are backlogged from clock ``first`` on.
    weights : Mapping[int, float]
        Weights by tag.
    first, epoch : int
        Where the first epoch begins, and its clocks.
    """
    epochs = (result.clocks - first) // epoch
    edges = first + epoch * np.arange(epochs + 1)
    by_tag = {
        tenant.tag: np.histogram(
            tenant.granted, bins=edges, weights=tenant.sizes[: len(tenant.granted)]
        )[0]
        for tenant in result.tenants
    }
    total = np.sum(list(by_tag.values()), axis=0)
    whole = sum(weights[tag] for tag in by_tag)
    return {
        tag: float(np.max(np.abs(granted / total * whole / weights[tag] - 1)))
        for tag, granted in by_tag.items()
    }
