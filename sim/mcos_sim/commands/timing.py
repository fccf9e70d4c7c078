"""``mcos timing``: how fast the channel and a port are, and what they cost."""

from __future__ import annotations

import datetime
import json as json_format
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mcos_sim.console import output, progress, require_outputs, say, write_json
from mcos_sim.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "EXAMPLE",
    "command",
]


EXAMPLE = "mcos timing --target asap7-blackbox --tenants 16 --lateness 0 --paths 20"


def command(
    target: Annotated[
        list[str] | None,
        typer.Option(
            help="What to measure for: ecp5, ecp5-6 for its slowest grade, ultrascale+, "
            "asap7-registers, asap7-blackbox; asap7 for both of its own. May be repeated.",
            show_default="all but ecp5-6",
        ),
    ] = None,
    design: Annotated[
        list[str] | None,
        typer.Option(
            help="What to measure: channel, or port for one AXI port. May be repeated.",
            show_default="channel",
        ),
    ] = None,
    data_bits: Annotated[
        list[int] | None,
        typer.Option(help="Bits of a port's data. May be repeated.", show_default="64, 256, 512"),
    ] = None,
    outstanding: Annotated[
        list[int] | None,
        typer.Option(
            help="Reads, and writes, that a port can have under way. May be repeated.",
            show_default="64",
        ),
    ] = None,
    tenants: Annotated[
        list[int] | None,
        typer.Option(help="Tenants of the channel. May be repeated.", show_default="4, 8, 16"),
    ] = None,
    lateness: Annotated[
        list[int] | None,
        typer.Option(
            help="L: grants by which eligibility is late. May be repeated.",
            show_default="0, and that of the default configuration",
        ),
    ] = None,
    grant_interval: Annotated[
        list[int] | None,
        typer.Option(
            help="Clocks from a grant to the next, 4 to 8 for the compact channel, which is "
            "measured with L = 0. May be repeated.",
            show_default="1",
        ),
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, max=99, help="Placements on ECP5.")] = 3,
    paths: Annotated[
        int, typer.Option(min=1, max=100, help="Slowest paths to list, one a bundle of registers.")
    ] = 1,
    directory: Annotated[
        Path, typer.Option("--output", "-o", metavar="DIR", help="Folder of all outputs.")
    ] = Path("build/timing"),
    record: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="Also put the figures into this table, as mcos size --hardware reads one.",
            show_default=False,
        ),
    ] = None,
    json: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH", help="Result, DIR/result.json by default.", show_default=False
        ),
    ] = None,
) -> None:
    """Measure the speed and the size of the whole channel, or of one AXI port, with open tools.

    ECP5 is placed and routed, UltraScale+ is synthesised for its resources, ASAP7 is synthesised
    and timed at its slow corner. Everything that was measured before on the same hardware is taken
    from DIR; measurements of other sizes stay in the result.
    """
    from mcos_hw.config import ChannelConfig
    from mcos_sim.synthesis import figures, measure, table
    from mcos_sim.synthesis.cache import Cache
    from mcos_sim.synthesis.result import merged

    plan = measure.plan(
        tenants=tenants or measure.SIZES,
        latenesses=measure.default_latenesses() if lateness is None else lateness,
        targets=target or measure.TARGETS,
        seeds=seeds,
        paths=max(paths, 20),
        designs=design or ["channel"],
        data_bits=data_bits or measure.DATA_BITS,
        outstanding=outstanding or measure.OUTSTANDING,
        intervals=grant_interval or [ChannelConfig.grant_interval],
    )
    result_path = json or directory / "result.json"
    require_outputs([result_path, record], folders=[directory])
    sources = measure.source_hash()
    known = [] if record is None else figures.read(record)
    earlier = _earlier(result_path, sources)
    for reason in plan.left_out:
        say(f"mcos: warning: {reason}")
    with progress("Measuring", plan.steps) as advance:

        def begin(step: str) -> None:
            say(step)
            advance(1)

        targets, states = measure.measure(plan, cache=Cache(directory), on_step=begin)
    output.print(table.render({"targets": targets, "state": states}, paths=paths))
    write_json(
        result_path,
        {
            "config_hash": ChannelConfig().hash,
            "machine": measure.machine(),
            "source_hash": sources,
            "state": merged(earlier.get("state", []), states),
            "targets": merged(earlier.get("targets", []), targets),
        },
    )
    say(f"result: {result_path}")
    if record is not None:
        today = datetime.date.today()
        rows = figures.recorded(known, targets, source_hash=sources, date=today)
        write_json(record, {"figures": rows})
        say(f"figures: {record}")


def _earlier(path: Path, sources: str) -> Mapping[str, Any]:
    """The rows of the result of an earlier run on the same hardware, empty if there is none."""
    from mcos_sim.synthesis.result import merged

    if not path.is_file():
        return {}
    try:
        earlier = json_format.loads(path.read_text(encoding="utf-8"))
        if earlier.get("source_hash") != sources:
            return {}
        return {name: merged(earlier.get(name, []), []) for name in ("state", "targets")}
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise UserError(
            f"{path} must be a result of this command, not something else ({error}); "
            "remove it or choose another name"
        ) from None
