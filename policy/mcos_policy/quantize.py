"""From promises to register values, in exact arithmetic.

Rounding always errs on the side of the promise unless the hardware's own check of the sum forbids
it; what it costs is reported by :mod:`mcos_policy.explain`.
"""

import dataclasses
import math
from collections.abc import Mapping
from fractions import Fraction

from mcos_hw.config import ADMISSIBLE_SHARE, ChannelConfig
from mcos_policy.bounds import delay_bound, fair_index
from mcos_policy.colouring import colour_bits, colour_masks, hardware_mask
from mcos_policy.contract import Bandwidth, Contract, Tenant
from mcos_policy.settings import ChannelSettings, Settings, TenantSettings

__all__ = [
    "BEST_EFFORT_SHARE",
    "DEFAULT_LATENCY",
    "LEAST_AGE_LIMIT",
    "WEIGHT_LIMIT",
    "Weights",
    "age_limit",
    "bucket_depth",
    "channel_rate",
    "clocks",
    "committed_of",
    "committed_rates",
    "guarantees_of",
    "least_depth",
    "least_rate",
    "memory_rates",
    "memory_wait",
    "peak_rate",
    "per_clock",
    "port_credit",
    "quantize",
    "shared_rate",
    "single_class_delay",
    "single_class_index",
    "weights",
]


DEFAULT_LATENCY = Fraction(180, 10**9)
"""Seconds from grant to completion that the default port credit covers.

An assumption: some 50 ns of an HBM3 row conflict, 95 ns of controller and PHY, and the way through
the channel with room for one longest request.
"""

WEIGHT_LIMIT = 255
"""Largest ratio of two guarantees: the spread of live tags is sized for it."""

_TOKEN_CLOCKS = 4
"""From the clock in which tokens come to the last one in which a choice goes by older ones."""

BEST_EFFORT_SHARE = Fraction(1, 10)
"""What best-effort tenants weigh together, of what the guaranteed ones do.

More takes from the others while all are backlogged. Less makes virtual time jump further with each
request of a best-effort tenant that is alone (docs/fairness.md).
"""

LEAST_AGE_LIMIT = 1024
"""Clocks of the shortest age limit that is derived, and of the shortest of best effort."""

_AGE_LIMIT_BOUNDS = 4


def per_clock(rate: Fraction, channels: int, config: ChannelConfig) -> Fraction:
    """Bytes per clock on one channel, of a rate in bytes per second of the fabric."""
    return rate / channels / (config.clock_khz * 1000)


def clocks(duration: Fraction, config: ChannelConfig) -> Fraction:
    """Clocks in a duration in seconds."""
    return duration * config.clock_khz * 1000


def committed_rates(
    rates: Mapping[int, Fraction], config: ChannelConfig, *, pace: Fraction | None = None
) -> dict[int, int]:
    """Committed rates in units of ``2**-rate_fraction`` bytes per clock.

    Every rate is rounded up, so that no guarantee is under-delivered. If that takes the sum over
    the hardware's limit, every rate is rounded down instead: each tenant is then short of its
    guarantee by less than one unit, and the sum of an admissible contract always passes.

    Parameters
    ----------
    rates : Mapping[int, Fraction]
        Guaranteed bytes per clock of each tenant on one channel.
    pace : Fraction or None
        Bytes per clock that the channel's memory passes, if the hardware holds the sum against it.
    """
    scaled = {key: rate * (1 << config.rate_fraction) for key, rate in rates.items()}
    up = {key: math.ceil(rate) for key, rate in scaled.items()}
    limit = Fraction(config.admissible_rate)
    if pace is not None:
        limit = min(limit, ADMISSIBLE_SHARE * math.floor(pace * (1 << config.rate_fraction)))
    if sum(up.values()) <= limit:
        return up
    return {key: math.floor(rate) for key, rate in scaled.items()}


