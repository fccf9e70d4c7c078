"""Diagnostics: one line each, a caret on request, in the order of the file."""

from mcos_policy.diagnostics import ContractError, Diagnostic, error
from mcos_policy.origin import Origin, Place


def _diagnostic(line: int | None, column: int | None, text: str = "x") -> Diagnostic:
    if line is None or column is None:
        return error(Origin(name="c.toml"), text)
    place = Place(
        name="c.toml", line=line, column=column, end=(line, column), source_line='\tname = "A"'
    )
    return error(place, text)


def test_one_line() -> None:
    assert str(_diagnostic(3, 9)) == "c.toml:3:9: error: x"
    assert str(_diagnostic(None, None)) == "c.toml: error: x"


def test_caret_stands_under_the_column_behind_a_tab() -> None:
    assert _diagnostic(3, 9).render() == 'c.toml:3:9: error: x\n\tname = "A"\n\t       ^'
    assert _diagnostic(None, None).render() == "c.toml: error: x"


def test_errors_come_in_the_order_of_the_file() -> None:
    caught = ContractError([_diagnostic(3, 9), _diagnostic(1, 1), _diagnostic(3, 2)])
    assert str(caught).splitlines() == [
        "c.toml:1:1: error: x",
        "c.toml:3:2: error: x",
        "c.toml:3:9: error: x",
    ]
