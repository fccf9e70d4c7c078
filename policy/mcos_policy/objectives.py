"""Whether a tenant's latency objective is promised, and what the promise is made of.

The bound is for a request that waits behind none of its tenant's own beyond what the guarantee
carries. It supposes the pacer, a memory that answers an idle channel within the contract's latency,
and is derived in docs/fairness.md.
"""

import dataclasses
import enum
import math
from fractions import Fraction

from mcos_hw.config import ChannelConfig
from mcos_policy.bounds import blocked_index, depth1_term
from mcos_policy.contract import Contract
from mcos_policy.quantize import (
    DEFAULT_LATENCY,
    channel_rate,
    clocks,
    default_age_limit,
    memory_wait,
    shared_rate,
    single_class_delay,
    weights,
)

__all__ = [
    "Objective",
    "Verdict",
    "idle_latency",
    "judge",
]


_RESPONSE_CLOCKS = 1
"""From a completion to its response."""

_PACER_CLOCKS = 1
"""The pacer lets one clock's bytes through ahead of its rate; they wait in the memory."""

_AGE_SLACK_ROUNDS = 2
"""Rounds of visits by which the age guard may see a head over its limit too soon."""


class Verdict(enum.Enum):
    """What becomes of a latency objective."""

    HOLDS = "holds"
    """The objective is at or over the bound."""

    NOT_PROMISED = "not promised"
    """The objective is under the bound: it may be missed."""

    IMPOSSIBLE = "impossible"
    """The objective is under what an idle channel takes: it is missed always."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Objective:
    """A tenant's latency objective and the bound of its latency, in clocks.

    Parameters
    ----------
    slo : Fraction or None
        The objective: clocks from first offer to response; None without one.
    idle : Fraction
        What a request takes on an idle channel.
    terms : dict[str, Fraction]
        What the bound is made of, by name; empty for best effort.
    """

    slo: Fraction | None
    idle: Fraction
    terms: dict[str, Fraction]

    @property
    def bound(self) -> Fraction | None:
        """Clocks from first offer to response that no request exceeds; None for best effort.

        The wait in the tenant's own queue is not in it: what its requests in front take at its
        guarantee.
        """
        return sum(self.terms.values(), Fraction(0)) if self.terms else None

    @property
    def verdict(self) -> Verdict | None:
        """What becomes of the objective; None without one."""
        if self.slo is None:
            return None
        if self.slo < self.idle:
            return Verdict.IMPOSSIBLE
        if self.bound is None or self.slo < self.bound:
            return Verdict.NOT_PROMISED
        return Verdict.HOLDS


def judge(contract: Contract, config: ChannelConfig) -> dict[int, Objective]:
    """The objective and the bound of each tenant, by its position in the contract."""
    promises = {position: tenant.bandwidth for position, tenant in contract.tenants.items()}
    shares = weights({key: each.guaranteed for key, each in promises.items()}, config)
    objectives = {}
    for position, promise in promises.items():
        slo = None if promise.latency_slo is None else clocks(promise.latency_slo, config)
        terms = {}
        if promise.guaranteed:
            terms = _terms(contract, config, position, shares.share(position))
        objectives[position] = Objective(slo=slo, idle=idle_latency(contract, config), terms=terms)
    return objectives


def idle_latency(contract: Contract, config: ChannelConfig) -> Fraction:
    """Clocks from offer to response of a longest request that is alone in the channel."""
    return _entry_clocks(config) + _memory_latency(contract, config) + _RESPONSE_CLOCKS


def _entry_clocks(config: ChannelConfig) -> int:
    """From the clock in which a request is taken to the first one in which it is in its queue."""
    return config.intake_clocks + 1


def _memory_latency(contract: Contract, config: ChannelConfig) -> Fraction:
    """Clocks from a grant to its completion by an idle memory.

    Where the contract only gives the port credit, it is what the credit covers.
    """
    fabric = contract.fabric
    if fabric.latency is None and fabric.port_credit is not None:
        return fabric.port_credit / channel_rate(contract, config)
    return clocks(DEFAULT_LATENCY if fabric.latency is None else fabric.latency, config)


def _terms(
    contract: Contract, config: ChannelConfig, position: int, share: Fraction
) -> dict[str, Fraction]:
    """What the bound of a tenant is made of, in clocks."""
    l_max, rate = config.l_max, shared_rate(contract, config)
    others = len(contract.tenants) - 1
    fair = single_class_delay(share, config, rate=rate)
    lower = blocked_index(l_max=l_max, share=share) / (rate * share)
    depth1 = Fraction(0)
    if contract.fabric.depth1:
        depth1 = depth1_term(share=share, others=[l_max] * others) / (rate * share)
    wait = memory_wait(contract, config)
    promotions = _promotions(contract, config, position, fair + lower + depth1 + wait)
    return {
        "ingress": Fraction(others + _entry_clocks(config)),
        "fair queueing": fair,
        "other classes": lower,
        "one request in flight": depth1,
        "promotions": promotions * l_max / rate,
        "memory": (_memory_latency(contract, config) + wait + _PACER_CLOCKS + _RESPONSE_CLOCKS),
    }


def _promotions(contract: Contract, config: ChannelConfig, position: int, delay: Fraction) -> int:
    """Promotions of other tenants in a wait of ``delay`` clocks that has none in it.

    Between two promotions ``promotion_interval - 1`` other grants are made, a clock each at least.
    And a tenant is promoted no sooner than one age limit after its last grant.
    """
    limits = [
        limit for key, limit in _age_limits(contract, config).items() if limit and key != position
    ]
    if not limits:
        return 0
    longest = config.l_max / shared_rate(contract, config)
    between = contract.fabric.promotion_interval - 1
    most = math.floor(delay / between) + 1 if between else None
    promotions = len(limits)
    while most is None or promotions < most:
        waited = delay + promotions * longest
        by_age = sum(math.floor(waited / limit) + 1 for limit in limits)
        if by_age <= promotions:
            return promotions
        promotions = by_age
    return most


def _age_limits(contract: Contract, config: ChannelConfig) -> dict[int, int]:
    """Clocks for which a head of each tenant waits at least before it is promoted; 0 for never."""
    shares = weights(
        {key: each.bandwidth.guaranteed for key, each in contract.tenants.items()}, config
    )
    rate, wait = shared_rate(contract, config), memory_wait(contract, config)
    limits = {}
    for position, tenant in contract.tenants.items():
        age_limit = tenant.bandwidth.age_limit
        if age_limit is None:
            bound = single_class_delay(shares.share(position), config, rate=rate, wait=wait)
            limit = default_age_limit(bound, config)
        else:
            limit = math.ceil(clocks(age_limit, config))
        rounds = limit // config.tenants - _AGE_SLACK_ROUNDS
        limits[position] = max(1, rounds * config.tenants) if limit else 0
    return limits
