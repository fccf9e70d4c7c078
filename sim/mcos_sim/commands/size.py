"""``mcos size``: from a service's words to a tenant of a contract, and what hardware takes."""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mcos_hw.config import ChannelConfig
from mcos_policy.diagnostics import RuleError
from mcos_policy.units import DURATION, RATE, SIZE, Quantity
from mcos_sim.commands.options import MOST_OUTSTANDING, json_option
from mcos_sim.console import output, print_table, require_outputs, say, tell, write_json
from mcos_sim.errors import ExitCode, UserError
from mcos_sim.tables import Column

if TYPE_CHECKING:
    from mcos_policy.sizing import Service, Sizing

__all__ = [
    "EXAMPLE",
    "command",
]


EXAMPLE = (
    "mcos size --model llama-3-8b --tokens-per-second 2000 --context 8192 --batch 32 "
    '--tbt "40 ms" --channels 96'
)

_MOST = 10**15
"""Of every number: more than any memory has."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Demand:
    """What a service has to do, and over how many channels; all of it is needed."""

    tokens_per_second: Annotated[
        int | None,
        typer.Option(
            min=1, max=_MOST, help="Tokens of all sequences together.", show_default=False
        ),
    ] = None
    context: Annotated[
        int | None,
        typer.Option(min=1, max=_MOST, help="Tokens of a sequence.", show_default=False),
    ] = None
    batch: Annotated[
        int | None,
        typer.Option(min=1, max=_MOST, help="Sequences of a step.", show_default=False),
    ] = None
    tbt: Annotated[
        str | None,
        typer.Option(
            metavar="DURATION",
            help="Time between two tokens of a sequence, at most.",
            show_default=False,
        ),
    ] = None
    channels: Annotated[
        int | None, typer.Option(min=1, max=1024, help="Memory channels.", show_default=False)
    ] = None

    def figures(self) -> tuple[int, int, int, str, int]:
        """Tokens a second, context, batch, time between tokens, and channels.

        Raises
        ------
        UserError
            If one of them was not given.
        """
        given = dataclasses.asdict(self)
        absent = [f"--{name.replace('_', '-')}" for name, each in given.items() if each is None]
        if absent:
            raise UserError(
                f"{', '.join(absent)} must be given for a service; add what is missing, or ask "
                "for the hardware's figures with --hardware"
            )
        tokens, context, batch, tbt, channels = given.values()
        return tokens, context, batch, tbt, channels


@dataclasses.dataclass(frozen=True, kw_only=True)
class HardwareFigures:
    """What hardware takes, as it was measured, instead of a service."""

    hardware: Annotated[
        bool,
        typer.Option(
            "--hardware", help="Show clock and resources of a channel as they were measured."
        ),
    ] = False
    target: Annotated[
        str | None,
        typer.Option(help="Those for a target: ecp5, ultrascale+, asap7.", show_default="all"),
    ] = None
    tenants: Annotated[
        int | None, typer.Option(help="Those of so many tenants.", show_default="all")
    ] = None
    grant_interval: Annotated[
        int | None,
        typer.Option(
            help="Those of an interval from grant to grant: 1 for the line rate, 4 to 8 for the "
            "compact channel.",
            show_default="all",
        ),
    ] = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class ModelOptions:
    """What the service reads: a known model's, or given in bytes."""

    model: Annotated[
        str | None,
        typer.Option(help="Model whose weights and KV are read.", show_default=False),
    ] = None
    weight_bytes: Annotated[
        int | None,
        typer.Option(
            min=1, max=_MOST, help="Bytes of all weights, without --model.", show_default=False
        ),
    ] = None
    active_bytes: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=_MOST,
            help="Bytes of the weights that a step reads, where experts are chosen.",
            show_default="all",
        ),
    ] = None
    kv_bytes_per_token: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=_MOST,
            help="Bytes of K and V of a token, without --model.",
            show_default=False,
        ),
    ] = None

    def read_bytes(self) -> tuple[int, int, int]:
        """Bytes of all weights, of those that a step reads, and of a token's KV.

        Raises
        ------
        UserError
            If neither or both ways are given, or a step reads more than there is.
        """
        from mcos_sim.traffic.models import MODELS, find_model

        if self.model is not None:
            given = (self.weight_bytes, self.kv_bytes_per_token, self.active_bytes)
            if any(each is not None for each in given):
                raise UserError(
                    "--model must come without --weight-bytes, --active-bytes and "
                    "--kv-bytes-per-token; leave them out, or leave --model out"
                )
            geometry = find_model(self.model)
            return geometry.weight_bytes, geometry.weight_bytes, geometry.kv_bytes_per_token
        weight_bytes, kv_bytes = self.weight_bytes, self.kv_bytes_per_token
        if weight_bytes is None or kv_bytes is None:
            raise UserError(
                f"--model must be one of {', '.join(sorted(MODELS))}, or --weight-bytes and "
                "--kv-bytes-per-token must be given; add one or the others"
            )
        read = weight_bytes if self.active_bytes is None else self.active_bytes
        if read > weight_bytes:
            raise UserError(
                f"--active-bytes must be at most the {weight_bytes} of --weight-bytes, not {read}; "
                "lower it"
            )
        return weight_bytes, read, kv_bytes


