"""``python -m tests.mutants.run``: plants bugs in the hardware one by one and says who saw which.

Without names all mutants are looked at. A campaign that was stopped goes on where it was.
"""

import argparse
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from rich.table import Column, Table

from mcos_hw.config import ChannelConfig
from mcos_sim.console import output, write_json
from mcos_sim.machine import machine
from tests.mutants.look import LOOKS, SIMULATED, Look, LookError, kept, look_at
from tests.mutants.mutant import Mutant
from tests.mutants.simulators import groups
from tests.mutants.table import MUTANTS
from tests.mutants.table.reported import REPORTED

__all__ = ["main"]

COLUMNS = ("lockstep", "unit", "proof", "waves")
"""Checks, as the result has them."""

GOALS = {"rate_any": 0.95, "rate_lockstep": 0.80}
"""Shares of all mutants that have to be seen, by any check and by lockstep alone."""

FOLDER = Path("build/mutants")


def main(arguments: Sequence[str] | None = None) -> int:
    """Look at mutants, print a table and write the result.

    Returns
    -------
    int
        0 if every look ended with an answer and, where all were taken, the goals are met; else 1.
    """
    parser = argparse.ArgumentParser(prog="python -m tests.mutants.run", description=__doc__)
    parser.add_argument("names", nargs="*", help="parts of names; none: all mutants")
    parser.add_argument(
        "--only",
        type=lambda text: tuple(text.split(",")),
        default=COLUMNS,
        help=f"checks to ask, of {','.join(COLUMNS)}; lockstep and waves come together",
    )
    parser.add_argument("--jobs", type=int, default=2, help="looks at the same time")
    parser.add_argument("--json", type=Path, default=FOLDER / "result.json")
    parser.add_argument("--list", action="store_true", help="print the mutants' names and stop")
    options = parser.parse_args(arguments)
    if unknown := set(options.only) - set(COLUMNS):
        parser.error(f"--only takes {', '.join(COLUMNS)}, not {', '.join(sorted(unknown))}")
    mutants = [
        each
        for each in MUTANTS
        if not options.names or any(name in each.name for name in options.names)
    ]
    if not mutants:
        parser.error(f"names must be parts of mutants' names, not {options.names}; see --list")
    if options.list:
        for each in mutants:
            print(each.name)
        return 0
    looks = [look for look in LOOKS if set(look.answers) & set(options.only)]
    rows = _campaign(mutants, looks, jobs=options.jobs, target=options.json)
    _print(rows)
    result = _result(rows)
    if len(looks) == len(LOOKS):
        for name, goal in GOALS.items():
            output.print(f"{name}: {result[name]:.1%} of {len(rows)} (goal {goal:.0%})")
    output.print(f"result: {options.json}")
    everything = len(rows) == len(MUTANTS) and len(looks) == len(LOOKS)
    missed = [name for name, goal in GOALS.items() if result[name] < goal]
    asked = {name for look in looks for name in look.answers}
    unanswered = any(asked & set(row["unanswered"]) for row in result["rows"])
    return int(unanswered or (everything and bool(missed)))


def _campaign(
    mutants: Sequence[Mutant], looks: Sequence[Look], *, jobs: int, target: Path
) -> list[dict[str, Any]]:
    """Take every look at every mutant; the result is written after each of them."""
    rows = {each.name: _row(each) for each in mutants}
    lock = threading.Lock()
    begun = time.monotonic()
    total = len(mutants) * len(looks)
    told = 0

    def tell(mutant: Mutant, look: Look, found: dict[str, Any]) -> None:
        nonlocal told
        seen = [f"{name} {'sees' if found[name] else 'misses'} it" for name in look.answers]
        with lock:
            told += 1
            rows[mutant.name].update(found)
            write_json(target, _result(list(rows.values())))
            minutes = (time.monotonic() - begun) / 60
            print(f"{told}/{total} {minutes:.1f} min  {mutant.name}: {', '.join(seen)}", flush=True)

    def take(task: tuple[Mutant, ...], look: Look) -> None:
        try:
            look_at(task, look, FOLDER / "kept", lambda mutant, found: tell(mutant, look, found))
        except LookError as error:
            names = " / ".join(each.name for each in task)
            print(f"{look.name} ended without an answer: {names}\n{error}", flush=True)

    tasks = []
    for look in looks:
        waiting = []
        for mutant in mutants:
            if (found := kept(mutant, look, FOLDER / "kept")) is None:
                waiting.append(mutant)
            else:
                tell(mutant, look, found)
        tasks += [(task, look) for task in _shared(waiting, look, jobs)]
    with ThreadPoolExecutor(jobs) as pool:
        try:
            for future in [pool.submit(take, *task) for task in tasks]:
                future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return list(rows.values())


def _shared(mutants: list[Mutant], look: Look, jobs: int) -> list[tuple[Mutant, ...]]:
    """Who is looked at in one process: those that share a simulator, in as many parts as jobs."""
    if look is not SIMULATED:
        return [(each,) for each in mutants]
    parts = []
    for group in groups(MUTANTS):
        members = [each for each in group if each in mutants]
        parts += [tuple(members[k::jobs]) for k in range(jobs) if members[k::jobs]]
    return parts


def _row(mutant: Mutant) -> dict[str, Any]:
    return {
        "name": mutant.name,
        **dict.fromkeys(COLUMNS),
        "block": mutant.bug.module.rpartition(".")[2],
        "promise": mutant.promise,
        "reported": mutant in REPORTED,
    }


def _result(rows: list[dict[str, Any]]) -> dict[str, Any]:
    rows = [
        {
            **row,
            **{name: bool(row[name]) for name in COLUMNS},
            "seen_by": [name for name in COLUMNS if row[name]],
            "unanswered": [name for name in COLUMNS if row[name] is None],
        }
        for row in rows
    ]
    seen = {name: sum(row[name] for row in rows) for name in COLUMNS}
    by_any = sum(any(row[name] for name in COLUMNS) for row in rows)
    return {
        "config_hash": ChannelConfig().hash,
        "machine": machine(),
        "mutants": len(rows),
        "rate_any": by_any / len(rows),
        "rate_lockstep": seen["lockstep"] / len(rows),
        "rows": rows,
        "seen": seen | {"any": by_any},
        "unseen": [row["name"] for row in rows if not any(row[name] for name in COLUMNS)],
        "unanswered": [row["name"] for row in rows if row["unanswered"]],
    }


def _print(rows: list[dict[str, Any]]) -> None:
    table = Table(Column("mutant", no_wrap=True), *COLUMNS, padding=(0, 0, 0, 1))
    for row in rows:
        marks = {True: "seen", False: "-", None: "?"}
        table.add_row(row["name"], *(marks[row[name]] for name in COLUMNS))
    output.print(table)


if __name__ == "__main__":
    sys.exit(main())
