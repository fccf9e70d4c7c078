"""Diagnostics: one line each, a caret on request, in the order of the file."""

from mcos_policy.diagnostics import ContractError, Diagnostic, Severity


def _diagnostic(line: int | None, column: int | None, text: str = "x") -> Diagnostic:
    return Diagnostic(
        severity=Severity.ERROR,
        text=text,
        file="c.toml",
        line=line,
        column=column,
        source_line='\tname = "A"',
    )


def test_one_line() -> None:
    assert str(_diagnostic(3, 9)) == "c.toml:3:9: error: x"
    assert str(_diagnostic(None, None)) == "c.toml: error: x"


def test_caret_stands_under_the_column_behind_a_tab() -> None:
    assert _diagnostic(3, 9).render() == 'c.toml:3:9: error: x\n\tname = "A"\n\t       ^'
    assert _diagnostic(None, None).render() == "c.toml: error: x"


def test_errors_come_in_the_order_of_the_file() -> None:
    error = ContractError([_diagnostic(3, 9), _diagnostic(1, 1), _diagnostic(3, 2)])
    assert str(error).splitlines() == [
        "c.toml:1:1: error: x",
        "c.toml:3:2: error: x",
        "c.toml:3:9: error: x",
    ]
