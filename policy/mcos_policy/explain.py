"""What a compiled contract gives each tenant, in numbers for people."""

import dataclasses
from fractions import Fraction
from typing import Any

from mcos_policy.bounds import blocked_index, delay_bound, depth1_term
from mcos_policy.compiler import Compiled
from mcos_policy.quantize import (
    channel_rate,
    memory_wait,
    per_clock,
    shared_rate,
    single_class_delay,
    single_class_index,
    weights,
)
from mcos_policy.settings import ChannelSettings, TenantSettings

__all__ = [
    "GBPS_NOTE",
    "Explanation",
    "TenantExplanation",
    "explain",
]


GBPS_NOTE = (
    "guaranteed_gbps = 120 means 120 GB/s: 120 x 10^9 bytes per second of the whole fabric, "
    "not bits."
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class TenantExplanation:
    """What one tenant gets.

    Parameters
    ----------
    name : str
        Its name.
    tag : int
        Its number in hardware.
    guaranteed_fabric, burst_fabric : float
        GB/s of the whole fabric.
    guaranteed_channel, burst_channel : float
        GB/s of each channel.
    bytes_per_clock : float
        Guaranteed bytes per clock on each channel.
    capacity_share : float
        Guarantee times its cost as a share of capacity.
    cost : float
        What a byte takes of the memory at worst, in bytes at the memory's rate.
    colours : int
        Page colours, a bit each.
    rate_error, peak_error : float
        Relative error of the rates in the registers.
    weight, weight_error : float
        Weight asked for, and the relative error of the one in the register.
    weight_share : float
        w / W: what the tenant gets of a channel where all are backlogged.
    alpha : float
        Single-class worst-case fair index in bytes.
    depth1_alpha : float
        What ``alpha`` grows by when every other tenant has one request in flight.
    delay_clocks, delay_ns : float
        Single-class delay bound of one longest request.
    conforming_clocks, conforming_ns : float
        The same of a conforming one beside requests of lower classes.
    registers : TenantSettings
        Register values.
    """

    name: str
    tag: int
    guaranteed_fabric: float
    burst_fabric: float
    guaranteed_channel: float
    burst_channel: float
    bytes_per_clock: float
    capacity_share: float
    cost: float
    colours: int
    rate_error: float
    peak_error: float
    weight: float
    weight_error: float
    weight_share: float
    alpha: float
    depth1_alpha: float
    delay_clocks: float
    delay_ns: float
    conforming_clocks: float
    conforming_ns: float
    registers: TenantSettings


@dataclasses.dataclass(frozen=True, kw_only=True)
class Explanation:
    """What a contract gives.

    Parameters
    ----------
    channels : int
        Channels over which guarantees are divided.
    capacity_fabric, capacity_channel : float
        GB/s.
    shared_rate : float
        GB/s of a channel while all tenants are backlogged, at their costs.
    memory_wait_clocks : float
        What a wait for the memory adds to every delay bound.
    reserved_share : float
        Sum of guarantees times their costs as a share of capacity.
    channel : ChannelSettings
        Register values of each channel.
    total_weight_error : float
        Relative error of 1/W in the register.
    tenants : tuple[TenantExplanation, ...]
        Tenants by tag.
    """

    channels: int
    capacity_fabric: float
    capacity_channel: float
    shared_rate: float
    memory_wait_clocks: float
    reserved_share: float
    channel: ChannelSettings
    total_weight_error: float
    tenants: tuple[TenantExplanation, ...]

    def as_mapping(self) -> dict[str, Any]:
        """The same as plain values for JSON."""
        return dataclasses.asdict(self) | {"units": GBPS_NOTE}


def explain(compiled: Compiled) -> Explanation:
    """Explain a compiled contract.

    Delay bound and fair index are the single-class ones of :mod:`mcos_policy.bounds` for requests
    of ``l_max``, with the weights that are in the image.
    """
    contract, config = compiled.contract, compiled.config
    channels = contract.fabric.channels
    tags = contract.tags()
    promised = {position: each.bandwidth for position, each in contract.tenants.items()}
    weighed = weights({key: each.guaranteed for key, each in promised.items()}, config)
    unit = 1 << config.rate_fraction
    giga = 10**9
    capacity = channel_rate(contract, config) * config.clock_khz * 1000 * channels
    rate, wait = shared_rate(contract, config), memory_wait(contract, config)
    tenants = []
    for position, tag in sorted(tags.items(), key=lambda item: item[1]):
        promise = promised[position]
        registers = compiled.settings.tenants[tag]
        guaranteed = per_clock(promise.guaranteed, channels, config)
        burst = per_clock(promise.burst, channels, config)
        share = weighed.share(position)
        delay = single_class_delay(share, config, rate=rate, wait=wait)
        index = single_class_index(share, config)
        conforming = delay_bound(
            sigma=config.l_max,
            index=index + blocked_index(l_max=config.l_max, share=share),
            share=share,
            bytes_per_clock=rate,
            wait=wait,
        )
        tenants.append(
            TenantExplanation(
                name=contract.tenants[position].name,
                tag=tag,
                guaranteed_fabric=float(promise.guaranteed / giga),
                burst_fabric=float(promise.burst / giga),
                guaranteed_channel=float(promise.guaranteed / channels / giga),
                burst_channel=float(promise.burst / channels / giga),
                bytes_per_clock=float(guaranteed),
                capacity_share=float(promise.guaranteed * promise.cost / capacity),
                cost=float(promise.cost),
                colours=compiled.colours[tag],
                rate_error=_error(Fraction(registers.committed_rate, unit), guaranteed),
                peak_error=_error(Fraction(registers.peak_rate, unit), burst),
                weight=float(weighed.exact[position]),
                weight_error=_error(weighed.quantised[position], weighed.exact[position]),
                weight_share=float(share),
                alpha=float(index),
                depth1_alpha=float(
                    depth1_term(share=share, others=[config.l_max] * (len(promised) - 1))
                ),
                delay_clocks=float(delay),
                delay_ns=float(delay * 10**6 / config.clock_khz),
                conforming_clocks=float(conforming),
                conforming_ns=float(conforming * 10**6 / config.clock_khz),
                registers=registers,
            )
        )
    reserved = sum((each.guaranteed * each.cost for each in promised.values()), Fraction(0))
    inverse_total = Fraction(weighed.inverse_total, 1 << config.total_reciprocal_fraction)
    return Explanation(
        channels=channels,
        capacity_fabric=float(capacity / giga),
        capacity_channel=float(capacity / channels / giga),
        shared_rate=float(rate * config.clock_khz * 1000 / giga),
        memory_wait_clocks=float(wait),
        reserved_share=float(reserved / capacity),
        channel=compiled.settings.channel,
        total_weight_error=_error(inverse_total, 1 / weighed.total),
        tenants=tuple(tenants),
    )


def _error(got: Fraction, wanted: Fraction) -> float:
    return float(got / wanted - 1)
