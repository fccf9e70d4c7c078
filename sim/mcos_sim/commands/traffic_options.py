"""Options of ``mcos run`` that say what tenants ask for: one way at a time."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from mcos_sim.errors import UserError
from mcos_sim.sweep.grid import Workload

__all__ = ["TrafficOptions"]


_TRACE_ONLY = {"model": "--model", "requests": "--requests", "grants": "--grants"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrafficOptions:
    """What tenants ask for."""

    traffic: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="What each tenant asks for, TOML.",
            show_default="at the guarantee with a latency_slo, else backlogged",
        ),
    ] = None
    traffic_of: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=PATTERN[:key=value,...]",
            help="What one tenant asks for, as in the file.",
            show_default=False,
        ),
    ] = None
    workload: Annotated[
        Workload | None,
        typer.Option(
            help="The essay's prefill and decoders, in one of two settings.",
            show_default="loaded without CONTRACT and traffic",
        ),
    ] = None
    trace: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Serve the requests of a Mooncake or Azure trace instead.",
            show_default=False,
        ),
    ] = None
    model: Annotated[str, typer.Option(help="Model that serves the trace.")] = "llama-3-70b"
    requests: Annotated[
        int, typer.Option(min=1, max=1_000_000, help="Requests taken from the trace.")
    ] = 200
    grants: Annotated[
        int,
        typer.Option(
            min=1,
            max=10_000_000,
            help="Memory requests that the trace is scaled to, at least; not if it has fewer.",
        ),
    ] = 1_000_000

    @property
    def planned(self) -> bool:
        """Whether a traffic file or options say it tenant by tenant."""
        return self.traffic is not None or bool(self.traffic_of)

    def require_one_way(self, context: typer.Context) -> None:
        """Refuse options that say the traffic twice, or that say nothing of it.

        Raises
        ------
        UserError
            If there are such.
        """
        named = {
            "--traffic": self.traffic is not None,
            "--traffic-of": bool(self.traffic_of),
            "--workload": self.workload is not None,
            "--trace": self.trace is not None,
        }
        given = [name for name, is_given in named.items() if is_given]
        if len(given) > 1 and given != ["--traffic", "--traffic-of"]:
            raise UserError(
                f"{given[-1]} must not be given beside {given[0]}: both say what tenants ask for; "
                "leave one out"
            )
        traced = self.trace is not None
        for key, option in ({"clocks": "--clocks"} if traced else _TRACE_ONLY).items():
            source = context.get_parameter_source(key)
            if source is not None and source.name == "COMMANDLINE":
                rule = "with --trace, which ends by itself" if traced else "without --trace"
                raise UserError(f"{option} must not be given {rule}; leave it out")
