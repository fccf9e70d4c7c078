"""From a document to tables of values: each key that is at fault gives a rule and a way out."""

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any, TypeVar

from mcos_policy.diagnostics import Diagnostic, RuleError, error
from mcos_policy.document import ARRAY_OF_TABLES, Document
from mcos_policy.keys import Declared, Given, Table, declared
from mcos_policy.misspelt import Meant, meant_key
from mcos_policy.origin import KeyPath, shorten
from mcos_policy.units import Bare, Quantity

__all__ = ["Reader"]


_Model = TypeVar("_Model", bound=Table)


class Reader:
    """Reads tables of one document, and collects what is wrong with them.

    Parameters
    ----------
    document : Document
        The document.
    noun : str
        What the document is, with its article.
    tables : Mapping[str, type[Table]]
        Tables by their label, for keys that belong under another one.

    Attributes
    ----------
    found : list[Diagnostic]
        What is wrong.
    """

    def __init__(
        self, document: Document, *, noun: str, tables: Mapping[str, type[Table]] | None = None
    ) -> None:
        self.document = document
        self.noun = noun
        self.tables = tables or {}
        self.found: list[Diagnostic] = []

    def read(
        self,
        model: type[_Model],
        path: KeyPath,
        *,
        title: str = "",
        values: Mapping[str, Any] | None = None,
    ) -> _Model | None:
        """The table at ``path``, without the optional keys that are at fault.

        Parameters
        ----------
        model : type[Table]
            What is in the table.
        path : KeyPath
            Where it is.
        title : str
            What messages call it; its label if nothing is given.
        values : Mapping[str, Any] or None
            Those of its keys that are meant; None for all of them.

        Returns
        -------
        Table or None
            None where it is no table, or lacks a key.
        """
        if values is None:
            values = self.document.value(path)
        return _TableReader(self, model, path, title or self._title(path)).table(values)

    def label(self, path: KeyPath) -> str:
        """What a table is called, such as ``[tenant.bandwidth]``."""
        words = [str(step) for step in path if isinstance(step, str)]
        label = f"[{'.'.join(words)}]"
        return label if label in self.tables or f"[{label}]" not in self.tables else f"[{label}]"

    def refuse(self, path: KeyPath, text: str) -> None:
        """Note an error at a value."""
        self.found.append(error(self.document.origin(path), text))

    def refuse_key(self, path: KeyPath, text: str) -> None:
        """Note an error at a key."""
        self.found.append(error(self.document.key_origin(path), text))

    def _title(self, path: KeyPath) -> str:
        return self.label(path) if path else self.noun


