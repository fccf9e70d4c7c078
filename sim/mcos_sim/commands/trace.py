"""``mcos trace``: what a trace holds, or a generated one."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from mcos_policy.files import write_text
from mcos_sim.commands.options import MOST_SEED, json_option
from mcos_sim.console import print_table, progress, require_outputs, say, tell, write_json, writing
from mcos_sim.errors import UserError
from mcos_sim.tables import Column

__all__ = [
    "EXAMPLE",
    "command",
]


EXAMPLE = "mcos trace --generate mooncake --requests 500 --seed 1 -o build/trace.jsonl"


def _span(nanoseconds: int) -> str:
    if nanoseconds < 10**9:
        return f"{nanoseconds / 1e6:.3g} ms"
    return f"{nanoseconds / 1e9:,.1f} s"


def _summary_rows(summary: Mapping[str, Any]) -> list[tuple[str, str]]:
    rows = [
        ("format", summary["format"]),
        ("requests", f"{summary['requests']:,}"),
        ("span", _span(summary["span_ns"])),
        ("time resolution", f"{summary['resolution_ns'] / 1e6:g} ms"),
    ]
    for name in ("input_tokens", "output_tokens"):
        tokens = summary[name]
        text = ", ".join(f"{key} {tokens[key]:,}" for key in ("p50", "p90", "p99"))
        rows.append(
            (name.replace("_", " "), f"{text}, max {tokens['p100']:,}, total {tokens['total']:,}")
        )
    if summary["prefix_blocks"]:
        text = (
            f"{summary['prefix_blocks']:,}, {summary['distinct_prefix_blocks']:,} distinct, "
            f"{summary['prefix_hit_tokens']:,} prompt tokens hit"
        )
        rows.append(("prefix blocks", text))
    return rows


def _model_rows(summary: Mapping[str, Any]) -> list[tuple[str, str]]:
    names = {
        "weight_bytes": "weights",
        "kv_bytes_per_token": "KV a token",
        "kv_written_bytes": "KV written",
        "kv_read_bytes": "KV read by decode",
    }
    return [
        ("model", f"{summary['model']} ({summary['model_source']})"),
        ("channels", f"{summary['channels']:,}"),
        *(
            (label, f"{summary[name]:,} B, {summary['channel'][name]:,.0f} B a channel")
            for name, label in names.items()
        ),
    ]


def command(
    file: Annotated[
        Path | None,
        typer.Argument(help="Trace, Mooncake JSON lines or Azure CSV.", show_default=False),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(help="Also show bytes, for a model such as llama-3-70b.", show_default=False),
    ] = None,
    channels: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=1_000_000,
            help="Channels the bytes are spread over.",
            show_default="the model's",
        ),
    ] = None,
    json: Annotated[Path | None, json_option("the figures")] = None,
    generate: Annotated[
        str | None,
        typer.Option(
            metavar="FORMAT",
            help="Write a generated trace instead: mooncake, azure, sessions or agents.",
            show_default=False,
        ),
    ] = None,
    requests: Annotated[
        int, typer.Option(min=1, max=1_000_000, help="Requests to generate.")
    ] = 1000,
    seed: Annotated[
        int,
        typer.Option(
            min=0, max=MOST_SEED, help="Seed of the generator, or of arrivals in a coarse trace."
        ),
    ] = 0,
    trace: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="TRACE", help="Trace to generate.", show_default=False
        ),
    ] = None,
) -> None:
    """Show what a trace of an inference service holds, or generate one.

    The format is told from the content. Generated traces have log-normal lengths and Poisson
    arrivals; the same arguments always give the same bytes.
    """
    from mcos_sim.traffic.generator import generate_trace
    from mcos_sim.traffic.models import find_model
    from mcos_sim.traffic.summary import model_summary, trace_summary
    from mcos_sim.traffic.trace import read_trace

    if generate is not None:
        if file is not None or model is not None or channels is not None or json is not None:
            raise UserError(
                "--generate must come without FILE, --model, --channels and --json; "
                "generate first, then show the trace"
            )
        if trace is None:
            raise UserError("--generate must come with -o TRACE, the file to write")
        require_outputs([trace])
        with writing(trace), progress(f"Generating {requests:,} requests", None):
            text = generate_trace(generate, requests=requests, seed=seed)
            write_text(trace, text)
        tell(f"{trace}: {requests} requests, {generate}, seed {seed}")
        return
    if file is None:
        raise UserError("give a trace FILE to show, or --generate mooncake -o TRACE")
    if trace is not None:
        raise UserError("-o must come with --generate; figures are written with --json PATH")
    if channels is not None and model is None:
        raise UserError("--channels must come with --model, whose bytes it divides")

    require_outputs([json], inputs=[file])
    geometry = None if model is None else find_model(model)
    with progress(f"Reading {file}", None):
        shown = read_trace(file, seed=seed)
    for remark in shown.remarks:
        say(f"{file}: warning: {remark}")
    with progress(f"Counting what {file} holds", None):
        summary = trace_summary(shown)
    rows = _summary_rows(summary)
    if geometry is not None:
        count = geometry.channels if channels is None else channels
        bytes_summary = model_summary(shown, geometry, count)
        rows += _model_rows(bytes_summary)
        summary["model"] = bytes_summary
    if json is not None:
        write_json(json, summary)
    print_table(str(file), ["", Column(heading="", words=True)], rows, headings=False)
