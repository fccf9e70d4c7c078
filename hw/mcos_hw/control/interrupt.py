"""The interrupt of a core."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.registers.interrupt import InterruptEvent

__all__ = ["Interrupt"]


class Interrupt(wiring.Component):
    """Remembers events until software clears them, and interrupts for those that are enabled.

    An event is pending from the next clock on. One that happens while it is cleared stays pending.
    After reset nothing is pending and nothing enabled.

    Members
    -------
    events : In(len(InterruptEvent))
        Bit k: event k happens in this clock.
    clear_stb : In(1)
        Clear the events of ``clear``.
    clear : In(len(InterruptEvent))
        Which.
    mask_stb : In(1)
        Take ``mask``.
    mask : In(len(InterruptEvent))
        Which events interrupt.
    pending, enabled : Out(len(InterruptEvent))
        Events that are remembered, and those that interrupt.
    irq : Out(1)
        An event that is enabled was pending in the clock before: a level, out of a register.
    """

    events: Signal
    clear_stb: Signal
    clear: Signal
    mask_stb: Signal
    mask: Signal
    pending: Signal
    enabled: Signal
    irq: Signal

    def __init__(self) -> None:
        width = len(InterruptEvent)
        super().__init__(
            {
                "events": In(width),
                "clear_stb": In(1),
                "clear": In(width),
                "mask_stb": In(1),
                "mask": In(width),
                "pending": Out(width),
                "enabled": Out(width),
                "irq": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        kept = Mux(self.clear_stb, self.pending & ~self.clear, self.pending)
        m.d.sync += self.pending.eq(kept | self.events)
        with m.If(self.mask_stb):
            m.d.sync += self.enabled.eq(self.mask)
        m.d.sync += self.irq.eq((self.pending & self.enabled).any())
        return m
