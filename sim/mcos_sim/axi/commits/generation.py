"""What one commit makes live: settings, tenant tables and interleave, at random."""

import dataclasses
import random
from collections.abc import Sequence

import numpy as np

from mcos_hw.bus.axi4lite import Response
from mcos_hw.config import ChannelConfig, FabricConfig
from mcos_hw.registers import fabric_map
from mcos_policy.image import encode
from mcos_policy.interleave import Interleave
from mcos_policy.ports import TenantRow, port_sections
from mcos_policy.settings import ChannelSettings, Settings, TenantSettings

__all__ = [
    "Generation",
    "generation",
    "random_generation",
    "random_interleave",
]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Generation:
    """What is live between two commits.

    Parameters
    ----------
    settings : Settings
        What the channels and their tenants have.
    rows : tuple[TenantRow, ...]
        Tenant tables.
    interleave : Interleave
        How addresses are spread.
    words : tuple[int, ...]
        The image.
    """

    settings: Settings
    rows: tuple[TenantRow, ...]
    interleave: Interleave
    words: tuple[int, ...]

    def of_channel(self, channel: int) -> Settings:
        """What one channel has."""
        channels = self.settings.channels
        return dataclasses.replace(
            self.settings, channel=channels[channel] if channels else self.settings.channel
        )

    def moves(self, before: "Generation") -> bool:
        """Whether addresses or page colours mean something else than before."""
        if self.interleave != before.interleave:
            return True
        return self._colour_bits() != before._colour_bits()

    def _colour_bits(self) -> list[tuple[int, ...]]:
        settings = self.settings
        each = settings.channels or (settings.channel,)
        return sorted({tuple(getattr(one, f"colour_bit_{k}") for k in range(4)) for one in each})

    def answers(self, fabric: FabricConfig) -> np.ndarray:
        """Of each port and ID the tenant, and the answer to a burst that AXI allows.

        Returns
        -------
        numpy.ndarray
            Shape (ports, 2**id bits of the widest, 2), int64; the tenant of an ID that no row has
            is 0.
        """
        ids = 1 << max(port.id_width for port in fabric.ports)
        found = np.zeros((len(fabric.ports), ids, 2), dtype=np.int64)
        found[:, :, 1] = Response.DECERR
        # The lowest row that holds an ID counts.
        for row in sorted(self.rows, key=lambda row: -row.row):
            enabled = self.settings.tenants[row.tenant].enable
            answer = Response.OKAY if enabled else Response.DECERR
            found[row.port, row.first : row.last + 1] = row.tenant, answer
        return found


def generation(
    fabric: FabricConfig,
    settings: Settings,
    rows: Sequence[TenantRow],
    interleave: Interleave,
    *,
    label: int = 0,
) -> Generation:
    """The generation of settings that say nothing of ports and interleave, with these."""
    masks = {f"mask_{j}": mask for j, mask in enumerate(interleave.masks)}
    whole = dataclasses.replace(
        settings,
        fabric={**(settings.fabric or {}), "grain": interleave.grain, **masks},
        ports=port_sections(fabric, rows),
    )
    words = encode(fabric.channel, fabric_map(fabric), whole, label).words
    return Generation(settings=whole, rows=tuple(rows), interleave=interleave, words=words)


def random_interleave(fabric: FabricConfig, rng: random.Random) -> Interleave:
    """An interleave with a random grain, and with random bits above its window."""
    width = fabric.channel_width
    grain = rng.randrange(0, 4)
    masks = []
    for j in range(width):
        above = rng.getrandbits(24) << (grain + width) if rng.random() < 0.7 else 0
        masks.append((1 << (grain + j) | above) & 0xFFFF_FFFF)
    return Interleave(grain=grain, masks=tuple(masks), block_width=fabric.block_width)


