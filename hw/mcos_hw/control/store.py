"""Where a configuration is kept: shadow registers that images fill, live registers that count."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.link.live import live_layout
from mcos_hw.registers.declaration import RegisterMap

__all__ = ["ConfigStore"]


class ConfigStore(wiring.Component):
    """Shadow and live registers of a register map.

    Words enter the shadow in the order of :meth:`RegisterMap.image_words`. A commit copies the
    whole shadow to ``live`` at the edge that ends its clock, so no clock sees half of it. After
    reset both are all zero: no tenant is enabled.

    The store does not judge values; the loader does, before it commits.

    Parameters
    ----------
    registers : RegisterMap
        The map.

    Members
    -------
    write_stb : In(1)
        Put ``word`` into the shadow.
    write_index : In
        Which word of the payload it is.
    word : In(32)
        The word.
    fits : Out(1)
        ``word`` has no bit outside the fields of register ``write_index``; only while it is put in.
    commit_stb : In(1)
        Copy the shadow to the live registers.
    shadow, live : Out(live_layout(registers))
        Both sets of registers.
    """

    write_stb: Signal
    write_index: Signal
    word: Signal
    fits: Signal
    commit_stb: Signal
    shadow: data.View
    live: data.View

    def __init__(self, registers: RegisterMap) -> None:
        self.registers = registers
        super().__init__(
            {
                "write_stb": In(1),
                "write_index": In(range(registers.image_length)),
                "word": In(32),
                "fits": Out(1),
                "commit_stb": In(1),
                "shadow": Out(live_layout(registers)),
                "live": Out(live_layout(registers)),
            }
        )

    def elaborate(self, platform):
        m = Module()
        with m.If(self.write_stb), m.Switch(self.write_index):
            for position, (register, index) in enumerate(self.registers.image_words()):
                single = register.count == 1
                part = self.shadow.channel if single else self.shadow.tenants[index]
                with m.Case(position):
                    m.d.comb += self.fits.eq((self.word & ~register.mask & 0xFFFF_FFFF) == 0)
                    for field in register.fields:
                        value = self.word[field.low : field.low + field.width]
                        m.d.sync += part[field.name].eq(value)
        with m.If(self.commit_stb):
            m.d.sync += self.live.eq(self.shadow)
        return m
