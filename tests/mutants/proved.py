"""Proofs of the block that one mutant is in."""

import tempfile
import time
from pathlib import Path
from typing import Any

from tests.formal.engine import ProofError, holds
from tests.formal.prove import properties
from tests.mutants.mutant import Mutant

__all__ = ["attempt"]

SECONDS = 90
"""How long one run of the solver may look; a sound property that needs more says nothing here."""


def attempt(mutant: Mutant) -> dict[str, Any]:
    """What the proofs see of the mutant that this process has.

    Returns
    -------
    dict[str, Any]
        ``proof``: whether a property fails. ``property``: which. ``undecided``: those that took too
        long.
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
                # The statements of a property can be about a signal that a mutant makes narrower.
                kept = None
        if kept is None:
            undecided.append(each.name)
        elif not kept:
            found |= {"proof": True, "property": each.name}
            break
    seconds = round(time.monotonic() - begun, 1)
    return {**found, "undecided": undecided, "proof_seconds": seconds}
