"""``mcos residency``: which blocks of a KV cache to keep, by policy, size and hints."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mcos_sim.commands.options import MOST_SEED, json_option
from mcos_sim.console import print_table, progress, require_outputs, say, tell, write_json
from mcos_sim.residency.names import Policy
from mcos_sim.tables import Column

__all__ = [
    "EXAMPLE",
    "command",
]


EXAMPLE = "mcos residency --trace build/trace.jsonl --blocks 1000 --blocks 5000"

_MOST_BLOCKS = 1 << 24


def command(
    trace: Annotated[
        list[Path], typer.Option(metavar="FILE", help="Trace with prefix blocks, Mooncake JSON.")
    ],
    blocks: Annotated[
        list[int] | None,
        typer.Option(
            min=1,
            max=_MOST_BLOCKS,
            help="Blocks that the cache holds.",
            show_default="1000, 5000, 20000",
        ),
    ] = None,
    policy: Annotated[
        list[Policy] | None, typer.Option(help="Who leaves a full cache.", show_default="all")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, max=MOST_SEED, help="Seed of everything random.")] = 1,
    json: Annotated[Path | None, json_option("the figures")] = None,
) -> None:
    """Replay a trace through a cache of KV blocks and count hits.

    A hit is a block that is resident at its access, counted per block over all requests; first
    accesses, which nobody can hit, are included.
    """
    from mcos_sim.machine import machine
    from mcos_sim.residency.accesses import accesses_of
    from mcos_sim.residency.replay import Setting
    from mcos_sim.residency.study import Study
    from mcos_sim.traffic.trace import read_trace

    require_outputs([json], inputs=trace)
    traces = []
    for each in trace:
        with progress(f"Reading {each}", None):
            read = read_trace(each, seed=seed)
            traces.append(accesses_of(read))
        for remark in read.remarks:
            say(f"{each}: warning: {remark}")
    study = Study(
        traces=traces,
        blocks=blocks or [1000, 5000, 20000],
        policies=policy or list(Policy),
        setting=Setting(seed=seed),
    )
    with progress("Replaying accesses", study.work, unit="accesses") as advance:
        rows = list(study.run(advance))
    for accesses in traces:
        tell(
            f"{accesses.name}: {accesses.requests:,} requests, {len(accesses):,} accesses to "
            f"{accesses.distinct:,} blocks"
        )
    print_table(
        "Part of the accesses that hit",
        [
            *(Column(heading=name, name=True) for name in ("trace", "policy", "hints")),
            "blocks",
            "hit rate",
            "of prefixes",
        ],
        [
            (
                Path(row["trace"]).name,
                row["policy"],
                row["hints"],
                f"{row['blocks']:,}",
                f"{row['hit_rate']:.4f}",
                f"{row['prefix_hit_rate']:.4f}",
            )
            for row in rows
        ],
    )
    if json is not None:
        write_json(json, {"machine": machine(), "rows": rows, "seed": seed})
        say(f"figures: {json}")
