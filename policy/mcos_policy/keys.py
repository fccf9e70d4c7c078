"""Keys of tables, declared once: the parser, its hints, the docs and comparisons read them here.

A table is a frozen dataclass. Each of its fields is a key, annotated with a :class:`Key`::

    latency_slo: Annotated[Fraction | None, Key(quantity(DURATION), "...", unit="us")] = None
"""

import dataclasses
import functools
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from mcos_policy.kinds import Kind
from mcos_policy.origin import Origin

__all__ = [
    "Declared",
    "Given",
    "Key",
    "Table",
    "declared",
    "key_rows",
    "tables_below",
]


_SUFFIXES = {"GB/s": "gbps"}
"""What a unit is called at the end of a key, where that is not its own spelling."""


@dataclasses.dataclass(frozen=True)
class Key:
    """What is declared of a key beside its type and its default.

    Parameters
    ----------
    kind : Kind
        How its value is read and written.
    doc : str
        What it means and its limits, for the docs, in Markdown.
    name : str
        The key, where the field has another name.
    unit : str
        Unit of a second spelling of the key, which ends in it and takes a bare number.
    default : str
        What stands for the default in the docs, where the default itself says too little.
    """

    kind: Kind
    doc: str = ""
    _: dataclasses.KW_ONLY
    name: str = ""
    unit: str = ""
    default: str = ""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Declared:
    """A key as its table declares it.

    Parameters
    ----------
    field : str
        Name of the table's field.
    spellings : tuple[str, ...]
        The key as it may be spelt, the usual spelling first.
    key : Key
        What the annotation says.
    required : bool
        Whether it has no default.
    default : Any
        Its default, if it has one.
    """

    field: str
    spellings: tuple[str, ...]
    key: Key
    required: bool
    default: Any

    @property
    def name(self) -> str:
        """The usual spelling."""
        return self.spellings[0]

    @property
    def kind(self) -> Kind:
        """How its value is read and written."""
        return self.key.kind


@dataclasses.dataclass(frozen=True, kw_only=True)
class Given:
    """How a key was given.

    Parameters
    ----------
    key : str
        The key as it was spelt.
    shown : str
        The value as it was written.
    origin, key_origin : Origin
        Where value and key come from.
    """

    key: str
    shown: str
    origin: Origin
    key_origin: Origin


@dataclasses.dataclass(frozen=True, kw_only=True)
class Table:
    """A table whose values know their origin; what every table of a contract inherits.

    Parameters
    ----------
    origin : Origin
        Where the table comes from.
    given : Mapping[str, Given]
        How each of its keys was given, by the field's name. A key with its default is not in it.
    """

    origin: Origin = dataclasses.field(default=Origin(name="a contract"), compare=False, repr=False)
    given: Mapping[str, Given] = dataclasses.field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def assumed(cls, found: Mapping[str, Any]) -> Mapping[str, Any]:
        """Defaults that hold only beside other values.

        Parameters
        ----------
        found : Mapping[str, Any]
            Values of the keys that were given, by the field's name.
        """
        return {}

    def at(self, field: str) -> Given:
        """How a key was given; for a default the origin is the table's."""
        if field in self.given:
            return self.given[field]
        return Given(
            key=declared(type(self))[field].name,
            shown="the default",
            origin=self.origin,
            key_origin=self.origin,
        )


@functools.cache
def declared(model: type[Table]) -> dict[str, Declared]:
    """Keys of a table by the name of the field, in their order."""
    hints = get_type_hints(model, include_extras=True)
    found = {}
    for field in dataclasses.fields(model):
        key = _key(hints[field.name])
        if key is None:
            continue
        name = key.name or field.name
        suffix = _SUFFIXES.get(key.unit, key.unit)
        required = (
            field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        )
        found[field.name] = Declared(
            field=field.name,
            spellings=(name, f"{name}_{suffix}") if suffix else (name,),
            key=key,
            required=required,
            default=None if required else _default(field),
        )
    return found


def _key(hint: Any) -> Key | None:
    if get_origin(hint) is not Annotated:
        return None
    return next((each for each in get_args(hint)[1:] if isinstance(each, Key)), None)


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default is not dataclasses.MISSING:
        return field.default
    factory: Any = field.default_factory
    return factory()


def tables_below(model: type[Table], label: str = "") -> Iterator[tuple[str, type[Table]]]:
    """Every table in a document of a model, with its label such as ``[tenant.bandwidth]``."""
    for each in declared(model).values():
        if each.kind.table is not None:
            inner = f"{label}.{each.name}" if label else each.name
            yield (f"[[{inner}]]" if each.kind.several else f"[{inner}]"), each.kind.table
            yield from tables_below(each.kind.table, inner)


def key_rows(model: type[Table]) -> list[str]:
    """Rows of the table of keys that the docs have, in Markdown."""
    rows = []
    for each in declared(model).values():
        spelt = ", ".join(f"`{spelling}`" for spelling in each.spellings)
        cells = (spelt, each.kind.noun, _default_words(each), each.key.doc)
        rows.append(" | ".join(cells))
    return [f"| {row} |".replace("|  |", "| |") for row in rows]


def _default_words(each: Declared) -> str:
    if each.required or each.key.default:
        return each.key.default
    if each.default is None or each.default == ():
        return "none"
    written = each.kind.write(each.default)
    return f'`"{written}"`' if each.kind.quantity else f"`{written}`"
