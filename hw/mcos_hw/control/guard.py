"""Who may write registers."""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.link.guard import GuardedWrite, guarded_write_signature
from mcos_hw.registers.guard import GUARD_KEY, GUARD_WINDOWS

__all__ = ["Guard"]


class Guard(wiring.Component):
    """Lets only the owner of the registers write.

    AXI4-Lite names no manager. So the register map appears in several address windows, of which an
    operating system maps one to an agent, and the owner is a window. The first that claims owns;
    it releases. Window 0 may take over, with a key. Without an owner every write is let through.

    Owner and count change in the clock after the write.

    Members
    -------
    write : In(GuardedWrite)
        A write of a register that can be written.
    claim, release : In(1)
        It is a claim, or a release; only with a write that is let through.
    owned : Out(1)
        There is an owner.
    owner : Out(range(GUARD_WINDOWS))
        Its window, if there is one.
    refused : Out(1)
        The write of this clock is refused.
    faults : Out(32)
        Writes refused since reset, modulo.
    """

    write: GuardedWrite
    claim: Signal
    release: Signal
    owned: Signal
    owner: Signal
    refused: Signal
    faults: Signal

    def __init__(self) -> None:
        super().__init__(
            {
                "write": In(guarded_write_signature()),
                "claim": In(1),
                "release": In(1),
                "owned": Out(1),
                "owner": Out(range(GUARD_WINDOWS)),
                "refused": Out(1),
                "faults": Out(32),
            }
        )

    def elaborate(self, platform):
        m = Module()
        write = self.write
        m.d.comb += [
            write.allowed.eq(
                Mux(
                    write.takes_over,
                    (write.window == 0) & (write.word == GUARD_KEY),
                    ~self.owned | (write.window == self.owner),
                )
            ),
            self.refused.eq(write.stb & ~write.allowed),
        ]
        m.d.sync += self.faults.eq(self.faults + self.refused)
        with m.If(write.stb & write.allowed):
            with m.If(write.takes_over | self.claim):
                m.d.sync += [self.owned.eq(1), self.owner.eq(write.window)]
            with m.Elif(self.release):
                m.d.sync += self.owned.eq(0)
        return m
