"""How long a conforming request waits for its grant, whatever the other tenants do.

The derivation is in docs/fairness.md.
"""

import dataclasses
import math
from collections.abc import Iterable
from fractions import Fraction

from mcos_hw.config import ChannelConfig
from mcos_policy.bounds import Other, blocked_index, conforming_wait, depth1_term
from mcos_policy.contract import Contract
from mcos_policy.quantize import (
    age_limit,
    bucket_depth,
    channel_rate,
    guarantees_of,
    memory_wait,
    per_clock,
    shared_rate,
    single_class_delay,
    weights,
)

__all__ = [
    "GrantWait",
    "grant_waits",
]


_AGE_SLACK_ROUNDS = 2
"""Rounds of visits by which the age guard may see a head over its limit too soon."""

_MOST_PROMOTIONS = 10_000
"""In one wait; more leave a tenant without a bound that means anything."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class GrantWait:
    """What a tenant's longest wait from its queue to its grant is made of, in clocks.

    It is that of a request that waits behind none of its own tenant's beyond the guarantee.

    Parameters
    ----------
    fair : Fraction
        Its turn among tenants of its class that are always there.
    classes : Fraction
        What requests of other classes add: those that are already chosen, and those whose class
        changes while it waits.
    tokens : Fraction
        How much later than its tokens its class may come: 0 at line rate.
    depth1 : Fraction
        What the depth-1 rule gives others before it.
    promotions : Fraction
        Age promotions of others.
    memory : Fraction
        For how long the memory may hold up whoever goes first.
    """

    fair: Fraction
    classes: Fraction
    tokens: Fraction
    depth1: Fraction
    promotions: Fraction
    memory: Fraction

    @property
    def total(self) -> Fraction:
        """All of it."""
        return self.fair + self.classes + self.tokens + self.depth1 + self.promotions + self.memory


def grant_waits(
    contract: Contract, config: ChannelConfig, positions: Iterable[int] | None = None
) -> dict[int, GrantWait]:
    """The longest wait of each tenant, or of those at ``positions`` of the contract, by position.

    Tenants that have no bound are left out: those of best effort, all of them without the pacer,
    and those to whom the guarantees of the others leave nothing.
    """
    if not contract.fabric.pacer:
        return {}
    waits = _Waits(contract, config)
    found = {position: waits.of(position) for position in positions or contract.tenants}
    return {position: each for position, each in found.items() if each is not None}


class _Waits:
    def __init__(self, contract: Contract, config: ChannelConfig) -> None:
        self.fabric = contract.fabric
        self.config = config
        self.promises = {
            position: tenant.bandwidth for position, tenant in contract.tenants.items()
        }
        self.shares = weights(guarantees_of(contract), config)
        self.paced = channel_rate(contract, config)
        self.rate = shared_rate(contract, config)
        self.memory = memory_wait(contract, config)
        self.limits = {position: self._age_limit(position) for position in self.promises}

    def of(self, position: int) -> GrantWait | None:
        promise = self.promises[position]
        if promise.best_effort:
            return None
        l_max, share = self.config.l_max, self.shares.share(position)
        fair = single_class_delay(share, self.config, rate=self.rate)
        others = [self._other(key, position) for key in self.promises if key != position]
        depth1 = Fraction(0)
        if self.fabric.depth1:
            index = depth1_term(share=share, others=[l_max] * len(others))
            depth1 = index / (self.rate * share)
        longest = l_max / self.rate
        blocked = Fraction(0)
        if others:
            blocked = blocked_index(l_max=l_max, share=share) / (self.rate * share)
        late = Fraction(self.config.token_lateness)
        blocked += self._missed(position) + late
        promotions, unpromoted = 0, None
        while True:
            waited = conforming_wait(
                fair=fair,
                share=share,
                others=others,
                blocked=blocked + promotions * longest,
                wait=self.memory,
            )
            if waited is None:
                return None
            if unpromoted is None:
                unpromoted = waited
            more = self._promotions(position, waited + self.memory, promotions)
            if more <= promotions:
                break
            if more > _MOST_PROMOTIONS:
                return None
            promotions = more
        return GrantWait(
            fair=fair,
            classes=unpromoted - fair - late - depth1,
            tokens=late,
            depth1=depth1,
            promotions=waited - unpromoted,
            memory=self.memory,
        )

    def _other(self, position: int, waiting: int) -> Other:
        """What a tenant can put before one that waits.

        If tokens are seen late, it had less than a longest request so many clocks ago.
        """
        promise, config = self.promises[position], self.config
        first = self.fabric.overcommitted and promise.priority < self.promises[waiting].priority
        guaranteed = per_clock(promise.guaranteed, self.fabric.channels, config)
        saved: Fraction | int = config.l_max + guaranteed * config.token_lateness
        if first:
            duration = promise.burst_duration
            saved = bucket_depth(promise.guaranteed, duration, self.fabric.channels, config)
        return Other(
            share=self.shares.share(position),
            credit=config.l_max / self.rate if self.fabric.depth1 else Fraction(0),
            saved=saved * promise.cost / self.paced,
            load=guaranteed * promise.cost / self.paced,
            first=first,
        )

    def _missed(self, waiting: int) -> Fraction:
        """Clocks of what others are owed that were on their way while virtual time jumped.

        Alone in its class, tenant k moves virtual time by ``l_max / w_k`` with a request. Who is on
        the way to its queue has its start tag from before, and catches up ``w_j l_max / w_k``. One
        request enters a clock, so that these are as many tenants as the way has clocks.
        """
        others = sorted(self.shares.quantized[key] for key in self.promises if key != waiting)
        if len(others) < 2:
            return Fraction(0)
        late = others[1:][-self.config.untold_heads :]
        return sum(late, Fraction(0)) / others[0] * self.config.l_max / self.rate

    def _promotions(self, position: int, waited: Fraction, promotions: int) -> int:
        """Promotions of others in ``waited`` clocks that have ``promotions`` in them.

        Between two of them ``promotion_interval - 1`` other grants are made, a clock each at least.
        And a tenant is promoted no sooner than one age limit after its last grant.
        """
        limits = [limit for key, limit in self.limits.items() if limit and key != position]
        by_age = sum(math.floor(waited / limit) + 1 for limit in limits)
        between = self.fabric.promotion_interval - 1
        if not between:
            return by_age
        ordinary = waited - promotions * self.config.l_max / self.rate
        return min(by_age, max(0, math.floor(ordinary / between)) + 1)

    def _age_limit(self, position: int) -> int:
        """Clocks for which a head waits at least before it is promoted; 0 for never."""
        share = self.shares.share(position)
        bound = single_class_delay(share, self.config, rate=self.rate, wait=self.memory)
        limit = age_limit(self.promises[position], bound, self.config)
        tenants = self.config.tenants
        return max(1, (limit // tenants - _AGE_SLACK_ROUNDS) * tenants) if limit else 0
