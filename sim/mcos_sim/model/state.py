"""A model's state after reset, and an image in the form that the model takes."""

import numpy as np

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import ArbiterKind
from mcos_policy.settings import Settings
from mcos_sim.model import layout as at
from mcos_sim.model.age import DRAIN_AGE

__all__ = [
    "image_rows",
    "reset_state",
]


def reset_state(config: ChannelConfig, arbiter: ArbiterKind, *, gated: bool = True) -> np.ndarray:
    """The state of a channel in clock 0, with no image live.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.
    arbiter : ArbiterKind
        Who chooses the grants.
    gated : bool
        Whether requests of a tenant that is not enabled are not taken.

    Raises
    ------
    ValueError
        If the model has no room for its tenants or its queues.
    """
    s = np.zeros(_length(config), dtype=np.int64)
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
        at.GRANT_INTERVAL: config.grant_interval,
        at.COMPACT: config.compact and arbiter is ArbiterKind.MCOS,
        at.STEPS: config.steps,
        at.LOOK_CLOCKS: config.look_clocks if config.compact else 0,
        at.TABLE: config.compact,
        at.FREE_SLOTS: config.slots,
        at.RESTED: 0xFF,
        at.EPOCH: 1,
        at.UNGATED: not gated,
        at.READY: 0 if gated else (1 << config.tenants) - 1,
    }
    for place, value in sizes.items():
        s[place] = value
    for place in (
        *(at.GRANT, at.APPROACH, at.ENTRY, at.LEFT, at.VISITED, at.COMPARED, at.OLDEST),
        *(at.PROMOTE, at.STAMPED_TENANT, at.COMPUTED_TENANT, at.MEASURED_TENANT),
        *(at.STRAYED, at.FIRST, at.SECOND, at.WAITING_TENANT),
    ):
        s[place] = at.NOBODY
    s[at.LOOK_TENANT : at.LOOK_TENANT + at.LOOKS] = at.NOBODY
    s[at.STEP_TENANT : at.STEP_TENANT + at.TABLE_STEPS] = at.NOBODY
    s[at.STEP_CHARGED : at.STEP_CHARGED + at.TABLE_STEPS] = at.NOBODY
    s[at.TO_FILL] = (1 << config.tenants) - 1
    s[at.RESPONDED : at.RESPONDED + at.LANES] = at.LONG_AGO
    s[at.SCAVENGES : at.SCAVENGES + at.LANES] = 1
    s[at.GUARD_LIMIT : at.GUARD_LIMIT + at.LANES] = DRAIN_AGE
    return s


def _length(config: ChannelConfig) -> int:
    """Places of a channel of these sizes."""
    if config.tenants > at.LANES:
        raise ValueError(f"tenants must be at most the model's {at.LANES}, not {config.tenants}")
    if config.queue_depth > at.ROWS:
        depth = config.queue_depth
        raise ValueError(f"queue_depth must be at most the model's {at.ROWS}, not {depth}")
    return at.SLOT_TABLE + at.SLOT_ROW * config.slots


def image_rows(settings: Settings) -> np.ndarray:
    """Values of an image in the order of their places: the channel's, then each tenant's.

    Returns
    -------
    numpy.ndarray
        Shape (CHANNEL_FIELDS + TENANT_FIELDS x tenants,), int64.
    """
    names = list(at.LIVE)
    rows = [getattr(settings.channel, name) for name in names[: at.CHANNEL_FIELDS]]
    for tenant in settings.tenants:
        rows += [getattr(tenant, name) for name in names[at.CHANNEL_FIELDS :]]
    return np.array(rows, dtype=np.int64)
