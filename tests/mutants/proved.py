"""Proofs of the block that one mutant is in."""

import resource
import tempfile
from pathlib import Path
from typing import Any

from tests.formal.engine import CircuitError, ProofError, holds
from tests.formal.property import Property
from tests.formal.prove import properties
from tests.mutants.mutant import Mutant

__all__ = ["attempt"]

SECONDS = 60
"""Processor time of one run of the solver; a sound property that needs more says nothing here."""

SECONDS_IN_ALL = 180
"""Processor time after which no further property of a block is begun."""


def attempt(mutant: Mutant) -> dict[str, Any]:
    """What the proofs see of the mutant that this process has.

    A property that no longer takes the hardware, because it looks at a signal whose width is
    another, fails as its test would.

    Returns
    -------
    dict[str, Any]
        ``proof``: whether a property fails. ``property``: which. ``undecided``: those for which
        the solver has no answer in time.
    """
    found: dict[str, Any] = {"proof": False}
    undecided = []
    own = [each for each in properties() if each.name.startswith(mutant.proofs)]
    # Those that are known to be quick first: one that fails is enough.
    for each in sorted(own, key=lambda proved: proved.slow):
        if _spent() > SECONDS_IN_ALL:
            undecided.append(each.name)
        elif not _holds(each, undecided):
            found |= {"proof": True, "property": each.name}
            break
    return {**found, "undecided": undecided, "proof_seconds": round(_spent(), 1)}


def _holds(proved: Property, undecided: list[str]) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        try:
            return holds(proved, Path(folder), seconds=SECONDS)
        except CircuitError:
            return False
        except ProofError:
            undecided.append(proved.name)
            return True


def _spent() -> float:
    """Processor time of what this process has started."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
