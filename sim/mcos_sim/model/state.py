"""A model's state after reset, and an image in the form that the model takes."""

import numpy as np

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import ArbiterKind
from mcos_policy.settings import Settings
from mcos_sim.model import layout as at

__all__ = [
    "image_rows",
    "reset_state",
]


_DRAIN_AGE = 1024
"""Age in clocks at which a head of a disabled tenant goes first; see docs/channel.md. Not imported,
so that a comparison sees the hardware's."""


def reset_state(config: ChannelConfig, arbiter: ArbiterKind) -> np.ndarray:
    """The state of a channel in clock 0, with no image live."""
    s = np.zeros(at.SLOT_TABLE + at.SLOT_ROW * config.slots, dtype=np.int64)
    beat_bits = (config.beat_bytes - 1).bit_length()
    round_bits = config.tenant_width
    # Bits that beats x 1/w has below a tag's last one; negative where it has too few.
    spare_bits = config.reciprocal_fraction - beat_bits - config.tag_fraction
    sizes = {
        at.TENANTS: config.tenants,
        at.QUEUE_MASK: config.queue_depth - 1,
        at.QUEUE_DEPTH: config.queue_depth,
        at.BEAT_BYTES: config.beat_bytes,
        at.BEAT_BITS: beat_bits + config.rate_fraction,
        at.LATENESS: config.lateness,
        at.TAG_WIDTH: config.tag_width,
        at.TAG_MASK: (1 << config.tag_width) - 1,
        at.STALE_AFTER: config.stale_after << config.tag_fraction,
        at.TAG_LEAD: config.tag_lead << config.tag_fraction,
        at.PRICE_WIDENING: max(0, -spare_bits),
        at.PRICE_FRACTION: max(0, spare_bits),
        at.COST_SHIFT: config.total_reciprocal_fraction - config.tag_fraction,
        at.RATE_FRACTION: config.rate_fraction,
        at.L_MAX: config.l_max,
        at.SLOTS: config.slots,
        at.ROUND_BITS: round_bits,
        at.OLDEST_AGE: (1 << (config.clocks_width - round_bits)) - 1,
        at.KIND: int(arbiter),
        at.FREE_SLOTS: config.slots,
        at.RESTED: 0xFF,
        at.EPOCH: 1,
    }
    for place, value in sizes.items():
        s[place] = value
    for place in (
        *(at.GRANT, at.APPROACH, at.ENTRY, at.LEFT, at.VISITED, at.COMPARED, at.OLDEST),
        *(at.PROMOTE, at.STAMPED_TENANT, at.COMPUTED_TENANT, at.MEASURED_TENANT),
        at.STRAYED,
    ):
        s[place] = at.NOBODY
    s[at.RESPONDED : at.RESPONDED + at.LANES] = at.LONG_AGO
    s[at.SCAVENGES : at.SCAVENGES + at.LANES] = 1
    s[at.AGE_LIMIT : at.AGE_LIMIT + at.LANES] = _DRAIN_AGE
    return s


def image_rows(settings: Settings, config: ChannelConfig) -> np.ndarray:
    """Values of an image in the order of the state's places: the channel's, then each tenant's.

    Returns
    -------
    numpy.ndarray
        Shape (CHANNEL_ROWS + TENANT_ROWS x tenants,), int64; depths are in level
        units, and the age limit of a disabled tenant is the one at which its queue drains.
    """
    channel = settings.channel
    rows = [
        channel.pacer_enable,
        channel.overcommitted,
        channel.pacer_rate,
        channel.port_credit,
        channel.inverse_total_weight,
        channel.depth1_clocks,
        channel.promotion_interval,
        channel.epoch_clocks,
        channel.colour_bit_0,
        channel.colour_bit_1,
        channel.colour_bit_2,
        channel.colour_bit_3,
    ]
    for tenant in settings.tenants:
        rows += [
            tenant.enable,
            tenant.work_conserving,
            tenant.priority,
            tenant.committed_rate,
            tenant.committed_depth << config.rate_fraction,
            tenant.peak_rate,
            tenant.peak_depth << config.rate_fraction,
            tenant.inverse_weight,
            tenant.age_limit if tenant.enable else _DRAIN_AGE,
            tenant.latency_slo,
            tenant.refuse_outside,
            tenant.colours,
        ]
    return np.array(rows, dtype=np.int64)
