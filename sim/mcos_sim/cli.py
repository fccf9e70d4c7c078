"""The ``mcos`` command.

A sub-command is a module ``mcos_sim.commands.<name>`` with a function ``command`` that typer reads,
or with an ``app`` of several, and a text ``EXAMPLE`` that its help ends with; its name in
:data:`COMMANDS` makes it known. What a command needs beyond the standard library, typer and
:mod:`mcos_sim.console` it imports inside ``command``, so that ``mcos --help`` is quick and does not
need it.
"""

import importlib
import io
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from mcos_hw import __version__
from mcos_policy.diagnostics import ContractError
from mcos_sim.commands.edge import at_edge
from mcos_sim.console import say
from mcos_sim.crash import keep_traceback, machine_fault
from mcos_sim.errors import ExitCode, HardwareError, InternalError, UserError
from mcos_sim.helping import Group, shape

__all__ = [
    "COMMANDS",
    "app",
    "main",
]


COMMANDS = (
    "init",
    "compile",
    "explain",
    "size",
    "diff",
    "verilog",
    "constraints",
    "registers",
    "build",
    "board",
    "run",
    "metrics",
    "waves",
    "sweep",
    "memory",
    "trace",
    "residency",
    "demo",
    "timing",
    "lockstep",
    "soak",
    "bench",
    "fullscale",
)
"""Sub-commands in the order in which the help lists them."""

_EXIT_CODES = (
    "Exit codes: 0 done; 1 a rule, a mark or a check fails; 2 something given cannot be used; "
    "3 a fault of MCOS; 128 and more: ended by a signal, as 130 by Ctrl-C."
)

_CHECKOUT = Path(__file__).parents[2]

_PAGES = _CHECKOUT / "docs"
if not (_CHECKOUT / "pyproject.toml").is_file():
    _PAGES = Path(sys.prefix, "share", "doc", "mcos")

_USAGE_ERROR: type = typer.BadParameter.__mro__[1]
"""The error of a command line that cannot be read; typer takes it from click or has its own."""

_REPORT = "the fault is in MCOS; please open an issue where you got it"

app = typer.Typer(
    name="mcos",
    cls=Group,
    help="Bandwidth contracts for memory channels: compile them, run them against RTL.",
    epilog=f"{_EXIT_CODES}\n\nPages that messages name as docs/: {_PAGES}",
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
        app.command(_name, epilog=f"Example: {_module.EXAMPLE}")(at_edge(_module.command))
shape(app)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command and exit with one of :class:`mcos_sim.errors.ExitCode`.

    Whatever happens ends in a line on stderr; a traceback goes to a file.

    Parameters
    ----------
    arguments : Sequence[str] or None
        Arguments after the command's name; None takes those of the process.
    """
    _require_streams()
    # A Python that is started for this one takes no module from a folder that a stranger filled.
    os.environ["PYTHONSAFEPATH"] = "1"
    # What stops a run also stops its simulators.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        sys.exit(_run(arguments))
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)


def _require_streams() -> None:
    """Give the process the streams that it was started without, and let them show every name."""
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115  (as long as the process)
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _run(arguments: Sequence[str] | None) -> int:
    """The exit code of a command, after whatever is wrong was said."""
    given = None if arguments is None else list(arguments)
    try:
        code = app(args=given, prog_name="mcos", standalone_mode=False)
        return code if isinstance(code, int) else ExitCode.DONE
    except SystemExit as end:
        # The console of the help ends so where nobody reads on.
        if end.code == 1:
            return ExitCode.DONE
        raise
    except ContractError as error:
        for diagnostic in error.diagnostics:
            say(diagnostic)
        return ExitCode.USER_ERROR
    except UserError as error:
        say(f"mcos: error: {error}")
        return ExitCode.USER_ERROR
    except HardwareError as error:
        _say_error(error)
        return ExitCode.FAILED
    except InternalError as error:
        _say_error(error)
        say(f"mcos: {_REPORT}, with the log")
        return ExitCode.INTERNAL_ERROR
    except Exception as error:
        if isinstance(error, _USAGE_ERROR):
            return _refuse_usage(error)
        if (reason := machine_fault(error)) is not None:
            say(f"mcos: error: {reason}")
            return ExitCode.USER_ERROR
        kept = keep_traceback(error)
        more = "" if kept is None else f", with the traceback in {kept}"
        say(f"mcos: error: {type(error).__name__}: {error}; {_REPORT}{more}")
        return ExitCode.INTERNAL_ERROR


def _say_error(error: HardwareError | InternalError) -> None:
    """Say an error whose further lines are what a tool said."""
    first, *more = str(error).split("\n")
    say(f"mcos: error: {first}")
    for line in more:
        say(line)


def _refuse_usage(error: Exception) -> int:
    # Without arguments the help was shown already.
    if type(error).__name__ != "NoArgsIsHelpError":
        context = getattr(error, "ctx", None)
        command = context.command_path if context else "mcos"
        told = " ".join(error.format_message().split()).rstrip(".")  # ty: ignore[missing-attribute]
        also = ", ".join(_also_missing(error))
        say(f"mcos: error: {told}{also and f', and {also}'}; see {command} --help")
    return ExitCode.USER_ERROR


def _also_missing(error: Any) -> list[str]:
    """Required parameters that are missing beside the one that was said."""
    if type(error).__name__ != "MissingParameter" or error.ctx is None:
        return []
    return [
        " / ".join(repr(each) for each in parameter.opts)
        if parameter.param_type_name == "option"
        else repr(parameter.metavar or parameter.name.upper())
        for parameter in error.ctx.command.params
        if parameter.required
        and parameter is not error.param
        and error.ctx.params.get(parameter.name) is None
    ]
