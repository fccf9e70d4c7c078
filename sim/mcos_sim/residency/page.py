"""A study of the cache as one page: hit rate over size, then tables."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from mcos_sim.report.amounts import enumerated
from mcos_sim.report.colours import ARBITERS
from mcos_sim.report.drawing import INK, NARROW, SOFT, Picture, svg
from mcos_sim.report.rendering import write_page as write_template
from mcos_sim.residency.names import Hints, Policy

__all__ = [
    "run_name",
    "write_page",
]


_WIDE = 640

_LOOKS = {
    Policy.LRU: ("LRU", ARBITERS["fcfs"], "-", "o"),
    Policy.FIFO: ("FIFO", ARBITERS["alone"], "-", "v"),
    Policy.S3_FIFO: ("S3-FIFO", ARBITERS["round_robin"], "-", "s"),
    Policy.DENSITY: ("hit density", ARBITERS["mcos"], "-", "o"),
    Policy.NEXT_USE: ("next use", ARBITERS["fixed_priority"], "--", "D"),
    Policy.COMBINED: ("combined", ARBITERS["mcos"], "--", "D"),
    Policy.OPTIMUM: ("optimum", INK, "-", "^"),
}
"""Name, colour, line and marker; ours have MCOS's colour, LRU that of FCFS."""

_HINT_LINES: dict[Hints, Any] = {Hints.EXACT: "--", Hints.LYING: ":", Hints.SERVING: (0, (1, 3))}


def run_name(row: Mapping[str, Any]) -> str:
    """What a row is of, as people call it."""
    name = _LOOKS[Policy(row["policy"])][0]
    return name if row["hints"] == Hints.NONE else f"{name}, {row['hints']} hints"


def write_page(
    path: Path,
    rows: Sequence[Mapping[str, Any]],
    facts: Mapping[str, str],
    costs: Sequence[Mapping[str, str]],
    *,
    command: str,
) -> None:
    """Write one HTML page that needs nothing else.

    Parameters
    ----------
    path : pathlib.Path
        The page.
    rows : Sequence[Mapping]
        Rows of a :class:`mcos_sim.residency.study.Study`.
    facts : Mapping[str, str]
        What each trace holds, by its name.
    costs : Sequence[Mapping[str, str]]
        What gates need for each policy.
    command : str
        The command that repeats it.

    Raises
    ------
    OSError
        If the page cannot be written.
    """
    write_template(
        path,
        "residency_page.html.j2",
        title="MCOS residency",
        findings=_findings(rows),
        sections=list(_sections(rows, facts)),
        costs=costs,
        command=command,
    )


def _findings(rows: Sequence[Mapping[str, Any]]) -> str:
    """The best policy without hints, and how far it is on the way from LRU to the optimum."""
    said = []
    for trace in dict.fromkeys(row["trace"] for row in rows):
        found: dict[int, dict[str, float]] = {}
        for row in rows:
            if row["trace"] == trace and row["hints"] == Hints.NONE:
                found.setdefault(row["blocks"], {})[row["policy"]] = row["hit_rate"]
        ways = [
            (rates[Policy.DENSITY] - rates[Policy.LRU])
            / (rates[Policy.OPTIMUM] - rates[Policy.LRU])
            for rates in found.values()
            if {Policy.DENSITY, Policy.LRU, Policy.OPTIMUM} <= set(rates)
            and rates[Policy.OPTIMUM] > rates[Policy.LRU]
        ]
        if ways:
            low, high = f"{min(ways):.0%}", f"{max(ways):.0%}"
            span = low if low == high else f"{low} to {high}"
            said.append(f"{span} on {trace}")
    if not said:
        return "Hit rates by size, policy and hints."
    return f"Of the way from LRU to the optimum, hit density closes {enumerated(said)}."


def _sections(
    rows: Sequence[Mapping[str, Any]], facts: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    for number, trace in enumerate(dict.fromkeys(row["trace"] for row in rows)):
        own = [row for row in rows if row["trace"] == trace]
        sizes = sorted({row["blocks"] for row in own})
        runs = list(dict.fromkeys(run_name(row) for row in own))
        rates = {(run_name(row), row["blocks"]): row for row in own}
        tenants = list(dict.fromkeys(name for row in own for name in row["tenants"]))
        largest = [row for row in own if row["blocks"] == sizes[len(sizes) // 2]]
        yield {
            "trace": trace,
            "facts": facts[trace],
            "picture": Picture.of(
                f"rates-{number}",
                f"Hit rate over blocks held, {trace}: every block of every request counts, first "
                "accesses too.",
                wide=_picture(f"wide {number}", own, (_WIDE, 420), text=14),
                narrow=_picture(f"narrow {number}", own, (NARROW, 420), text=12),
            ),
            "sizes": [f"{size:,}" for size in sizes],
            "rates": [
                (run, [f"{rates[run, size]['hit_rate']:.4f}" for size in sizes]) for run in runs
            ],
            "prefixes": [
                (run, [_rate(rates[run, size]["prefix_hit_rate"]) for size in sizes])
                for run in runs
            ],
            "tenants": tenants if len(tenants) > 1 else [],
            "middle": f"{largest[0]['blocks']:,}",
            "by_tenant": [
                (run_name(row), [_rate(row["tenants"].get(tenant)) for tenant in tenants])
                for row in largest
            ],
        }


def _rate(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _picture(
    name: str, rows: Sequence[Mapping[str, Any]], size: tuple[float, float], *, text: float
) -> str:
    sizes = sorted({row["blocks"] for row in rows})

    def draw(figure: Figure) -> None:
        axes: Axes = figure.subplots()
        for run in dict.fromkeys((row["policy"], row["hints"]) for row in rows):
            own = sorted(
                ((row["blocks"], row["hit_rate"]) for row in rows if _run(row) == run),
            )
            words, colour, line, marker = _LOOKS[Policy(run[0])]
            hints = Hints(run[1])
            axes.plot(
                [each[0] for each in own],
                [each[1] for each in own],
                linestyle=line if hints is Hints.NONE else _HINT_LINES.get(hints, "-."),
                color=colour,
                marker=marker,
                markersize=6,
                label=words if hints is Hints.NONE else f"{words}, {hints}",
            )
        axes.set_xscale("log")
        shown = sizes[:: -(-len(sizes) // 5)]
        axes.set_xticks(shown, [f"{each:,}" for each in shown])
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_xlabel("blocks held, log axis")
        axes.set_ylim(bottom=0)
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0%}"))
        axes.tick_params("y", labelcolor=SOFT)
        axes.grid(axis="y")
        axes.set_title("accesses that hit", color=SOFT)
        figure.legend(loc="outside lower left", ncols=2)

    return svg(f"residency {name}", size, draw, text=text)


def _run(row: Mapping[str, Any]) -> tuple[str, str]:
    return row["policy"], row["hints"]
