"""The edge of a command: the words of a command line become typed values, once.

A command is a function with typed parameters. A parameter whose type is a frozen dataclass stands
for a group of options, one for each field; the command gets the group as one object and passes it
on whole. typer hands numbers and choices over as text, so that what is wrong with one of them is
said here, as everywhere in MCOS: the rule, the value and the way out.
"""

import copy
import dataclasses
import difflib
import enum
import functools
import inspect
import math
import re
import types
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from typer.models import OptionInfo

from mcos_policy.diagnostics import printable
from mcos_policy.origin import shorten
from mcos_sim.errors import UserError

__all__ = ["at_edge"]


_WHOLE = re.compile(r"[+-]?[0-9]{1,100}")
_REQUIRED = inspect.Parameter.empty


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Number:
    """A number of an option.

    Parameters
    ----------
    kind : type
        ``int`` or ``float``.
    low, high : float or None
        Its limits.
    """

    kind: type
    low: float | None
    high: float | None

    metavar = "N"

    @property
    def facts(self) -> list[str]:
        """What the help says of it behind its default."""
        if self.low is None:
            return []
        return [f"{self.low} or more" if self.high is None else f"{self.low} to {self.high}"]

    def read(self, option: str, text: str) -> Any:
        """The number that a text writes."""
        value = self._value(text)
        limits = "a whole number" if self.kind is int else "a number"
        if self.low is not None:
            limits = f"at least {self.low}" if self.high is None else f"in {self.low}..{self.high}"
        if value is None:
            whole = " in digits" if self.kind is int else ""
            raise _refused(option, limits, text, f"write a number{whole}")
        if self.low is not None and value < self.low:
            raise _refused(option, limits, value, "give a larger one")
        if self.high is not None and value > self.high:
            raise _refused(option, limits, value, "give a smaller one")
        return value

    def _value(self, text: str) -> Any:
        if self.kind is int:
            return int(text) if _WHOLE.fullmatch(text) else None
        try:
            value = float(text)
        except ValueError:
            return None
        return value if math.isfinite(value) else None


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Choice:
    """One of the words of an enumeration."""

    kind: type[enum.Enum]

    metavar = "CHOICE"
    facts = ()

    @property
    def words(self) -> list[str]:
        """The words, in their order."""
        return [str(each.value) for each in self.kind]

    def read(self, option: str, text: str) -> Any:
        """The member that a text names."""
        if text in self.words:
            return self.kind(text)
        near = difflib.get_close_matches(text, self.words, n=1)
        way_out = f"did you mean {near[0]}?" if near else "choose one"
        raise _refused(option, f"one of {', '.join(self.words)}", text, way_out)


def _refused(option: str, rule: str, value: object, way_out: str) -> UserError:
    shown = repr(printable(value)) if isinstance(value, str) else str(value)
    return UserError(f"{option} must be {rule}, not {shorten(shown)}; {way_out}")


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Parameter:
    """A parameter as typer sees it.

    Parameters
    ----------
    annotation : Any
        Its type and option for typer.
    default : Any
        Its default for typer.
    option : str
        What the user writes.
    kind : _Number or _Choice or None
        How its text is read; None where typer does it.
    value : Any
        Value if the option is not given; of no meaning where typer reads it.
    """

    annotation: Any
    default: Any
    option: str = ""
    kind: _Number | _Choice | None = None
    value: Any = None

    def read(self, given: Any) -> Any:
        """The value of what typer hands over."""
        if self.kind is None:
            return given
        if given is None or given == []:
            return self.value
        if isinstance(given, list | tuple):
            return [self.kind.read(self.option, each) for each in given]
        return self.kind.read(self.option, given)


def at_edge(command: Callable[..., None]) -> Callable[..., None]:
    """The command as typer registers it.

    The attribute ``facts`` of the result has for each option what its help says beside the default:
    words to choose from, which come first, and limits, which come last.

    Parameters
    ----------
    command : Callable
        The command. Parameters that are options or arguments are annotated as for typer.
    """
    hints = get_type_hints(command, include_extras=True)
    groups: dict[str, Any] = {}
    flat: dict[str, _Parameter] = {}
    for each in inspect.signature(command).parameters.values():
        hint = hints[each.name]
        if dataclasses.is_dataclass(hint):
            groups[each.name] = hint
            flat |= _of_group(hint)
        else:
            flat[each.name] = _parameter(each.name, hint, each.default)

    @functools.wraps(command)
    def taken(**given: Any) -> None:
        values = {name: each.read(given[name]) for name, each in flat.items()}
        for name, group in groups.items():
            fields = [field.name for field in dataclasses.fields(group)]
            values[name] = group(**{field: values.pop(field) for field in fields})
        command(**values)

    parameters = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=each.default,
            annotation=each.annotation,
        )
        for name, each in flat.items()
    ]
    signed: Any = taken
    signed.__signature__ = inspect.Signature(parameters)
    signed.__annotations__ = {name: each.annotation for name, each in flat.items()}
    signed.facts = _facts(flat)
    return taken


def _facts(flat: Mapping[str, _Parameter]) -> dict[str, tuple[list[str], list[str]]]:
    found = {}
    for name, each in flat.items():
        if isinstance(each.kind, _Choice):
            found[name] = ([", ".join(each.kind.words)], [])
        elif each.kind is not None:
            found[name] = ([], list(each.kind.facts))
    return found


def _of_group(group: Any) -> dict[str, _Parameter]:
    hints = get_type_hints(group, include_extras=True)
    found = {}
    for field in dataclasses.fields(group):
        default = field.default
        if default is dataclasses.MISSING:
            default = _REQUIRED
        found[field.name] = _parameter(field.name, hints[field.name], default)
    return found


def _parameter(name: str, hint: Any, default: Any) -> _Parameter:
    """A parameter for typer, with a number or a choice as text."""
    if get_origin(hint) is not Annotated:
        return _Parameter(annotation=hint, default=default)
    kind, *extras = get_args(hint)
    info = next((each for each in extras if isinstance(each, OptionInfo)), None)
    base, several = _base(kind)
    if info is None or info.parser is not None or base is None:
        return _Parameter(annotation=hint, default=default)
    info = copy.copy(info)
    read: _Number | _Choice
    if issubclass(base, enum.Enum):
        read = _Choice(kind=base)
    else:
        read = _Number(kind=base, low=info.min, high=info.max)
    info.min = info.max = None
    info.metavar = info.metavar or read.metavar
    if info.show_default is True and default not in (None, _REQUIRED):
        info.show_default = str(default)
    # typer takes the first name for a default until it reads the annotation.
    names = (info.default, *(info.param_decls or ()))
    spelt = [each for each in names if isinstance(each, str) and each.startswith("--")]
    text: Any = list[str] if several else str
    return _Parameter(
        annotation=Annotated[text if default is _REQUIRED else text | None, info],
        default=_REQUIRED if default is _REQUIRED else None,
        option=spelt[0] if spelt else f"--{name.replace('_', '-')}",
        kind=read,
        value=default,
    )


def _base(kind: Any) -> tuple[type | None, bool]:
    """The type of a number or an enumeration, and whether there is a list of them."""
    if get_origin(kind) in (Union, types.UnionType):
        kind = next(each for each in get_args(kind) if each is not type(None))
    several = get_origin(kind) is list
    if several:
        (kind,) = get_args(kind)
    known = isinstance(kind, type) and (kind in (int, float) or issubclass(kind, enum.Enum))
    return (kind if known else None), several
