"""Mistakes planted in the hardware's sources, to see that checks see them."""

import contextlib
import dataclasses
import importlib
import inspect
from collections.abc import Generator
from types import CodeType, FunctionType, ModuleType

__all__ = ["Bug"]


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
        source = inspect.getsource(module)
        if source.count(self.text) != 1:
            raise ValueError(
                f"text of a bug must stand once in {self.module}, not {source.count(self.text)} "
                f"times: {self.text!r}; follow the module's changes"
            )
        broken = ModuleType(module.__name__)
        broken.__file__ = module.__file__
        text = source.replace(self.text, self.instead)
        exec(compile(text, module.__file__ or self.module, "exec"), broken.__dict__)
        # Code is exchanged, not names, because other modules hold these functions too.
        sound: dict[FunctionType, CodeType] = {}
        bad = _functions(broken)
        try:
            for name, function in _functions(module).items():
                sound[function] = function.__code__
                function.__code__ = bad[name].__code__
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
