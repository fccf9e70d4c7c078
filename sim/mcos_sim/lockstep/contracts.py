"""Random settings: contracts that look for corners, and such that the loader has to refuse."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from mcos_hw.config import ADMISSIBLE_SHARE, ChannelConfig
from mcos_hw.registers import COLOUR_BITS, channel_map
from mcos_hw.registers.declaration import Field
from mcos_hw.registers.image import SectionKind
from mcos_policy.settings import ChannelSettings, Settings, TenantSettings

__all__ = [
    "illegal_settings",
    "random_settings",
]


def random_settings(
    config: ChannelConfig,
    rng: np.random.Generator,
    *,
    ages: Sequence[int] = (),
    like: Settings | None = None,
) -> Settings:
    """Settings that the loader accepts, with extremes more often than chance would have them.

    ``like`` is what they may keep parts of. ``ages`` are those of each tenant's stamps, near which
    some objectives lie.
    """
    colours, disabled, effort = rng.spawn(3)
    (others,) = effort.spawn(1)
    weights = _weights(config, rng)
    rates = _rates(config, rng)
    few = rng.random() < 0.3
    registers = channel_map(config)
    tenants = []
    for i in range(config.tenants):
        if rng.random() < (0.5 if few else 0.08):
            tenants.append(_disabled(i, like, disabled))
            continue
        if like is not None and rng.random() < 0.3 and like.tenants[i].enable:
            old = like.tenants[i]
            tenants.append(dataclasses.replace(old, committed_rate=int(rates[i])))
            weights[i] = max(1, round((1 << config.reciprocal_fraction) / old.inverse_weight))
            if old.peak_rate < rates[i]:
                tenants[-1] = dataclasses.replace(tenants[-1], peak_rate=int(rates[i]))
            continue
        peak = int(rates[i] * rng.choice((1, 1.5, 4)))
        depth = int(config.l_max * rng.choice((1, 1, 2, 8, 100)))
        tenants.append(
            dataclasses.replace(
                TenantSettings(**_any(registers.section_fields(SectionKind.TENANT), others)),
                enable=1,
                work_conserving=int(rng.random() < 0.6),
                priority=int(rng.integers(0, rng.choice((4, 16)))),
                committed_rate=int(rates[i]),
                committed_depth=depth,
                peak_rate=min(peak, config.bytes_per_clock << config.rate_fraction),
                peak_depth=int(depth * rng.choice((1, 2, 3))),
                inverse_weight=(1 << config.reciprocal_fraction) // int(weights[i]),
                age_limit=int(rng.choice((0, 0, int(rng.integers(1, 17)), 100, 1000, 20_000))),
                latency_slo=int(rng.choice((0, int(rng.integers(8, 60)), 300, 3000))),
            )
        )
    _take_guarantees(tenants, config, effort)
    _colour(tenants, colours)
    if colours.random() < 0.15:
        _deepen(tenants, config, colours)
    if colours.random() < 0.15:
        _fill_up(tenants, config)
    for i, age in enumerate(ages):
        if age and tenants[i].enable and colours.random() < 0.8:
            near = (
                age if colours.random() < 0.5 else 1 << int(colours.integers(config.clocks_width))
            )
            slo = min(near + int(colours.integers(-20, 300)), (1 << config.clocks_width) - 1)
            tenants[i] = dataclasses.replace(tenants[i], latency_slo=max(slo, 0))
    total = sum(int(weights[i]) for i, each in enumerate(tenants) if each.enable)
    channel = dataclasses.replace(
        ChannelSettings(**_any(registers.section_fields(SectionKind.CHANNEL), others)),
        pacer_enable=int(rng.random() < 0.5),
        overcommitted=int(rng.random() < 0.2),
        pacer_rate=_pace(config, rng),
        port_credit=int(config.l_max * rng.choice((1, 2, 9, 30, 500))),
        inverse_total_weight=(1 << config.total_reciprocal_fraction) // max(1, total),
        depth1_clocks=int(rng.choice((0, 4, 64, 255))),
        promotion_interval=int(rng.choice((1, 2, 16, 255))),
        epoch_clocks=int(rng.choice((0, 1, 2, 7, 100, 500, 3000))),
        **{f"colour_bit_{k}": int(colours.integers(64)) for k in range(COLOUR_BITS)},
    )
    return Settings(channel=channel, tenants=tuple(tenants))


def _any(fields: Sequence[Field], rng: np.random.Generator) -> dict[str, int]:
    """A legal value of each field; those that need something special replace theirs."""
    return {
        field.name: int(
            rng.choice(
                (field.least, field.largest, int(rng.integers(field.least, field.largest + 1)))
            )
        )
        for field in fields
    }


def _disabled(i: int, like: Settings | None, rng: np.random.Generator) -> TenantSettings:
    """A tenant that is disabled: all is 0, or all but its guarantee is as it was."""
    if like is None or rng.random() < 0.5:
        return TenantSettings()
    return dataclasses.replace(like.tenants[i], enable=0, committed_rate=0)


def _take_guarantees(
    tenants: list[TenantSettings], config: ChannelConfig, rng: np.random.Generator
) -> None:
    """Make some tenants best effort: without committed tokens, and half of them without any."""
    share = rng.choice((0.0, 0.0, 0.2, 0.9))
    for i, tenant in enumerate(tenants):
        if tenant.enable and rng.random() < share:
            least = {"peak_depth": max(tenant.peak_depth, config.l_max)}
            nothing = {"peak_rate": 0, "peak_depth": 0, "work_conserving": 1}
            tenants[i] = dataclasses.replace(
                tenant,
                committed_rate=0,
                committed_depth=0,
                **(nothing if rng.random() < 0.5 else least),
            )
        elif tenant.enable and not tenant.committed_depth:
            # It was best effort before, and is not any more.
            tenants[i] = dataclasses.replace(
                tenant,
                committed_depth=config.l_max,
                peak_depth=max(tenant.peak_depth, config.l_max),
            )


def _colour(tenants: list[TenantSettings], rng: np.random.Generator) -> None:
    """Give enabled tenants colours: all of them or some, refusing the others or not."""
    everything = (1 << (1 << COLOUR_BITS)) - 1
    refusing = rng.random() < 0.3
    for i, tenant in enumerate(tenants):
        if tenant.enable:
            some = int(rng.integers(1, everything + 1)) | int(rng.integers(everything + 1))
            if rng.random() < 0.2:
                some = 1 << int(rng.choice((0, (1 << COLOUR_BITS) - 1, int(rng.integers(16)))))
            tenants[i] = dataclasses.replace(
                tenant,
                colours=everything if rng.random() < 0.4 else some,
                refuse_outside=int(refusing and rng.random() < 0.3),
            )


def _weights(config: ChannelConfig, rng: np.random.Generator) -> np.ndarray:
    kind = rng.choice(("equal", "extreme", "any"))
    if kind == "equal":
        return np.full(config.tenants, int(rng.choice((1, 16, 255))))
    if kind == "extreme":
        return rng.choice((1, 255), size=config.tenants)
    return rng.integers(1, 256, size=config.tenants)


def _rates(config: ChannelConfig, rng: np.random.Generator) -> np.ndarray:
    """Committed rates whose sum is admissible, the full sum included."""
    share = ADMISSIBLE_SHARE * rng.choice((1, 1, 0.3))
    parts = rng.dirichlet(np.full(config.tenants, rng.choice((0.3, 3.0))))
    rates = np.floor(parts * float(share) * (config.bytes_per_clock << config.rate_fraction))
    return np.maximum(rates.astype(np.int64) - 1, 1)


def _deepen(tenants: list[TenantSettings], config: ChannelConfig, rng: np.random.Generator) -> None:
    """Make some buckets as deep as they can be, or half as deep."""
    for i, tenant in enumerate(tenants):
        if tenant.committed_rate and rng.random() < 0.5:
            depth = (1 << config.depth_width - int(rng.integers(2))) - 1
            tenants[i] = dataclasses.replace(
                tenant, peak_depth=depth, committed_depth=depth - int(rng.integers(2))
            )


def _pace(config: ChannelConfig, rng: np.random.Generator) -> int:
    """The channel's rate or part of it, or one of which a longest request is a multiple, about."""
    r = config.bytes_per_clock << config.rate_fraction
    if rng.random() < 0.7:
        return int(r * rng.choice((1, 1, 0.9, 0.25)))
    size = (config.l_max << config.rate_fraction) + int(rng.integers(-1, 2))
    return next(size // clocks for clocks in range(-(-size // r), size) if size % clocks == 0)


def _fill_up(tenants: list[TenantSettings], config: ChannelConfig) -> None:
    """Give a guaranteed tenant what is left of the admissible rate, to the last unit."""
    left = config.admissible_rate - sum(each.committed_rate for each in tenants)
    for i, tenant in enumerate(tenants):
        if tenant.committed_rate:
            rate = tenant.committed_rate + left
            tenants[i] = dataclasses.replace(
                tenant, committed_rate=rate, peak_rate=max(rate, tenant.peak_rate)
            )
            return


def illegal_settings(
    settings: Settings, config: ChannelConfig, rng: np.random.Generator
) -> Settings:
    """Legal settings with one relation broken, by as little as possible."""
    tenants = list(settings.tenants)
    # The first and the last one are where a check may end too early.
    i = int(rng.choice((0, config.tenants - 1, int(rng.integers(config.tenants)))))
    tenant = tenants[i]
    r = config.bytes_per_clock << config.rate_fraction
    if tenant.enable and rng.random() < 0.8:
        faults = (
            *_bucket_faults(tenant, config),
            {"inverse_weight": 0},
            {"inverse_weight": (1 << config.reciprocal_fraction) + 1},
            {"colours": 0},
        )
        tenants[i] = dataclasses.replace(tenant, **faults[int(rng.integers(len(faults)))])
        return dataclasses.replace(settings, tenants=tuple(tenants))
    guaranteed = [k for k, each in enumerate(tenants) if each.committed_rate]
    if rng.random() < 0.3 and guaranteed:
        # Their sum is a power of two, which a sum of too few bits takes for nothing.
        tenants = [
            dataclasses.replace(each, committed_rate=r, peak_rate=r)
            if each.committed_rate
            else each
            for each in tenants
        ]
        return dataclasses.replace(settings, tenants=tuple(tenants))
    if guaranteed and rng.random() < 0.5:
        k = guaranteed[-1]
        tenants[k] = dataclasses.replace(tenants[k], peak_rate=r)
        _fill_up(tenants, config)
        rate = tenants[k].committed_rate + 1
        tenants[k] = dataclasses.replace(tenants[k], committed_rate=rate)
        return dataclasses.replace(settings, tenants=tuple(tenants))
    faults = (
        {"pacer_enable": 1, "pacer_rate": 0},
        {"pacer_enable": 1, "pacer_rate": r + 1},
        {"port_credit": config.l_max - 1},
        {"promotion_interval": 0},
        {"inverse_total_weight": 0},
        {"inverse_total_weight": (1 << config.total_reciprocal_fraction) + 1},
    )
    fault = faults[int(rng.integers(len(faults)))]
    return dataclasses.replace(settings, channel=dataclasses.replace(settings.channel, **fault))


def _bucket_faults(tenant: TenantSettings, config: ChannelConfig) -> list[dict[str, int]]:
    """Changes of an enabled tenant's buckets that make them illegal."""
    if tenant.committed_rate:
        return [
            {"committed_rate": 0},
            {"peak_rate": tenant.committed_rate - 1},
            {"committed_depth": config.l_max - 1},
            {"peak_depth": tenant.committed_depth - 1},
            {"enable": 0},
        ]
    # A bucket has both a rate and a depth or neither.
    faults = [{"committed_rate": 1, "peak_rate": max(1, tenant.peak_rate)}, {"committed_depth": 1}]
    if tenant.peak_rate:
        return [*faults, {"peak_rate": 0}, {"peak_depth": config.l_max - 1}]
    return [*faults, {"peak_rate": 1}, {"peak_depth": 1}, {"work_conserving": 0}]
