"""``mcos explain``: what a contract gives each tenant."""

from __future__ import annotations

import dataclasses
import math
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mcos_policy.diagnostics import ContractError, Severity
from mcos_policy.rounding import rounded_down
from mcos_sim.commands.hardware_options import HardwareOptions
from mcos_sim.commands.options import Contract, json_option
from mcos_sim.console import output, print_table, require_outputs, say, tell, write_json
from mcos_sim.report.amounts import channels_words, rounded
from mcos_sim.tables import Column

if TYPE_CHECKING:
    from mcos_policy.explain import Explanation, PowerExplanation, TenantExplanation

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
_MEANING = (
    "A bound is the longest time from a request's first offer to its response.",
    "The wait behind the tenant's own requests that came sooner than its guarantee carries them is",
    "not in it: one that keeps to its guarantee waits for at most one longest request of its own.",
    "It supposes that the pacer is on and that the memory answers within latency.",
)
_NO_PACER = "Without the pacer no bound holds; write pacer = true under [fabric]."


def command(
    contract: Contract,
    json: Annotated[Path | None, json_option("the numbers")] = None,
    registers: Annotated[
        bool,
        typer.Option(
            "--registers", help="Also show register values, and what their finite width costs."
        ),
    ] = False,
    *,
    hardware: HardwareOptions,
) -> None:
    """Say what a contract gives each tenant, and whether its latency objective is promised.

    Guarantees, bursts and shares, the bound of every request's latency and what it is made of, and
    what is left for more tenants. A contract that is not admitted is shown as well, with what
    would fit; the command then ends with 2.
    """
    from mcos_policy.compiler import compile_examined, examine
    from mcos_policy.explain import GBPS_NOTE, explain
    from mcos_policy.hardware import hardware_words

    require_outputs([json], inputs=[contract])
    examined = examine(contract, hardware.default, options=hardware.sizes)
    if examined.contract is None:
        raise ContractError(examined.diagnostics)
    compiled = compile_examined(examined) if examined.admitted else None
    for remark in () if compiled is None else (*compiled.warnings, *compiled.notes):
        say(remark)
    explanation = explain(compiled or examined)
    if json is not None:
        by_severity = {
            f"{severity.value}s": [
                str(each) for each in examined.diagnostics if each.severity is severity
            ]
            for severity in (Severity.ERROR, Severity.WARNING)
        }
        origin: dict[str, Any] = {
            "config": dataclasses.asdict(examined.config),
            "config_hash": examined.config.hash,
            "contract": examined.origin,
            "notes": [] if compiled is None else [str(note) for note in compiled.notes],
            **by_severity,
        }
        write_json(json, explanation.as_mapping() | origin)
    _show_capacity(explanation, tags=examined.config.tenants)
    tell(f"Hardware: {hardware_words(examined.config)}.")
    output.print()
    _show_promises(explanation)
    if any(tenant.bound_ns is not None for tenant in explanation.tenants):
        output.print()
        _show_bounds(explanation)
        output.print()
        for line in _MEANING:
            tell(line)
    elif compiled is not None and not compiled.contract.fabric.pacer:
        output.print()
        tell(_NO_PACER)
    if any(tenant.cost != 1 or tenant.colours not in (1, None) for tenant in explanation.tenants):
        output.print()
        _show_memory(explanation)
    if explanation.power is not None:
        output.print()
        _show_power(explanation, explanation.power)
    if compiled is None:
        raise ContractError(examined.diagnostics)
    if registers:
        _show_registers(explanation)
    output.print()
    tell(GBPS_NOTE)


def _show_capacity(explanation: Explanation, *, tags: int) -> None:
    tell(
        f"{channels_words(explanation.channels)} of {explanation.capacity_channel:g} GB/s, "
        f"{explanation.capacity_fabric:g} GB/s in all; "
        f"{explanation.reserved_share:.2%} of it guaranteed."
    )
    if explanation.over_by_gbps:
        channels = explanation.fitting_channels
        tell(
            f"Guarantees may take {explanation.limit_gbps:g} GB/s: these are "
            f"{explanation.over_by_gbps:g} GB/s or "
            f"{explanation.over_by_gbps / explanation.limit_gbps:.2%} too much."
            + ("" if channels is None else f" {channels} channels would do.")
        )
    else:
        tell(
            f"Guarantees may take {explanation.limit_gbps:g} GB/s: {explanation.headroom_gbps:g} "
            f"GB/s are free, {explanation.headroom_channel_gbps:g} GB/s of each channel."
        )
        tell(_further(explanation, tags=tags))
    if explanation.shared_rate != explanation.capacity_channel:
        tell(
            f"Admitted by compiled cost: {explanation.shared_rate:g} GB/s a channel while all are "
            "backlogged."
        )


def _further(explanation: Explanation, *, tags: int) -> str:
    """What one more tenant could be guaranteed."""
    if len(explanation.tenants) >= tags:
        return f"One more tenant does not fit: all {tags} tags are taken."
    least, most = explanation.further_least_gbps, explanation.further_most_gbps
    if least is None or most is None:
        return "One more tenant does not fit: a 255th of the largest guarantee is not free."
    return (
        f"One more tenant could be guaranteed {rounded(least, 4)} to {rounded(most, 4)} GB/s; "
        "no guarantee is more than 255 times another."
    )


