# amaranth: UnusedElaboratable=no
"""A channel of a board, with its tenants in front of it and its memory behind."""

from collections.abc import Sequence

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out, connect, flipped

from mcos_hw.board.block_memory import BlockMemory
from mcos_hw.board.generator import Generator, counts_layout, settings_layout
from mcos_hw.bus.axi4lite import Axi4LiteInterface, Axi4LiteSignature
from mcos_hw.config import FabricConfig
from mcos_hw.fabric.fabric import Fabric, port_name
from mcos_hw.registers import ArbiterKind

__all__ = ["Lane"]


class Lane(wiring.Component):
    """Generators, one a tenant at an AXI port of its own, a fabric, and block RAM.

    Parameters
    ----------
    fabric : FabricConfig
        Sizes; as many ports as the channel has tenants.
    arbiter : ArbiterKind
        Who chooses the grants.
    words : int
        Words of memory of each tenant, a power of two.

    Members
    -------
    s_axil : In(Axi4LiteSignature)
        Registers of the fabric.
    settings : In(settings_layout()), an array with one for each tenant
        How each tenant asks.
    clear : In(1)
        The counts of all become zero.
    counts : Out(counts_layout()), an array with one for each tenant
        What each counted.
    granted : Out(tenants)
        The bit of the tenant that is granted in this clock.
    late : Out(1)
        In this clock it is found that an answer came later than its tenant's objective.
    """

    s_axil: Axi4LiteInterface
    settings: Sequence[data.View]
    clear: Signal
    counts: Sequence[data.View]
    granted: Signal
    late: Signal

    def __init__(self, fabric: FabricConfig, *, arbiter: ArbiterKind, words: int) -> None:
        tenants = fabric.channel.tenants
        if len(fabric.ports) != tenants:
            raise ValueError(
                f"ports must be as many as tenants, {tenants}, not {len(fabric.ports)}"
            )
        self.fabric = fabric
        self.arbiter = arbiter
        self.words = words
        self._core = Fabric(fabric, arbiter=arbiter)
        self.registers = self._core.registers
        super().__init__(
            {
                "s_axil": In(Axi4LiteSignature(self.registers.address_width)),
                "settings": In(settings_layout()).array(tenants),
                "clear": In(1),
                "counts": Out(counts_layout()).array(tenants),
                "granted": Out(tenants),
                "late": Out(1),
            }
        )

    def elaborate(self, platform):
        m = Module()
        fabric = self.fabric
        tenants = fabric.channel.tenants
        m.submodules.core = core = self._core
        m.submodules.memory = memory = BlockMemory(fabric, words=tenants * self.words)
        connect(m, flipped(self.s_axil), core.s_axil)
        connect(m, core.m00_axi, memory.s_axi)
        for k in range(tenants):
            generator = Generator(fabric, number=k, words=self.words)
            m.submodules[f"generator_{k}"] = generator
            connect(m, generator.m_axi, getattr(core, port_name(fabric, k)))
            m.d.comb += [
                generator.settings.eq(self.settings[k]),
                generator.clear.eq(self.clear),
                self.counts[k].eq(generator.counts),
            ]
        grant, answer = core.probe.channel, core.probe.monitor
        m.d.comb += [
            self.granted.eq(Mux(grant.granted, 1 << grant.tenant, 0)),
            self.late.eq(answer.responded & answer.late),
        ]
        return m
