"""``mcos explain``: what a contract gives each tenant."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.table import Table

from mcos_sim.commands.compile import compile_for
from mcos_sim.commands.options import Contract
from mcos_sim.console import output, require_outputs, tell, write_json

if TYPE_CHECKING:
    from mcos_policy.explain import Explanation

__all__ = [
    "EXAMPLE",
    "command",
]


EXAMPLE = "mcos explain decode-prefill"

_BUCKETS = ("committed_rate", "committed_depth", "peak_rate", "peak_depth")
_OTHERS = (
    "enable",
    "work_conserving",
    "priority",
    "inverse_weight",
    "age_limit",
    "latency_slo",
)


def command(
    contract: Contract,
    json: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="Also write the numbers as JSON.", show_default=False),
    ] = None,
    tenants: Annotated[int, typer.Option(help="Tenant tags of the hardware: 4, 8 or 16.")] = 16,
) -> None:
    """Say what a contract gives each tenant: rates, weights, registers, bounds.

    Errors of rates and weights are what the registers' finite width costs.
    """
    from mcos_policy.explain import GBPS_NOTE, explain

    require_outputs([json], inputs=[contract])
    compiled = compile_for(contract, tenants=tenants)
    explanation = explain(compiled)
    if json is not None:
        origin = {
            "config_hash": compiled.config.hash,
            "contract": compiled.origin,
            "notes": [str(note) for note in compiled.notes],
            "warnings": [str(warning) for warning in compiled.warnings],
        }
        write_json(json, explanation.as_mapping() | origin)
    output.print(
        f"{explanation.channels} channels of {explanation.capacity_channel:g} GB/s, "
        f"{explanation.capacity_fabric:g} GB/s in all; "
        f"{explanation.reserved_share:.2%} of it guaranteed."
    )
    if explanation.shared_rate != explanation.capacity_channel:
        tell(
            f"Admitted by compiled cost: {explanation.shared_rate:g} GB/s a channel while all are "
            "backlogged."
        )
    if explanation.memory_wait_clocks:
        tell(
            f"Delay bounds have {explanation.memory_wait_clocks:.1f} clocks of waiting for the "
            "memory in them."
        )
    tell(GBPS_NOTE)
    tells_memory = any(tenant.cost != 1 or tenant.colours != 1 for tenant in explanation.tenants)
    for table in (
        _promises(explanation),
        *([_memory(explanation)] if tells_memory else []),
        _weights(explanation),
        _registers(explanation, "Buckets of each tenant (registers)", _BUCKETS),
        _registers(explanation, "Other registers of each tenant", _OTHERS),
        _channel_registers(explanation),
    ):
        output.print()
        output.print(table)


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    for index, column in enumerate(columns):
        # What does not fit is folded: a name or a number that is cut says something else.
        table.add_column(column, justify="right" if index else "left", overflow="fold")
    return table


def _relative(error: float) -> str:
    return f"{error:+.1e}" if error else "0"


def _promises(explanation: Explanation) -> Table:
    table = _table(
        "Bandwidth (GB/s)",
        "tenant",
        "tag",
        "guaranteed",
        "of\ncapacity",
        "burst",
        "guaranteed\nper channel",
        "bytes per\nclock",
        "rate\nerror",
        "burst\nerror",
    )
    for tenant in explanation.tenants:
        table.add_row(
            tenant.name,
            str(tenant.tag),
            f"{tenant.guaranteed_fabric:g}",
            f"{tenant.capacity_share:.2%}",
            f"{tenant.burst_fabric:g}",
            f"{tenant.guaranteed_channel:g}",
            f"{tenant.bytes_per_clock:g}",
            _relative(tenant.rate_error),
            _relative(tenant.peak_error),
        )
    return table


def _memory(explanation: Explanation) -> Table:
    table = _table("Memory", "tenant", "cost of a byte", "page colours", "others are")
    for tenant in explanation.tenants:
        outside = "refused" if tenant.registers.refuse_outside else "counted"
        table.add_row(tenant.name, f"{tenant.cost:g}", f"{tenant.colours:#x}", outside)
    return table


def _weights(explanation: Explanation) -> Table:
    table = _table(
        "Weights, and bounds for requests of the longest size",
        "tenant",
        "weight",
        "weight\nerror",
        "share if all\nbacklogged",
        "delay bound\n(clocks)",
        "delay bound\n(ns)",
        "beside other\nclasses (ns)",
        "alpha\n(bytes)",
        "depth-1 adds\n(bytes)",
    )
    for tenant in explanation.tenants:
        table.add_row(
            tenant.name,
            f"{tenant.weight:g}",
            _relative(tenant.weight_error),
            f"{tenant.weight_share:.2%}",
            f"{tenant.delay_clocks:.1f}",
            f"{tenant.delay_ns:.1f}",
            f"{tenant.conforming_ns:.1f}",
            f"{tenant.alpha:.0f}",
            f"{tenant.depth1_alpha:.1f}",
        )
    return table


def _registers(explanation: Explanation, title: str, names: tuple[str, ...]) -> Table:
    table = _table(title, "tenant", *names)
    for tenant in explanation.tenants:
        values = vars(tenant.registers)
        table.add_row(tenant.name, *(str(values[name]) for name in names))
    return table


def _channel_registers(explanation: Explanation) -> Table:
    table = _table("Registers of the channel", "register", "value")
    for name, value in vars(explanation.channel).items():
        table.add_row(name, str(value))
    return table
