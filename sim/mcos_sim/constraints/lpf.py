"""Lattice's preferences, LPF, as far as nextpnr-ecp5 reads them."""

import dataclasses
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from mcos_sim.constraints.finding import Finding
from mcos_sim.errors import UserError
from mcos_sim.inputs import read_whole

__all__ = [
    "Preference",
    "read_lpf",
]


_COMMENT = re.compile(r"(#|//)[^\n]*")
_NAME = r'"(?P<name>[^"]+)"'
_SETTINGS = r"(?P<settings>(?:\s+\w+\s*=\s*[^\s=]+)*)"
_FORMS = {
    "locate": rf'LOCATE\s+COMP\s+{_NAME}\s+SITE\s+"(?P<value>[^"]+)"',
    "iobuf": rf"IOBUF\s+PORT\s+{_NAME}{_SETTINGS}",
    "frequency": (
        rf"FREQUENCY\s+(?P<what>PORT|NET)\s+{_NAME}\s+(?P<value>[\d.]+)\s*(?P<unit>[KMG]?HZ)"
    ),
    "sysconfig": rf"SYSCONFIG{_SETTINGS}",
    "block": r"BLOCK\s+(?:RESETPATHS|ASYNCPATHS)",
}
_SETTING = re.compile(r"(\w+)\s*=\s*([^\s=]+)")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Preference:
    """A statement of an LPF file.

    Parameters
    ----------
    kind : str
        ``locate``, ``iobuf``, ``frequency``, ``sysconfig`` or ``block``.
    line : int
        Line on which it begins.
    name : str
        What it is about; empty where there is nothing.
    what : str
        ``PORT`` or ``NET``, of a frequency.
    value, unit : str
        Site, or frequency and its unit.
    settings : Mapping[str, str]
        Settings by their key.
    """

    kind: str
    line: int
    name: str = ""
    what: str = ""
    value: str = ""
    unit: str = ""
    settings: Mapping[str, str] = dataclasses.field(default_factory=dict)


def read_lpf(path: Path) -> tuple[list[Preference], list[Finding]]:
    """Read a file of preferences.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    tuple[list[Preference], list[Finding]]
        Its statements in order, and what is wrong with how others are written.

    Raises
    ------
    UserError
        If the file cannot be read.
    """
    try:
        text = read_whole(path).decode()
    except (OSError, UnicodeDecodeError):
        raise UserError(f"{path} must be a file that can be read, not this; give another") from None
    found, findings = [], []
    for line, statement in _statements(_COMMENT.sub("", text)):
        for kind, form in _FORMS.items():
            match = re.fullmatch(form, statement, re.IGNORECASE)
            if match is not None:
                parts = match.groupdict()
                settings = dict(_SETTING.findall(parts.pop("settings", None) or ""))
                found.append(Preference(kind=kind, line=line, settings=settings, **parts))
                break
        else:
            words = " ".join(statement.split()[:4])
            text = (
                "a preference must be LOCATE COMP, IOBUF PORT, FREQUENCY, SYSCONFIG or BLOCK, "
                f"each ended by a semicolon, not {words}"
            )
            findings.append(Finding(file=path, line=line, rule="syntax", text=text))
    return found, findings


def _statements(text: str) -> Iterator[tuple[int, str]]:
    line = 1
    for part in text.split(";"):
        statement = part.strip()
        if statement:
            yield line + part[: part.index(statement[0])].count("\n"), statement
        line += part.count("\n")
