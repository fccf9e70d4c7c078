"""Tables that fit the terminal: no name and no number is torn.

A table is printed as it is where it fits. Where it does not, it is transposed: a column a row, as
many as fit side by side, the others below. Where not even two fit, each row is a block of lines.
"""

import dataclasses
import itertools
from collections.abc import Iterable, Sequence
from typing import Literal, TypeAlias

from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table as RichTable
from rich.text import Text

from mcos_policy.diagnostics import printable

__all__ = [
    "Column",
    "Table",
]

Cell: TypeAlias = str | Text

_GAP = 2
"""Columns of the terminal between two columns of a table: padding, and the box's blank."""

_WORDS_WIDTH = 24
"""Width that a column of words has at least, unless its longest cell is shorter."""

_INDENT = 2
"""Columns of the terminal by which the lines of a block are indented below its name."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Column:
    """One column of a table.

    Parameters
    ----------
    heading : str
        What the cells are, with the unit. It may break at spaces.
    justify : "left", "right" or None
        Side on which the cells are flush; None is left for names and words, right for numbers.
    name : bool
        Whether the cells name the row. Columns of names come first.
    words : bool
        Whether the cells are sentences or lists, which may break at spaces. Names and numbers stay
        on one line as long as the terminal has that many columns.
    """

    heading: str
    justify: Literal["left", "right"] | None = None
    name: bool = False
    words: bool = False

    @property
    def side(self) -> Literal["left", "right"]:
        """Side on which the cells are flush."""
        return self.justify or ("left" if self.name or self.words else "right")


class Table:
    """A table for ``Console.print``.

    Parameters
    ----------
    title : str
        Line above the table; none where it is empty.
    columns : Sequence[Column or str]
        A text stands for a column of names if it is the first, for one of numbers otherwise.
    rows : Iterable[Sequence[str or Text]]
        As many cells a row as there are columns. A text with line breaks has several lines.
    headings : bool
        Whether headings are printed. Without, there must be one column of names and one other.
    grouped : bool
        Whether rows with the same first cell stand together below it. There must be two columns of
        names.

    Raises
    ------
    ValueError
        If columns do not begin with names, or a row has another number of cells.
    """

    def __init__(
        self,
        title: str,
        columns: Sequence[Column | str],
        rows: Iterable[Sequence[Cell]],
        *,
        headings: bool = True,
        grouped: bool = False,
    ) -> None:
        self.title = title
        self.columns = [
            column if isinstance(column, Column) else Column(heading=column, name=not index)
            for index, column in enumerate(columns)
        ]
        self.rows = [[_text(cell) for cell in row] for row in rows]
        self.headings = headings
        self.grouped = grouped
        self.names = sum(column.name for column in self.columns)
        if not 0 < self.names == len([*itertools.takewhile(lambda c: c.name, self.columns)]):
            raise ValueError("columns must begin with names, and have no name after another column")
        if grouped and self.names != 2:
            raise ValueError(f"a grouped table must have two columns of names, not {self.names}")
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(
                    f"a row must have {len(self.columns)} cells, as many as there are columns, "
                    f"not {len(row)}"
                )

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The title, and the rows in the first layout that fits."""
        width = options.max_width
        if self.title:
            yield Text(printable(self.title), "bold", overflow="fold")
        if (wide := self._as_it_is(width)) is not None:
            yield wide
        elif (transposed := self._transposed(width)) is not None:
            yield from transposed
        else:
            yield from self._blocks(console, width)

    def _as_it_is(self, width: int) -> RichTable | None:
        columns, rows = (self.columns, self.rows) if not self.grouped else self._indented()
        cells = [
            max((_least(column, row[index]) for row in rows), default=0)
            for index, column in enumerate(columns)
        ]
        if self.grouped:
            cells[0] = max(cells[0], *(_natural(row[0]) for row in self.rows), 0)
        heads = [column.heading.split() if self.headings else [] for column in columns]
        room = width - _GAP * (len(columns) - 1)
        for lines in range(1, max(map(len, heads), default=0) + 2):
            widths = [
                max(least, _wrapped(head, lines)) for least, head in zip(cells, heads, strict=True)
            ]
            if sum(widths) <= room:
                break
        else:
            return None
        for index, column in enumerate(columns):
            if column.words:
                natural = max((_natural(row[index]) for row in rows), default=0)
                more = max(0, min(natural - widths[index], room - sum(widths)))
                widths[index] += more
        table = _rich_table(headings=self.headings)
        for column, head, each in zip(columns, heads, widths, strict=True):
            _add_column(table, Text(" ".join(head)), each, column.side)
        before = None
        for number, row in enumerate(self.rows):
            if self.grouped and row[0].plain != before:
                table.add_section()
                table.add_row(row[0])
                before = row[0].plain
            table.add_row(*(rows[number]))
        return table

    def _indented(self) -> tuple[list[Column], list[list[Text]]]:
        """Columns and rows of a grouped table whose groups have rows of their own."""
        group, name, *columns = self.columns
        first = dataclasses.replace(name, heading=f"{group.heading}, {name.heading}")
        rows = [[Text(" ") + row[1], *row[2:]] for row in self.rows]
        return [first, *columns], rows

    def _transposed(self, width: int) -> list[RichTable | Text] | None:
        """Tables of at least two rows side by side, None where a table has no room for two."""
        heads = [Text(" ".join(column.heading.split())) for column in self.columns]
        label = max(_natural(head) for head in heads)
        widths = [
            max(_least(column, cell) for column, cell in zip(self.columns, row, strict=True))
            for row in self.rows
        ]
        parts: list[list[int]] = []
        room = 0
        for index, each in enumerate(widths):
            if each + _GAP > room:
                parts.append([])
                room = width - label
            parts[-1].append(index)
            room -= each + _GAP
        if not self.headings or len(widths) < 2 or any(len(part) < 2 for part in parts[:-1]):
            return None
        if label + _GAP + max(widths) > width:
            return None
        tables: list[RichTable | Text] = []
        for part in parts:
            table = _rich_table(headings=True)
            corner = Text("\n").join(heads[: self.names])
            _add_column(table, corner, label, "left")
            for index in part:
                row = self.rows[index]
                _add_column(table, Text("\n").join(row[: self.names]), widths[index], "right")
            for place in range(self.names, len(heads)):
                table.add_row(heads[place], *(self.rows[index][place] for index in part))
            tables += [table, Text()]
        return tables[:-1]

    def _blocks(self, console: Console, width: int) -> Iterable[Text]:
        """Each row as lines: its name, then heading and value."""
        heads = [
            Text(" ".join(column.heading.split()) if self.headings else "")
            for column in self.columns
        ]
        for row in self.rows:
            name = Text(", ").join(cell for cell in row[: self.names] if cell.plain)
            name.stylize("bold")
            facts = [] if self.headings else row[self.names :]
            if facts and _natural(name) + _GAP + _natural(facts[0]) <= width:
                yield name + Text(" " * _GAP) + facts[0]
                continue
            yield from _lines(console, name, width, indent=0)
            told = [
                (h, c) for h, c in [*zip(heads, row, strict=True)][self.names :] if c.plain.strip()
            ]
            beside = [
                _natural(head)
                for head, cell in told
                if head.plain and _INDENT + _natural(head) + _GAP + _natural(cell) <= width
            ]
            label = max(beside, default=0)
            for head, cell in told:
                room = width - _natural(cell) - _GAP - _INDENT
                if not head.plain or _natural(head) > room:
                    yield from _lines(console, head, width, indent=_INDENT)
                    yield from _lines(console, cell, width, indent=2 * _INDENT)
                    continue
                for number, line in enumerate(cell.split("\n")):
                    first = Text(" " * _INDENT) + (head if number == 0 else Text())
                    first.pad_right(_INDENT + min(label, room) + _GAP - cell_len(first.plain))
                    yield first + line


