"""Traces that are none."""

import pytest

from tests.sim.commands.bad_inputs.pantry import FILES
from tests.sim.commands.bad_inputs.runner import check, ids

ROWS = [
    (
        "trace empty.jsonl",
        "empty.jsonl:1: a trace must hold at least one request, not an empty file",
    ),
    (
        "trace blank.jsonl",
        "blank.jsonl:1: a trace must hold at least one request, not an empty file",
    ),
    (
        "trace zeros.jsonl",
        "zeros.jsonl:1: a trace must begin with a JSON object or with the header",
    ),
    ("trace latin.jsonl", "latin.jsonl:2: a trace must be UTF-8 text, not b'\\xff\\xfe\\n'"),
    (
        "trace half.jsonl",
        "half.jsonl:2: a line must be one JSON object with finite numbers and every",
    ),
    ("trace array.jsonl", "array.jsonl:3: a line must be one JSON object, not [1]"),
    (
        "trace deep.jsonl",
        "deep.jsonl:1: a line must be one JSON object with finite numbers and every",
    ),
    (
        "trace nan.jsonl",
        "nan.jsonl:2: a line must be one JSON object with finite numbers and every",
    ),
    (
        "trace minus.jsonl",
        "minus.jsonl:2: timestamp must be milliseconds in 0..8796093022208, not -1",
    ),
    ("trace huge.jsonl", "huge.jsonl:2: timestamp must be milliseconds in 0..8796093022208, not"),
    (
        "trace digits.jsonl",
        "digits.jsonl:1: a line must be one JSON object with finite numbers and",
    ),
    (
        "trace text.jsonl",
        "text.jsonl:2: input_length must be an integer in 0..2147483647, not '1000'",
    ),
    (
        "trace bool.jsonl",
        "bool.jsonl:2: output_length must be an integer in 0..2147483647, not True",
    ),
    (
        "trace blocks.jsonl",
        "blocks.jsonl:2: hash_ids must be a list of integers or texts, not 'all'",
    ),
    (
        "trace markup.jsonl",
        "markup.jsonl:2: input_length must be an integer in 0..2147483647, not '[red]x'",
    ),
    (
        "trace escape.jsonl",
        "escape.jsonl:1: a line must be one JSON object with finite numbers and",
    ),
    (
        "trace escaped-value.jsonl",
        "escaped-value.jsonl:2: output_length must be an integer in 0..2147483647,",
    ),
    ("trace folder.jsonl", "folder.jsonl: a trace must be a readable file, not this (Is a direct"),
    ("trace loop.jsonl", "loop.jsonl: a trace must be a readable file, not this (Too many"),
    (
        "trace missing.jsonl",
        "missing.jsonl: a trace must be a readable file, not this (No such file or directory)",
    ),
    ("trace /dev/null", "/dev/null:1: a trace must hold at least one request, not an empty file"),
    ("trace header.csv", "header.csv:1: a trace must begin with a JSON object or with the header"),
    ("trace no-rows.csv", "no-rows.csv:1: the header must be followed by requests, not 'no rows'"),
    (
        "trace short.csv",
        "short.csv:2: a row must have 3 columns as the header has, not '2023-11-16",
    ),
    ("trace when.csv", "when.csv:2: TIMESTAMP must be a date and time as in 2023-11-16"),
    (
        "trace tokens.csv",
        "tokens.csv:2: ContextTokens must be an integer in 0..2147483647, not '=1+1'",
    ),
    ("trace minus.csv", "minus.csv:2: ContextTokens must be an integer in 0..2147483647, not '-3'"),
    ("trace huge.csv", "huge.csv:2: ContextTokens must be an integer in 0..2147483647, not"),
    ("trace escape.csv", "escape.csv:2: TIMESTAMP must be a date and time as in 2023-11-16"),
    (
        "run c.toml --engine reference --trace missing.jsonl",
        "missing.jsonl: a trace must be a readable file, not this (No such file or directory)",
    ),
    (
        "run c.toml --engine reference --trace empty.jsonl",
        "empty.jsonl:1: a trace must hold at least one request, not an empty file",
    ),
    (
        "run c.toml --engine reference --trace half.jsonl",
        "half.jsonl:2: a line must be one JSON object with finite numbers and every",
    ),
]


@pytest.mark.parametrize(("line", "says"), ROWS, ids=ids(ROWS))
def test_a_bad_input_is_one_line(line, says, tmp_path, capsys, monkeypatch):
    check(line, says, FILES, tmp_path, capsys, monkeypatch)
