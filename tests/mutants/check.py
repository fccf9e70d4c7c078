"""``python -m tests.mutants.check simulated NAME ...``: one look at mutants, in its own process.

Every mutant has a line of output: a JSON object with what was found. Several names must be of
mutants that share a simulator.
"""

import argparse
import json
from typing import Any

from tests.mutants.mutant import plant
from tests.mutants.table import MUTANTS, mutant_of


def _tell(found: dict[str, Any]) -> None:
    print(json.dumps(found), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("look", choices=("simulated", "proved"))
    parser.add_argument("names", nargs="+")
    options = parser.parse_args()
    mutant = mutant_of(options.names[0])
    if options.look == "proved" or not mutant.is_expression:
        plant(mutant)
    # What is imported from here on has the mutant that was planted.
    if options.look == "proved":
        from tests.mutants.proved import attempt

        _tell({"name": mutant.name, **attempt(mutant)})
    else:
        from tests.mutants.simulated import simulate
        from tests.mutants.simulators import groups

        group = next(each for each in groups(MUTANTS) if mutant in each)
        simulate(group, options.names, _tell)


if __name__ == "__main__":
    main()
