"""Reading a VCD (IEEE 1364-2005, 18.2) strictly: what is damaged is refused by its line.

Written here because the readers there are either take what they do not understand for a value, or
do not say where it stands.
"""

import functools
import re
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from mcos_sim.errors import UserError
from mcos_sim.waves.dump import TIME_LIMIT, Changes, Variable, bits_value

__all__ = [
    "read_vcd",
]


_PARTS = 50
"""How often a reader says how far it is."""

_LINES = 1 << 16
"""Lines between two looks at how far it is."""

_LONGEST_LINE = 1 << 26
"""Bytes of a line, which is held in memory."""

_SECTIONS = frozenset((b"$dumpvars", b"$dumpall", b"$dumpon", b"$dumpoff"))

_COMMANDS = frozenset(
    (b"$scope", b"$upscope", b"$var", b"$timescale", b"$enddefinitions", b"$date", b"$version")
)

_WITHOUT_BITS = frozenset((b"real", b"realtime", b"string", b"event"))

_TIMESCALE = re.compile(rb"(1|10|100)(s|ms|us|ns|ps|fs)")

_Filed = tuple[int, array | None, array | None]
"""Bits of the variables of a code, and times and values where they are wanted."""


def read_vcd(
    path: Path,
    choose: Callable[[list[Variable]], set[object]],
    report: Callable[[float], None],
) -> tuple[dict[object, Changes], int]:
    """Read the variables that are wanted.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    choose : Callable
        Given what is declared, says which codes are wanted.
    report : Callable
        Called with the part of the work that is done since the last call.

    Returns
    -------
    tuple[dict[object, Changes], int]
        Changes by code, and the last time in the file.

    Raises
    ------
    UserError
        If the file cannot be read or is no whole VCD, with the line.
    """
    with path.open("rb") as file:
        return _Reader(path, file, report).read(choose)


