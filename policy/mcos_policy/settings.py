"""The settings of one channel, field by field as the register map names them."""

import dataclasses

__all__ = [
    "ChannelSettings",
    "Settings",
    "TenantSettings",
]


@dataclasses.dataclass(frozen=True, kw_only=True)
class TenantSettings:
    """Settings of one tenant on a channel; all zero for a tag that nobody has.

    Every field is the image field of the same name in the register map, which gives its unit.
    """

    enable: int = 0
    work_conserving: int = 0
    priority: int = 0
    committed_rate: int = 0
    committed_depth: int = 0
    peak_rate: int = 0
    peak_depth: int = 0
    inverse_weight: int = 0
    age_limit: int = 0
    latency_slo: int = 0
    refuse_outside: int = 0
    colours: int = 0


@dataclasses.dataclass(frozen=True, kw_only=True)
class ChannelSettings:
    """Settings of a channel as a whole.

    Every field is the image field of the same name in the register map, which gives its unit.
    """

    pacer_enable: int
    overcommitted: int
    pacer_rate: int
    port_credit: int
    inverse_total_weight: int
    depth1_clocks: int
    promotion_interval: int
    epoch_clocks: int
    colour_bit_0: int = 0
    colour_bit_1: int = 0
    colour_bit_2: int = 0
    colour_bit_3: int = 0


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything an image sets.

    Parameters
    ----------
    channel : ChannelSettings
        Settings of the channel.
    tenants : tuple[TenantSettings, ...]
        Settings of every tag, in order.
    """

    channel: ChannelSettings
    tenants: tuple[TenantSettings, ...]
