"""Holds closed tenants to their guarantees: what their peak buckets and scavenging become."""

from typing import NamedTuple

from amaranth import *
from amaranth.lib.wiring import In

from mcos_hw.config import ChannelConfig
from mcos_hw.fabric.between import Between

__all__ = [
    "Held",
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
    that it has next to nothing to burst with: at most two longest requests from the clock on in
    which it is cut.

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


class Held(Between):
    """Stands in front of a channel, and holds the tenants that the governor closes.

    A closed tenant bursts and scavenges no more: see :func:`held_peak`, and ``work_conserving`` is
    masked. Its committed bucket stays, saved-up tokens included. Its conforming grants are charged
    to the peak bucket as always; where they use up what was saved the peak level owes it, and the
    tenant bursts again once that is paid back.

    There is no clock between. The pacer, and all else, stay.

    Parameters
    ----------
    config : ChannelConfig
        Sizes of the channel.

    Members
    -------
    closed : In(tenants)
        Bit i: tenant i is held to its guarantee.

    See :class:`Between`.
    """

    closed: Signal

    def __init__(self, config: ChannelConfig) -> None:
        super().__init__(config, {"closed": In(config.tenants)})

    def elaborate(self, platform):
        m = super().elaborate(platform)
        config = self.config
        for i in range(config.tenants):
            with m.If(self.closed[i]):
                m.d.comb += self.live.tenants[i].work_conserving.eq(0)
            if not config.compact:
                self._hold(m, self.live.tenants[i], self.image.tenants[i], self.closed[i])
        if config.compact:
            asked = self.contracts.buckets
            closed = self.closed.bit_select(asked.tenant, 1)
            self._hold(m, asked.row, self.image_reads.buckets.row, closed)
        return m

    def _hold(self, m: Module, row, contract, closed: Value) -> None:
        """The peak bucket in force."""
        peak = held_peak(self.config, contract, closed)
        m.d.comb += [row.peak_rate.eq(peak.rate), row.peak_depth.eq(peak.depth)]
