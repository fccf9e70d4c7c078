"""Tables of plain values whose every value knows its origin: what all front ends make.

A front end reads one form of contract, such as a TOML file (:mod:`mcos_policy.source`) or the
values of a program (:mod:`mcos_policy.plain`), and hands on a document. Everything behind it works
on the document and does not know the form.
"""

import abc
import hashlib
from collections.abc import Mapping
from typing import Any

from mcos_policy.origin import KeyPath, Origin

__all__ = [
    "ARRAY_OF_TABLES",
    "Document",
]


ARRAY_OF_TABLES = "an array of tables"
"""How an array is shown that is spelt by the headers of its tables."""


class Document(abc.ABC):
    """Tables of plain values.

    Text is ``str``, a number is an ``int``, a :class:`~decimal.Decimal` or, in its base unit, a
    :class:`~fractions.Fraction`; a table is a ``dict`` and an array a ``list``.

    Parameters
    ----------
    name : str
        Name of the whole, as messages begin with it.
    text : str
        What the document was made of. Its hash identifies the contract in images and results.
    values : Mapping[str, Any]
        The tables.
    """

    def __init__(self, *, name: str, text: str, values: Mapping[str, Any]) -> None:
        self.name = name
        self.text = text
        self.values = values

    @property
    def sha256(self) -> str:
        """SHA-256 of the text."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def value(self, path: KeyPath) -> Any:
        """The value at ``path``; None where there is none."""
        found: Any = self.values
        for step in path:
            try:
                found = found[step]
            except (KeyError, IndexError, TypeError):
                return None
        return found

    @abc.abstractmethod
    def shown(self, path: KeyPath) -> str:
        """The value at ``path`` as it was written, shortened to one line."""

    @abc.abstractmethod
    def origin(self, path: KeyPath) -> Origin:
        """Origin of the value at ``path``, or of the nearest table around it."""

    @abc.abstractmethod
    def key_origin(self, path: KeyPath) -> Origin:
        """Origin of the key at ``path``, or of the nearest table around it."""
