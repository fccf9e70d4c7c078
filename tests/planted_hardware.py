"""The verilated hardware with many mistakes in it, of which one at a time is live."""

import contextlib
import dataclasses
import functools
import os
from collections.abc import Generator

from amaranth import *
from amaranth.back import verilog

from mcos_hw.config import ChannelConfig, FabricConfig
from mcos_hw.registers import ArbiterKind
from mcos_hw.targets.axi import TOP, AxiTop
from mcos_sim.axi import library as axi
from mcos_sim.axi.fabric import sizes_of
from mcos_sim.axi.witness import WitnessTop, witness_words
from mcos_sim.building.verilator import elaborated, verilog_of
from mcos_sim.verilated.build import Library, library_of
from mcos_sim.verilated.top import ProbedTop
from tests.planted import Bug, all_planted

__all__ = [
    "live_bug",
    "planted_fabric",
    "planted_library",
]


_VARIABLE = "MCOS_PLANTED_BUG"

_SELECTOR = f"""
module planted_bug(output reg [7:0] live);
    initial live = $c8("(getenv(\\"{_VARIABLE}\\") ? atoi(getenv(\\"{_VARIABLE}\\")) : 255)");
endmodule
"""
"""Reads which bug is live when a simulation begins: no port of the harness is needed for it."""


class _PlantedTop(ProbedTop):
    """A probed top with a signal that every module can see."""

    def __init__(self, config: ChannelConfig, live: Signal) -> None:
        super().__init__(config, arbiter=ArbiterKind.MCOS)
        self._live = live

    def elaborate(self, platform):
        m = super().elaborate(platform)
        m.submodules.planted_bug = Instance("planted_bug", o_live=self._live)
        return m


@functools.cache
def planted_library(config: ChannelConfig, bugs: tuple[Bug, ...]) -> Library:
    """The hardware with all of the bugs, which are expressions; none is live."""
    live = Signal(8)
    with all_planted(bugs, live):
        top = _PlantedTop(config, live)
        text = verilog.convert(top, name="mcos_probed", emit_src=False) + _SELECTOR
    return library_of(text, config)


class _PlantedAxiTop(AxiTop):
    """An AXI top with a signal that every module can see."""

    def __init__(self, fabric: FabricConfig, live: Signal) -> None:
        super().__init__(fabric)
        self._live = live

    def elaborate(self, platform):
        m = super().elaborate(platform)
        m.submodules.planted_bug = Instance("planted_bug", o_live=self._live)
        return m


class _PlantedWitnessTop(WitnessTop):
    """The same of several channels, with a witness."""

    def __init__(self, fabric: FabricConfig, live: Signal) -> None:
        super().__init__(fabric)
        self._live = live

    def elaborate(self, platform):
        m = super().elaborate(platform)
        m.submodules.planted_bug = Instance("planted_bug", o_live=self._live)
        return m


@functools.cache
def planted_fabric(fabric: FabricConfig, bugs: tuple[Bug, ...]) -> axi.Library:
    """An AXI top with all of the bugs, which are expressions; none is live. With several channels
    it has a witness."""
    live = Signal(8)
    several = fabric.channels > 1
    with all_planted(bugs, live):
        top = (_PlantedWitnessTop if several else _PlantedAxiTop)(fabric, live)
        text = verilog_of(elaborated(top, TOP)) + _SELECTOR
    sizes = sizes_of(fabric)
    if several:
        sizes = dataclasses.replace(sizes, witness_words=witness_words(fabric))
    return axi.build_library(text, sizes, name=TOP)


@contextlib.contextmanager
def live_bug(place: int) -> Generator[None, None, None]:
    """Simulations that begin now have the bug at a place of those that were planted."""
    os.environ[_VARIABLE] = str(place)
    try:
        yield
    finally:
        del os.environ[_VARIABLE]
