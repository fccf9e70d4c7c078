"""A comparison as a table, which moves on a terminal."""

import contextlib
from collections.abc import Callable, Generator

from rich.live import Live

from mcos_hw.registers import ArbiterKind
from mcos_sim.board.comparison import Comparison, LaneFound
from mcos_sim.console import output
from mcos_sim.tables import Column, Table

__all__ = [
    "shown",
    "table",
]


def table(found: Comparison, *, title: str) -> Table:
    """What was found so far: a row a tenant, columns for each arbiter.

    Parameters
    ----------
    found : Comparison
        What was found.
    title : str
        What stands above.
    """
    lanes = found.loaded or found.alone
    alone = (*found.alone, *found.beside.get("alone", ()))
    loaded = (*found.loaded, *found.beside.get("loaded", ()))
    columns: list[Column | str] = [Column(heading="tenant", name=True), "asks every"]
    for lane in alone:
        columns.append(f"{_name(lane.arbiter)} alone ns")
    for lane in loaded:
        name = _name(lane.arbiter)
        columns += [f"{name} mean ns", f"{name} max ns", f"{name} share", f"{name} late"]
    rows = []
    for tag, pattern in found.patterns.items():
        pace = f"{pattern.interval} clocks" if pattern.interval else "it can"
        row = [found.compiled.names[tag], pace]
        row += [_time(found, lane.tenants[tag].latency_mean) for lane in alone]
        for lane in loaded:
            each = lane.tenants[tag]
            row += [_time(found, each.latency_mean), _time(found, each.latency_most)]
            row += [_share(lane, tag), "-" if lane.late is None else f"{lane.late[tag]:,}"]
        rows.append(row)
    wrong = sum(each.wrong for lane in lanes for each in lane.tenants.values())
    return Table(f"{title}; {wrong} wrong beats", columns, rows)


def _name(arbiter: ArbiterKind) -> str:
    text = arbiter.name.replace("_", " ")
    return text if arbiter in (ArbiterKind.MCOS, ArbiterKind.FCFS) else text.lower()


def _time(found: Comparison, clocks: float | None) -> str:
    """Clocks as nanoseconds."""
    if clocks is None:
        return "-"
    return f"{clocks * 1e6 / found.compiled.config.clock_khz:,.0f}"


def _share(lane: LaneFound, tag: int) -> str:
    """A tenant's part of all bytes."""
    total = sum(each.bytes for each in lane.tenants.values())
    return f"{lane.tenants[tag].bytes / total:.1%}" if total else "-"


@contextlib.contextmanager
def shown(title: str) -> Generator[Callable[[Comparison], None], None, None]:
    """Show a comparison while it goes on, and the last state of it afterwards.

    Off a terminal only the last state is printed.

    Parameters
    ----------
    title : str
        What stands above.

    Returns
    -------
    Generator[Callable[[Comparison], None], None, None]
        Gives what takes each state.
    """
    last: list[Comparison] = []
    if not output.is_terminal:
        yield last.append
        if last:
            output.print(table(last[-1], title=title))
        return
    with Live(console=output, auto_refresh=False) as live:

        def show(found: Comparison) -> None:
            live.update(table(found, title=title), refresh=True)

        yield show
