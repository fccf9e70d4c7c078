"""Whether a tenant's latency objective is promised, and what the promise is made of.

The bound holds for a request of a tenant that keeps to its guarantee: it waits for at most one
longest request of its own tenant. The pacer must be on, and the memory must answer an idle channel
within the contract's latency. docs/fairness.md derives the bound.
"""

import dataclasses
import enum
from collections.abc import Iterable
from fractions import Fraction

from mcos_hw.config import ChannelConfig
from mcos_policy.contract import Contract
from mcos_policy.quantize import DEFAULT_LATENCY, channel_rate, clocks
from mcos_policy.waits import GrantWait, grant_waits

__all__ = [
    "Objective",
    "Verdict",
    "idle_latency",
    "ingress_clocks",
    "judge",
]


_RESPONSE_CLOCKS = 1
"""From a completion to its response."""

_PACER_CLOCKS = 1
"""The pacer lets one clock's bytes through ahead of its rate; they wait in the memory."""

_MEAN_CLOCKS = 2
"""Clocks that requests of other tenants take on average while one waits at the ingress: 128 B."""


class Verdict(enum.Enum):
    """Whether a latency objective can be kept."""

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
        The objective, from first offer to response; None without one.
    idle : Fraction
        Time from offer to response on an idle channel.
    terms : dict[str, Fraction]
        Parts of the bound by name; empty for best effort.
    wait : GrantWait or None
        The longest wait from the queue to the grant; None for best effort.
    """

    slo: Fraction | None
    idle: Fraction
    terms: dict[str, Fraction]
    wait: GrantWait | None = None

    @property
    def bound(self) -> Fraction | None:
        """Longest time from first offer to response, in clocks; None for best effort.

        It does not include the wait behind the tenant's own earlier requests in its queue.
        """
        return sum(self.terms.values(), Fraction(0)) if self.terms else None

    @property
    def verdict(self) -> Verdict | None:
        """Whether the objective can be kept; None without one."""
        if self.slo is None:
            return None
        if self.slo < self.idle:
            return Verdict.IMPOSSIBLE
        if self.bound is None or self.slo < self.bound:
            return Verdict.NOT_PROMISED
        return Verdict.HOLDS


def judge(
    contract: Contract, config: ChannelConfig, positions: Iterable[int] | None = None
) -> dict[int, Objective]:
    """Objective and bound of each tenant of an admitted contract, by its position.

    Parameters
    ----------
    contract : Contract
        A contract that is admitted: otherwise no bound holds.
    config : ChannelConfig
        The hardware.
    positions : Iterable[int] or None
        Tenants that are asked for; None for all.
    """
    wanted = tuple(contract.tenants if positions is None else positions)
    waits = grant_waits(contract, config, wanted)
    idle = idle_latency(contract, config)
    objectives = {}
    for position in wanted:
        slo = contract.tenants[position].bandwidth.latency_slo
        objectives[position] = Objective(
            slo=None if slo is None else clocks(slo, config),
            idle=idle,
            terms=_terms(contract, config, waits[position]) if position in waits else {},
            wait=waits.get(position),
        )
    return objectives


def idle_latency(contract: Contract, config: ChannelConfig) -> Fraction:
    """Clocks from offer to response of a longest request that is alone in the channel."""
    granted = _queue_clocks(config) + config.first_grant_clocks
    return granted + _memory_latency(contract, config) + _RESPONSE_CLOCKS


def ingress_clocks(tenants: int, config: ChannelConfig) -> Fraction:
    """Longest time from a request's first offer until it is in its queue, in clocks.

    The ingress takes one request a clock, the one that was offered first. Before this one the
    other tenants may have offered enough to fill their queues. Each grant of theirs then makes
    room for one more.

    Parameters
    ----------
    tenants : int
        Tenants of the contract.
    config : ChannelConfig
        Sizes.
    """
    others = (tenants - 1) * config.queue_depth
    if not others:
        return Fraction(_queue_clocks(config))
    ahead = config.bytes_per_clock + config.l_max
    mean = _MEAN_CLOCKS * config.bytes_per_clock
    taken = (others + Fraction(ahead, mean)) / (1 - Fraction(1, _MEAN_CLOCKS))
    return taken + _queue_clocks(config)


def _queue_clocks(config: ChannelConfig) -> int:
    """From the clock in which a request is taken to the first one in which it is in its queue."""
    return config.intake_clocks + 1


def _memory_latency(contract: Contract, config: ChannelConfig) -> Fraction:
    """Clocks from a grant to its completion by an idle memory.

    If the contract gives a port credit and no latency, this is the time that the credit covers.
    """
    fabric = contract.fabric
    if fabric.latency is None and fabric.port_credit is not None:
        return fabric.port_credit / channel_rate(contract, config)
    return clocks(DEFAULT_LATENCY if fabric.latency is None else fabric.latency, config)


def _terms(contract: Contract, config: ChannelConfig, wait: GrantWait) -> dict[str, Fraction]:
    """Parts of a tenant's bound by name, in clocks."""
    answered = _memory_latency(contract, config) + _PACER_CLOCKS + _RESPONSE_CLOCKS
    tokens = {"late tokens": wait.tokens} if wait.tokens else {}
    return {
        "ingress": ingress_clocks(len(contract.tenants), config),
        "fair queueing": wait.fair,
        "other classes": wait.classes,
        **tokens,
        "one request in flight": wait.depth1,
        "promotions": wait.promotions,
        "memory": answered + wait.memory,
    }