@dataclasses.dataclass(frozen=True, kw_only=True)
class MemoryOptions:
    """The memory that the service reads from."""

    rate: Annotated[
        str | None,
        typer.Option(
            metavar="RATE",
            help="What a channel passes, as under [memory].",
            show_default="the hardware's",
        ),
    ] = None
    window: Annotated[
        int, typer.Option(min=1, max=MOST_OUTSTANDING, help="Requests outstanding on a channel.")
    ] = 64
    request_bytes: Annotated[int, typer.Option(help="Bytes of a request.")] = 512
    memory_size: Annotated[
        str | None,
        typer.Option(
            metavar="SIZE", help="Memory that must hold weights and KV.", show_default=False
        ),
    ] = None

    def channel_rate(self, config: ChannelConfig) -> Fraction:
        """Bytes per second of a channel.

        Raises
        ------
        UserError
            If it is none that the hardware's channel can have.
        """
        from mcos_policy.quantize import memory_rates

        least, most = memory_rates(config)
        rate = most if self.rate is None else _quantity("--rate", RATE, self.rate)
        if not least <= rate <= most:
            raise UserError(
                f"--rate must be in {RATE.show(least)}..{RATE.show(most)}, the rate of the "
                f"hardware's channel, not {self.rate!r}"
            )
        return rate

    def require_request(self, config: ChannelConfig) -> None:
        """Refuse requests that the hardware does not have.

        Raises
        ------
        UserError
            If they are such.
        """
        size, beat, most = self.request_bytes, config.beat_bytes, config.l_max
        if not beat <= size <= most or size % beat:
            raise UserError(
                f"--request-bytes must be a multiple of {beat} in {beat}..{most}, not {size}"
            )


def command(
    *,
    demand: Demand,
    model: ModelOptions,
    memory: MemoryOptions,
    hardware: HardwareFigures,
    name: Annotated[str, typer.Option(help="Name of the tenant.")] = "decode",
    json: Annotated[Path | None, json_option("the numbers")] = None,
) -> None:
    """Work out guarantee, burst and latency objective of a decode service.

    Every step reads the weights once and the KV of every sequence of the batch. Each line has its
    formula and its figures; the last ones are a tenant for a contract, as TOML. With --hardware it
    shows instead which clock and how many cells a channel takes.
    """
    from mcos_policy.sizing import Service, size

    require_outputs([json])
    if hardware.hardware:
        _show_hardware(hardware, json)
        return
    tokens_per_second, context, batch, tbt, channels = demand.figures()
    config = ChannelConfig()
    weights, read, kv = model.read_bytes()
    rate = memory.channel_rate(config)
    memory.require_request(config)
    held = memory.memory_size
    service = Service(
        name=_name(name),
        weight_bytes=weights,
        read_bytes=read,
        kv_bytes_per_token=kv,
        tokens_per_second=Fraction(tokens_per_second),
        context=context,
        batch=batch,
        tbt=_quantity("--tbt", DURATION, tbt),
        channels=channels,
        rate=rate,
        window=memory.window,
        request_bytes=memory.request_bytes,
        memory_size=None if held is None else int(_quantity("--memory-size", SIZE, held)),
    )
    sizing = size(service, config)
    if json is not None:
        write_json(json, _record(sizing, model.model))
    _show(sizing, model.model)
    if sizing.misfits:
        for misfit in sizing.misfits:
            say(f"mcos: error: {misfit}")
        raise typer.Exit(ExitCode.USER_ERROR)