def _show_promises(explanation: Explanation) -> None:
    over = bool(explanation.over_by_gbps)
    columns = [
        "tenant",
        "guaranteed (GB/s)",
        *(["would fit (GB/s)"] if over else []),
        "of capacity",
        "burst (GB/s)",
        "SLO (ns)",
        "bound (ns)",
        Column(heading="verdict", justify="left"),
    ]
    rows = [
        [
            tenant.name,
            f"{tenant.guaranteed_fabric:g}",
            *([_down(tenant.fitting_fabric)] if over else []),
            f"{tenant.capacity_share:.2%}",
            f"{tenant.burst_fabric:g}",
            _asked(tenant.slo_ns),
            _time(tenant.bound_ns),
            _verdict(tenant, admitted=explanation.admitted),
        ]
        for tenant in explanation.tenants
    ]
    print_table("What each tenant is promised", columns, rows)


def _verdict(tenant: TenantExplanation, *, admitted: bool) -> str:
    if not admitted:
        return "not admitted"
    if tenant.verdict is None:
        return "no SLO" if tenant.guaranteed_fabric else "best effort"
    return tenant.verdict


def _show_bounds(explanation: Explanation) -> None:
    promised = [tenant for tenant in explanation.tenants if tenant.bound_ns is not None]
    terms = list(promised[0].bound_terms_ns)
    columns = ["tenant", *terms, "bound", "whole bucket at once"]
    rows = [
        [
            tenant.name,
            *(_time(tenant.bound_terms_ns[term]) for term in terms),
            _time(tenant.bound_ns),
            _time(tenant.burst_bound_ns),
        ]
        for tenant in promised
    ]
    print_table("What the bound is made of (ns)", columns, rows)
    tell(f"An idle channel takes {_time(explanation.idle_ns)} ns.")


def _show_memory(explanation: Explanation) -> None:
    columns = ["tenant", "cost of a byte", "page colours", Column(heading="others are", words=True)]
    rows = [
        [
            tenant.name,
            f"{tenant.cost:g}",
            "-" if tenant.colours is None else f"{tenant.colours:#x}",
            _outside(tenant),
        ]
        for tenant in explanation.tenants
    ]
    print_table("Memory", columns, rows)


def _show_power(explanation: Explanation, power: PowerExplanation) -> None:
    tell(
        f"Power: {power.budget:g} W allow {power.rate_fabric:.4g} GB/s beside a baseline of "
        f"{power.baseline:g} W. Guarantees take {power.required:.4g} W, full channels "
        f"{power.full:.4g} W."
    )
    if power.full <= power.budget:
        tell("The channels never take that much: the budget limits nothing.")
    rows = [
        [
            tenant.name,
            str(tenant.priority),
            f"{tenant.guaranteed_fabric:g}",
            "-" if tenant.power_fabric is None else _down(tenant.power_fabric),
        ]
        for tenant in sorted(explanation.tenants, key=lambda each: (each.priority, each.tag))
    ]
    print_table(
        "What each tenant gets under the budget while all are backlogged",
        ["tenant", "priority", "guaranteed (GB/s)", "gets (GB/s)"],
        rows,
    )


def _outside(tenant: TenantExplanation) -> str:
    if tenant.registers is None:
        return "-"
    return "refused" if tenant.registers.refuse_outside else "counted"


def _show_registers(explanation: Explanation) -> None:
    output.print()
    rates = ["tenant", "tag", "guaranteed per channel (GB/s)", "bytes per clock", "rate error"]
    print_table(
        "Rates, and what their registers cost",
        [*rates, "burst error"],
        [
            [
                tenant.name,
                str(tenant.tag),
                f"{tenant.guaranteed_channel:g}",
                f"{tenant.bytes_per_clock:g}",
                _relative(tenant.rate_error),
                _relative(tenant.peak_error),
            ]
            for tenant in explanation.tenants
        ],
    )
    output.print()
    weights = ["tenant", "weight", "weight error", "share if all backlogged"]
    print_table(
        "Weights, and bounds of one class for requests of the longest size",
        [*weights, "delay bound (clocks)", "delay bound (ns)", "alpha (bytes)", "depth-1 (bytes)"],
        [
            [
                tenant.name,
                f"{tenant.weight:g}",
                _relative(tenant.weight_error),
                f"{tenant.weight_share:.2%}",
                f"{tenant.delay_clocks:.1f}",
                f"{tenant.delay_ns:.1f}",
                f"{tenant.alpha:.0f}",
                f"{tenant.depth1_alpha:.1f}",
            ]
            for tenant in explanation.tenants
        ],
    )
    for title, names in (
        ("Buckets of each tenant (registers)", _BUCKETS),
        ("Other registers of each tenant", _OTHERS),
    ):
        output.print()
        rows = [
            [tenant.name, *(str(vars(tenant.registers)[name]) for name in names)]
            for tenant in explanation.tenants
        ]
        print_table(title, ["tenant", *names], rows)
    output.print()
    channel = [[name, str(value)] for name, value in vars(explanation.channel).items()]
    print_table("Registers of the channel", ["register", "value"], channel)


def _relative(error: float | None) -> str:
    return f"{error:+.1e}" if error else "0"


def _asked(nanoseconds: float | None) -> str:
    """Nanoseconds of an objective, as the contract has them."""
    return "-" if nanoseconds is None else f"{nanoseconds:,.4f}".rstrip("0").rstrip(".")


def _time(nanoseconds: float | None) -> str:
    """Nanoseconds, rounded up to a tenth so that an objective of what it shows would hold."""
    if nanoseconds is None:
        return "-"
    # Binary fractions of what is a tenth itself are not rounded up.
    return f"{math.ceil(nanoseconds * 10 - 1e-6) / 10:,.1f}".removesuffix(".0")


def _down(gbps: float) -> str:
    """GB/s in four digits, rounded down so that all of what it shows would fit."""
    return f"{float(rounded_down(Fraction(gbps))):.4g}"
