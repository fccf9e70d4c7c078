"""Keys of a TOML file that a model refuses: where each stands, its rule, its value, the way out."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pydantic import AliasChoices, BaseModel

from mcos_policy.diagnostics import Diagnostic, RuleError
from mcos_policy.misspelt import Meant, meant_key
from mcos_policy.source import KeyPath, Source, shorten
from mcos_policy.units import Quantity

__all__ = [
    "Form",
    "diagnose",
    "spellings",
]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Form:
    """How a kind of file is built of tables.

    Parameters
    ----------
    enclosing : Callable[[KeyPath], tuple[type[BaseModel], str]]
        The model that the key at a path belongs to, and what its table is called in the file.
    label : Callable[[KeyPath], str]
        What a table at a path is called in the file.
    is_table : Callable[[KeyPath], bool]
        Whether there must be a table, or an array of them, at a path.
    units : Mapping[str, str]
        Units of keys that take a bare number.
    quantities : Mapping[str, Quantity]
        Kinds of keys that are a quantity, by their first spelling.
    tables : Mapping[str, type[BaseModel]]
        Models of the tables, by what they are called in the file.
    """

    enclosing: Callable[[KeyPath], tuple[type[BaseModel], str]]
    label: Callable[[KeyPath], str]
    is_table: Callable[[KeyPath], bool]
    units: Mapping[str, str] = dataclasses.field(default_factory=dict)
    quantities: Mapping[str, Quantity] = dataclasses.field(default_factory=dict)
    tables: Mapping[str, type[BaseModel]] = dataclasses.field(default_factory=dict)


def diagnose(source: Source, faults: Iterable[Any], form: Form) -> list[Diagnostic]:
    """What to say of the errors of pydantic's :class:`ValidationError`.

    Validators of the model raise :class:`RuleError`. A key that is missing because it is misspelt
    is said once.
    """
    faults = list(faults)
    meant = {
        fault["loc"]: _meant(source, fault["loc"], form)
        for fault in faults
        if fault["type"] == "extra_forbidden"
    }
    steered = {(*path[:-1], each.name) for path, each in meant.items() if each is not None}
    return [
        _diagnose(source, fault, form, meant.get(fault["loc"]))
        for fault in faults
        if fault["type"] != "missing" or fault["loc"] not in steered
    ]


def _diagnose(source: Source, fault: Any, form: Form, meant: Meant | None) -> Diagnostic:
    path: KeyPath = fault["loc"]
    key = path[-1]
    match fault["type"]:
        case "extra_forbidden":
            return _unknown_key(source, path, form, meant)
        case "missing":
            model, table = form.enclosing(path)
            names = " or ".join(spellings(model)[key])
            return source.key_error(path[:-1], f"{table} must have the key {names}; add it")
        case "value_error":
            rule: RuleError = fault["ctx"]["error"]
            label = form.label(path) if form.is_table(path) else key
            way_out = _united(source, path, form) or rule.way_out
            text = f"{label} {rule.rule}, not {source.value_text(path)}; {way_out}"
            return source.error(path, text)
        case _:
            label = form.label(path)
            value, way_out = source.value_text(path), "give it keys"
            if (*path, 0) in source.keys:
                value, way_out = "an array of tables", f"write {label}, in single brackets"
            return source.error(path, f"{label} must be a table, not {value}; {way_out}")


def _unknown_key(source: Source, path: KeyPath, form: Form, meant: Meant | None) -> Diagnostic:
    model, table = form.enclosing(path)
    key = str(path[-1])
    for names in spellings(model).values():
        if key in names:
            pair = " or ".join(names)
            return source.key_error(path, f"{table} must have {pair}, not both; remove one")
    known = ", ".join(sorted(_first_spellings(model)))
    way_out = "remove it" if meant is None else meant.way_out
    shown = shorten(repr(key))
    text = f"a key of {table} must be one of {known}, not {shown}; {way_out}"
    return source.key_error(path, text)


def _united(source: Source, path: KeyPath, form: Form) -> str | None:
    """What to write for a text with a unit at a key that has its unit in its name."""
    key, value = str(path[-1]), source.value(path)
    if key not in form.units or not isinstance(value, str):
        return None
    model, _ = form.enclosing(path)
    first = _first_spellings(model)[key]
    try:
        form.quantities[first].parse(value)
    except RuleError:
        return None
    return f"write {first} = {source.value_text(path)}"


def _meant(source: Source, path: KeyPath, form: Form) -> Meant | None:
    """What the unknown key at ``path`` was meant to be, if it is like anything."""
    model, _ = form.enclosing(path)
    value = source.value(path)
    elsewhere = {
        key: f"it belongs under {table}"
        for table, other in form.tables.items()
        if other is not model and not isinstance(value, dict)
        for key in _first_spellings(other)
        if not any(name.endswith(f".{key}]") for name in form.tables)
    }
    if isinstance(value, dict):
        own = [name for name in form.tables if name.endswith(f".{path[-1]}]")]
        elsewhere = {str(path[-1]): f"write {name}" for name in own}
    return meant_key(
        str(path[-1]),
        value,
        names=_first_spellings(model),
        units=form.units,
        quantities=form.quantities,
        elsewhere=elsewhere,
    )


def _first_spellings(model: type[BaseModel]) -> dict[str, str]:
    """The first spelling of each key of a model, by each of its spellings."""
    return {name: str(first) for first, names in spellings(model).items() for name in names}


def spellings(model: type[BaseModel]) -> dict[str | int, tuple[str, ...]]:
    """Every spelling of each key of a model, by its first."""
    found: dict[str | int, tuple[str, ...]] = {}
    for name, field in model.model_fields.items():
        alias = field.validation_alias
        if isinstance(alias, AliasChoices):
            names = tuple(str(choice) for choice in alias.choices)
        else:
            names = (alias if isinstance(alias, str) else name,)
        found[names[0]] = names
    return found
