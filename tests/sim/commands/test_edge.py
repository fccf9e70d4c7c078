"""The edge of a command: groups of options become objects, and what is wrong is said our way."""

import dataclasses
import enum
from pathlib import Path
from typing import Annotated

import pytest
import typer

from mcos_sim.commands.edge import at_edge
from mcos_sim.errors import UserError


class Colour(enum.StrEnum):
    """A choice."""

    RED = "red"
    GREEN = "green"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Paint:
    """A group of options."""

    colour: Annotated[Colour, typer.Option(help="Colour.")] = Colour.RED
    layers: Annotated[list[int] | None, typer.Option(min=1, max=9, help="Layers.")] = None
    file: Annotated[Path | None, typer.Option(help="File.")] = None


def _run(*arguments: str) -> list[object]:
    got: list[object] = []

    def command(
        name: Annotated[str, typer.Argument(help="Name.")],
        paint: Paint,
        width: Annotated[float, typer.Option("--wide", min=0.5, help="Width.")] = 1.0,
        dry: Annotated[bool, typer.Option("--dry", help="Dry.")] = False,
    ) -> None:
        got.extend((name, paint, width, dry))

    app = typer.Typer()
    app.command()(at_edge(command))
    app(list(arguments), standalone_mode=False)
    return got


def test_a_group_is_one_object_with_its_defaults() -> None:
    assert _run("x") == ["x", Paint(), 1.0, False]


def test_texts_become_values() -> None:
    words = "x --colour green --layers 2 --layers 9 --file f --wide 2 --dry"
    paint = Paint(colour=Colour.GREEN, layers=[2, 9], file=Path("f"))
    assert _run(*words.split()) == ["x", paint, 2.0, True]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            "--colour gren",
            "--colour must be one of red, green, not 'gren'; did you mean green?",
        ),
        ("--colour x", "--colour must be one of red, green, not 'x'; choose one"),
        ("--layers 3 --layers 0", "--layers must be in 1..9, not 0; give a larger one"),
        ("--layers 10", "--layers must be in 1..9, not 10; give a smaller one"),
        ("--layers 1.5", "--layers must be in 1..9, not '1.5'; write a number in digits"),
        ("--wide nan", "--wide must be at least 0.5, not 'nan'; write a number"),
        ("--wide 0.1", "--wide must be at least 0.5, not 0.1; give a larger one"),
    ],
)
def test_a_fault_says_rule_value_and_way_out(arguments: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        _run("x", *arguments.split())
    assert str(caught.value) == message
