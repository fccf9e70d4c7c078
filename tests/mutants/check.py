"""``python -m tests.mutants.check simulated NAME``: one look at a mutant, in its own process.

The last line of the output is a JSON object with what was found.
"""

import argparse
import json

from tests.mutants.mutant import plant
from tests.mutants.table import mutant_of


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("look", choices=("simulated", "proved"))
    parser.add_argument("name")
    options = parser.parse_args()
    mutant = mutant_of(options.name)
    plant(mutant)
    # What is imported from here on has the mutant.
    if options.look == "simulated":
        from tests.mutants.simulated import simulate

        found = simulate(mutant)
    else:
        from tests.mutants.proved import attempt

        found = attempt(mutant)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
