"""Proofs of the block that one mutant is in."""

import tempfile
import time
from pathlib import Path
from typing import Any

from tests.formal.engine import ProofError, holds
from tests.formal.prove import properties
from tests.mutants.mutant import Mutant

__all__ = ["attempt"]

SECONDS = 60
"""Processor time of one run of the solver; a sound property that needs more says nothing here."""


def attempt(mutant: Mutant) -> dict[str, Any]:
    """What the proofs see of the mutant that this process has.

    Returns
    -------
    dict[str, Any]
        ``proof``: whether a property fails. ``property``: which. ``undecided``: those without an
        answer, because the solver takes too long or a mutant's signal has another width.
    """
    begun = time.monotonic()
    found: dict[str, Any] = {"proof": False}
    undecided = []
    own = [each for each in properties() if each.name.startswith(mutant.proofs)]
    # Those that are known to be quick first: one that fails is enough.
    for each in sorted(own, key=lambda proved: proved.slow):
        with tempfile.TemporaryDirectory() as folder:
            try:
                kept = holds(each, Path(folder), seconds=SECONDS)
            except ProofError:
                undecided.append(each.name)
                continue
        if not kept:
            found |= {"proof": True, "property": each.name}
            break
    seconds = round(time.monotonic() - begun, 1)
    return {**found, "undecided": undecided, "proof_seconds": seconds}
