"""The ``mcos`` command.

A sub-command is a module ``mcos_sim.commands.<name>`` with a function ``command`` that typer reads,
or with an ``app`` of several, and a text ``EXAMPLE`` that its help ends with; its name in
:data:`COMMANDS` makes it known. What a command needs beyond the standard library, typer and
:mod:`mcos_sim.console` it imports inside ``command``, so that ``mcos --help`` is quick and does not
need it.
"""

import importlib
import signal
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from mcos_hw import __version__
from mcos_policy.diagnostics import ContractError
from mcos_sim.console import say
from mcos_sim.errors import HardwareError, UserError

__all__ = [
    "COMMANDS",
    "HARDWARE_ERROR",
    "USER_ERROR",
    "app",
    "main",
]


COMMANDS = (
    "compile",
    "explain",
    "verilog",
    "run",
    "waves",
    "sweep",
    "memory",
    "trace",
    "demo",
    "timing",
    "lockstep",
    "soak",
    "bench",
    "fullscale",
)
"""Sub-commands in the order in which the help lists them."""

USER_ERROR = 2
"""Exit code of a user's mistake."""

HARDWARE_ERROR = 1
"""Exit code of a design that does not build or fails a check."""

app = typer.Typer(
    name="mcos",
    help="Bandwidth contracts for memory channels: compile them, run them against RTL.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"mcos {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    pass


for _name in COMMANDS:
    _module = importlib.import_module(f"mcos_sim.commands.{_name}")
    if hasattr(_module, "app"):
        app.add_typer(_module.app, name=_name, epilog=f"Example: {_module.EXAMPLE}")
    else:
        app.command(_name, epilog=f"Example: {_module.EXAMPLE}")(_module.command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and exit: 0 when done, 2 for a mistake of the user's, 1 for a failed check.

    Parameters
    ----------
    arguments : Sequence[str] or None
        Arguments after the command's name; None takes those of the process.
    """
    # What stops a run also stops its simulators.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        app(args=None if arguments is None else list(arguments), prog_name="mcos")
    except ContractError as error:
        for diagnostic in error.diagnostics:
            say(diagnostic)
        sys.exit(USER_ERROR)
    except UserError as error:
        say(f"mcos: error: {error}")
        sys.exit(USER_ERROR)
    except HardwareError as error:
        say(f"mcos: error: {error}")
        sys.exit(HARDWARE_ERROR)
