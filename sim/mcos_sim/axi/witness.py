"""An AXI top that shows which generation everything in it is of, clock by clock."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import Out, connect, flipped

from mcos_hw.channel.probe import probe_layout
from mcos_hw.config import FabricConfig
from mcos_hw.fabric.fabric import Fabric, probe_name
from mcos_hw.link.request import Op
from mcos_hw.port.axi_port import AxiPort
from mcos_hw.registers import ArbiterKind
from mcos_hw.registers.image import ImageCode, ImageState
from mcos_hw.targets.flat import FlatTop
from mcos_sim.ported.ported_fabric import given_layout

__all__ = [
    "WITNESS",
    "WitnessTop",
    "columns",
    "control_layout",
    "fields_of",
    "side_layout",
    "witness_words",
]


WITNESS = "witness"
"""The member whose words a run can keep."""

_WORD = 64


def control_layout() -> data.StructLayout:
    """What the loader does, the first word of each clock.

    Members: ``generation``, commits so far, modulo; ``state`` and ``code`` of the loader; a
    ``commit`` reaches it, and has effect (``live_next``); ``drained``, no port has anything under
    way.
    """
    return data.StructLayout(
        {
            "generation": 32,
            "state": ImageState,
            "code": ImageCode,
            "commit": 1,
            "live_next": 1,
            "drained": 1,
        }
    )


def side_layout(fabric: FabricConfig) -> data.StructLayout:
    """A direction of a port, a word each.

    Members: a burst is ``taken`` by the tenant table, with its ``id``, and gets a ``tenant`` and a
    ``response``; a fragment ``passes`` to its side of the port, maybe the ``last`` of its burst,
    with its ``entry`` there, the ``channel`` it goes to, its tenant (``carried``) and whether it is
    ``refused``.
    """
    return data.StructLayout(
        {
            "taken": 1,
            "id": max(port.id_width for port in fabric.ports),
            "tenant": fabric.channel.tenant_width,
            "response": 2,
            "passes": 1,
            "last": 1,
            "entry": fabric.entry_width,
            "channel": range(fabric.channels),
            "carried": fabric.channel.tenant_width,
            "refused": 1,
        }
    )


def _words(layout: data.StructLayout) -> int:
    return -(-layout.size // _WORD)


def witness_words(fabric: FabricConfig) -> int:
    """Words of 64 bits of a clock.

    They are the loader's; those of each port's reads and writes; the probe of each channel; and
    what each channel is given.
    """
    config = fabric.channel
    of_channel = _words(probe_layout(config)) + _words(given_layout(config))
    return 1 + len(Op) * len(fabric.ports) + fabric.channels * of_channel


def fields_of(layout: data.StructLayout, *, offset: int = 0) -> dict[str, tuple[int, int]]:
    """Offset and width of each field of a layout that begins at an offset."""
    return {name: (offset + field.offset, field.width) for name, field in layout}


def columns(words: np.ndarray, fields: Mapping[str, tuple[int, int]]) -> dict[str, np.ndarray]:
    """The values of some fields in each clock.

    Parameters
    ----------
    words : numpy.ndarray
        Shape (words, clocks), int64.
    fields : Mapping[str, tuple[int, int]]
        Offset and width of each, at most 63 bits, see :func:`fields_of`.
    """
    found = {}
    unsigned = words.view(np.uint64)
    for name, (offset, width) in fields.items():
        word, bit = divmod(offset, _WORD)
        values = unsigned[word] >> np.uint64(bit)
        if bit + width > _WORD:
            values = values | unsigned[word + 1] << np.uint64(_WORD - bit)
        found[name] = (values & np.uint64((1 << width) - 1)).view(np.int64)
    return found


class _WitnessedFabric(wiring.Component):
    """A fabric of several channels with its boundary, and all of its witness.

    Parameters
    ----------
    fabric : FabricConfig
        Sizes; AXI ports alone.
    arbiter : ArbiterKind
        Who chooses the grants.

    Members
    -------
    witness : Out(64 * witness_words(fabric))
        Words of :func:`witness_words`, the first one lowest.
    <member> : In and Out
        As :class:`mcos_hw.fabric.fabric.Fabric` has it.
    """

    witness: Signal

    def __init__(self, fabric: FabricConfig, *, arbiter: ArbiterKind) -> None:
        self.fabric = fabric
        self.core = Fabric(fabric, arbiter=arbiter)
        self.registers = self.core.registers
        members = dict(self.core.signature.members.items())
        super().__init__({**members, WITNESS: Out(_WORD * witness_words(fabric))})

    def elaborate(self, platform):
        m = Module()
        fabric, core = self.fabric, self.core
        control = Signal(control_layout())
        sides = [
            [Signal(side_layout(fabric), name=f"side_{k}_{op.name.lower()}") for op in Op]
            for k in range(len(fabric.ports))
        ]
        given = [
            Signal(given_layout(fabric.channel), name=f"given_{c}") for c in range(fabric.channels)
        ]
        _when_elaborated(core, lambda inside: _show_fabric(inside, control, sides, given))
        m.submodules.core = core
        for name, member in core.signature.members.items():
            mine, its = getattr(self, name), getattr(core, name)
            if member.is_signature:
                connect(m, flipped(mine), its)
            else:
                m.d.comb += mine.eq(its) if member.flow is Out else its.eq(mine)
        probes = [getattr(core, probe_name(fabric, c)) for c in range(fabric.channels)]
        shown = [control, *(side for each in sides for side in each), *probes, *given]
        m.d.comb += self.witness.eq(Cat(_padded(Value.cast(each)) for each in shown))
        return m


def _padded(value: Value) -> Value:
    return Cat(value, Const(0, -len(value) % _WORD))


def _when_elaborated(component: Any, show: Callable[[Module], None]) -> None:
    """When a component is elaborated, its module shows something as well."""
    elaborate = component.elaborate

    def shown(platform):
        m = elaborate(platform)
        show(m)
        return m

    component.elaborate = shown


def _show_fabric(
    m: Module, control: Any, sides: Sequence[Sequence[Any]], given: Sequence[Any]
) -> None:
    inside = m.submodules
    for c, to in enumerate(given):
        channel = getattr(inside, f"channel_{c}")
        m.d.comb += [
            to.request_valid.eq(channel.request.valid),
            to.request.eq(channel.request.payload),
            to.command_ready.eq(channel.command.ready),
            to.completion_valid.eq(channel.completion.valid),
            to.completion.eq(channel.completion.payload),
        ]
    for k, (reads, writes) in enumerate(sides):
        _show_port(getattr(inside, f"port_{k}"), reads, writes)

    def show_loader(plane: Module) -> None:
        loader = plane.submodules.loader
        plane.d.comb += [
            control.generation.eq(loader.generation),
            control.state.eq(loader.state),
            control.code.eq(loader.code),
            control.commit.eq(loader.commit),
            control.live_next.eq(loader.commit_stb),
            control.drained.eq(loader.drained),
        ]

    _when_elaborated(inside.control, show_loader)


def _show_port(port: AxiPort, reads: data.View, writes: data.View) -> None:
    def show(m: Module) -> None:
        table = m.submodules.table
        for to, asked, tagged, side in (
            (reads, table.reads, table.tagged_reads, m.submodules.reads),
            (writes, table.writes, table.tagged_writes, m.submodules.writes),
        ):
            fragment = side.fragments.payload
            m.d.comb += [
                to.taken.eq(tagged.valid & tagged.ready),
                to.id.eq(asked.payload.id),
                to.tenant.eq(tagged.payload.tenant),
                to.response.eq(tagged.payload.response),
                to.passes.eq(side.fragments.valid & side.fragments.ready),
                to["last"].eq(fragment.last),
                to.channel.eq(fragment.channel),
                to.carried.eq(fragment.tenant),
                to.refused.eq(fragment.response != 0),
            ]
            _when_elaborated(side, _show_entry(to))

    _when_elaborated(port, show)


def _show_entry(to: data.View) -> Callable[[Module], None]:
    def show(m: Module) -> None:
        m.d.comb += to.entry.eq(m.submodules.entries.take.payload)

    return show


class WitnessTop(FlatTop):
    """:class:`mcos_hw.targets.axi.AxiTop` of several channels with an output ``witness``.

    Parameters
    ----------
    fabric : FabricConfig
        Sizes; several channels, AXI ports alone.
    arbiter : ArbiterKind
        Who chooses the grants.
    """

    def __init__(self, fabric: FabricConfig, *, arbiter: ArbiterKind = ArbiterKind.MCOS) -> None:
        self.fabric = fabric
        self.core = _WitnessedFabric(fabric, arbiter=arbiter)
        super().__init__(self.core, fabric.channel, name="fabric")
