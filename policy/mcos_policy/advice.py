"""Warnings about latency objectives that are not promised, with values that would be."""

import dataclasses
from collections.abc import Iterator, Mapping
from fractions import Fraction

from mcos_hw.config import ChannelConfig
from mcos_policy.contract import Contract
from mcos_policy.diagnostics import Diagnostic, warning
from mcos_policy.headroom import headroom
from mcos_policy.objectives import Objective, Verdict, judge
from mcos_policy.quantize import WEIGHT_LIMIT, least_rate
from mcos_policy.rounding import rounded_down, rounded_up
from mcos_policy.units import DURATION, RATE

__all__ = [
    "check_objectives",
    "least_guarantee",
]


_DIGITS = 3
"""Of a guarantee that would do."""

_STEPS = 6
"""Guarantees, from the tenant's own to the largest, that are tried first."""


def check_objectives(
    contract: Contract, config: ChannelConfig, objectives: Mapping[int, Objective]
) -> Iterator[Diagnostic]:
    """A warning for each latency objective of an admitted contract that is not promised.

    Parameters
    ----------
    contract : Contract
        The contract.
    config : ChannelConfig
        The hardware.
    objectives : Mapping[int, Objective]
        What :func:`mcos_policy.objectives.judge` says of each tenant.
    """
    for position, objective in objectives.items():
        if objective.verdict in (None, Verdict.HOLDS):
            continue
        given = contract.tenants[position].bandwidth.at("latency_slo")
        shown = given.shown
        if objective.verdict is Verdict.IMPOSSIBLE:
            idle = _show(objective.idle, config)
            text = (
                f"latency_slo should be at least {idle}, which an idle channel takes, not {shown}"
            )
        elif contract.tenants[position].bandwidth.best_effort:
            text = f"latency_slo should stand beside a guarantee, not {shown} for best effort"
        elif objective.bound is None:
            text = f"latency_slo should be that of a tenant with a bound, not {shown}"
        else:
            bound = _show(objective.bound, config)
            text = f"latency_slo should be at least the bound {bound}, not {shown}"
        way_out = _way_out(contract, config, position, objective)
        yield warning(given.origin, f"{text}: it is not promised; {way_out}")


def least_guarantee(contract: Contract, config: ChannelConfig, position: int) -> Fraction | None:
    """The least guarantee at which a tenant's objective holds while the others keep theirs.

    Returns
    -------
    Fraction or None
        Bytes per second, to three digits, rounded up; None if no guarantee would do.
    """
    promise = contract.tenants[position].bandwidth
    room = headroom(contract, config)
    most = (room.limit - room.charged) / promise.cost + promise.guaranteed
    others = [
        tenant.bandwidth.guaranteed
        for key, tenant in contract.tenants.items()
        if key != position and tenant.bandwidth.guaranteed
    ]
    if others:
        most = min(most, WEIGHT_LIMIT * min(others))
    least = low = promise.guaranteed
    if promise.best_effort:
        # The smallest guarantee there can be, else halves of halves would hold without end.
        smallest = least_rate(contract.fabric.channels, config)
        if others:
            smallest = max(smallest, max(others) / WEIGHT_LIMIT)
        least = low = rounded_up(smallest, _DIGITS)
        if low <= most and _holds(contract, config, position, low):
            return low
    # A larger guarantee may lengthen the bound again, so a few are tried before halving.
    for step in range(1, _STEPS + 1):
        high = rounded_down(least + (most - least) * step / _STEPS, 2 * _DIGITS)
        if high > low and _holds(contract, config, position, high):
            break
        low = high
    else:
        return None
    while low < (middle := rounded_up((low + high) / 2, _DIGITS)) < high:
        if _holds(contract, config, position, middle):
            high = middle
        else:
            low = middle
    return high


def _holds(contract: Contract, config: ChannelConfig, position: int, guarantee: Fraction) -> bool:
    """Whether a tenant's objective would hold with another guarantee."""
    tenant = contract.tenants[position]
    promise = tenant.bandwidth
    changed = dataclasses.replace(
        promise, guaranteed=guarantee, burst=max(promise.burst, guarantee)
    )
    tenants = contract.tenants | {position: dataclasses.replace(tenant, bandwidth=changed)}
    other = dataclasses.replace(contract, tenants=tenants)
    return judge(other, config, [position])[position].verdict is Verdict.HOLDS


def _way_out(contract: Contract, config: ChannelConfig, position: int, objective: Objective) -> str:
    if not contract.fabric.pacer:
        return "without the pacer nothing is; write pacer = true"
    guarantee = least_guarantee(contract, config, position)
    if objective.bound is None:
        way_out = "no guarantee that the others leave would do"
        return way_out if guarantee is None else f"a guarantee of {RATE.show(guarantee)} would do"
    bound = f"an objective of {_show(objective.bound, config)}"
    if guarantee is None:
        return f"{bound} would do, and no guarantee that the others leave"
    return f"{bound} would do, or a guarantee of {RATE.show(guarantee)}"


def _show(clocks: Fraction, config: ChannelConfig) -> str:
    """A number of clocks as time, rounded up to a tenth of a nanosecond."""
    nanoseconds = clocks * 10**6 / config.clock_khz
    return DURATION.show(Fraction(-(-nanoseconds * 10 // 1), 10**10))
