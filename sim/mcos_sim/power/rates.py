"""A fabric at the level of rates, under rules by which a power governor could work.

Time goes in steps. In each, tenants have tokens and backlogs, and the channels pass conforming
bytes, then bursts, then what is scavenged, as far as their rate goes. It tells rules apart in a
second; what the chosen one does on RTL, :mod:`mcos_sim.power.figures` measures.
"""

import dataclasses
import enum

import numpy as np

__all__ = [
    "Outcome",
    "RateTenants",
    "Rule",
    "simulate",
]


class Rule(enum.Enum):
    """How a governor holds a budget."""

    ACCOUNT = "account"
    """An account says whose priority is open; a closed tenant bursts and scavenges no more."""
    SAVED = "account, saved bursts pass"
    """The same, but a closed tenant keeps what its peak bucket holds."""
    SHARES = "shares of contracts"
    """Each interval deals what the budget leaves out by priority, up to each contract's peak."""
    USED = "shares of what was used"
    """The same, less what the interval before did not use of them, which the next one gets."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class RateTenants:
    """Tenants of a fabric, an element each; rates in parts of the fabric's rate.

    Parameters
    ----------
    committed, peak : numpy.ndarray
        Rates.
    duration : float
        Clocks for which a full bucket lasts.
    priority : numpy.ndarray
        0 is highest.
    work_conserving : numpy.ndarray
        Whether each scavenges.
    """

    committed: np.ndarray
    peak: np.ndarray
    duration: float
    priority: np.ndarray
    work_conserving: np.ndarray


@dataclasses.dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a rule gave.

    Parameters
    ----------
    worst_error : float
        Largest relative difference of an epoch's power from the budget.
    worst_guarantee : float
        Smallest part of its guarantee that a tenant got in an epoch in which it asked for it.
    overshoot : float
        Clocks of the budget's rate that passed beyond it from any clock on.
    """

    worst_error: float
    worst_guarantee: float
    overshoot: float


def simulate(
    rule: Rule,
    tenants: RateTenants,
    demand: np.ndarray,
    *,
    budget: float,
    step: int = 16,
    epoch: int,
    delay: int = 1,
) -> Outcome:
    """Runs a rule for as many epochs as ``demand`` has rows.

    Parameters
    ----------
    rule : Rule
        The rule.
    tenants : RateTenants
        The tenants; their buckets are full at first.
    demand : numpy.ndarray
        What each tenant asks for in each epoch, in parts of the fabric's rate.
    budget : float
        In parts of the fabric's rate.
    step : int
        Clocks of a step.
    epoch : int
        Steps of an epoch.
    delay : int
        Steps from what passes to what the governor does about it, at least 1.
    """
    count = len(tenants.committed)
    committed, peak = (each * tenants.duration for each in (tenants.committed, tenants.peak))
    backlog = np.zeros(count)
    account = 0.0
    levels = [0] * delay
    used = np.zeros(count)
    passed_of = np.zeros((len(demand) * epoch, count))
    for clock in range(len(demand) * epoch):
        asked = demand[clock // epoch]
        backlog = np.minimum(backlog + asked * step, 64 * step)
        if rule in (Rule.ACCOUNT, Rule.SAVED):
            closed = tenants.priority >= levels.pop(0)
            rates = np.where(closed, tenants.committed, tenants.peak)
            scavenges = tenants.work_conserving & ~closed
        else:
            limits = tenants.peak if rule is Rule.SHARES else np.minimum(tenants.peak, used)
            rates, left = _dealt(tenants, limits, budget)
            closed = rates < tenants.peak
            # Nobody scavenges who would take what is dealt to others.
            scavenges = tenants.work_conserving & (left > 0)
        depth = tenants.peak * tenants.duration
        if rule is Rule.ACCOUNT:
            depth = np.where(closed, np.minimum(depth, step), depth)
        gained = committed + tenants.committed * step
        committed = np.minimum(gained, tenants.committed * tenants.duration)
        peak = np.minimum(peak + rates * step, depth)
        room = float(step)
        total = np.zeros(count)
        for kind in range(3):
            may = (committed, peak, np.where(scavenges, np.inf, 0))[kind]
            wants = np.minimum(backlog, np.maximum(may, 0))
            gets = wants * min(1.0, room / wants.sum()) if wants.sum() else wants
            backlog, total, room = backlog - gets, total + gets, room - gets.sum()
            # A conforming byte is charged to both buckets, a burst to the peak bucket.
            committed = committed - gets * (kind == 0)
            peak = peak - gets * (kind < 2)
        passed_of[clock] = total
        account = min(account + budget * step - total.sum(), (tenants.priority.max() + 2) * 64)
        levels.append(int(max(account, 0) // 64))
        used = np.maximum(total / step * 1.25, tenants.committed)
    return _outcome(passed_of, tenants, demand, budget=budget, step=step, epoch=epoch)


def _dealt(tenants: RateTenants, limits: np.ndarray, budget: float) -> tuple[np.ndarray, float]:
    """Peak rates: each guarantee, and by priority what the budget leaves up to the limits.

    Also what is left then.
    """
    rates = tenants.committed.copy()
    left = budget - rates.sum()
    for tenant in np.argsort(tenants.priority, kind="stable"):
        gained = max(0.0, min(left, limits[tenant] - rates[tenant]))
        rates[tenant] += gained
        left -= gained
    return rates, left


def _outcome(
    passed: np.ndarray,
    tenants: RateTenants,
    demand: np.ndarray,
    *,
    budget: float,
    step: int,
    epoch: int,
) -> Outcome:
    by_epoch = passed.reshape(len(demand), epoch, -1).mean(axis=1) / step
    errors = np.abs(by_epoch.sum(axis=1) / budget - 1)
    asks = (demand >= tenants.committed) & (tenants.committed > 0)
    kept = np.where(asks, by_epoch / np.maximum(tenants.committed, 1e-9), np.inf)
    ahead = np.concatenate([[0], np.cumsum(passed.sum(axis=1) - budget * step)])
    overshoot = (ahead - np.minimum.accumulate(ahead)).max() / budget
    return Outcome(
        worst_error=float(errors.max()),
        worst_guarantee=float(kept.min()),
        overshoot=float(overshoot),
    )