def _show_hardware(asked: HardwareFigures, json: Path | None) -> None:
    from mcos_sim.synthesis import figures

    wanted = figures.Wanted(
        target=asked.target, tenants=asked.tenants, grant_interval=asked.grant_interval
    )
    rows = wanted.of(figures.read())
    if json is not None:
        write_json(json, {"figures": rows})
    output.print(figures.render(rows))
    tell("L is the lateness and N the grant interval; docs/timing.md says what is measured.")


def _quantity(option: str, kind: Quantity, text: str) -> Fraction:
    try:
        return kind.parse(text)
    except RuleError as error:
        raise UserError(f"{option} {error.rule}, not {text!r}; {error.way_out}") from None


def _name(name: str) -> str:
    from mcos_policy.contract import tenant_name

    try:
        return tenant_name(name)
    except RuleError as error:
        raise UserError(f"--name {error.rule}, not {name!r}; {error.way_out}") from None


def _show(sizing: Sizing, model: str | None) -> None:
    from mcos_policy.rounding import rounded

    of = sizing.service
    of_model = "" if model is None else f" of {model}"
    read = (
        ""
        if of.read_bytes == of.weight_bytes
        else (f", {SIZE.show(rounded(Fraction(of.read_bytes)))} of them read in a step")
    )
    tell(
        f"Weights{of_model}: {SIZE.show(rounded(Fraction(of.weight_bytes)))}{read}; KV: "
        f"{SIZE.show(rounded(Fraction(of.kv_bytes_per_token)))} a token, "
        f"{SIZE.show(rounded(Fraction(of.kv_bytes)))} of {of.batch:,} sequences of "
        f"{of.context:,} tokens."
    )
    output.print()
    columns = [
        "value",
        Column(heading="is", justify="right"),
        Column(heading="formula", words=True),
        Column(heading="figures", words=True),
    ]
    rows = [[line.name, line.value, line.formula, line.figures] for line in sizing.lines]
    print_table("", columns, rows)
    for remark in sizing.remarks:
        tell(f"Note: {remark}.")
    if sizing.misfits:
        return
    output.print()
    tell(
        f"# For a contract with [fabric] channels = {of.channels}",
    )
    tell(f'# and [memory] rate = "{RATE.show(of.rate)}".')
    for line in sizing.block.splitlines():
        tell(line)


def _record(sizing: Sizing, model: str | None) -> dict[str, Any]:
    of: Service = sizing.service
    return {
        "block": None if sizing.misfits else sizing.block,
        "burst_duration_ns": float(sizing.burst_duration * 10**9),
        "burst_gbps": float(of.burst / 10**9),
        "bytes_per_step": of.step_bytes,
        "channels": of.channels,
        "fits": not sizing.misfits,
        "guaranteed_gbps": float(of.guaranteed / 10**9),
        "kv_bytes": of.kv_bytes,
        "kv_bytes_per_token": of.kv_bytes_per_token,
        "latency_slo_ns": float(sizing.latency_slo * 10**9),
        "limit_gbps": float(of.limit / 10**9),
        "misfits": list(sizing.misfits),
        "model": model,
        "name": of.name,
        "rate_gbps": float(of.rate / 10**9),
        "remarks": list(sizing.remarks),
        "step_time_ns": float(of.step_time * 10**9),
        "steps_per_second": float(of.steps_per_second),
        "weight_bytes": of.weight_bytes,
        "weight_bytes_read": of.read_bytes,
    }
