"""Options that several commands have."""

import dataclasses
import enum
import os
import re
import shlex
from pathlib import Path
from typing import Annotated, Any

import typer

from mcos_hw.config import ChannelConfig
from mcos_policy.samples import SAMPLES, contract_path, contract_words
from mcos_sim.engines.dispatch import Engine
from mcos_sim.errors import UserError
from mcos_sim.memory.name import MemoryName

__all__ = [
    "CONTRACT_HELP",
    "CORES",
    "MOST_CLOCKS",
    "MOST_OUTSTANDING",
    "MOST_SEED",
    "Arbiter",
    "Contract",
    "ContractOfMemory",
    "Memory",
    "PortKind",
    "PortOption",
    "PortsOption",
    "Setup",
    "Workers",
    "clock_span",
    "command_words",
    "contract_argument",
    "contract_for",
    "json_option",
    "require_axi",
]


CONTRACT_HELP = "Contract file, TOML, or a sample's name."

Memory = Annotated[MemoryName, typer.Option(help="What stands behind the channel.")]


def contract_argument(
    help: str, *, metavar: str = "CONTRACT", show_default: str | bool = False
) -> Any:
    """An argument that names a contract: its file, or a sample.

    Parameters
    ----------
    help : str
        What it is.
    metavar : str
        What the usage calls it.
    show_default : str or bool
        What stands in the help as its default.
    """
    return typer.Argument(
        parser=contract_path, metavar=metavar, help=help, show_default=show_default
    )


def json_option(what: str) -> Any:
    """An option that writes something as JSON as well.

    Parameters
    ----------
    what : str
        What is written, such as ``the figures``.
    """
    return typer.Option(metavar="PATH", help=f"Also write {what} as JSON.", show_default=False)


Contract = Annotated[Path, contract_argument(CONTRACT_HELP)]

ContractOfMemory = Annotated[
    Path | None,
    contract_argument(
        "Contract with the essay's tenants.", show_default="decode-prefill, or that of the memory"
    ),
]

Workers = Annotated[
    int, typer.Option(min=1, max=1024, help="Processes.", show_default="one a core")
]

MOST_SEED = 2**32 - 1
"""Seeds of all generators fit."""

MOST_CLOCKS = 100_000_000
"""Clocks of one run: two minutes of the fastest engine, and 0.1 s of the hardware."""

MOST_OUTSTANDING = (1 << ChannelConfig.id_width) - 1
"""Requests that one tenant can have outstanding."""

CORES = os.cpu_count() or 1


class PortKind(enum.StrEnum):
    """Where requests come in."""

    CHANNEL = "channel"
    AXI = "axi"


PortOption = Annotated[
    PortKind,
    typer.Option(
        "--port",
        help="Requests at the channel itself, or bursts at AXI ports, every byte checked.",
    ),
]


PortsOption = Annotated[
    int | None,
    typer.Option(
        "--ports",
        min=1,
        max=16,
        help="AXI ports; tenants are dealt over them by tag. On one port AXI couples them.",
        show_default="one for each tenant",
    ),
]


def require_axi(ports: int | None, port: PortKind) -> None:
    """Refuse a number of AXI ports without AXI.

    Raises
    ------
    UserError
        If there is one.
    """
    if ports is not None and port is not PortKind.AXI:
        raise UserError(f"--ports must go with --port axi, not {port.value}; add --port axi")


class Arbiter(enum.StrEnum):
    """Arbiters, as commands spell them."""

    MCOS = "mcos"
    FCFS = "fcfs"
    ROUND_ROBIN = "round-robin"
    FIXED_PRIORITY = "fixed-priority"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Setup:
    """What a run is of, beside its contract and its traffic."""

    arbiter: Annotated[Arbiter, typer.Option(help="Arbiter that the hardware is built with.")] = (
        Arbiter.MCOS
    )
    engine: Annotated[
        Engine,
        typer.Option(
            help="The RTL verilated, seconds once built; in cocotb, with every check; or the model."
        ),
    ] = Engine.VERILATED
    clocks: Annotated[
        int, typer.Option(min=2_000, max=MOST_CLOCKS, help="Length of a run without --trace.")
    ] = 200_000
    seed: Annotated[int, typer.Option(min=0, max=MOST_SEED, help="Seed of everything random.")] = 1
    memory: Memory = MemoryName.SIMPLE


def contract_for(memory: MemoryName) -> Path:
    """The contract of the essay's tenants for a memory: what HBM passes is less than its rate."""
    name = "decode-prefill" if memory is MemoryName.SIMPLE else "decode-prefill-hbm3"
    return SAMPLES[name]


def clock_span(option: str, text: str) -> tuple[int, int]:
    """First clock, and the clock after the last, of an option's ``A:B``.

    Raises
    ------
    UserError
        If it is not of that form, or A is not before B.
    """
    match = re.fullmatch(r"(\d{1,18}):(\d{1,18})", text)
    if match is None or int(match[1]) >= int(match[2]):
        raise UserError(
            f"{option} must be two clocks A:B with A before B, not {text!r}; "
            f"for example {option} 1000:2000"
        )
    return int(match[1]), int(match[2])


def command_words(context: typer.Context) -> str:
    """The command line that repeats a command, as far as it was given one.

    Parameters
    ----------
    context : typer.Context
        The command's.
    """
    words = ["mcos", context.info_name or ""]
    options = []
    for parameter in context.command.params:
        value = context.params.get(parameter.name or "")
        source = context.get_parameter_source(parameter.name or "")
        if source is None or source.name != "COMMANDLINE":
            continue
        if parameter.param_type_name == "argument":
            words.append(contract_words(value) if isinstance(value, Path) else str(value))
        elif value is True:
            options.append(parameter.opts[0])
        else:
            for each in value if isinstance(value, list | tuple) else [value]:
                options += [parameter.opts[0], str(each)]
    return shlex.join([*words, *options])