def committed_of(contract: Contract, config: ChannelConfig) -> dict[int, int]:
    """Committed rate of each tenant on one channel, as its register has it, by its position."""
    channels = contract.fabric.channels
    return committed_rates(
        {key: per_clock(rate, channels, config) for key, rate in guarantees_of(contract).items()},
        config,
        pace=channel_rate(contract, config) if contract.fabric.interleave else None,
    )


def peak_rate(rate: Fraction, config: ChannelConfig) -> int:
    """A peak rate in bytes per clock in units of ``2**-rate_fraction``, rounded up."""
    return math.ceil(rate * (1 << config.rate_fraction))


def bucket_depth(rate: Fraction, duration: Fraction, channels: int, config: ChannelConfig) -> int:
    """Bytes that a rate brings to one channel in a duration, rounded up, at least ``l_max``.

    Without a rate it is 0: what the bucket held would be tokens that nobody promised.
    """
    return max(config.l_max, math.ceil(rate / channels * duration)) if rate else 0


def least_depth(rate: Fraction, wait: Fraction, config: ChannelConfig) -> int:
    """Bytes of a committed bucket from which on a wait for a grant costs no tokens.

    A longest request, and what the guarantee brings while a request waits: with less, tokens are
    lost, and the tenant's next requests wait for them as well.

    Parameters
    ----------
    rate : Fraction
        The guarantee in bytes per clock.
    wait : Fraction
        The longest wait for a grant, in clocks.
    """
    return config.l_max + math.ceil(rate * (wait + _TOKEN_CLOCKS))


def least_rate(channels: int, config: ChannelConfig) -> Fraction:
    """The smallest guarantee of a fabric that a register holds, in bytes per second."""
    return Fraction(channels, 1 << config.rate_fraction) * config.clock_khz * 1000


def channel_rate(contract: Contract, config: ChannelConfig) -> Fraction:
    """r, the bytes per clock that the pacer lets through: the memory's rate, or the hardware's."""
    if contract.memory.rate is None:
        return Fraction(config.bytes_per_clock)
    return per_clock(contract.memory.rate, 1, config)


def memory_rates(config: ChannelConfig) -> tuple[Fraction, Fraction]:
    """Least and largest rate that the memory of a channel may have, in bytes per second."""
    most = Fraction(config.capacity)
    return most / 64, most


def shared_rate(contract: Contract, config: ChannelConfig) -> Fraction:
    """Bytes per clock that the memory passes while all tenants are backlogged.

    ``r sum(w_i) / sum(w_i c_i)``: shares are those of the weights w, and a byte takes what its cost
    c says.
    """
    exact = _exact_weights(guarantees_of(contract))
    costs = {key: tenant.bandwidth.cost for key, tenant in contract.tenants.items()}
    charged = sum((weight * costs[key] for key, weight in exact.items()), Fraction(0))
    return channel_rate(contract, config) * sum(exact.values(), Fraction(0)) / charged


def guarantees_of(contract: Contract) -> dict[int, Fraction]:
    """Bytes per second of the whole fabric that each tenant is guaranteed, by its position."""
    return {key: tenant.bandwidth.guaranteed for key, tenant in contract.tenants.items()}


def memory_wait(contract: Contract, config: ChannelConfig) -> Fraction:
    """Clocks for which a head may have to wait for the memory, whoever goes first.

    ``T + (c_max - 1) C / r``: the memory's stall, and what the bytes of the port credit C take
    longer than at cost 1 if all of them are of the costliest tenant. See docs/fairness.md.
    """
    costliest = max(tenant.bandwidth.cost for tenant in contract.tenants.values())
    credit = (costliest - 1) * port_credit(contract, config) / channel_rate(contract, config)
    return clocks(contract.memory.stall, config) + credit


