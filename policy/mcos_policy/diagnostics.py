"""What is wrong with a contract, where, and what to do about it."""

import dataclasses
import enum
from collections.abc import Iterable

from mcos_policy.origin import Origin

__all__ = [
    "ContractError",
    "Diagnostic",
    "RuleError",
    "Severity",
    "error",
    "note",
    "printable",
    "warning",
]


_MOST_SHOWN = 50


class Severity(enum.Enum):
    """How much a diagnostic matters, the most severe first."""

    ERROR = "error"
    """The contract is not compiled."""

    WARNING = "warning"
    """The contract is compiled, but a promise may not hold."""

    NOTE = "note"
    """The contract is compiled; the note says what a reader may wrongly take for granted."""


_RANK = {severity: rank for rank, severity in enumerate(Severity)}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Diagnostic:
    """One remark about a contract.

    Parameters
    ----------
    severity : Severity
        How much it matters.
    text : str
        The rule, the offending value and the way out, in one line.
    origin : Origin
        Where the value comes from.
    """

    severity: Severity
    text: str
    origin: Origin

    def __str__(self) -> str:
        return f"{self.origin.place}: {self.severity.value}: {self.text}"

    def render(self) -> str:
        """The one-line form, and below it the source line and a caret if the origin has them."""
        excerpt = self.origin.excerpt
        return f"{self}\n{excerpt}" if excerpt else str(self)


def error(origin: Origin, text: str) -> Diagnostic:
    """An error about what comes from there."""
    return Diagnostic(severity=Severity.ERROR, text=text, origin=origin)


def warning(origin: Origin, text: str) -> Diagnostic:
    """A warning about what comes from there."""
    return Diagnostic(severity=Severity.WARNING, text=text, origin=origin)


def note(origin: Origin, text: str) -> Diagnostic:
    """A note about what comes from there."""
    return Diagnostic(severity=Severity.NOTE, text=text, origin=origin)


class ContractError(Exception):
    """A contract that cannot be compiled.

    Parameters
    ----------
    diagnostics : Iterable[Diagnostic]
        Everything found; at least one is an error. The most severe are kept, as many as people
        read, in the order of their origins. One more counts those that were left out.
    """

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        found = sorted(diagnostics, key=lambda each: _RANK[each.severity])
        kept = sorted(found[:_MOST_SHOWN], key=lambda each: (each.origin.order, each.text))
        more = len(found) - len(kept)
        if more:
            whole = Origin(name=kept[0].origin.name)
            kept.append(error(whole, f"and {more:,} more; correct these first"))
        self.diagnostics = tuple(kept)
        super().__init__("\n".join(str(each) for each in self.diagnostics))


class RuleError(ValueError):
    """A value that breaks a rule of its own key; what parses the value raises it.

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
    """Text in which every character that cannot be seen is an escape such as ``\\x1b``.

    These are control characters, line breaks, marks that turn the direction of writing, and bytes
    of a file name that are no character.

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
