"""Options of ``mcos run`` that say what tenants ask for: one way at a time."""

from __future__ import annotations

from pathlib import Path

import typer

from mcos_sim.errors import UserError
from mcos_sim.sweep.grid import Workload

__all__ = ["require_one_traffic"]


_TRACE_ONLY = {"model": "--model", "requests": "--requests", "grants": "--grants"}


def require_one_traffic(
    context: typer.Context,
    traffic: Path | None,
    traffic_of: list[str] | None,
    workload: Workload | None,
    trace: Path | None,
) -> None:
    """Refuse options that say the traffic twice, or that say nothing of it.

    Raises
    ------
    UserError
        If there are such.
    """
    named = {
        "--traffic": traffic is not None,
        "--traffic-of": bool(traffic_of),
        "--workload": workload is not None,
        "--trace": trace is not None,
    }
    given = [name for name, is_given in named.items() if is_given]
    if len(given) > 1 and given != ["--traffic", "--traffic-of"]:
        raise UserError(
            f"{given[-1]} must not be given beside {given[0]}: both say what tenants ask for; "
            "leave one out"
        )
    options = {"clocks": "--clocks"} if trace is not None else _TRACE_ONLY
    for key, option in options.items():
        source = context.get_parameter_source(key)
        if source is not None and source.name == "COMMANDLINE":
            rule = "with --trace, which ends by itself" if trace is not None else "without --trace"
            raise UserError(f"{option} must not be given {rule}; leave it out")
