"""How the help of the command is printed: paragraphs and tables that fit the terminal.

typer's own help keeps the line breaks of docstrings and cuts names of options at narrow widths.
"""

import inspect
import re
from collections.abc import Iterable
from typing import Any

import typer
from rich.text import Text
from typer.core import TyperCommand, TyperGroup

from mcos_sim.console import output, print_table
from mcos_sim.tables import Column

__all__ = [
    "Command",
    "Group",
    "shape",
]


class Command(TyperCommand):
    """A command whose help fits the terminal."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help."""
        _print_help(self, ctx)


class Group(TyperGroup):
    """A command with commands of its own, whose help fits the terminal."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Print the help."""
        _print_help(self, ctx)


def shape(app: typer.Typer) -> None:
    """Give all commands of an app, and those of its groups, this help."""
    for command in app.registered_commands:
        command.cls = Command
    for group in app.registered_groups:
        group.cls = Group
        if group.typer_instance is not None:
            shape(group.typer_instance)


def _print_help(command: TyperCommand | TyperGroup, ctx: Any) -> None:
    pieces = " ".join(command.collect_usage_pieces(ctx))
    # An argument without a metavariable is in braces.
    pieces = re.sub(r"\{(\w+)\}", lambda found: found[1].upper(), pieces)
    _print(f"Usage: {ctx.command_path} {pieces}")
    for paragraph in _paragraphs(command.help or ""):
        output.print()
        _print(paragraph)
    parameters = [each for each in command.get_params(ctx) if not getattr(each, "hidden", False)]
    for title, kind in (("Arguments", "argument"), ("Options", "option")):
        _print_rows(
            title,
            [_row(each, ctx) for each in parameters if each.param_type_name == kind],
        )
    if isinstance(command, TyperGroup):
        commands = [(name, command.commands[name]) for name in command.list_commands(ctx)]
        _print_rows(
            "Commands",
            [
                (name, next(iter(_paragraphs(each.help or "")), ""))
                for name, each in commands
                if not each.hidden
            ],
        )
    if command.epilog:
        output.print()
        _print(command.epilog)


def _print(text: str) -> None:
    output.print(Text(text, overflow="fold"))


def _print_rows(title: str, rows: list[tuple[str, str]]) -> None:
    if rows:
        output.print()
        print_table(title, ["", Column(heading="", words=True)], rows, headings=False)


def _paragraphs(text: str) -> Iterable[str]:
    """Paragraphs of a docstring, each as one line."""
    for paragraph in re.split(r"\n\s*\n", inspect.cleandoc(text)):
        if joined := " ".join(paragraph.split()):
            yield joined


def _row(parameter: Any, ctx: Any) -> tuple[str, str]:
    """An option or argument with its metavariable, and what it is for."""
    record = parameter.get_help_record(ctx) or ("", "")
    # typer escapes brackets for rich, which takes no markup here.
    text = record[1].replace("\\[", "[")
    words, _, extra = text.partition("  [")
    facts = [_plain(each) for each in extra.removesuffix("]").split("; ") if each]
    if getattr(parameter, "multiple", False) or parameter.nargs == -1:
        facts.insert(0, "may be repeated")
    names = ", ".join(sorted(parameter.opts, key=len))
    if parameter.param_type_name == "argument":
        names = (parameter.metavar or parameter.name).upper()
    elif parameter.secondary_opts:
        names += f" / {', '.join(parameter.secondary_opts)}"
    elif parameter.metavar:
        names += f" {parameter.metavar}"
    elif not getattr(parameter, "is_flag", False):
        names += " TEXT"
    first, behind = getattr(ctx.command.callback, "facts", {}).get(parameter.name, ((), ()))
    facts = [*first, *facts, *behind]
    return names, f"{words} [{'; '.join(facts)}]" if facts else words


def _plain(fact: str) -> str:
    """A fact in words: a default without its brackets."""
    return re.sub(r"^default: \((.*)\)$", r"default: \1", fact)
