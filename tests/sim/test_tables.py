"""Tables are whole at every width: no name, number or heading is torn."""

import io
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from mcos_policy.diagnostics import printable
from mcos_sim.tables import Column, Table

WIDTHS = (20, 40, 60, 80, 100, 200)

COLUMNS = ["tenant", "guaranteed (GB/s)", "of capacity", "p99 clk"]
ROWS = [("chat", "100", "12.2%", "1,234"), ("batch", "1,000.5", "50%", "-")]


def shown(table: Table, width: int) -> list[str]:
    """Lines of a table on a terminal of a width."""
    console = Console(file=io.StringIO(), width=width, force_terminal=False, markup=False)
    console.print(table)
    assert isinstance(console.file, io.StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1)
NUMBERS = st.integers(-(10**20), 10**20).map("{:,}".format)
HEADINGS = st.lists(st.sampled_from(["bytes", "p99", "of", "guaranteed", "(GB/s)"]), min_size=1)


@st.composite
def tables(draw):
    """Columns and rows, some with two names, some with a column of words."""
    grouped = draw(st.booleans())
    headings = draw(st.lists(HEADINGS.map(" ".join), max_size=8))
    names = [Column(heading="name", name=True)] * (2 if grouped else 1)
    numbers = [Column(heading=heading) for heading in headings]
    words = [Column(heading="critical path", words=True)] * draw(st.integers(0, 1))
    sentence = st.lists(NAMES.filter(lambda name: len(name) < 12), min_size=1).map(" ".join)
    row = st.tuples(*[NAMES] * len(names), *[NUMBERS] * len(numbers), *[sentence] * len(words))
    return [*names, *numbers, *words], draw(st.lists(row, max_size=6)), grouped


@settings(deadline=None, max_examples=60, derandomize=True)
@given(tables(), st.sampled_from(WIDTHS) | st.integers(20, 200))
@example((COLUMNS, [("a" * 20, "1", "2", "3")], False), 20)
@example((COLUMNS, [("漢" * 10, "1" * 19, "2", "3")], False), 20)
def test_every_word_is_whole_at_every_width(of, width):
    columns, rows, grouped = of
    lines = shown(Table("a title of several words", columns, rows, grouped=grouped), width)
    assert max(map(cell_len, lines)) <= width
    whole = set(re.split(r"[\s]+", " ".join(lines)))
    whole |= {word.removesuffix(",") for word in whole}
    for row in rows:
        for word in " ".join(map(printable, row)).split():
            assert word in whole or cell_len(word) > width
    if rows:
        for column in columns:
            heading = column if isinstance(column, str) else column.heading
            in_blocks = heading == "name" or column is columns[0]
            assert in_blocks or all(word in whole for word in heading.split())
    folded = "".join("".join(lines).split())
    for row in rows:
        assert "".join(printable(row[0]).split()) in folded


AS_IT_IS = """\
tenant  guaranteed (GB/s)  of capacity  p99 clk
───────────────────────────────────────────────
chat                  100        12.2%    1,234
batch             1,000.5          50%        -"""
BROKEN_HEADINGS = """\
        guaranteed        of    p99
tenant      (GB/s)  capacity    clk
───────────────────────────────────
chat           100     12.2%  1,234
batch      1,000.5       50%      -"""
TRANSPOSED = """\
tenant              chat    batch
─────────────────────────────────
guaranteed (GB/s)    100  1,000.5
of capacity        12.2%      50%
p99 clk            1,234        -"""
BLOCKS = """\
chat
  guaranteed (GB/s)  100
  of capacity        12.2%
  p99 clk            1,234
batch
  guaranteed (GB/s)  1,000.5
  of capacity        50%
  p99 clk            -"""
NARROW_BLOCKS = """\
chat
  guaranteed (GB/s)
    100
  of capacity  12.2%
  p99 clk      1,234
batch
  guaranteed (GB/s)
    1,000.5
  of capacity  50%
  p99 clk      -"""


@pytest.mark.parametrize(
    ("width", "text"),
    [
        (47, AS_IT_IS),
        (46, BROKEN_HEADINGS),
        (35, BROKEN_HEADINGS),
        (34, TRANSPOSED),
        (33, TRANSPOSED),
        (32, BLOCKS),
        (28, BLOCKS),
        (20, NARROW_BLOCKS),
    ],
)
def test_a_layout_holds_down_to_the_last_column_that_it_needs(width, text):
    assert shown(Table("", COLUMNS, ROWS), width) == text.splitlines()