class _Reader:
    def __init__(self, path: Path, file: BinaryIO, report: Callable[[float], None]) -> None:
        self._path = path
        self._file = file
        self._report = report
        self._size = max(1, path.stat().st_size)
        self._reported = 0
        self._line = 0

    def read(
        self, choose: Callable[[list[Variable]], set[object]]
    ) -> tuple[dict[object, Changes], int]:
        tokens = self._tokens()
        variables = self._declarations(tokens)
        wanted = choose(variables)
        filed: dict[bytes, _Filed] = {}
        for each in variables:
            code = each.code
            assert isinstance(code, bytes)
            if filed.get(code, (each.width,))[0] != each.width and each.is_bits:
                raise self._damaged(
                    f"variables of one identifier must have one width; {each.name} has another"
                )
            lists = (array("q"), array("q")) if code in wanted else (None, None)
            filed.setdefault(code, (each.width, *lists))
        end = self._values(tokens, filed)
        changes: dict[object, Changes] = {
            code: (times, values)
            for code, (_, times, values) in filed.items()
            if times is not None and values is not None
        }
        return changes, end

    def _damaged(self, what: str) -> UserError:
        return UserError(f"{self._path}:{self._line}: {what}; write the VCD again")

    def _tokens(self) -> Iterator[bytes]:
        """Words of the file, comments left out; ``_line`` is where the last one stands."""
        comment = 0
        for line in iter(functools.partial(self._file.readline, _LONGEST_LINE), b""):
            self._line += 1
            if len(line) == _LONGEST_LINE:
                raise self._damaged(f"a line must have under {_LONGEST_LINE:,} bytes")
            if not self._line % _LINES:
                self._tell()
            for token in line.split():
                if comment:
                    if token == b"$end":
                        comment = 0
                elif token == b"$comment":
                    comment = self._line
                else:
                    yield token
        if comment:
            self._line = comment
            raise self._damaged("a comment must end with $end, and does not")

    def _tell(self) -> None:
        if not self._file.seekable():
            return  # a pipe does not say how far it is
        part = self._file.tell() * _PARTS // self._size
        if self._reported < part < _PARTS:
            self._report((part - self._reported) / _PARTS)
            self._reported = part

    def _declarations(self, tokens: Iterator[bytes]) -> list[Variable]:
        """Variables up to ``$enddefinitions``."""
        scopes: list[str] = []
        found: list[Variable] = []
        for keyword in tokens:
            if not keyword.startswith(b"$"):
                raise self._damaged(
                    f"a VCD's header must have commands as $var, not {_shown(keyword)}"
                )
            begun = self._line
            words = []
            for word in tokens:
                if word == b"$end":
                    break
                if word in _COMMANDS and keyword in _COMMANDS and len(words) != 2:
                    raise self._damaged(
                        f"{_shown(keyword)} must end with $end before {_shown(word)}"
                    )
                words.append(word)
            else:
                self._line = begun
                raise self._damaged(f"{_shown(keyword)} must end with $end: the file is cut off")
            if keyword == b"$enddefinitions":
                return found
            if keyword == b"$scope":
                if not words:
                    raise self._damaged("$scope must have a kind and a name")
                scopes.append(_text(b"".join(words[1:])))
            elif keyword == b"$upscope":
                if not scopes:
                    raise self._damaged("$upscope must close a scope, and none is open")
                scopes.pop()
            elif keyword == b"$var":
                found.append(self._variable(words, scopes))
            elif keyword == b"$timescale" and not _TIMESCALE.fullmatch(b"".join(words)):
                raise self._damaged(
                    "$timescale must be 1, 10 or 100 and a unit from s to fs, not "
                    f"{_shown(b' '.join(words))}"
                )
        raise self._damaged("a VCD must have $enddefinitions: the file is cut off, or none")

    def _variable(self, words: list[bytes], scopes: list[str]) -> Variable:
        if words[:1] == [b"port"]:
            raise self._extended()
        if len(words) < 4 or not (words[1].isdigit() and len(words[1]) < 10):
            raise self._damaged(
                "$var must have a type, a width, an identifier and a name, not "
                f"{_shown(b' '.join(words))}"
            )
        names = [*(scope for scope in scopes if scope), _text(b"".join(words[3:]))]
        return Variable(
            name=".".join(names),
            width=int(words[1]),
            code=words[2],
            is_bits=words[0] not in _WITHOUT_BITS,
        )

    def _extended(self) -> UserError:
        return UserError(
            f"{self._path}:{self._line}: must be a VCD, and is an extended one of ports; "
            "write it with $dumpvars in place of $dumpports"
        )

    def _values(self, tokens: Iterator[bytes], filed: dict[bytes, _Filed]) -> int:
        """File every change; the last time."""
        now = 0
        for token in tokens:
            kind = token[:1]
            if kind in b"01xXzZuUwWhHlL-":
                value, code = kind, token[1:]
            elif kind in b"bBrRsS":
                value = token
                code = next(tokens, b"")
            elif kind == b"#":
                digits = token[1:]
                if not digits.isdigit() or len(digits) > 19 or int(digits) >= TIME_LIMIT:
                    raise self._damaged(f"a time must be a number under 2^62, not {_shown(digits)}")
                if int(digits) < now:
                    raise self._damaged(
                        f"times must not go back, and {int(digits)} comes after {now}"
                    )
                now = int(digits)
                continue
            elif token == b"$end" or token in _SECTIONS:
                continue
            elif token.startswith(b"$dumpports") or token == b"$vcdclose":
                raise self._extended()
            else:
                raise self._damaged(f"a change must be a value or a time, not {_shown(token)}")
            entry = filed.get(code)
            if entry is None:
                raise self._damaged(
                    f"a value must be that of a variable, and {_shown(code)} is none"
                    if code
                    else f"a value must have an identifier, and {_shown(token)} has none"
                )
            width, times, values = entry
            if kind in b"rRsS":
                continue
            if kind in b"bB":
                value = token[1:]
            if len(value) > width:
                raise self._damaged(
                    f"a value of {_shown(code)} must have at most {width} bits, not {len(value)}"
                )
            if times is None or values is None:
                if not value or value.strip(b"01xXzZuUwWhHlL-"):
                    raise self._damaged(f"a value must have digits 0, 1, x, z, not {_shown(value)}")
                continue
            try:
                number = bits_value(value)
            except ValueError:
                raise self._damaged(
                    f"a value must have digits 0, 1, x, z, not {_shown(value)}"
                ) from None
            times.append(now)
            values.append(number)
        return now


def _text(name: bytes) -> str:
    return name.decode("utf-8", "backslashreplace")


def _shown(token: bytes) -> str:
    """A word of the file for a message: short, and nothing that a terminal would obey."""
    text = repr(_text(token))
    return text if len(text) <= 60 else f"{text[:56]}...'"