def _text(cell: Cell) -> Text:
    """A cell without control characters; a text of several styles loses them where it has any."""
    plain = cell if isinstance(cell, str) else cell.plain
    shown = printable(plain, keep="\n")
    if isinstance(cell, Text) and shown == plain:
        return cell
    return Text(shown, cell.style if isinstance(cell, Text) else "")


def _natural(text: Text) -> int:
    """Width of the longest line."""
    return max((cell_len(line) for line in text.plain.split("\n")), default=0)


def _longest_word(text: Text) -> int:
    return max((cell_len(word) for word in text.plain.split()), default=0)


def _least(column: Column, cell: Text) -> int:
    """Width that a cell must have."""
    if not column.words:
        return _natural(cell)
    return min(_natural(cell), max(_WORDS_WIDTH, _longest_word(cell)))


def _wrapped(words: Sequence[str], lines: int) -> int:
    """Least width at which words take at most so many lines."""
    lengths = [cell_len(word) for word in words]
    width = max(lengths, default=0)
    while _count_lines(lengths, width) > lines:
        width += 1
    return width


def _count_lines(lengths: Sequence[int], width: int) -> int:
    count, used = 0, width
    for length in lengths:
        if used + 1 + length > width:
            count, used = count + 1, length
        else:
            used += 1 + length
    return count


def _rich_table(*, headings: bool) -> RichTable:
    return RichTable(
        box=box.SIMPLE_HEAD,
        padding=(0, _GAP - 1, 0, 0),
        pad_edge=False,
        show_edge=False,
        show_header=headings,
    )


def _add_column(
    table: RichTable, heading: Text, width: int, justify: Literal["left", "right"]
) -> None:
    table.add_column(heading, width=width, justify=justify, vertical="top", overflow="fold")


def _lines(console: Console, text: Text, width: int, *, indent: int) -> Iterable[Text]:
    """A text broken at spaces, indented as far as its longest word has room."""
    indent = max(0, min(indent, width - _longest_word(text)))
    for line in text.wrap(console, width - indent, overflow="fold") if text.plain else ():
        line.rstrip()
        line.pad_left(indent)
        yield line