def port_credit(contract: Contract, config: ChannelConfig) -> int:
    """Port credit in bytes: the contract's, else what the channel moves in one latency.

    The default is the bandwidth-delay product, rounded up to a beat and at least ``l_max``.
    """
    fabric = contract.fabric
    if fabric.port_credit is not None:
        return fabric.port_credit
    latency = DEFAULT_LATENCY if fabric.latency is None else fabric.latency
    rate = channel_rate(contract, config)
    beats = math.ceil(clocks(latency, config) * rate / config.beat_bytes)
    return max(config.l_max, beats * config.beat_bytes)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Weights:
    """Weights as the hardware sees them.

    Parameters
    ----------
    inverse : dict[int, int]
        1/w of each tenant in units of ``2**-reciprocal_fraction``.
    quantized : dict[int, Fraction]
        The weight that each reciprocal stands for, at least 1.
    exact : dict[int, Fraction]
        The weight that was asked for: the guarantee over the smallest one, where best effort
        counts with its part of :data:`BEST_EFFORT_SHARE`.
    inverse_total : int
        1/W in units of ``2**-total_reciprocal_fraction``, W the sum of the quantized weights.
    """

    inverse: dict[int, int]
    quantized: dict[int, Fraction]
    exact: dict[int, Fraction]
    inverse_total: int

    def share(self, key: int) -> Fraction:
        """w / W of a tenant."""
        return self.quantized[key] / self.total

    @property
    def total(self) -> Fraction:
        """W, the sum of the quantized weights."""
        return sum(self.quantized.values(), Fraction(0))


def weights(guarantees: Mapping[int, Fraction], config: ChannelConfig) -> Weights:
    """Weights in proportion to the guarantees, the smallest being 1.

    Tenants that are guaranteed nothing together weigh :data:`BEST_EFFORT_SHARE` of those that are.

    Parameters
    ----------
    guarantees : Mapping[int, Fraction]
        Guarantee of each tenant, in any one unit; 0 for best effort.
    """
    one = 1 << config.reciprocal_fraction
    exact = _exact_weights(guarantees)
    inverse = {key: max(1, round(one / weight)) for key, weight in exact.items()}
    quantized = {key: Fraction(one, value) for key, value in inverse.items()}
    total = sum(quantized.values(), Fraction(0))
    return Weights(
        inverse=inverse,
        quantized=quantized,
        exact=exact,
        inverse_total=max(1, round((1 << config.total_reciprocal_fraction) / total)),
    )


def _exact_weights(guarantees: Mapping[int, Fraction]) -> dict[int, Fraction]:
    largest = max(guarantees.values())
    if not largest:
        return dict.fromkeys(guarantees, Fraction(1))
    guaranteed = [guarantee for guarantee in guarantees.values() if guarantee]
    nothing = len(guarantees) - len(guaranteed)
    spare = min(guaranteed)
    if nothing:
        spare = sum(guaranteed, Fraction(0)) * BEST_EFFORT_SHARE / nothing
        spare = min(max(spare, largest / WEIGHT_LIMIT), min(guaranteed) * WEIGHT_LIMIT)
    unit = min(spare, *guaranteed)
    return {key: (guarantee or spare) / unit for key, guarantee in guarantees.items()}


def single_class_index(
    share: Fraction, config: ChannelConfig, *, longest: int | None = None
) -> Fraction:
    """Worst-case fair index in bytes of a tenant with that share of all weights.

    ``longest`` is its longest request in bytes, l_max if not given.
    """
    return fair_index(
        longest=longest or config.l_max,
        l_max=config.l_max,
        share=share,
        lateness=config.late_grants,
        intake=config.intake_clocks,
    )


def single_class_delay(
    share: Fraction, config: ChannelConfig, *, rate: Fraction, wait: Fraction = Fraction(0)
) -> Fraction:
    """Single-class delay bound, in clocks, of a tenant that sends one longest request at once.

    ``rate`` is that of the channel while all are backlogged, in bytes per clock:
    :func:`shared_rate`; ``wait`` is :func:`memory_wait`.
    """
    return delay_bound(
        sigma=config.l_max,
        index=single_class_index(share, config),
        share=share,
        bytes_per_clock=rate,
        wait=wait,
    )


