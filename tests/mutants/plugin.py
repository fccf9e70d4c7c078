"""For pytest: plants the mutant that ``MCOS_MUTANT`` names, before any test is collected."""

import os

from tests.mutants.mutant import plant
from tests.mutants.table import mutant_of

VARIABLE = "MCOS_MUTANT"
"""Environment variable with the name of a mutant."""


def pytest_configure() -> None:
    plant(mutant_of(os.environ[VARIABLE]))
