"""Tables for a terminal."""

import copy

from mcos_sim.console import output
from mcos_sim.report.table import render
from tests.sim.report.sample import result


def printed(found, width: int = 80) -> list[str]:
    """What the command's own console prints, which takes names as they are."""
    with output.capture() as shown:
        output.print(render(found), width=width)
    return [line.rstrip() for line in shown.get().splitlines()]


def test_every_tenant_and_run_has_a_line_in_both_scenarios_within_80_columns():
    lines = printed(result())
    words = [line.split() for line in lines]

    for name in ("prefill", "decode-a", "decode-b", "decode-c"):
        assert words.count([name]) == 2
    fcfs = ["FCFS", "345", "90,000", "112.50", "100,000", "125.00", "5.00", "23.1%", "23.4%"]
    assert words.count(fcfs) == 2
    assert words.count(["MCOS", "0", *"-----", "28.7%", "29.8%"]) == 2
    for label, count in (("alone", 6), ("FCFS", 8), ("round robin", 8), ("fixed priority", 8)):
        assert sum(line.startswith(f" {label} ") for line in lines) == count
    assert not any("…" in line for line in lines)


def test_utilisation_and_marks_are_printed():
    changed = copy.deepcopy(result())
    changed["scenarios"]["saturated"]["ratios"]["mcos_over_alone"] = 1.2
    text = "\n".join(printed(changed, 200))

    assert text.count("utilisation: alone 71.3%, FCFS 97.8%") == 2
    assert "pass MCOS p99 / alone 1.010 (≤ 1.050)" in text
    assert "FAIL MCOS p99 / alone 1.200 (≤ 1.150)" in text
    assert "FCFS share error 91.7%" in text
    assert "pass grants 123,456 (≥ 100,000)" in text


def test_a_name_is_text_and_not_markup():
    assert "[red]x[/red]" in printed(result(prefill="[red]x[/red]"))


def test_runs_that_were_not_made_have_no_line():
    """The demo behind AXI ports builds two arbiters alone."""
    found = copy.deepcopy(result())
    for runs in found["scenarios"].values():
        del runs["round_robin"], runs["fixed_priority"]
    text = "\n".join(printed(found, 200))
    assert "round robin" not in text
    assert "fixed priority" not in text
    assert text.count("utilisation: alone 71.3%, FCFS 97.8%, MCOS") == 2