def age_limit(promise: Bandwidth, bound: Fraction, config: ChannelConfig) -> int:
    """Age limit in clocks, 0 for never: the promise's own, else that which is derived.

    That is four delay bounds, at least 1024 clocks, at most what the field holds. For best effort,
    which has no bound, it is the longest, so that such a tenant is promoted at least that often.

    Parameters
    ----------
    promise : Bandwidth
        The tenant's promise.
    bound : Fraction
        Its single-class delay bound in clocks.
    """
    if promise.age_limit is not None:
        return math.ceil(clocks(promise.age_limit, config))
    longest = (1 << config.clocks_width) - 1
    if promise.best_effort:
        return longest
    return min(max(LEAST_AGE_LIMIT, math.ceil(_AGE_LIMIT_BOUNDS * bound)), longest)


def quantize(
    contract: Contract, config: ChannelConfig, *, waits: Mapping[int, Fraction]
) -> Settings:
    """Settings of each of the fabric's channels, which are all alike.

    Parameters
    ----------
    contract : Contract
        An admitted contract.
    config : ChannelConfig
        The hardware.
    waits : Mapping[int, Fraction]
        The longest wait for a grant of each tenant that has one, in clocks, by position: the
        committed bucket holds what the guarantee brings in it, and a longest request.
    """
    channels = contract.fabric.channels
    guarantees = guarantees_of(contract)
    committed = committed_of(contract, config)
    shares = weights(guarantees, config)
    rate, wait = shared_rate(contract, config), memory_wait(contract, config)
    masks = colour_masks(contract)
    tenants = [TenantSettings()] * config.tenants
    for position, tag in contract.tags().items():
        tenants[tag] = _tenant(
            contract.tenants[position],
            channels=channels,
            committed_rate=committed[position],
            least_depth=least_depth(
                per_clock(guarantees[position], channels, config), waits[position], config
            )
            if position in waits
            else 0,
            inverse_weight=shares.inverse[position],
            colours=hardware_mask(contract, masks[position]),
            delay=single_class_delay(shares.share(position), config, rate=rate, wait=wait),
            config=config,
        )
    fabric = contract.fabric
    bits = {f"colour_bit_{k}": bit for k, bit in enumerate(colour_bits(contract))}
    return Settings(
        channel=ChannelSettings(
            pacer_enable=int(fabric.pacer),
            overcommitted=int(fabric.overcommitted),
            pacer_rate=math.floor(channel_rate(contract, config) * (1 << config.rate_fraction)),
            port_credit=port_credit(contract, config),
            inverse_total_weight=shares.inverse_total,
            depth1_clocks=math.ceil(clocks(fabric.depth1, config)),
            promotion_interval=fabric.promotion_interval,
            epoch_clocks=math.ceil(clocks(fabric.epoch, config)),
            **bits,
        ),
        tenants=tuple(tenants),
    )


def _tenant(
    tenant: Tenant,
    *,
    channels: int,
    committed_rate: int,
    least_depth: int,
    inverse_weight: int,
    colours: int,
    delay: Fraction,
    config: ChannelConfig,
) -> TenantSettings:
    promise = tenant.bandwidth
    latency_slo = 0
    if promise.latency_slo is not None:
        latency_slo = math.floor(clocks(promise.latency_slo, config))
    return TenantSettings(
        enable=1,
        work_conserving=int(promise.work_conserving),
        priority=promise.priority,
        committed_rate=committed_rate,
        committed_depth=max(
            least_depth,
            bucket_depth(promise.guaranteed, promise.burst_duration, channels, config),
        ),
        peak_rate=peak_rate(per_clock(promise.burst, channels, config), config),
        peak_depth=max(
            least_depth, bucket_depth(promise.burst, promise.burst_duration, channels, config)
        ),
        inverse_weight=inverse_weight,
        age_limit=age_limit(promise, delay, config),
        latency_slo=latency_slo,
        refuse_outside=int(tenant.placement.page_color_mode == "refuse"),
        colours=colours,
    )
