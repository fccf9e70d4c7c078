"""One thing that is wrong with a constraint file."""

import dataclasses
from pathlib import Path

__all__ = ["Finding"]


@dataclasses.dataclass(frozen=True, kw_only=True, order=True)
class Finding:
    """What is wrong, and where.

    Parameters
    ----------
    file : Path
        The file.
    line : int
        The line, from 1; the first for what the file lacks.
    rule : str
        One word for the rule: ``syntax``, ``command``, ``name``, ``clock``, ``port``, ``delay``,
        ``pin`` or ``device``.
    text : str
        The rule, the offending value, and the way out.
    """

    file: Path
    line: int
    rule: str
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.rule}: {self.text}"
