"""What all tenants of a run have in common, and when each of them asks."""

import dataclasses
import math
from collections.abc import Mapping
from fractions import Fraction

from mcos_hw.config import ChannelConfig
from mcos_policy.quantize import clocks
from mcos_sim.traffic.limit import require_few
from mcos_sim.traffic.plan import Asking

__all__ = [
    "Frame",
    "require_few_of",
    "span_of",
]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Frame:
    """What holds for all tenants of a run.

    Parameters
    ----------
    config : ChannelConfig
        The channel.
    channels : int
        What rates of the fabric are divided by: its channels, over those that are run.
    rate : Fraction
        Bytes a clock that the channels pass.
    first, end : int
        First clock of the run in which tenants ask, and the clock in which it ends.
    seed : int
        Seed of everything random.
    run : int
        Channels that are run.
    """

    config: ChannelConfig
    channels: int
    rate: Fraction
    first: int
    end: int
    seed: int
    run: int = 1


def require_few_of(counts: Mapping[str, int]) -> None:
    """Refuse requests, counted by tenant, that would take too much memory and time.

    Raises
    ------
    UserError
        If there are too many.
    """
    name = max(counts, key=lambda each: counts[each], default="nobody")
    way_out = (
        f"{counts.get(name, 0):,} of them are by {name}: give fewer --clocks, a rate, or larger "
        "requests"
    )
    require_few("the tenants of a run", sum(counts.values()), way_out)


def span_of(asking: Asking, frame: Frame) -> tuple[int, int]:
    """First clock in which the tenant asks, and the clock in which it stops."""
    stop = getattr(asking.pattern, "stop", None)
    end = frame.end
    if stop is not None:
        end = min(end, frame.first + math.ceil(clocks(stop, frame.config)))
    return min(frame.first + math.floor(asking.start), end - 1), end
