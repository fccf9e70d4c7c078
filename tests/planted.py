"""Mistakes planted in the hardware's sources, to see that checks see them."""

import contextlib
import dataclasses
import importlib
import inspect
from collections.abc import Generator, Sequence
from types import CodeType, FunctionType, ModuleType
from unittest import mock

from amaranth.hdl import Signal

from mcos_sim.building import index

__all__ = [
    "Bug",
    "all_planted",
]


_LIVE = "planted_bug_live"
"""Name under which a module of hardware knows the number of the bug that is live."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Bug:
    """A mistake to plant: one piece of a module's text, and what to write instead.

    Parameters
    ----------
    module : str
        Module to break.
    text : str
        Text that stands exactly once in its source.
    instead : str
        What stands there with the bug.
    """

    module: str
    text: str
    instead: str

    @contextlib.contextmanager
    def planted(self) -> Generator[None, None, None]:
        """The module's functions have the bug; afterwards they are as before.

        Raises
        ------
        ValueError
            If ``text`` does not stand exactly once in the module.
        """
        module = importlib.import_module(self.module)
        with _replaced(module, {self.text: self.instead}):
            yield


@contextlib.contextmanager
def all_planted(bugs: Sequence[Bug], live: Signal) -> Generator[None, None, None]:
    """The hardware has all bugs, and that one of them whose place ``live`` has acts; -1 is none.

    So one build serves all of them. ``text`` and ``instead`` of each must be expressions of the
    hardware, because both are built.

    Raises
    ------
    ValueError
        As :meth:`Bug.planted`.
    """
    replacements: dict[str, dict[str, str]] = {}
    for place, bug in enumerate(bugs):
        texts = replacements.setdefault(bug.module, {})
        sound = texts.get(bug.text, bug.text)
        texts[bug.text] = f"(Mux({_LIVE} == {place}, {bug.instead}, {sound}))"
    with contextlib.ExitStack() as stack:
        for name, texts in replacements.items():
            module = importlib.import_module(name)
            setattr(module, _LIVE, live)
            stack.callback(delattr, module, _LIVE)
            stack.enter_context(_replaced(module, texts))
        yield


@contextlib.contextmanager
def _replaced(module: ModuleType, texts: dict[str, str]) -> Generator[None, None, None]:
    """The module's functions have other texts in place of these."""
    source = inspect.getsource(module)
    for text, instead in texts.items():
        if source.count(text) != 1:
            raise ValueError(
                f"text of a bug must stand once in {module.__name__}, not {source.count(text)} "
                f"times: {text!r}; follow the module's changes"
            )
        source = source.replace(text, instead)
    broken = ModuleType(module.__name__)
    broken.__file__ = module.__file__
    exec(compile(source, module.__file__ or module.__name__, "exec"), broken.__dict__)
    # Code is exchanged, not names, because other modules hold these functions too.
    sound: dict[FunctionType, CodeType] = {}
    bad = _functions(broken)
    try:
        for name, function in _functions(module).items():
            sound[function] = function.__code__
            function.__code__ = bad[name].__code__
        # What was built of the sound sources must not be found.
        with mock.patch.object(index, "sources_hash", return_value=f"planted {texts}"):
            yield
    finally:
        for function, code in sound.items():
            function.__code__ = code


def _functions(module: ModuleType) -> dict[str, FunctionType]:
    """Functions and methods that a module defines, by qualified name."""
    own = [each for each in vars(module).values() if _is_own(each, module)]
    classes = [each for each in own if isinstance(each, type)]
    members = own + [member for each in classes for member in vars(each).values()]
    functions = [each.fget if isinstance(each, property) else each for each in members]
    return {each.__qualname__: each for each in functions if isinstance(each, FunctionType)}


def _is_own(each: object, module: ModuleType) -> bool:
    return getattr(each, "__module__", None) == module.__name__
