"""The TOML front end: a file such as a contract, and where in it each key and value stands."""

import bisect
import codecs
import decimal
import difflib
import functools
import itertools
import re
import tomllib
from collections.abc import Collection, Mapping
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any

import tree_sitter_toml
from tree_sitter import Language, Node, Parser

from mcos_hw.registers.image import IMAGE_MAGIC
from mcos_policy.diagnostics import ContractError, Diagnostic, error
from mcos_policy.document import ARRAY_OF_TABLES, Document
from mcos_policy.origin import KeyPath, Origin, Place, shorten

__all__ = [
    "Source",
    "parse_source",
    "read_source",
]


_LARGEST_FILE = 1 << 20
_MOST_PARTS = 64
"""Most parts of a dotted key. Each prefix is kept as a path, so memory grows with the square."""

_LANGUAGE = Language(tree_sitter_toml.language())
_IMAGE = IMAGE_MAGIC.to_bytes(4, "little")
_NO_SAMPLES: Mapping[str, Path] = MappingProxyType({})
_SEVERAL = ("tenant",)
"""The path whose tables a file may have several of."""
_UNQUOTED = re.compile(
    r"\s*([A-Za-z0-9_-]+)\s*=\s*([0-9]+(?:\.[0-9]+)? *[A-Za-z\u00b5\u03bc][A-Za-z/]*)\s*(?:#.*)?"
)
"""A line with a quantity that is not in quotes."""
_TOML_POSITION = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


class Source(Document):
    """A file of tables that is valid TOML.

    Parameters
    ----------
    name : str
        Name of the file, as the user gave it.
    text : str
        Its text.
    values : dict[str, Any]
        Its tables; numbers with a point or exponent are :class:`~decimal.Decimal`.
    key_nodes, value_nodes : Mapping[KeyPath, tree_sitter.Node]
        Where each key and each value stands.
    """

    def __init__(
        self,
        *,
        name: str,
        text: str,
        values: dict[str, Any],
        key_nodes: Mapping[KeyPath, Node],
        value_nodes: Mapping[KeyPath, Node],
    ) -> None:
        super().__init__(name=name, text=text, values=values)
        self._keys = key_nodes
        self._values = value_nodes
        self._lines = _lines(text)

    def shown(self, path: KeyPath) -> str:
        """The value at ``path`` as the file spells it, shortened to one line."""
        if path in self._values:
            return shorten(_text(self._values[path]))
        return ARRAY_OF_TABLES if (*path, 0) in self._keys else "a table"

    def origin(self, path: KeyPath) -> Origin:
        """Place of the value at ``path``, or of the nearest table around it."""
        return self._place(path, self._values)

    def key_origin(self, path: KeyPath) -> Origin:
        """Place of the key at ``path``, or of the nearest table around it."""
        return self._place(path, self._keys)

    def _place(self, path: KeyPath, nodes: Mapping[KeyPath, Node]) -> Place:
        nearest = path
        while nearest:
            node = nodes.get(nearest) or self._keys.get(nearest)
            if node is not None:
                return _place(self.name, self._lines, node, path=path)
            nearest = nearest[:-1]
        return _at(self.name, self._lines, (1, 1), path=path)


def read_source(
    path: str | Path,
    *,
    noun: str = "a contract",
    begin: str = "a [fabric] table and a [[tenant]]",
    samples: Mapping[str, Path] = _NO_SAMPLES,
) -> Source:
    """Read a contract, or another file of tables.

    Parameters
    ----------
    path : str or Path
        The file.
    noun : str
        What the file is, for messages.
    begin : str
        What is in every file of that kind, likewise.
    samples : Mapping[str, Path]
        Files that may be given by name; messages call them so, wherever they are installed.

    Raises
    ------
    ContractError
        If the file cannot be read, is too large, empty or not UTF-8, repeats a key, or is not
        TOML.
    """
    name = Path(path).name if path in samples.values() else str(path)
    return parse_source(_read_text(name, Path(path), noun, samples), name, noun=noun, begin=begin)


