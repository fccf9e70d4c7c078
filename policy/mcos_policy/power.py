"""A power budget as a rate: what it leaves beside guarantees, and whether it is enough for them."""

import math
from collections.abc import Iterator, Mapping
from fractions import Fraction

from mcos_hw.config import CHANNELS, ChannelConfig
from mcos_policy.contract import Contract
from mcos_policy.diagnostics import Diagnostic, error
from mcos_policy.quantize import committed_of, guarantees_of, per_clock, weights
from mcos_policy.rounding import rounded_down, rounded_up
from mcos_policy.units import POWER, RATE, SIZE

__all__ = [
    "ENERGY",
    "check_power",
    "power_of",
    "power_rate",
    "power_values",
    "rates_under_budget",
    "required_power",
]


ENERGY = Fraction(23, 10**12)
"""Joules that a byte takes: 0.023 W for each GB/s (docs/power.md)."""

_SPARE_REQUESTS = 4
"""Longest requests by which a committed bucket must be less deep than a bucket can be.

A closed tenant's peak bucket may owe what the committed one has saved, and two requests.
"""


def power_of(rate: Fraction, contract: Contract) -> Fraction:
    """Watts of a fabric that passes ``rate`` bytes per second."""
    return contract.power.baseline + ENERGY * rate


def power_rate(contract: Contract, config: ChannelConfig) -> int | None:
    """The budget as the hardware has it; None without one.

    Bytes per clock of each channel in units of ``2**-rate_fraction``, rounded down, and no more
    than a channel's rate r::

        (budget - baseline) / (ENERGY x channels x clock) x 2**rate_fraction
    """
    budget = contract.power.budget
    if budget is None:
        return None
    rate = max(Fraction(0), budget - contract.power.baseline) / ENERGY
    unit = 1 << config.rate_fraction
    units = math.floor(per_clock(rate, contract.fabric.channels, config) * unit)
    return min(units, config.bytes_per_clock * unit)


def power_values(contract: Contract, config: ChannelConfig) -> dict[str, int]:
    """Values of the fabric's fields that hold the budget, by name; switched off without one."""
    rate = power_rate(contract, config)
    return {"power_enable": int(rate is not None), "power_budget": rate or 0}


def required_power(contract: Contract, config: ChannelConfig) -> Fraction:
    """Least budget in watts that the guarantees, as registers have them, can be kept with."""
    units = Fraction(_committed(contract, config), 1 << config.rate_fraction)
    return power_of(units * contract.fabric.channels * config.clock_khz * 1000, contract)


def _committed(contract: Contract, config: ChannelConfig) -> int:
    """Sum of the committed rates of a channel, in units of ``2**-rate_fraction``."""
    return sum(committed_of(contract, config).values())


def rates_under_budget(contract: Contract, config: ChannelConfig) -> dict[int, Fraction]:
    """Bytes per second of each tenant under the budget while all are backlogged, by position.

    Each has its guarantee. The tenants of the highest priority get what the budget leaves, in
    proportion to their weights and up to their bursts unless they are ``work_conserving``; what
    they leave goes to the next priority.

    Raises
    ------
    ValueError
        If the contract has no budget.
    """
    rate = power_rate(contract, config)
    if rate is None:
        raise ValueError("rates under a budget must be of a contract with a budget")
    whole = Fraction(rate, 1 << config.rate_fraction) * config.clock_khz * 1000
    channels = contract.fabric.channels
    capacity = (contract.memory.rate or Fraction(config.capacity)) * channels
    guarantees = guarantees_of(contract)
    promises = {key: tenant.bandwidth for key, tenant in contract.tenants.items()}
    left = max(Fraction(0), min(whole * channels, capacity) - sum(guarantees.values()))
    shares = weights(guarantees, config).exact
    rates = dict(guarantees)
    for priority in sorted({each.priority for each in promises.values()}):
        room = {
            key: (capacity if each.work_conserving else each.burst) - each.guaranteed
            for key, each in promises.items()
            if each.priority == priority
        }
        for key, gained in _divided(left, room, shares).items():
            rates[key] += gained
            left -= gained
    return rates


def _divided(
    amount: Fraction, room: Mapping[int, Fraction], shares: Mapping[int, Fraction]
) -> dict[int, Fraction]:
    """An amount divided in proportion to shares, and no more to each than its room."""
    gained = dict.fromkeys(room, Fraction(0))
    open_ = {key for key, each in room.items() if each > 0}
    while open_ and amount:
        whole = sum(shares[key] for key in open_)
        step = min(amount / whole, *((room[key] - gained[key]) / shares[key] for key in open_))
        for key in open_:
            gained[key] += step * shares[key]
        amount -= step * whole
        open_ = {key for key in open_ if gained[key] < room[key]}
    return gained


def check_power(contract: Contract, config: ChannelConfig) -> Iterator[Diagnostic]:
    """Errors about a budget that the guarantees do not fit in."""
    power, budget = contract.power, contract.power.budget
    if budget is None:
        return
    given, rate = power.at("budget"), power_rate(contract, config)
    if contract.fabric.channels not in CHANNELS:
        given_channels = contract.fabric.at("channels")
        text = (
            f"{given_channels.key} must be one of {', '.join(map(str, CHANNELS))} under a power "
            f"budget, not {given_channels.shown}; change it, or leave the budget out"
        )
        yield error(given_channels.origin, text)
    if budget <= power.baseline:
        text = (
            f"{given.key} must be over the baseline of {POWER.show(power.baseline)}, which the "
            f"fabric takes with nothing passed, not {given.shown}; raise it"
        )
        yield error(given.origin, text)
    elif rate is not None and rate < _committed(contract, config):
        guaranteed = sum(guarantees_of(contract).values(), Fraction(0))
        least = POWER.show(rounded_up(required_power(contract, config)))
        most = RATE.show(rounded_down((budget - power.baseline) / ENERGY))
        text = (
            f"{given.key} must be at least {least}, not {given.shown}: the guarantees are "
            f"{RATE.show(guaranteed)}, which take {POWER.show(rounded_up(ENERGY * guaranteed))} "
            f"beside the baseline of {POWER.show(power.baseline)} (BUDGET_INFEASIBLE); raise it, "
            f"or guarantee at most {most} in all"
        )
        yield error(given.origin, text)
    most_depth = (1 << config.depth_width) - _SPARE_REQUESTS * config.l_max
    for tenant in contract.tenants.values():
        promise = tenant.bandwidth
        depth = promise.guaranteed / contract.fabric.channels * promise.burst_duration
        if depth > most_depth:
            given = promise.at("burst_duration")
            text = (
                f"{given.key} must leave a bucket of at most {SIZE.show(Fraction(most_depth))} "
                f"under a power budget, not {given.shown}; shorten it"
            )
            yield error(given.origin, text)
