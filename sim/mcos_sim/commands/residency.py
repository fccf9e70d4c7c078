"""``mcos residency``: which blocks of a KV cache to keep, by policy, size and hints."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mcos_sim.commands.options import MOST_SEED, command_words, json_option
from mcos_sim.console import (
    print_table,
    progress,
    require_outputs,
    say,
    tell,
    write_json,
    writing,
)
from mcos_sim.errors import UserError
from mcos_sim.residency.names import HINTED, Hints, Policy
from mcos_sim.tables import Column

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mcos_sim.residency.accesses import Accesses
    from mcos_sim.residency.replay import Setting

__all__ = [
    "EXAMPLE",
    "command",
]


EXAMPLE = "mcos residency --trace agents --policy lru --policy density --policy optimum"

_MOST_BLOCKS = 1 << 24

_SIZES = (1000, 2000, 5000, 10_000, 20_000)

_CLASSES = (1, 2, 4, 5, 8)

_MOST_PRIORITY = 7


def command(
    context: typer.Context,
    trace: Annotated[
        list[str],
        typer.Option(
            metavar="FILE",
            help="Trace with prefix blocks, Mooncake JSON lines; or sessions or agents, generated.",
        ),
    ],
    blocks: Annotated[
        list[int] | None,
        typer.Option(
            min=1,
            max=_MOST_BLOCKS,
            help="Blocks that the cache holds.",
            show_default=", ".join(map(str, _SIZES)),
        ),
    ] = None,
    policy: Annotated[
        list[Policy] | None,
        typer.Option(help="Who leaves a full cache.", show_default="all that use what is said"),
    ] = None,
    hints: Annotated[
        list[Hints] | None,
        typer.Option(help="What clients say of the next use.", show_default="none"),
    ] = None,
    requests: Annotated[
        int, typer.Option(min=1, max=20_000_000, help="Requests of a generated trace.")
    ] = 20_000,
    tenants: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=15,
            help="Deal conversations to so many tenants, whatever the trace says.",
            show_default="as in the trace",
        ),
    ] = None,
    quota: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TENANT=BLOCKS",
            help="Frames that are a tenant's alone, under density and combined.",
            show_default=False,
        ),
    ] = None,
    priority: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TENANT=N",
            help="Halve the worth of a tenant's blocks so often, 0 to 7.",
            show_default=False,
        ),
    ] = None,
    liar: Annotated[
        str | None,
        typer.Option(metavar="TENANT", help="Who lies, if hints lie.", show_default="all"),
    ] = None,
    flood: Annotated[
        int,
        typer.Option(
            min=0, max=10_000, help="Blocks that one more tenant asks for after each request."
        ),
    ] = 0,
    samples: Annotated[
        int, typer.Option(min=1, max=1024, help="Frames that an eviction looks at.")
    ] = 16,
    classes: Annotated[
        int, typer.Option(min=1, max=8, help="Classes of the table: 1, 2, 4, 5 or 8.")
    ] = 5,
    suffix_steps: Annotated[
        int,
        typer.Option(
            min=0,
            max=64,
            help="Worth lost with each doubling of the position in a prompt; 16 halve it.",
        ),
    ] = 0,
    seed: Annotated[int, typer.Option(min=0, max=MOST_SEED, help="Seed of everything random.")] = 1,
    page: Annotated[
        Path, typer.Option("--output", "-o", metavar="PAGE", help="Page with pictures, HTML.")
    ] = Path("build/residency/index.html"),
    json: Annotated[Path | None, json_option("the figures")] = None,
) -> None:
    """Replay traces through a cache of KV blocks and count hits, by policy, size and hints.

    A hit is a block that is resident at its access, counted per block over all requests; first
    accesses, which nobody can hit, are included.
    """
    from mcos_sim.machine import machine
    from mcos_sim.residency.accesses import dealt, flooded
    from mcos_sim.residency.page import run_name, write_page
    from mcos_sim.residency.replay import Setting
    from mcos_sim.residency.study import Study

    if classes not in _CLASSES:
        shown = ", ".join(map(str, _CLASSES))
        raise UserError(f"--classes must be one of {shown}, not {classes}")
    said = list(dict.fromkeys(hints or [Hints.NONE]))
    policies = list(dict.fromkeys(policy or ())) or [
        each for each in Policy if each not in HINTED or HINTED[each].intersection(said)
    ]
    for each in policies:
        if each in HINTED and not HINTED[each].intersection(said):
            known = ", ".join(sorted(HINTED[each]))
            raise UserError(f"--policy {each} must come with hints; add --hints, one of {known}")
    files = [Path(each) for each in trace if each not in ("sessions", "agents")]
    require_outputs([json, page], inputs=files)
    traces = [_read(each, requests=requests, seed=seed) for each in dict.fromkeys(trace)]
    if len({Path(each.name).name for each in traces}) == len(traces):
        traces = [dataclasses.replace(each, name=Path(each.name).name) for each in traces]
    if tenants is not None:
        traces = [dealt(each, tenants) for each in traces]
    if flood:
        for each in traces:
            _require_room(each)
        traces = [flooded(each, blocks=flood) for each in traces]
    sizes = sorted(set(blocks or _SIZES))
    quotas = _by_tenant("--quota", quota, traces, least=1, most=sizes[0])
    if sum(quotas.values()) > sizes[0]:
        raise UserError(
            f"--quota must be at most {sizes[0]:,} blocks together, the smallest --blocks, "
            f"not {sum(quotas.values()):,}"
        )
    if liar is not None:
        _require_tenant("--liar", liar, traces)
    setting = Setting(seed=seed, samples=samples, classes=classes, suffix_steps=suffix_steps)
    study = Study(
        traces=traces,
        blocks=sizes,
        policies=policies,
        hints=said,
        setting=setting,
        quotas=quotas,
        priorities=_by_tenant("--priority", priority, traces, least=0, most=_MOST_PRIORITY),
        liar=liar,
    )
    with progress("Replaying accesses", study.work, unit="accesses") as advance:
        rows = list(study.run(advance))
    facts = {
        each.name: f"{each.requests:,} requests, {len(each):,} accesses to "
        f"{each.distinct:,} blocks"
        + (f", {len(each.names):,} tenants" if len(each.names) > 1 else "")
        for each in traces
    }
    for name, text in facts.items():
        tell(f"{name}: {text}")
    print_table(
        "Hit rate by blocks held",
        [
            Column(heading="trace", name=True),
            Column(heading="policy", name=True),
            *(f"{size:,}" for size in sizes),
        ],
        _over_sizes(rows, run_name),
        grouped=True,
    )
    _print_tenants(rows, traces, sizes, run_name)
    costs = _costs(policies, sizes, setting)
    with writing(page), progress(f"Writing {page}", None):
        write_page(page, rows, facts, costs, command=command_words(context))
    say(f"page: {page}")
    if json is not None:
        write_json(
            json,
            {
                "costs": costs,
                "definition": "resident at its access, per block, first accesses included",
                "machine": machine(),
                "rows": rows,
                "seed": seed,
            },
        )
        say(f"figures: {json}")


def _read(name: str, *, requests: int, seed: int) -> Accesses:
    """Accesses of a file, or generated ones."""
    from mcos_sim.residency.accesses import accesses_of, generated
    from mcos_sim.traffic.trace import read_trace

    if name in ("sessions", "agents"):
        with progress(f"Generating {name}", None):
            return generated(name, requests=requests, seed=seed)
    with progress(f"Reading {name}", None):
        read = read_trace(name, seed=seed)
        found = accesses_of(read)
    for remark in read.remarks:
        say(f"{name}: warning: {remark}")
    return found


def _require_room(accesses: Accesses) -> None:
    if len(accesses.names) > 15:
        raise UserError(
            f"--flood needs room for one more tenant, and {accesses.name} has "
            f"{len(accesses.names)} of 16; add --tenants 15"
        )


def _require_tenant(option: str, name: str, traces: Iterable[Accesses]) -> None:
    for each in traces:
        if name not in each.names:
            raise UserError(
                f"{option} must name a tenant of {each.name}, one of {', '.join(each.names)}, "
                f"not {name!r}"
            )


def _by_tenant(
    option: str,
    given: Iterable[str] | None,
    traces: Sequence[Accesses],
    *,
    least: int,
    most: int,
) -> dict[str, int]:
    """Numbers by tenant from ``TENANT=NUMBER``."""
    found: dict[str, int] = {}
    for text in given or ():
        name, equals, number = text.rpartition("=")
        if not equals or not number.isdecimal() or not least <= int(number) <= most:
            raise UserError(
                f"{option} must be TENANT=NUMBER with a number in {least}..{most}, not {text!r}"
            )
        _require_tenant(option, name, traces)
        found[name] = int(number)
    return found


def _over_sizes(rows: Sequence[dict[str, Any]], run_name: Any) -> Iterable[list[str]]:
    """A line a run, its hit rates side by side by size."""
    lines: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        key = (row["trace"], run_name(row))
        lines.setdefault(key, list(key)).append(f"{row['hit_rate']:.4f}")
    return lines.values()


def _print_tenants(
    rows: Sequence[dict[str, Any]],
    traces: Iterable[Accesses],
    sizes: Sequence[int],
    run_name: Any,
) -> None:
    """A table of each trace with several tenants, at the size in the middle."""
    size = sizes[len(sizes) // 2]
    for each in traces:
        if len(each.names) > 1:
            print_table(
                f"{each.name}, {size:,} blocks: hit rate by tenant",
                [Column(heading="policy", name=True), *each.names],
                [
                    [run_name(row)]
                    + [
                        f"{row['tenants'][name]:.4f}" if name in row["tenants"] else "-"
                        for name in each.names
                    ]
                    for row in rows
                    if row["trace"] == each.name and row["blocks"] == size
                ],
            )


def _costs(
    policies: Iterable[Policy], sizes: Sequence[int], setting: Setting
) -> list[dict[str, str]]:
    """What gates need for each policy at the least and the largest size."""
    from mcos_sim.residency.cost import cost

    return [
        {
            "policy": str(policy),
            "blocks": f"{size:,}",
            "frame_bits": f"{needed.frame_bits:,}",
            "ghost_bits": f"{needed.ghost_bits:,}",
            "table_bits": f"{needed.table_bits:,}",
            "reads": f"{needed.reads:,}",
            "updates": needed.updates,
        }
        for policy in policies
        for size in dict.fromkeys((sizes[0], sizes[-1]))
        if (needed := cost(policy, size, setting)) is not None
    ]
