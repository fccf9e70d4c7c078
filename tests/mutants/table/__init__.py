"""All mutants, by the part of the hardware that they are in."""

from tests.mutants.mutant import Mutant
from tests.mutants.table.arbiter import ARBITER
from tests.mutants.table.control import CONTROL
from tests.mutants.table.monitor import MONITOR
from tests.mutants.table.reported import REPORTED
from tests.mutants.table.requests import REQUESTS
from tests.mutants.table.tags import TAGS
from tests.mutants.table.tokens import TOKENS

__all__ = [
    "MUTANTS",
    "mutant_of",
]

MUTANTS: tuple[Mutant, ...] = (
    *REPORTED,
    *REQUESTS,
    *TOKENS,
    *ARBITER,
    *TAGS,
    *MONITOR,
    *CONTROL,
)
"""All of them."""


def mutant_of(name: str) -> Mutant:
    """The mutant of a name.

    Raises
    ------
    KeyError
        If there is none.
    """
    for each in MUTANTS:
        if each.name == name:
            return each
    raise KeyError(name)
