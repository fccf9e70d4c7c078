"""What a mutant is, and how one gets into the hardware of a process."""

import ast
import dataclasses
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from types import ModuleType
from unittest import mock

from amaranth.hdl import Module, Signal, Value

from mcos_sim.building import index
from tests.planted import Bug

__all__ = [
    "Mutant",
    "before",
    "mutated",
    "plant",
    "source_of",
]


def before(m: Module, value: Value) -> Signal:
    """What a value was in the clock before; mutated modules know it as ``_before``."""
    register = Signal(len(value))
    m.d.sync += register.eq(value)
    return register


@dataclasses.dataclass(frozen=True, kw_only=True)
class Mutant:
    """A semantic bug, and where to look for it.

    Parameters
    ----------
    name : str
        What goes wrong, in a few words; unique.
    bug : Bug
        The change of one module's text. It may call ``_before(m, value)``.
    promise : str
        What the documentation says and this mutant does not do.
    unit : tuple[str, ...]
        Tests of the block, files or tests of a file, under ``tests/hw``.
    proofs : tuple[str, ...]
        How names of properties of the block begin.
    tenants : int
        Size at which lockstep looks for it: 4, or 16 for what smaller sizes cannot show.
    lateness : int
        L at which lockstep looks for it.
    """

    name: str
    bug: Bug
    promise: str
    unit: tuple[str, ...]
    proofs: tuple[str, ...] = ()
    tenants: int = 4
    lateness: int = 3

    @property
    def is_expression(self) -> bool:
        """Whether its bug is an expression of hardware, so that one simulator can have several."""
        texts = (self.bug.text, self.bug.instead)
        return not any(".eq(" in text for text in texts) and all(map(_is_expression, texts))


def source_of(module: str) -> str:
    """The source of a module, which is not imported.

    Raises
    ------
    ValueError
        If there is no such module.
    """
    spec = importlib.util.find_spec(module)
    if spec is None or not isinstance(spec.loader, importlib.abc.InspectLoader):
        raise ValueError(f"module of a mutant must have a source, not {module!r}; name another one")
    source = spec.loader.get_source(module)
    assert source is not None
    return source


def mutated(mutant: Mutant, source: str) -> str:
    """The source of a mutant's module with its bug.

    Raises
    ------
    ValueError
        If the text of its bug does not stand exactly once in it.
    """
    bug = mutant.bug
    if (count := source.count(bug.text)) != 1:
        raise ValueError(
            f"text of mutant {mutant.name!r} must stand once in {bug.module}, not {count} times: "
            f"{bug.text!r}; follow the module's changes"
        )
    return source.replace(bug.text, bug.instead)


def plant(mutant: Mutant) -> None:
    """From now on this process has the mutant's module instead of the sound one.

    Before anything imports the module, so that constants and whoever imports them have it as well,
    as they would if the file itself were wrong.

    Raises
    ------
    RuntimeError
        If the module is imported already.
    """
    if mutant.bug.module in sys.modules:
        raise RuntimeError(
            f"a mutant must be planted before {mutant.bug.module} is imported; plant it first"
        )
    sys.meta_path.insert(0, _Planting(mutant))
    # Simulators are found by the files of the hardware, which are sound.
    planted = repr(mutant.bug)
    mock.patch.object(index, "sources_hash", return_value=planted).start()


def _is_expression(text: str) -> bool:
    try:
        ast.parse(text.strip(), mode="eval")
    except SyntaxError:
        return False
    return True


class _Planting(importlib.abc.MetaPathFinder):
    """Finds the mutant's module, and leaves all others to the finders behind it."""

    def __init__(self, mutant: Mutant) -> None:
        self.mutant = mutant

    def find_spec(self, fullname, path=None, target=None):
        if fullname != self.mutant.bug.module:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path)
        if spec is None or spec.origin is None:
            return None
        loader = _Loader(fullname, spec.origin)
        loader.mutant = self.mutant
        return importlib.util.spec_from_file_location(fullname, spec.origin, loader=loader)


class _Loader(importlib.machinery.SourceFileLoader):
    """Runs the mutated text; nothing of it reaches a file of byte code."""

    mutant: Mutant

    def exec_module(self, module: ModuleType) -> None:
        source = self.get_source(self.name)
        assert source is not None
        module.__dict__["_before"] = before
        exec(compile(mutated(self.mutant, source), self.path, "exec"), module.__dict__)
