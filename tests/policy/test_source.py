"""Source files: positions of keys, and files that hold no contract."""

from collections.abc import Callable
from pathlib import Path

import pytest

from mcos_policy.diagnostics import ContractError, error
from mcos_policy.origin import KeyPath, Place
from mcos_policy.samples import SAMPLES
from mcos_policy.source import read_source


@pytest.mark.parametrize(
    ("text", "path", "position"),
    [
        ('"é" = {x = 1, y = 2}', ("é", "y"), (1, 19)),
        ("a.b = [2, {w = 3}]", ("a", "b", 1, "w"), (1, 16)),
        ("[[t]]\nn = 1\n[[t]]\nn = 2", ("t", 1, "n"), (4, 5)),
        ("[[t]]\n[t.u]\nn = 1\n[[t]]\n[t.u]\n\tn = 2", ("t", 1, "u", "n"), (6, 6)),
        ("[[t]]\n[[t.u]]\nn = 1\n[[t.u]]\nn = 2", ("t", 0, "u", 1, "n"), (5, 5)),
        ("[t] # comment\n# more\nn = 1", ("t", "n"), (3, 5)),
        ("[[t]]\nn = 1", ("t", 0, "missing"), (1, 3)),
        ("a = 1", ("missing",), (1, 1)),
    ],
)
def test_position(
    contract_file: Callable[[str], Path], text: str, path: KeyPath, position: tuple[int, int]
) -> None:
    origin = read_source(contract_file(text)).origin(path)
    assert isinstance(origin, Place)
    assert (origin.line, origin.column) == position


def test_key_error_points_at_the_key(contract_file: Callable[[str], Path]) -> None:
    origin = read_source(contract_file("a = 1\nbb = 2\n")).key_origin(("bb",))
    assert error(origin, "x").render().endswith("c.toml:2:1: error: x\nbb = 2\n^")
    assert isinstance(origin, Place)
    assert (origin.path, origin.end) == (("bb",), (2, 3))


def test_shown_value_is_the_file_s_own_in_one_short_line(
    contract_file: Callable[[str], Path],
) -> None:
    source = read_source(contract_file('a = 1.50e0\nb = [\n  1,\n  2]\nc = "' + 80 * "x" + '"\n'))
    assert source.shown(("a",)) == "1.50e0"
    assert source.shown(("b",)) == "[ 1, 2]"
    assert source.shown(("c",)) == '"' + 56 * "x" + "..."
    assert source.shown(("missing",)) == "a table"


def test_byte_order_mark_is_ignored(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_bytes(b"\xef\xbb\xbfa = 1\r\n")
    assert read_source(path).values == {"a": 1}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            b"",
            ": error: a contract must not be empty; give it a [fabric] table and a [[tenant]]",
        ),
        (
            b"# nothing\n\n",
            ": error: a contract must not be empty; give it a [fabric] table and a [[tenant]]",
        ),
        (
            b'a = 1\nb = "\xc3\xa9\xff"\n',
            ":2:7: error: a contract must be UTF-8 text, not the byte 0xff; save the file as UTF-8",
        ),
        (
            b"[fabric\n",
            (
                ":1:8: error: a contract must be TOML, not this (Expected ']' at the end of a "
                "table declaration); correct the syntax here"
            ),
        ),
        (
            b"a = [1,\n",
            (
                ":2:1: error: a contract must be TOML, not this (Invalid value); "
                "correct the syntax here"
            ),
        ),
        (
            b"a = 1\nb = 2\na = 3\nb = 4\n",
            (
                ":3:1: error: key 'a' must appear once, not again here; "
                "remove it here or on line 1\n"
                "{path}:4:1: error: key 'b' must appear once, not again here; "
                "remove it here or on line 2"
            ),
        ),
        (
            b"[a]\n[b]\n[a]\n",
            ":3:2: error: key 'a' must appear once, not again here; remove it here or on line 1",
        ),
        (
            b"a = {b = 1, 'b' = 2}\n",
            ":1:13: error: key 'b' must appear once, not again here; remove it here or on line 1",
        ),
        (
            b"a = " + 5000 * b"[" + 5000 * b"]",
            (
                ": error: values must be nested a few levels deep, not by hundreds; "
                "remove the inner ones"
            ),
        ),
        (
            b"a = " + 5000 * b"9",
            ": error: integers must have at most 4300 digits, not more; shorten the number",
        ),
        (
            b"a = 1e" + 30 * b"9",
            ": error: numbers must have exponents that are meant, not of 19 digits; shorten them",
        ),
        (
            b"x = 1\n" + b".".join([b"a"] * 65) + b" = 1",
            ":2:1: error: a key must have at most 64 parts, not 65; shorten it",
        ),
        (
            "a = 1".encode("utf-16"),
            ": error: a contract must be UTF-8 text, not UTF-16; save the file as UTF-8",
        ),
        (
            b"MIMG" + bytes(600),
            (
                ": error: a contract must be TOML, not an image; name the contract that it was "
                "compiled from"
            ),
        ),
        (
            b'a = "\0"',
            (
                ":1:6: error: a contract must be TOML, not this (Illegal character '\\x00'); "
                "correct the syntax here"
            ),
        ),
        (
            b"#" * ((1 << 20) + 1),
            ": error: a contract must have at most 1048576 bytes, not more; name another file",
        ),
    ],
)
def test_refused(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "c.toml"
    path.write_bytes(data)
    with pytest.raises(ContractError) as caught:
        read_source(path)
    assert str(caught.value) == str(path) + message.format(path=path)


def test_missing_file_and_directory(tmp_path: Path) -> None:
    with pytest.raises(ContractError) as caught:
        read_source(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}: error: a contract must be a file, not a directory; name the .toml file in it"
    )
    path = tmp_path / "c.toml"
    with pytest.raises(ContractError) as caught:
        read_source(path)
    assert str(caught.value) == (
        f"{path}: error: a contract must be a file that exists, not this; correct the path"
    )
    loop = tmp_path / "loop.toml"
    loop.symlink_to(loop)
    for unreadable in (path / "\0", loop):
        with pytest.raises(ContractError, match=r"must be a readable file, not this \(.*\); corr"):
            read_source(unreadable)


def test_a_key_of_64_parts_is_read(contract_file: Callable[[str], Path]) -> None:
    assert read_source(contract_file(".".join(["a"] * 64) + " = 1")).values.keys() == {"a"}


def test_a_sample_is_called_by_its_name_wherever_it_is_installed() -> None:
    assert read_source(SAMPLES["h200"], samples=SAMPLES).name == "h200.toml"
