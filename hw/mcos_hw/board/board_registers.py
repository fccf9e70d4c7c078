"""What software sets and reads of a board beside its channels."""

from collections.abc import Sequence

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from mcos_hw.board.generator import counts_layout, settings_layout
from mcos_hw.bus.axi4lite import Axi4LiteInterface, Axi4LiteSignature
from mcos_hw.control.bank import RegisterBank
from mcos_hw.registers.board_map import GENERATOR_COUNTS, board_map

__all__ = ["BoardRegisters"]


class BoardRegisters(wiring.Component):
    """Owner of the registers of :func:`mcos_hw.registers.board_map.board_map`.

    After reset no generator is on.

    Parameters
    ----------
    lanes, tenants : int
        As in the map.

    Members
    -------
    s_axil : In(Axi4LiteSignature)
        The bus.
    settings : Out(settings_layout()), an array with one for each tenant
        How the generators of a tenant ask.
    clear : Out(1)
        All counts become zero.
    counts : In(counts_layout()), an array with one for each generator: ``tenants * lane + tenant``
        What each counted.
    """

    s_axil: Axi4LiteInterface
    settings: Sequence[data.View]
    clear: Signal
    counts: Sequence[data.View]

    def __init__(self, *, lanes: int, tenants: int) -> None:
        self.lanes = lanes
        self.tenants = tenants
        self.registers = board_map(lanes, tenants)
        super().__init__(
            {
                "s_axil": In(Axi4LiteSignature(self.registers.address_width)),
                "settings": Out(settings_layout()).array(tenants),
                "clear": Out(1),
                "counts": In(counts_layout()).array(lanes * tenants),
            }
        )

    def elaborate(self, platform):
        m = Module()
        constants = {name: self.registers[name].reset for name in ("BOARD", "BOARD_SHAPE")}
        m.submodules.bank = bank = RegisterBank(self.registers, constants=constants)
        connect(m, flipped(self.s_axil), bank.s_axil)
        # The bank has a member for every WRITE register of whatever map it is given.
        clear, pace, generator = (getattr(bank, each) for each in ("clear", "pace", "generator"))
        m.d.comb += self.clear.eq(clear.stb & clear.counts)

        interval = Signal(16)
        window = Signal(6)
        with m.If(pace.stb):
            m.d.sync += [interval.eq(pace.interval), window.eq(pace.window)]
        for k, settings in enumerate(self.settings):
            with m.If(generator.stb & (generator.tenant == k)):
                m.d.sync += [
                    settings.interval.eq(interval),
                    settings.window.eq(window),
                    *(
                        settings[name].eq(getattr(generator, name))
                        for name in ("on", "random", "beats_log2", "writes")
                    ),
                ]

        for name in GENERATOR_COUNTS:
            window_of = getattr(bank, name.lower())
            counts = [each[name.lower()] for each in self.counts]
            m.d.sync += window_of.data.eq(Array(counts)[window_of.index])
        return m
