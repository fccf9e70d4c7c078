"""How a tenant is held to its guarantee: what its peak bucket and its scavenging become."""

from typing import NamedTuple

from amaranth import *

from mcos_hw.config import ChannelConfig

__all__ = [
    "Peak",
    "held_peak",
]


class Peak(NamedTuple):
    """Rate and depth of a peak bucket."""

    rate: Value
    depth: Value


def held_peak(config: ChannelConfig, contract, closed: Value) -> Peak:
    """The peak bucket in force of a tenant that the governor may have closed.

    A closed tenant's peak bucket is refilled by the committed rate and holds a longest request, so
    that it has next to nothing to burst with: under two longest requests from the clock on that
    closes it. Beside that its ``work_conserving`` is masked. Its committed bucket stays, saved-up
    tokens included. Its conforming grants are charged to the peak bucket as always; if they use
    up what was saved, the peak level owes that, and the tenant bursts again once that is paid back.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.
    contract : View
        The tenant's settings, with the committed rate that is in force.
    closed : Value
        It is closed.
    """
    # A peak bucket without a depth has no rate either, and the committed one neither.
    longest = Mux(contract.peak_depth.any(), config.l_max, 0)
    return Peak(
        rate=Mux(closed, contract.committed_rate, contract.peak_rate),
        depth=Mux(closed, longest, contract.peak_depth),
    )
