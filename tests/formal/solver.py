"""Bitwuzla as a command: SMT-LIB in, answers out, as ``yosys-smtbmc`` talks to its solvers.

The wheel has a Python module and no command; :func:`install` makes one that runs this file.
"""

import os
import sys
from pathlib import Path

import bitwuzla

__all__ = ["install"]


def install(folder: Path) -> dict[str, str]:
    """Make the command ``bitwuzla`` in ``folder``.

    Returns
    -------
    dict[str, str]
        The environment in which it is found first.
    """
    folder.mkdir(parents=True, exist_ok=True)
    command = folder / "bitwuzla"
    # In one step, because tests in other processes may be using it.
    draft = folder / f".bitwuzla-{os.getpid()}"
    draft.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{__file__}" "$@"\n', encoding="utf-8")
    draft.chmod(0o755)
    draft.replace(command)
    return os.environ | {"PATH": f"{folder.resolve()}{os.pathsep}{os.environ['PATH']}"}


def _main() -> None:
    if "--help" in sys.argv:
        print("--lang smt2: the only one")  # smtbmc looks for this option
        return
    parser = bitwuzla.Parser(bitwuzla.TermManager(), bitwuzla.Options(), "smt2")
    statements: list[str] = []
    answered = False
    for line in sys.stdin:
        if line.strip() == "(exit)":
            return
        # With --noincr there is one check, and before it nothing that asks for an answer.
        answered |= line.strip() == "(check-sat)"
        statements.append(line)
        if answered:
            parser.parse("".join(statements), False, False)
            sys.stdout.flush()
            statements.clear()


if __name__ == "__main__":
    _main()
