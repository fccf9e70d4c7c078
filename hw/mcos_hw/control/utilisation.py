"""Averages of what each tenant of a channel was granted lately."""

from typing import Protocol

from amaranth import *
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.config import ChannelConfig
from mcos_hw.link.utilisation import (
    SHARE_WIDTH,
    Utilisation,
    granted_layout,
    utilisation_signature,
)
from mcos_hw.registers.utilisation import UTILISATION_FULL, UTILISATION_INTERVAL, UTILISATION_SHIFT

__all__ = ["ChannelUtilisation"]


class _Window(Protocol):
    index: Signal
    data: Signal


class ChannelUtilisation(wiring.Component):
    """Averages the beats that each tenant is granted, interval by interval.

    A beat is a clock's worth of the channel, and an interval has as many clocks as the whole rate
    has parts: so the beats of an interval are the tenant's share of it. The average a of a tenant
    becomes ``a + (share - a) / 2**UTILISATION_SHIFT``.

    Grants count in one memory while the tenants of the interval before are visited in the other,
    one a clock, with one adder. Both are cleared by these visits: so nothing counts until the
    second interval after reset, and shares are 0 until then.

    Parameters
    ----------
    config : ChannelConfig
        Sizes of the channel; its beat is a clock's worth.

    Members
    -------
    ends : In(1)
        The interval ends with this clock, which still belongs to it. An interval has a clock for
        each tenant at least.
    granted : In(granted_layout)
        The grant of this clock.
    utilisation : Out(Utilisation)
        The new average of a tenant.
    window : In(index, data)
        ``data`` is the average of the tenant ``index`` of the clock before.

    Raises
    ------
    ValueError
        If a beat of the channel is not a clock's worth.
    """

    ends: Signal
    granted: data.View
    utilisation: Utilisation
    window: _Window

    def __init__(self, config: ChannelConfig) -> None:
        if config.beat_bytes != config.bytes_per_clock:
            raise ValueError(
                f"beat_bytes must equal bytes_per_clock, {config.bytes_per_clock}, "
                f"not {config.beat_bytes}"
            )
        self.config = config
        window = wiring.Signature({"index": Out(config.tenant_width), "data": In(32)})
        super().__init__(
            {
                "ends": In(1),
                "granted": In(granted_layout(config)),
                "utilisation": Out(utilisation_signature(config)),
                "window": In(window),
            }
        )

    def elaborate(self, platform):
        assert UTILISATION_INTERVAL == UTILISATION_FULL
        m = Module()
        config, granted = self.config, self.granted
        most = (1 << SHARE_WIDTH) - 1
        bank = Signal()
        visits = Signal(init=1)
        tenant = Signal(config.tenant_width)
        # Intervals that have ended, up to two: by then both banks are cleared.
        ended = Signal(2)
        m.d.sync += bank.eq(bank ^ self.ends)
        with m.If(self.ends):
            m.d.sync += [visits.eq(1), tenant.eq(0), ended.eq(ended + ~ended[1])]
        with m.Elif(visits):
            m.d.sync += [tenant.eq(tenant + 1), visits.eq(tenant != config.tenants - 1)]

        found = Signal(SHARE_WIDTH)
        for k in range(2):
            m.submodules[f"beats_{k}"] = rows = self._memory(SHARE_WIDTH)
            read, write = rows.read_port(domain="comb"), rows.write_port()
            total = Signal(range(most + (1 << config.beats_width)), name=f"total_{k}")
            m.d.comb += [
                read.addr.eq(Mux(bank == k, granted.tenant, tenant)),
                total.eq(read.data + granted.beats),
                write.addr.eq(read.addr),
            ]
            with m.If(bank == k):
                m.d.comb += [
                    write.en.eq(granted.valid),
                    write.data.eq(Mux(total > most, most, total)),
                ]
            with m.Else():
                m.d.comb += [write.en.eq(visits), found.eq(read.data)]

        # A sum of 2**UTILISATION_SHIFT averages, so that no fraction is lost.
        m.submodules.sums = sums = self._memory(SHARE_WIDTH + UTILISATION_SHIFT)
        old, shown, new = sums.read_port(domain="comb"), sums.read_port(), sums.write_port()
        counts = ended[1]
        following = Signal(SHARE_WIDTH + UTILISATION_SHIFT)
        m.d.comb += [
            old.addr.eq(tenant),
            following.eq(old.data - (old.data >> UTILISATION_SHIFT) + found),
            new.addr.eq(tenant),
            new.en.eq(visits),
            new.data.eq(Mux(counts, following, 0)),
            self.utilisation.stb.eq(visits),
            self.utilisation.tenant.eq(tenant),
            self.utilisation.share.eq(new.data >> UTILISATION_SHIFT),
            shown.addr.eq(self.window.index),
            self.window.data.eq(Mux(ended.any(), shown.data >> UTILISATION_SHIFT, 0)),
        ]
        return m

    def _memory(self, width: int) -> memory.Memory:
        """A row for each tenant, that is read in the clock of its index."""
        return memory.Memory(
            shape=unsigned(width),
            depth=self.config.tenants,
            init=[],
            attrs={"ram_style": "distributed"},
        )
