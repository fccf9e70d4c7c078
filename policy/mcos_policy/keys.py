"""Keys of a TOML file that a model refuses: where each stands, its rule, its value, the way out."""

import dataclasses
import difflib
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import AliasChoices, BaseModel

from mcos_policy.diagnostics import Diagnostic, RuleError
from mcos_policy.source import KeyPath, Source, shorten

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
    """

    enclosing: Callable[[KeyPath], tuple[type[BaseModel], str]]
    label: Callable[[KeyPath], str]
    is_table: Callable[[KeyPath], bool]
    units: Mapping[str, str] = dataclasses.field(default_factory=dict)


def diagnose(source: Source, fault: Any, form: Form) -> Diagnostic:
    """What to say of one of the errors of pydantic's :class:`ValidationError`.

    Validators of the model raise :class:`RuleError`.
    """
    path: KeyPath = fault["loc"]
    key = path[-1]
    match fault["type"]:
        case "extra_forbidden":
            return _unknown_key(source, path, form)
        case "missing":
            model, table = form.enclosing(path)
            names = " or ".join(spellings(model)[key])
            return source.key_error(path[:-1], f"{table} must have the key {names}; add it")
        case "value_error":
            rule: RuleError = fault["ctx"]["error"]
            label = form.label(path) if form.is_table(path) else key
            text = f"{label} {rule.rule}, not {source.value_text(path)}; {rule.way_out}"
            return source.error(path, text)
        case _:
            label = form.label(path)
            text = f"{label} must be a table, not {source.value_text(path)}; give it keys"
            return source.error(path, text)


def _unknown_key(source: Source, path: KeyPath, form: Form) -> Diagnostic:
    model, table = form.enclosing(path)
    key = str(path[-1])
    for names in spellings(model).values():
        if key in names:
            pair = " or ".join(names)
            return source.key_error(path, f"{table} must have {pair}, not both; remove one")
    known = sorted(name for names in spellings(model).values() for name in names)
    near = difflib.get_close_matches(key, known, n=1)
    unit = f", in {form.units[near[0]]}" if near and near[0] in form.units else ""
    way_out = f"did you mean {near[0]}{unit}?" if near else "remove it"
    shown = shorten(repr(key))
    text = f"a key of {table} must be one of {', '.join(known)}, not {shown}; {way_out}"
    return source.key_error(path, text)


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
