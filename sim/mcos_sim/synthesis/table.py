"""The result of a measurement as tables for a terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from mcos_sim.synthesis.state import ESSAY_BUCKET_BYTES, ESSAY_TENANTS
from mcos_sim.tables import Column, Table

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
            if paths == 1 and any(row["critical_path"] is not None for row in rows)
            else [_paths(row, paths) for row in rows if "paths" in row]
        )
        channels = [row for row in rows if "data_bits" not in row]
        parts += [_growth(channels)] if channels else []
    parts += [_state(result["state"])] if result["state"] else []
    spaced = [each for part in parts for each in (part, Text())]
    return Group(*spaced, *(Text(_state_line(state)) for state in result["state"]))


def _cell(value: float | None, form: str = ",.0f") -> str:
    return "" if value is None else format(value, form)


_HARDWARE = [Column(heading=name, name=True) for name in ("target", "tenants", "L")]
"""Columns that say what was measured."""


def _hardware(row: Mapping[str, Any]) -> tuple[str, str, str]:
    bits = row.get("data_bits")
    name = row["name"]
    if bits is not None:
        name += f", port of {bits} bits, {row['outstanding']} under way"
    return name, str(row["tenants"]), _kind(row)


def _kind(row: Mapping[str, Any]) -> str:
    """L, or the grant interval of a compact channel."""
    interval = row.get("grant_interval", 1)
    return str(row["lateness"]) if interval == 1 else f"0, N = {interval}"


def _figures(rows: Sequence[Mapping[str, Any]]) -> Table:
    return Table(
        "Speed and size",
        [*_HARDWARE, "MHz", "best", "LUT", "FF", "BRAM", "DSP", "µm²"],
        [
            (
                *_hardware(row),
                _cell(row["fmax_mhz"], ",.1f"),
                _cell(row.get("fmax_best_mhz"), ",.1f"),
                *(_cell(row[kind]) for kind in ("luts", "ffs", "brams", "dsps", "area_um2")),
            )
            for row in rows
        ],
    )


def _limits(rows: Sequence[Mapping[str, Any]]) -> Table:
    return Table(
        "What limits the frequency",
        [*_HARDWARE, Column(heading="critical path", words=True)],
        [
            (*_hardware(row), row["critical_path"])
            for row in rows
            if row["critical_path"] is not None
        ],
    )


def _growth(rows: Sequence[Mapping[str, Any]]) -> Table:
    sizes = sorted({row["tenants"] for row in rows})
    shown = []
    for name, kind in sorted({(row["name"], _kind(row)) for row in rows}):
        costs = {
            row["tenants"]: (row["luts"] or row["area_um2"]) / row["tenants"]
            for row in rows
            if (row["name"], _kind(row)) == (name, kind)
        }
        shown.append((name, kind, *(_cell(costs.get(size)) for size in sizes)))
    headings = [f"{size} tenants" for size in sizes]
    return Table(
        "LUTs or µm² per tenant",
        ["target", Column(heading="L", name=True), *headings],
        shown,
    )


def _paths(row: Mapping[str, Any], paths: int) -> Table:
    return Table(
        "{}, {} tenants, L = {}: slowest paths".format(*_hardware(row)),
        [
            Column(heading="ps", name=True, justify="right"),
            "cells",
            Column(heading="path", words=True),
        ],
        [(_cell(path["ps"]), str(path["cells"]), path["path"]) for path in row["paths"][:paths]],
    )


def _state(states: Sequence[Mapping[str, Any]]) -> Table:
    groups = sorted({group for state in states for group in state["bits"]})
    return Table(
        "Bits of state: of the channel, and of one more tenant",
        [*(Column(heading=name, name=True) for name in ("tenants", "L")), *groups],
        [
            (
                str(state["tenants"]),
                _kind(state),
                *(
                    f"{state['bits'].get(group, 0):,}\n"
                    f"{state['bits_per_tenant'].get(group, 0):,.0f}"
                    for group in groups
                ),
            )
            for state in states
        ],
    )


def _state_line(state: Mapping[str, Any]) -> str:
    bits = state["bits"].get("buckets", 0)
    tenants = state["tenants"]
    return (
        f"buckets of {tenants} tenants, L = {_kind(state)}: {bits / 8:,.0f} bytes, "
        f"{bits / 8 / tenants:.1f} a tenant "
        f"(essay: {ESSAY_BUCKET_BYTES} bytes for {ESSAY_TENANTS}, "
        f"{ESSAY_BUCKET_BYTES / ESSAY_TENANTS:.1f} a tenant)"
    )