def test_a_transposed_table_goes_on_below():
    rows = [
        (name, "1,000", "50%", "1,234") for name in ("chat", "batch", "agent", "night", "spare")
    ]
    lines = shown(Table("title", COLUMNS, rows), 34)
    assert [line.split()[1:] for line in lines if line.startswith("tenant")] == [
        ["chat", "batch"],
        ["agent", "night"],
        ["spare"],
    ]
    assert lines[0] == "title"


@pytest.mark.parametrize(("length", "first"), [(15, "tenant"), (16, "chat")])
def test_the_last_row_of_a_transposed_table_has_room_too(length, first):
    rows = [(name, "1,000", "50%", "1,234") for name in ("chat", "batch", "x" * length)]
    lines = shown(Table("", COLUMNS, rows), 34)
    assert lines[0].split()[0] == first
    assert "x" * length in " ".join(lines).split()


def test_rows_of_a_group_stand_below_it():
    columns = ["tenant", Column(heading="arbiter", name=True), "p50 clk"]
    rows = [("chat", "fcfs", "90"), ("chat", "mcos", "9"), ("batch", "mcos", "8")]
    table = Table("", columns, rows, grouped=True)
    assert shown(table, 80)[2:] == [
        "chat",
        " fcfs                 90",
        " mcos                  9",
        "",
        "batch",
        " mcos                  8",
    ]
    assert shown(table, 11)[:2] == ["chat, fcfs", "  p50 clk"]


def test_sentences_break_at_spaces_and_take_what_is_left():
    columns = ["target", Column(heading="path", words=True)]
    text = "from the queue to the choice of a grant"
    assert shown(Table("", columns, [("ecp5", text)]), 47)[2] == f"ecp5    {text}"
    assert shown(Table("", columns, [("ecp5", text)]), 46)[2:] == [
        "ecp5    from the queue to the choice of a",
        "        grant",
    ]
    assert shown(Table("", columns, [("ecp5", text)]), 32)[0] == "target  path"
    assert shown(Table("", columns, [("ecp5", text)]), 31) == [
        "ecp5",
        "  path",
        "    from the queue to the",
        "    choice of a grant",
    ]


def test_a_list_of_facts_has_no_headings():
    columns = ["", Column(heading="", words=True)]
    table = Table("trace.jsonl", columns, [("requests", "1,000"), ("span", "2 s")], headings=False)
    assert shown(table, 40) == ["trace.jsonl", "requests  1,000", "span      2 s"]
    table = Table("", columns, [("requests", "1,000"), ("source", "x" * 15)], headings=False)
    assert shown(table, 25)[1] == f"source    {'x' * 15}"
    assert shown(table, 23) == ["requests  1,000", f"source  {'x' * 15}"]
    assert shown(table, 22) == ["requests  1,000", "source", f"    {'x' * 15}"]


def test_a_table_without_rows_has_its_title_and_headings():
    assert shown(Table("0 grants", COLUMNS, []), 60)[:2] == [
        "0 grants",
        "tenant  guaranteed (GB/s)  of capacity  p99 clk",
    ]
    assert shown(Table("0 grants", COLUMNS, []), 20) == ["0 grants"]


def test_control_characters_are_shown_as_codes():
    lines = shown(Table("\x1b[1m", ["name"], [(Text("a\x1b[2J", "bold"),), ("b\x07",)]), 40)
    assert lines == [
        r"\x1b[1m",
        "name",
        "────────",
        r"a\x1b[2J",
        r"b\x07",
    ]


@pytest.mark.parametrize(
    ("columns", "rows", "grouped", "message"),
    [
        ([Column(heading="a")], [], False, "columns must begin with names"),
        (["a", "b", Column(heading="c", name=True)], [], False, "columns must begin with names"),
        (["a", "b"], [], True, "a grouped table must have two columns of names, not 1"),
        (["a", "b"], [("x",)], False, "a row must have 2 cells, .* not 1"),
    ],
)
def test_what_is_no_table_is_refused(columns, rows, grouped, message):
    with pytest.raises(ValueError, match=message):
        Table("", columns, rows, grouped=grouped)
