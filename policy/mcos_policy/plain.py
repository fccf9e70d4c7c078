"""The front end for programs: a contract as a program builds it, or as JSON brings it.

Values are what a contract file has: text with a unit, numbers, switches, tables and arrays. A
:class:`~mcos_policy.contract.Contract` may also have its values in base units. Messages name a
value by its way from the top, such as ``contract:tenant[0].bandwidth.burst``.
"""

import dataclasses
import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from mcos_policy.contract import Contract
from mcos_policy.document import Document
from mcos_policy.keys import Table, declared
from mcos_policy.origin import Argument, KeyPath, Origin, shorten

__all__ = [
    "PlainDocument",
    "contract_document",
]


class PlainDocument(Document):
    """Tables that are plain values already.

    Parameters
    ----------
    values : Mapping[str, Any]
        The tables: mappings, lists or tuples, text, numbers and switches. A ``float`` stands for
        the number that it is written as.
    name : str
        What messages call the whole.
    """

    def __init__(self, values: Mapping[str, Any], *, name: str = "contract") -> None:
        plain = {str(key): _plain(value) for key, value in values.items()}
        super().__init__(name=name, text=_written(plain), values=plain)
        self._positions = {path: number for number, path in enumerate(_paths(plain, ()))}

    def shown(self, path: KeyPath) -> str:
        """The value at ``path`` as a contract file would have it, shortened to one line."""
        value = self.value(path)
        return "a table" if value is None or isinstance(value, dict) else shorten(_written(value))

    def origin(self, path: KeyPath) -> Origin:
        """The way to the value at ``path``, or to the nearest table around it."""
        while path and path not in self._positions:
            path = path[:-1]
        return Argument(name=self.name, path=path, position=self._positions.get(path, 0))

    def key_origin(self, path: KeyPath) -> Origin:
        """The same; a key and its value have one way."""
        return self.origin(path)


def contract_document(contract: Contract) -> PlainDocument:
    """What a contract says, to be checked as one from any other front end.

    Quantities are text with a unit, or exact numbers in bytes, bytes per second and seconds.
    """
    return PlainDocument(_of_table(contract))


def _of_table(table: Table) -> dict[str, Any]:
    """The keys of a table that are not at their default."""
    found = {}
    for field, each in declared(type(table)).items():
        value = getattr(table, field)
        if isinstance(value, Table):
            value = _of_table(value)
        elif each.kind.several and isinstance(value, Mapping):
            value = [_of_table(value[position]) for position in sorted(value)]
        elif each.kind.quantity is not None and type(value) is int:
            value = Fraction(each.kind.scale * value)
        if each.required or getattr(table, field) != each.default:
            found[each.name] = value
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if dataclasses.is_dataclass(value):
        raise TypeError(f"a value must be plain, not {value!r}; give the whole as a Contract")
    return Decimal(repr(value)) if isinstance(value, float) else value


def _written(value: Any) -> str:
    """A value as JSON, with numbers exact."""
    if isinstance(value, dict):
        told = ", ".join(f"{json.dumps(key)}: {_written(value[key])}" for key in sorted(value))
        return f"{{{told}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_written, value))}]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, bool):
        return str(value).lower()
    return "null" if value is None else str(value)


def _paths(value: Any, path: KeyPath) -> Iterator[KeyPath]:
    yield path
    if isinstance(value, dict):
        steps: Any = value.items()
    else:
        steps = enumerate(value) if isinstance(value, list) else ()
    for step, each in steps:
        yield from _paths(each, (*path, step))