class _TableReader:
    """Reads one table."""

    def __init__(self, reader: Reader, model: type[Table], path: KeyPath, title: str) -> None:
        self.reader = reader
        self.document = reader.document
        self.model = model
        self.path = path
        self.title = title
        self.keys = declared(model)
        self.first = {
            spelling: each.name for each in self.keys.values() for spelling in each.spellings
        }
        self.units = _units(model)
        self.quantities = _quantities(model)

    def table(self, values: object) -> Any:
        """The table with these keys; None where it is none, or lacks a key."""
        if not isinstance(values, dict):
            self._refuse_table(self.path)
            return None
        spelt = {
            field: next((name for name in each.spellings if name in values), None)
            for field, each in self.keys.items()
        }
        used = set(spelt.values())
        unknown = {key: self._meant(key, value) for key, value in values.items() if key not in used}
        steered = {meant.name for meant in unknown.values() if meant is not None}
        found: dict[str, Any] = {}
        given: dict[str, Given] = {}
        lacks = False
        for field, each in self.keys.items():
            name = spelt[field]
            if name is not None:
                path = (*self.path, name)
                given[field] = Given(
                    key=name,
                    shown=self.document.shown(path),
                    origin=self.document.origin(path),
                    key_origin=self.document.key_origin(path),
                )
                if self._parse(each, path, values[name], found):
                    continue
            elif each.name not in steered and self._missing(each, found):
                names = " or ".join(each.spellings)
                text = f"{self.title} must have the key {names}; add it"
                self.reader.refuse_key(self.path, text)
            if self._missing(each, found):
                lacks = True
            elif each.required:
                found[field] = self.model.assumed(found)[field]
            elif isinstance(each.default, Table):
                origin = self.document.origin((*self.path, each.name))
                found[field] = dataclasses.replace(each.default, origin=origin)
        for key, meant in unknown.items():
            self._refuse_unknown(key, meant)
        if lacks:
            return None
        return self.model(origin=self.document.origin(self.path), given=given, **found)

    def _missing(self, each: Declared, found: Mapping[str, Any]) -> bool:
        return each.required and each.field not in self.model.assumed(found)

    def _parse(self, each: Declared, path: KeyPath, value: object, found: dict[str, Any]) -> bool:
        """Add a key's value to ``found``; False if it is at fault."""
        if each.kind.table is not None:
            inner = self._tables(each, path) if each.kind.several else self._table(each, path)
            if inner is None:
                return False
            found[each.field] = inner
            return True
        unit = self.units.get(str(path[-1]))
        try:
            found[each.field] = each.kind.parse(Bare(value=value, unit=unit) if unit else value)
        except RuleError as broken:
            way_out = self._united(path, value) or broken.way_out
            text = f"{path[-1]} {broken.rule}, not {self.document.shown(path)}; {way_out}"
            self.reader.refuse(path, text)
            return False
        return True

    def _table(self, each: Declared, path: KeyPath) -> Table | None:
        return self.reader.read(each.kind.table, path)

    def _tables(self, each: Declared, path: KeyPath) -> dict[int, Table] | None:
        """Tables of an array that lack nothing, by position; None if there are none."""
        value = self.document.value(path)
        if not isinstance(value, list) or not value:
            label = f"[[{each.name}]]"
            way_out = f"begin each {each.name} with {label}"
            if isinstance(value, dict):
                way_out += ", in double brackets"
            shown = self.document.shown(path)
            text = f"{label} must be an array of at least one table, not {shown}; {way_out}"
            self.reader.refuse(path, text)
            return None
        read = {
            position: self.reader.read(each.kind.table, (*path, position))
            for position in range(len(value))
        }
        return {position: table for position, table in read.items() if table is not None} or None

    def _refuse_table(self, path: KeyPath) -> None:
        label = self.reader.label(path)
        value, way_out = self.document.shown(path), "give it keys"
        if value == ARRAY_OF_TABLES:
            way_out = f"write {label}, in single brackets"
        self.reader.refuse(path, f"{label} must be a table, not {value}; {way_out}")

    def _refuse_unknown(self, key: str, meant: Meant | None) -> None:
        path = (*self.path, key)
        if key in self.first:
            names = next(each.spellings for each in self.keys.values() if key in each.spellings)
            pair = " or ".join(names)
            self.reader.refuse_key(path, f"{self.title} must have {pair}, not both; remove one")
            return
        known = ", ".join(sorted(self.first))
        way_out = "remove it" if meant is None else meant.way_out
        text = f"a key of {self.title} must be one of {known}, not {shorten(repr(key))}; {way_out}"
        self.reader.refuse_key(path, text)

    def _united(self, path: KeyPath, value: object) -> str | None:
        """What to write for a text with a unit at a key that has its unit in its name."""
        key = str(path[-1])
        if key not in self.units or not isinstance(value, str):
            return None
        first = self.first[key]
        try:
            self.quantities[first].parse(value)
        except RuleError:
            return None
        return f"write {first} = {self.document.shown(path)}"

    @functools.cached_property
    def _elsewhere(self) -> dict[str, str]:
        """What to do about keys of other tables."""
        return {
            spelling: f"it belongs under {label}"
            for label, other in self.reader.tables.items()
            if other is not self.model
            for each in declared(other).values()
            if each.kind.table is None
            for spelling in each.spellings
        }

    def _meant(self, key: str, value: object) -> Meant | None:
        """What an unknown key was meant to be, if it is like anything."""
        elsewhere = self._elsewhere
        if isinstance(value, dict):
            own = [label for label in self.reader.tables if label.endswith(f".{key}]")]
            elsewhere = {key: f"write {own[-1]}"} if own else {}
        return meant_key(
            key,
            value,
            names=self.first,
            units=self.units,
            quantities=self.quantities,
            elsewhere=elsewhere,
        )


def _units(model: type[Table]) -> dict[str, str]:
    """Units of spellings that take a bare number."""
    return {
        spelling: each.key.unit
        for each in declared(model).values()
        for spelling in each.spellings[1:]
    }


def _quantities(model: type[Table]) -> dict[str, Quantity]:
    """Quantities by the usual spelling of their key."""
    return {
        each.name: each.kind.quantity
        for each in declared(model).values()
        if each.kind.quantity is not None
    }
