"""What a waveform file declares and holds, whatever its format."""

import dataclasses
import re
from array import array
from collections.abc import Sequence

from mcos_sim.errors import UserError

__all__ = [
    "TIME_LIMIT",
    "UNKNOWN",
    "WIDEST",
    "Changes",
    "Piece",
    "Variable",
    "Variables",
    "bits_value",
]


UNKNOWN = -(1 << 63)
"""Stands for a value with a bit that is x or z."""

WIDEST = 64
"""Bits of the widest variable that is read."""

TIME_LIMIT = 1 << 62
"""Times are less than this."""

Changes = tuple[array, array]
"""Times of a variable's changes, in order, and its values from them on; 64 bits each, signed."""

_DIGITS = bytes.maketrans(b"LlHh", b"0011")

_STATES = b"01xzuwXZUW-"
"""Digits beside L and H: Verilog's, and those of VHDL's std_logic."""


def bits_value(text: bytes) -> int:
    """The number that binary digits stand for, or :data:`UNKNOWN`.

    A value that is shorter than its variable has zeros in front, or unknown bits if it begins with
    one; both come out right here.

    Raises
    ------
    ValueError
        If there is no digit, or one that is none.
    """
    if text.strip(b"01"):
        text = text.translate(_DIGITS)
        if text.strip(_STATES):
            raise ValueError(f"a value must have digits 0, 1, x and z, not {text[:64]!r}")
        if text.strip(b"01"):
            return UNKNOWN
    number = int(text, 2)
    return number if number < 1 << 63 else number - (1 << 64)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Variable:
    """A variable as a file declares it.

    Parameters
    ----------
    name : str
        Scopes and name joined by dots, with its range if it has one, without spaces.
    width : int
        Bits.
    code : object
        What values are filed under; several variables may share one.
    is_bits : bool
        Whether it has bits: text and real numbers have none.
    """

    name: str
    width: int
    code: object
    is_bits: bool = True


@dataclasses.dataclass(frozen=True, kw_only=True)
class Piece:
    """Bits of a variable that are bits of a signal: ``width`` of them from ``low`` of ``code``."""

    code: object
    low: int
    width: int


class Variables:
    """The variables of a file, by what people call them.

    A range behind a name is that of the whole vector if it has as many bits as the variable
    (``name[3:0]``); a single index behind a name of one bit is a bit of a vector that is declared
    bit by bit, or an element of an array; behind a wider one it is an element of an array.
    """

    def __init__(self, variables: Sequence[Variable]) -> None:
        self._whole: dict[str, list[Variable]] = {}
        self._parts: dict[str, list[tuple[int, Variable]]] = {}
        self._elements: dict[str, list[str]] = {}
        for each in variables:
            name = _plain(each.name)
            self._whole.setdefault(name, []).append(each)
            match = re.fullmatch(r"(.+?)\[(-?\d{1,9})(?::(-?\d{1,9}))?\]", name, re.DOTALL)
            if match is None:
                continue
            high, low = int(match[2]), int(match[3] or match[2])
            if match[3] is not None and abs(high - low) + 1 == each.width:
                self._parts.setdefault(match[1], []).append((min(high, low), each))
            elif match[3] is None:
                self._elements.setdefault(match[1], []).append(name)
                if each.width == 1:
                    self._parts.setdefault(match[1], []).append((low, each))

    def find(self, name: str, *, width: int) -> tuple[Piece, ...] | None:
        """The bits of a signal, the lowest first; None where there is no such variable.

        Parameters
        ----------
        name : str
            Its name, with or without range and with or without the backslash of an escaped name.
        width : int
            Bits that it must have if that is 1.

        Raises
        ------
        UserError
            If the name fits several signals, or one that is no number of at most 64 bits.
        """
        plain = _plain(name)
        found = self._whole.get(plain)
        if found is not None:
            exact = [each for each in found if each.name == name] or found
            pieces = self._one(name, exact)
        elif plain in self._parts and not (width == 1 and len(self._parts[plain]) > 1):
            pieces = self._joined(name, self._parts[plain])
        elif plain in self._elements:
            names = self._elements[plain]
            raise UserError(f"{name} is ambiguous: it has {_listed(names)}; name the one you mean")
        else:
            return self._bit(plain)
        total = sum(piece.width for piece in pieces)
        if total > WIDEST or (width == 1 and total > 1):
            raise UserError(
                f"{name} must have {'1 bit' if width == 1 else f'at most {WIDEST} bits'}, not "
                f"{total}; name the right signal"
            )
        return pieces

    def _one(self, name: str, found: list[Variable]) -> tuple[Piece, ...]:
        if len({each.code for each in found}) > 1:
            raise UserError(
                f"{name} is ambiguous: there are {len(found)} variables of that name; "
                "name another one, or dump one of them"
            )
        if not found[0].is_bits:
            raise UserError(f"{name} must be a vector, not text or a real number; name another one")
        return (Piece(code=found[0].code, low=0, width=found[0].width),)

    def _joined(self, name: str, parts: list[tuple[int, Variable]]) -> tuple[Piece, ...]:
        """A vector that is declared in parts, which must fill it.

        Where ranges rise, as ``[0:3]``, the part with the highest index has the lowest bits.
        """
        distinct = {(low, each.code): each for low, each in parts}
        pieces = []
        begun = min(low for low, _ in distinct)
        reached = 0 if all(":" not in each.name for each in distinct.values()) else begun
        for (low, _), each in sorted(distinct.items(), key=lambda row: row[0][0]):
            if low != reached:
                raise UserError(
                    f"{name} is ambiguous: its parts {_listed([each.name for _, each in parts])} "
                    "do not fill a vector; name the one you mean"
                )
            reached += each.width
            pieces.append(Piece(code=each.code, low=0, width=each.width))
        return tuple(reversed(pieces) if any(map(_rises, distinct.values())) else pieces)

    def _bit(self, plain: str) -> tuple[Piece, ...] | None:
        """A bit of a vector, as ``name[2]``."""
        match = re.fullmatch(r"(.+)\[(\d{1,9})\]", plain, re.DOTALL)
        if match is None:
            return None
        place = int(match[2])
        whole = [(0, each) for each in self._whole.get(match[1], [])]
        found = {
            (each.code, low + each.width - 1 - place if _rises(each) else place - low)
            for low, each in whole or self._parts.get(match[1], [])
            if each.is_bits and each.width <= WIDEST and low <= place < low + each.width
        }
        if len(found) != 1:
            return None
        code, bit = found.pop()
        return (Piece(code=code, low=bit, width=1),)


def _rises(variable: Variable) -> bool:
    """Whether it has a range as ``[0:3]``, whose first index is that of the highest bit."""
    match = re.search(r"\[(-?\d{1,9}):(-?\d{1,9})\]$", _plain(variable.name))
    return match is not None and int(match[1]) < int(match[2])


def _plain(name: str) -> str:
    """A name without spaces and without the backslashes of escaped names."""
    return re.sub(r"(^|\.)\\", r"\1", re.sub(r"\s+", "", name))


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"
