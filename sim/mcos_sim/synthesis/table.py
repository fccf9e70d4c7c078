"""The result of a measurement as tables for a terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from mcos_sim.synthesis.state import ESSAY_BUCKET_BYTES, ESSAY_TENANTS

__all__ = [
    "render",
]


def render(result: Mapping[str, Any], *, paths: int) -> RenderableType:
    """Tables of speed and size, of cost per tenant, of state, and of the slowest paths.

    Parameters
    ----------
    result : Mapping[str, Any]
        Result of a measurement.
    paths : int
        Paths of each target to list; one is in the first table already.
    """
    rows = result["targets"]
    parts: list[RenderableType] = []
    if rows:
        parts += [_figures(rows)]
        parts += (
            [_limits(rows)]
            if paths == 1
            else [_paths(row, paths) for row in rows if "paths" in row]
        )
        parts += [_growth(rows)]
    parts += [_state(result["state"])]
    parts += [Text(_state_line(state)) for state in result["state"]]
    return Group(*parts)


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)


def _cell(value: float | None, form: str = ",.0f") -> str:
    return "" if value is None else format(value, form)


def _figures(rows: Sequence[Mapping[str, Any]]) -> Table:
    table = _table("Speed and size")
    for name in ("target", "tenants", "L"):
        table.add_column(name, justify="left" if name == "target" else "right", no_wrap=True)
    for name in ("MHz", "best", "LUT", "FF", "BRAM", "DSP", "µm²"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(
            row["name"],
            str(row["tenants"]),
            str(row["lag"]),
            _cell(row["fmax_mhz"], ",.1f"),
            _cell(row.get("fmax_best_mhz"), ",.1f"),
            *(_cell(row[kind]) for kind in ("luts", "ffs", "brams", "dsps", "area_um2")),
        )
    return table


def _limits(rows: Sequence[Mapping[str, Any]]) -> Table:
    table = _table("What limits the frequency")
    for name in ("target", "tenants", "L"):
        table.add_column(name, justify="left" if name == "target" else "right", no_wrap=True)
    table.add_column("critical path")
    for row in rows:
        if row["critical_path"] is not None:
            table.add_row(row["name"], str(row["tenants"]), str(row["lag"]), row["critical_path"])
    return table


def _growth(rows: Sequence[Mapping[str, Any]]) -> Table:
    sizes = sorted({row["tenants"] for row in rows})
    table = _table("LUTs or µm² per tenant")
    table.add_column("target", no_wrap=True)
    table.add_column("L", justify="right")
    for size in sizes:
        table.add_column(f"{size} tenants", justify="right")
    for name, lag in sorted({(row["name"], row["lag"]) for row in rows}):
        costs = {
            row["tenants"]: (row["luts"] or row["area_um2"]) / row["tenants"]
            for row in rows
            if (row["name"], row["lag"]) == (name, lag)
        }
        table.add_row(name, str(lag), *(_cell(costs.get(size)) for size in sizes))
    return table


def _paths(row: Mapping[str, Any], paths: int) -> Table:
    table = _table(f"{row['name']}, {row['tenants']} tenants, L = {row['lag']}: slowest paths")
    table.add_column("ps", justify="right", no_wrap=True)
    table.add_column("cells", justify="right", no_wrap=True)
    table.add_column("path")
    for path in row["paths"][:paths]:
        table.add_row(_cell(path["ps"]), str(path["cells"]), path["path"])
    return table


def _state(states: Sequence[Mapping[str, Any]]) -> Table:
    groups = sorted({group for state in states for group in state["bits"]})
    table = _table("Bits of state: of the channel, and of one more tenant")
    table.add_column("tenants", justify="right", no_wrap=True)
    table.add_column("L", justify="right", no_wrap=True)
    for group in groups:
        table.add_column(group, justify="right")
    for state in states:
        table.add_row(
            str(state["tenants"]),
            str(state["lag"]),
            *(
                f"{state['bits'].get(group, 0):,}\n{state['bits_per_tenant'].get(group, 0):,.0f}"
                for group in groups
            ),
        )
    return table


def _state_line(state: Mapping[str, Any]) -> str:
    bits = state["bits"].get("buckets", 0)
    tenants = state["tenants"]
    return (
        f"buckets of {tenants} tenants, L = {state['lag']}: {bits / 8:,.0f} bytes, "
        f"{bits / 8 / tenants:.1f} a tenant "
        f"(essay: {ESSAY_BUCKET_BYTES} bytes for {ESSAY_TENANTS}, "
        f"{ESSAY_BUCKET_BYTES / ESSAY_TENANTS:.1f} a tenant)"
    )
