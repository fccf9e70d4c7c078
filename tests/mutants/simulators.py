"""Simulators of mutants: one for all whose bugs are expressions, one for each of the others."""

import contextlib
import importlib
import os
from collections.abc import Generator, Sequence

from amaranth import *
from amaranth.back import verilog

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import ArbiterKind
from mcos_sim.compiled.build import Library, library_of
from mcos_sim.compiled.top import ProbedTop
from tests.mutants.mutant import Mutant, before, source_of
from tests.planted import all_planted

__all__ = [
    "groups",
    "library_of_all",
    "library_of_one",
    "live",
]

_VARIABLE = "MCOS_LIVE_MUTANT"

_SELECTOR = f"""
module live_mutant(output reg [7:0] live);
    initial live = $c8("(getenv(\\"{_VARIABLE}\\") ? atoi(getenv(\\"{_VARIABLE}\\")) : 255)");
endmodule
"""
"""Reads which mutant is live when a simulation begins; 255 is none."""

_MOST = 255


def groups(mutants: Sequence[Mutant]) -> list[tuple[Mutant, ...]]:
    """Mutants that can share a simulator: expressions of one size that do not overlap.

    Those that share with nobody come last, each as a group of its own.
    """
    shared: list[list[Mutant]] = []
    alone = []
    for each in mutants:
        if not each.is_expression:
            alone.append((each,))
            continue
        for group in shared:
            if len(group) < _MOST and all(_may_share(each, other) for other in group):
                group.append(each)
                break
        else:
            shared.append([each])
    return [*map(tuple, shared), *alone]


def _may_share(one: Mutant, other: Mutant) -> bool:
    if (one.tenants, one.lateness) != (other.tenants, other.lateness):
        return False
    first, second = one.bug, other.bug
    if first.module != second.module or first.text == second.text:
        return True
    source = source_of(first.module)
    begin, other_begin = source.find(first.text), source.find(second.text)
    return begin + len(first.text) <= other_begin or other_begin + len(second.text) <= begin


def library_of_one(config: ChannelConfig) -> Library:
    """The hardware of this process, which may have a mutant."""
    return _library(ProbedTop(config, arbiter=ArbiterKind.MCOS), config)


def library_of_all(mutants: Sequence[Mutant], config: ChannelConfig) -> Library:
    """The hardware with all mutants of a group, of which none is live; see :func:`live`."""
    number = Signal(8)
    with contextlib.ExitStack() as stack:
        for name in {each.bug.module for each in mutants}:
            module = importlib.import_module(name)
            module.__dict__["_before"] = before
            stack.callback(module.__dict__.pop, "_before")
        stack.enter_context(all_planted([each.bug for each in mutants], number))
        return _library(_SelectingTop(config, number), config, _SELECTOR)


@contextlib.contextmanager
def live(place: int) -> Generator[None, None, None]:
    """Simulations that begin now have the mutant at a place of the group."""
    os.environ[_VARIABLE] = str(place)
    try:
        yield
    finally:
        del os.environ[_VARIABLE]


class _SelectingTop(ProbedTop):
    """A probed top with the number of the mutant that is live."""

    def __init__(self, config: ChannelConfig, number: Signal) -> None:
        super().__init__(config, arbiter=ArbiterKind.MCOS)
        self._number = number

    def elaborate(self, platform):
        m = super().elaborate(platform)
        m.submodules.live_mutant = Instance("live_mutant", o_live=self._number)
        return m


def _library(top: ProbedTop, config: ChannelConfig, more: str = "") -> Library:
    """Built, or found by its Verilog: cases change more often than hardware."""
    text = verilog.convert(top, name="mcos_probed", emit_src=False, strip_internal_attrs=True)
    return library_of(text + more, config)