def parse_source(text: str, name: str, *, noun: str, begin: str) -> Source:
    """Parse the text of such a file, which messages call ``name``."""
    tree = Parser(_LANGUAGE).parse(text.encode())
    try:
        index = _Index(name, text)
        if not tree.root_node.has_error:
            index.walk(tree.root_node)
        if index.single:
            raise ContractError(index.single)
        if index.repeated:
            raise ContractError(index.repeated)
        document = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as fault:
        raise ContractError([_syntax_error(name, text, str(fault), noun)]) from None
    except RecursionError:
        rule = "values must be nested a few levels deep, not by hundreds; remove the inner ones"
        raise ContractError([_whole(name, rule)]) from None
    except decimal.InvalidOperation:
        rule = "numbers must have exponents that are meant, not of 19 digits; shorten them"
        raise ContractError([_whole(name, rule)]) from None
    except ValueError:
        rule = "integers must have at most 4300 digits, not more; shorten the number"
        raise ContractError([_whole(name, rule)]) from None
    if not document:
        rule = f"{noun} must not be empty; give it {begin}"
        raise ContractError([_whole(name, rule)])
    return Source(
        name=name, text=text, values=document, key_nodes=index.keys, value_nodes=index.values
    )


def _read_text(name: str, path: Path, noun: str, samples: Collection[str]) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST_FILE + 1)
    except IsADirectoryError:
        rule = f"{noun} must be a file, not a directory; name the .toml file in it"
        raise ContractError([_whole(name, rule)]) from None
    except FileNotFoundError:
        rule = f"{noun} must be a file that exists, not this; correct the path"
        near = difflib.get_close_matches(path.stem, samples, n=1)
        if near:
            rule += f", or did you mean the sample {near[0]}?"
        elif samples:
            rule += f", or name a sample: {', '.join(samples)}"
        raise ContractError([_whole(name, rule)]) from None
    except (OSError, ValueError) as fault:
        reason = getattr(fault, "strerror", None) or str(fault)
        rule = f"{noun} must be a readable file, not this ({reason}); correct the path"
        raise ContractError([_whole(name, rule)]) from None
    if len(data) > _LARGEST_FILE:
        rule = f"{noun} must have at most {_LARGEST_FILE} bytes, not more; name another file"
        raise ContractError([_whole(name, rule)])
    if data.startswith(_IMAGE):
        rule = f"{noun} must be TOML, not an image; name the contract that it was compiled from"
        raise ContractError([_whole(name, rule)])
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        rule = f"{noun} must be UTF-8 text, not UTF-16; save the file as UTF-8"
        raise ContractError([_whole(name, rule)])
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        valid = data[: fault.start].decode("utf-8-sig")
        line = valid.count("\n") + 1
        column = len(valid) - valid.rfind("\n")
        rule = (
            f"{noun} must be UTF-8 text, not the byte 0x{data[fault.start]:02x}; "
            "save the file as UTF-8"
        )
        shown = valid[valid.rfind("\n") + 1 :]
        place = Place(
            name=name, line=line, column=column, end=(line, column + 1), source_line=shown
        )
        raise ContractError([error(place, rule)]) from None


def _syntax_error(name: str, text: str, message: str, noun: str) -> Diagnostic:
    position = _TOML_POSITION.search(message)
    reason = message[: position.start()] if position else message
    if position and position[1]:
        line, column = int(position[1]), int(position[2])
    else:
        line, column = text.count("\n") + 1, len(text) - text.rfind("\n")
    lines = _lines(text)
    rule = f"{noun} must be TOML, not this ({shorten(reason)}); correct the syntax here"
    unquoted = _UNQUOTED.fullmatch(lines[line - 1])
    if unquoted is not None:
        rule = (
            f"a quantity must be in quotes, not {shorten(unquoted[2])}; "
            f'write {shorten(unquoted[1])} = "{shorten(unquoted[2])}"'
        )
    return error(_at(name, lines, (line, column)), rule)


def _whole(name: str, text: str) -> Diagnostic:
    return error(Origin(name=name), text)


def _lines(text: str) -> list[str]:
    return [line.rstrip("\r") for line in text.split("\n")]


def _place(name: str, lines: list[str], node: Node, *, path: KeyPath = ()) -> Place:
    """Where a node stands."""
    begin, end = _position(node.start_point, lines), _position(node.end_point, lines)
    return _at(name, lines, begin, end=end, path=path)


def _at(
    name: str,
    lines: list[str],
    begin: tuple[int, int],
    *,
    end: tuple[int, int] | None = None,
    path: KeyPath = (),
) -> Place:
    line, column = begin
    return Place(
        name=name,
        path=path,
        line=line,
        column=column,
        end=begin if end is None else end,
        source_line=lines[line - 1],
    )


def _text(node: Node) -> str:
    return (node.text or b"").decode()


