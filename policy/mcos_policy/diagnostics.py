"""What is wrong with a contract, where, and what to do about it."""

import dataclasses
import enum
from collections.abc import Iterable

__all__ = [
    "ContractError",
    "Diagnostic",
    "RuleError",
    "Severity",
    "printable",
]


_MOST_SHOWN = 50


class Severity(enum.Enum):
    """What becomes of a contract with a diagnostic, the most severe first."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


_RANK = {severity: rank for rank, severity in enumerate(Severity)}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Diagnostic:
    """One remark about a contract file.

    Parameters
    ----------
    severity : Severity
        An error stops compilation. A warning does not, but a promise may not hold. A note asks for
        nothing: it says what a reader may take for granted and should not.
    text : str
        The rule, the offending value and the way out, in one line.
    file : str
        Name of the file, as the user gave it.
    line, column : int or None
        Position in the file, both from 1, in characters; None when the file itself is at fault.
    source_line : str
        The line pointed at.
    """

    severity: Severity
    text: str
    file: str
    line: int | None = None
    column: int | None = None
    source_line: str = ""

    def __str__(self) -> str:
        place = self.file if self.line is None else f"{self.file}:{self.line}:{self.column}"
        return f"{place}: {self.severity.value}: {self.text}"

    def render(self) -> str:
        """The one-line form, followed by the source line and a caret where there is a position."""
        if self.line is None or self.column is None:
            return str(self)
        before = self.source_line[: self.column - 1]
        indent = "".join("\t" if character == "\t" else " " for character in before)
        return f"{self}\n{self.source_line}\n{indent}^"


class ContractError(Exception):
    """A contract that cannot be compiled.

    Parameters
    ----------
    diagnostics : Iterable[Diagnostic]
        Everything found; at least one is an error. Kept are, in the order of the file, as many as
        people read, the most severe first, and then one that counts the rest.
    """

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        found = sorted(diagnostics, key=lambda each: _RANK[each.severity])
        kept = sorted(
            found[:_MOST_SHOWN], key=lambda each: (each.line or 0, each.column or 0, each.text)
        )
        more = len(found) - len(kept)
        if more:
            text = f"and {more:,} more; correct these first"
            kept.append(Diagnostic(severity=Severity.ERROR, text=text, file=kept[0].file))
        self.diagnostics = tuple(kept)
        super().__init__("\n".join(str(each) for each in self.diagnostics))


class RuleError(ValueError):
    """A value that breaks a rule of its own key; validators raise it.

    Parameters
    ----------
    rule : str
        What the value must be, to follow the key's name: "must be ...".
    way_out : str
        What to do about it.
    """

    def __init__(self, rule: str, way_out: str) -> None:
        super().__init__(rule)
        self.rule = rule
        self.way_out = way_out


def printable(text: object, *, keep: str = "") -> str:
    """Text in which everything that is not to be seen is written as an escape, such as ``\\x1b``.

    That are control characters, line breaks, marks that turn the direction of writing, and bytes of
    a file name that are no character.

    Parameters
    ----------
    text : object
        Anything that becomes text.
    keep : str
        Characters that stay.
    """
    return "".join(
        each if each.isprintable() or each in keep else ascii(each)[1:-1] for each in str(text)
    )