def random_generation(
    fabric: FabricConfig,
    rng: random.Random,
    *,
    interleave: Interleave,
    drains: bool,
    steady: int,
    changing: int,
    colour_bits: Sequence[int],
) -> Generation:
    """A generation that serves everybody somehow.

    On every port IDs below ``steady`` are of a tenant that is enabled, another one each time; the
    next ``changing`` IDs are of any tenant, enabled or not, or of none. Rates, depths, weights,
    switches and colours are random, and so are the channels' settings, which differ.

    Parameters
    ----------
    fabric : FabricConfig
        Sizes; tables have two rows.
    rng : random.Random
        Where it comes from.
    interleave : Interleave
        How addresses are spread.
    drains : bool
        Nobody's requests wait for as long as it is live; else those outside of page colours may.
    steady, changing : int
        Bursts of how many IDs are always served, and sometimes.
    colour_bits : Sequence[int]
        Address bits that make page colours.
    """
    config = fabric.channel
    rows: list[TenantRow] = []
    served = set()
    for port in range(len(fabric.ports)):
        tenant = rng.randrange(config.tenants)
        served.add(tenant)
        rows.append(TenantRow(port=port, row=0, tenant=tenant, first=0, last=steady - 1))
        if rng.random() < 0.7:
            last = steady + rng.randrange(changing)
            other = rng.randrange(config.tenants)
            first = rng.choice((0, steady))
            rows.append(TenantRow(port=port, row=1, tenant=other, first=first, last=last))
    tenants = tuple(
        _tenant(config, rng, enable=tag in served or rng.random() < 0.5, drains=drains)
        for tag in range(config.tenants)
    )
    channels = tuple(_channel(config, rng, tenants, colour_bits) for _ in range(fabric.channels))
    if rng.random() < 0.5:
        channels = channels[:1] * fabric.channels
    settings = Settings(channel=channels[0], tenants=tenants, channels=channels)
    return generation(fabric, settings, rows, interleave)


def _tenant(
    config: ChannelConfig, rng: random.Random, *, enable: bool, drains: bool
) -> TenantSettings:
    if not enable and rng.random() < 0.5:
        return TenantSettings()
    full = config.bytes_per_clock << config.rate_fraction
    committed = rng.randrange(0, full // config.tenants * 3 // 4)
    depth = config.l_max * rng.choice((1, 2, 8))
    # Whoever needs tokens gets some, so that nobody waits for long.
    peak = max(committed, rng.randrange(full // 4, full))
    return TenantSettings(
        enable=int(enable),
        work_conserving=int(rng.random() < 0.8),
        priority=rng.randrange(4),
        refuse_outside=int(not drains and rng.random() < 0.02),
        committed_rate=committed,
        committed_depth=depth if committed else 0,
        peak_rate=peak,
        peak_depth=depth * rng.choice((1, 2)),
        inverse_weight=(1 << config.reciprocal_fraction) // rng.choice((1, 2, 3, 5)),
        age_limit=rng.choice((0, 0, 30, 300)),
        colours=rng.randrange(1, 1 << 16),
    )


def _channel(
    config: ChannelConfig,
    rng: random.Random,
    tenants: Sequence[TenantSettings],
    colour_bits: Sequence[int],
) -> ChannelSettings:
    one = 1 << config.reciprocal_fraction
    total = sum(one // each.inverse_weight for each in tenants if each.enable)
    full = config.bytes_per_clock << config.rate_fraction
    return ChannelSettings(
        pacer_enable=rng.getrandbits(1),
        overcommitted=int(rng.random() < 0.2),
        pacer_rate=rng.randrange(full * 3 // 4, full + 1),
        port_credit=config.l_max * rng.choice((2, 8, 16, 32)),
        inverse_total_weight=(1 << config.total_reciprocal_fraction) // max(1, total),
        depth1_clocks=rng.choice((0, 16, 255)),
        promotion_interval=rng.choice((1, 2, 16)),
        epoch_clocks=10_000,
        **{f"colour_bit_{k}": bit for k, bit in enumerate(colour_bits)},
    )
