"""Simulators of mutants: one for all whose bugs are expressions, one for each of the others."""

import contextlib
import importlib
from collections.abc import Sequence

from amaranth.back import verilog

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import ArbiterKind
from mcos_sim.verilated.build import Library, library_of
from mcos_sim.verilated.top import ProbedTop
from tests.mutants.mutant import Mutant, before, source_of
from tests.planted_hardware import planted_library

__all__ = [
    "groups",
    "library_of_all",
    "library_of_one",
]

_MOST = 255
"""Mutants that a simulator can tell apart."""


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
    """The hardware of this process, which has a mutant."""
    top = ProbedTop(config, arbiter=ArbiterKind.MCOS)
    text = verilog.convert(top, name="mcos_probed", emit_src=False, strip_internal_attrs=True)
    return library_of(text, config)


def library_of_all(mutants: Sequence[Mutant], config: ChannelConfig) -> Library:
    """The hardware with all mutants of a group; see :func:`tests.planted_hardware.live_bug`."""
    with contextlib.ExitStack() as stack:
        for name in {each.bug.module for each in mutants}:
            module = importlib.import_module(name)
            module.__dict__["_before"] = before
            stack.callback(module.__dict__.pop, "_before")
        return planted_library(config, tuple(each.bug for each in mutants))
