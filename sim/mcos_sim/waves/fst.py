"""Reading an FST with pywellen, in the same terms as a VCD."""

import contextlib
import re
import subprocess
import sys
from array import array
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mcos_sim.errors import UserError
from mcos_sim.waves.dump import TIME_LIMIT, WIDEST, Changes, Variable, bits_value

__all__ = [
    "read_fst",
]


_SIGNALS_AT_A_TIME = 16
"""Signals after which the file is opened anew: pywellen keeps every signal that was looked at."""

_TRIAL = """
import sys
from pywellen import Waveform

path, step, *codes = sys.argv[1:]
for first in range(0, max(1, len(codes)), int(step)):
    variables = Waveform(path).all_vars()
    for code in codes[first : first + int(step)]:
        variables[int(code)].signal
"""

_END_TIME = slice(17, 25)
"""Where the header of an FST has its last time, in big-endian order."""


def read_fst(
    path: Path,
    choose: Callable[[list[Variable]], set[object]],
    report: Callable[[float], None],
) -> tuple[Mapping[object, Changes], int]:
    """Find the variables that are wanted; as :func:`mcos_sim.waves.vcd.read_vcd`.

    Their changes are read when they are asked for.

    Raises
    ------
    UserError
        If the file cannot be read or is no whole FST, now or later.
    """
    with path.open("rb") as file:
        end = int.from_bytes(file.read(_END_TIME.stop)[_END_TIME], "big")
    _try(path, ())
    with _whole(path):
        variables = [
            Variable(
                # An element of an array is a member of a scope there.
                name=each.full_name.replace(".[", "["),
                width=each.bitwidth or 0,
                code=place,
                is_bits=each.is_bit_vector,
            )
            for place, each in enumerate(_opened(path))
        ]
    wanted = choose(variables)
    _try(path, wanted)
    return _Read(path, wanted, report), end


def _try(path: Path, codes: Iterable[object]) -> None:
    """Read it in a process of its own first: of some damaged files the library dies."""
    numbers = sorted(str(code) for code in codes)
    command = [sys.executable, "-I", "-c", _TRIAL, str(path), str(_SIGNALS_AT_A_TIME), *numbers]
    result = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if result.returncode:
        said = re.search(r"^\w*(?:Error|Exception): (.+)", result.stderr, re.MULTILINE)
        raise _damaged(path, said[1] if said else "its reader falls over")


def _damaged(path: Path, reason: str) -> UserError:
    return UserError(
        f"{path}: must be a whole FST, and is cut off or damaged ({ascii(reason)[1:-1][:200]}); "
        "write it again"
    )


def _opened(path: Path) -> Sequence[Any]:
    from pywellen import Waveform  # ty: ignore[missing-module-member]

    return Waveform(str(path)).all_vars()


@contextlib.contextmanager
def _whole(path: Path) -> Generator[None, None, None]:
    """What pywellen refuses is the file's fault."""
    try:
        yield
    except BaseException as error:
        # A panic of the library is no Exception.
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        raise _damaged(path, str(error)) from None


class _Read(Mapping[object, Changes]):
    """Changes by code, read when they are asked for: all of them at once fill the memory."""

    def __init__(self, path: Path, codes: set[object], report: Callable[[float], None]) -> None:
        self._path = path
        self._codes = codes
        self._report = report
        self._seen: set[object] = set()
        self._every: Sequence[Any] = ()
        self._left = 0

    def __getitem__(self, code: object) -> Changes:
        assert isinstance(code, int)
        if not self._left:
            with _whole(self._path):
                self._every = _opened(self._path)
            self._left = _SIGNALS_AT_A_TIME
        self._left -= 1
        if code not in self._seen:
            self._seen.add(code)
            self._report(1 / len(self._codes))
        with _whole(self._path):
            return _changes(self._every[code].tv)

    def __iter__(self) -> Iterator[object]:
        return iter(self._codes)

    def __len__(self) -> int:
        return len(self._codes)


def _changes(pairs: Iterable[tuple[int, int | str]]) -> Changes:
    times, values = array("q"), array("q")
    for time, value in pairs:
        if time >= TIME_LIMIT:
            raise ValueError(f"a time must be under 2^62, not {time}")
        if isinstance(value, str):
            number = bits_value(value.encode())
        else:
            number = value if value < 1 << (WIDEST - 1) else value - (1 << WIDEST)
        times.append(time)
        values.append(number)
    return times, values
