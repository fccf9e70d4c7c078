"""Keeps the grants of a compact channel apart."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.config import ChannelConfig
from mcos_hw.link.grant import Grant, grant_signature

__all__ = ["GrantSpacing"]


class GrantSpacing(wiring.Component):
    """Lets no grant be made before the interval since the last one is over.

    Parameters
    ----------
    config : ChannelConfig
        Sizes; ``grant_interval`` is more than 1.

    Members
    -------
    grant : In(Grant)
        The grant of this clock.
    open_then : Out(1)
        A grant may be made in the next clock.
    """

    grant: Grant
    open_then: Signal

    def __init__(self, config: ChannelConfig) -> None:
        self.config = config
        super().__init__({"grant": In(grant_signature(config)), "open_then": Out(1)})

    def elaborate(self, platform):
        m = Module()
        # Clocks, after this one, in which none may be made.
        closed = Signal(range(self.config.grant_interval))
        m.d.comb += self.open_then.eq(~self.grant.valid & (closed == 0))
        with m.If(self.grant.valid):
            m.d.sync += closed.eq(self.config.grant_interval - 2)
        with m.Elif(closed != 0):
            m.d.sync += closed.eq(closed - 1)
        return m
