"""How much of a fabric a contract leaves free, or by how much it exceeds the fabric."""

import dataclasses
import math
from fractions import Fraction

from mcos_hw.config import ADMISSIBLE_SHARE, ChannelConfig
from mcos_policy.contract import MOST_CHANNELS, Contract
from mcos_policy.quantize import WEIGHT_LIMIT, least_rate

__all__ = [
    "Headroom",
    "headroom",
]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Headroom:
    """How much of a fabric guarantees may take, and how much they take, in bytes per second.

    A guarantee takes its rate times its cost.

    Parameters
    ----------
    channels : int
        Channels of the fabric.
    capacity : Fraction
        Rate of all channels together.
    limit : Fraction
        Most that guarantees may take together.
    charged : Fraction
        How much the guarantees take together.
    further : tuple[Fraction, Fraction] or None
        Least and largest guarantee of one more tenant at a cost of 1; None where none fits.
    """

    channels: int
    capacity: Fraction
    limit: Fraction
    charged: Fraction
    further: tuple[Fraction, Fraction] | None

    @property
    def free(self) -> Fraction:
        """How much more guarantees may take."""
        return max(Fraction(0), self.limit - self.charged)

    @property
    def over(self) -> Fraction:
        """By how much the guarantees exceed the limit."""
        return max(Fraction(0), self.charged - self.limit)

    @property
    def factor(self) -> Fraction:
        """Factor that brings all guarantees to the limit; 1 if they are within it."""
        return min(Fraction(1), self.limit / self.charged) if self.charged else Fraction(1)

    @property
    def enough_channels(self) -> int | None:
        """Fewest channels of the same rate that carry the guarantees; None for too many."""
        enough = math.ceil(self.charged / (self.limit / self.channels))
        return enough if enough <= MOST_CHANNELS else None


def headroom(contract: Contract, config: ChannelConfig) -> Headroom:
    """How much of its fabric a contract takes and leaves."""
    channels = contract.fabric.channels
    promises = [tenant.bandwidth for tenant in contract.tenants.values()]
    capacity = (contract.memory.rate or Fraction(config.capacity)) * channels
    limit = ADMISSIBLE_SHARE * capacity
    charged = sum((each.guaranteed * each.cost for each in promises), Fraction(0))
    guarantees = [each.guaranteed for each in promises if each.guaranteed]
    further = None
    least = least_rate(channels, config)
    most = limit - charged
    if guarantees:
        least = max(least, max(guarantees) / WEIGHT_LIMIT)
        most = min(most, WEIGHT_LIMIT * min(guarantees))
    if least <= most and len(promises) < config.tenants:
        further = least, most
    return Headroom(
        channels=channels, capacity=capacity, limit=limit, charged=charged, further=further
    )