def _position(point: tuple[int, int], lines: list[str]) -> tuple[int, int]:
    """Line and column of a point of a syntax tree."""
    row, column = point
    # tree-sitter counts bytes in a line, people count characters.
    if not lines[row].isascii():
        column = bisect.bisect_left(_offsets(lines[row]), column)
    return row + 1, column + 1


@functools.lru_cache(maxsize=4)
def _offsets(line: str) -> list[int]:
    """The byte at which each character of a line begins; a contract may be one long line."""
    lengths = (len(character.encode()) for character in line)
    return list(itertools.accumulate(lengths, initial=0))


class _Index:
    """Walks a syntax tree and notes where each key and value stands."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.lines = _lines(text)
        self.keys: dict[KeyPath, Node] = {}
        self.values: dict[KeyPath, Node] = {}
        self.explicit: set[KeyPath] = set()
        self.lengths: dict[KeyPath, int] = {}
        self.repeated: list[Diagnostic] = []
        self.single: list[Diagnostic] = []

    def walk(self, root: Node) -> None:
        """Note every table and pair of the document."""
        for node in root.named_children:
            if node.type == "pair":
                self._pair(node, ())
            elif node.type in ("table", "table_array_element"):
                self._table(node)

    def _table(self, node: Node) -> None:
        header, *rest = [child for child in node.named_children if child.type != "comment"]
        earlier = self.keys.get(_SEVERAL)
        path = self._descend((), _key_parts(header))
        if path == _SEVERAL and earlier is not None:
            self._require_arrays(node, header, earlier)
        if node.type == "table_array_element":
            position = self.lengths.get(path, 0)
            self.lengths[path] = position + 1
            path = (*path, position)
            self.keys[path] = header
        else:
            self._declare(path, header)
        for child in rest:
            if child.type == "pair":
                self._pair(child, path)

    def _require_arrays(self, node: Node, header: Node, earlier: Node) -> None:
        """Note a table that is one of several and whose header is not in double brackets."""
        if node.type == "table_array_element" and _SEVERAL in self.lengths:
            return
        (name,) = _SEVERAL
        first = self._place(earlier)
        if node.type == "table_array_element" and _SEVERAL not in self.explicit:
            place = first
            rule = f"[[{name}]] must come before the tables in it; write it before this line"
        else:
            place = self._place(header)
            rule = (
                f"several tables must begin with [[{name}]], in double brackets, not with "
                f"[{name}]; write [[{name}]] here and on line {first.line}"
            )
        self.single.append(error(place, rule))

    def _pair(self, node: Node, table: KeyPath) -> None:
        key, value = [child for child in node.named_children if child.type != "comment"]
        path = self._descend(table, _key_parts(key))
        self._declare(path, key)
        self.values.setdefault(path, value)
        self._value(value, path)

    def _value(self, node: Node, path: KeyPath) -> None:
        if node.type == "inline_table":
            for child in node.named_children:
                if child.type == "pair":
                    self._pair(child, path)
        elif node.type == "array":
            elements = [child for child in node.named_children if child.type != "comment"]
            for position, child in enumerate(elements):
                self.values[(*path, position)] = child
                self._value(child, (*path, position))

    def _declare(self, path: KeyPath, key: Node) -> None:
        if path in self.explicit:
            rule = (
                f"key {shorten(repr(path[-1]))} must appear once, not again here; "
                f"remove it here or on line {self._place(self.keys[path]).line}"
            )
            self.repeated.append(error(self._place(key), rule))
        else:
            self.explicit.add(path)
            self.keys[path] = key

    def _descend(self, table: KeyPath, parts: list[tuple[str, Node]]) -> KeyPath:
        """The path of a dotted key. A step into an array of tables goes to the last of them."""
        if len(parts) > _MOST_PARTS:
            rule = f"a key must have at most {_MOST_PARTS} parts, not {len(parts)}; shorten it"
            raise ContractError([error(self._place(parts[0][1]), rule)])
        path = table
        for depth, (name, node) in enumerate(parts):
            path = (*path, name)
            self.keys.setdefault(path, node)
            if depth + 1 < len(parts) and path in self.lengths:
                path = (*path, self.lengths[path] - 1)
        return path

    def _place(self, node: Node) -> Place:
        return _place(self.name, self.lines, node)


def _key_parts(key: Node) -> list[tuple[str, Node]]:
    if key.type == "dotted_key":
        return [part for child in key.named_children for part in _key_parts(child)]
    if key.type == "quoted_key":
        return [(next(iter(tomllib.loads(f"{_text(key)} = 0"))), key)]
    return [(_text(key), key)]
