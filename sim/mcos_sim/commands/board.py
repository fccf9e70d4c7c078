"""``mcos board``: arbiters side by side on a board, or on the same board in co-simulation."""

from __future__ import annotations

import contextlib
import dataclasses
import json as json_format
import time
from collections.abc import Callable, Generator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mcos_sim.commands.options import contract_argument
from mcos_sim.console import progress, require_outputs, say, tell, write_json
from mcos_sim.errors import HardwareError, UserError

if TYPE_CHECKING:
    from mcos_hw.config import ChannelConfig
    from mcos_policy.client.board import Board
    from mcos_policy.client.framed import Line
    from mcos_policy.compiler import Compiled
    from mcos_sim.board.comparison import Comparison, LaneFound

__all__ = [
    "EXAMPLE",
    "command",
]


EXAMPLE = "mcos board --simulated"

_FRAMES = 20
"""Times that the table moves in each phase."""

_SIMULATED_BIT_CLOCKS = 4
"""Clocks of a bit in co-simulation: the fewest that there can be."""

_SIMULATED_EPOCH = Fraction(1, 500)
"""Seconds of an epoch in co-simulation: longer than its counters take to read."""


def command(
    contract: Annotated[
        Path | None,
        contract_argument("Contract, TOML, or a sample's name.", show_default="ulx3s"),
    ] = None,
    serial: Annotated[
        str | None,
        typer.Option(
            metavar="DEVICE",
            help="Serial device of the board, such as /dev/ttyUSB0.",
            show_default=False,
        ),
    ] = None,
    simulated: Annotated[
        bool, typer.Option("--simulated", help="The board in co-simulation, built from its RTL.")
    ] = False,
    baud: Annotated[
        int | None,
        typer.Option(
            min=300, max=3_000_000, help="Bits a second of the device.", show_default="1000000"
        ),
    ] = None,
    seconds: Annotated[
        float,
        typer.Option(min=0.1, max=3600, help="Time of each phase on a board."),
    ] = 5.0,
    clocks: Annotated[
        int,
        typer.Option(min=2_000, max=10_000_000, help="Length of each phase in co-simulation."),
    ] = 60_000,
    arbiter: Annotated[
        str,
        typer.Option(
            metavar="NAME[,NAME]", help="Arbiters of the board in co-simulation, side by side."
        ),
    ] = "mcos,fcfs",
    beside: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="JSON of an earlier run, such as that of a board with another arbiter.",
            show_default=False,
        ),
    ] = None,
    json: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="Also write the figures as JSON.", show_default=False),
    ] = None,
    directory: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="DIR", help="Folder of the log of a co-simulation."),
    ] = Path("build/board"),
) -> None:
    """Compare arbiters on a board: load a contract, let its tenants ask, read what they had.

    Generators in the board are the tenants. Those with a latency_slo ask at a pace, first alone;
    then the others join, and ask for all that they can. Every read is checked. Latency counts from
    the offer of a request to its last answer, late answers are those of the last epoch.
    """
    from mcos_policy.client import ClientError
    from mcos_policy.client.board import Board
    from mcos_policy.client.framed import FramedTransport

    if simulated == (serial is not None):
        raise UserError(
            "one of --serial DEVICE and --simulated must be given, not "
            f"{'both' if simulated else 'none'}; choose one"
        )
    if simulated and baud is not None:
        raise UserError("--baud must go with --serial, not with --simulated; leave it out")
    require_outputs([json], inputs=[contract, beside], folders=[directory] if simulated else [])
    compiled = _compiled(contract, simulated=simulated)
    earlier = {} if beside is None else _earlier(beside, compiled)
    try:
        with contextlib.ExitStack() as stack:
            if serial is None:
                line, wait = stack.enter_context(_simulated(arbiter, directory))
            else:
                line, wait = stack.enter_context(_device(serial, baud, compiled.config))
            board = Board(FramedTransport(line), compiled.config, names=compiled.names)
            named = ", ".join(kind.name.lower() for kind in board.arbiters)
            hashed = board.lanes[0].core.registers.hash
            say(
                f"found: {line.name}, {board.tenants} tenants, register map {hashed:#010x}, "
                f"arbiters {named}"
            )
            khz = compiled.config.clock_khz
            length = clocks if simulated else round(1000 * khz * seconds)
            found = _compare(board, compiled, earlier, wait=wait, clocks=length)
    except ClientError as error:
        raise UserError(str(error)) from None
    if json is not None:
        write_json(
            json,
            {**found.row, "clocks": length, "board": "simulated" if simulated else "device"},
        )
    lanes = (*found.alone, *found.loaded)
    wrong = sum(each.wrong for lane in lanes for each in lane.tenants.values())
    if wrong:
        raise HardwareError(f"every beat that is read must be right, and {wrong:,} were not")


def _compiled(contract: Path | None, *, simulated: bool) -> Compiled:
    """The contract for a board; in co-simulation its epoch is short."""
    from mcos_policy.compiler import compile_contract
    from mcos_policy.samples import SAMPLES

    compiled = compile_contract(SAMPLES["ulx3s"] if contract is None else contract, _default())
    if simulated:
        fabric = dataclasses.replace(compiled.contract.fabric, epoch=_SIMULATED_EPOCH)
        short = dataclasses.replace(compiled.contract, fabric=fabric)
        origin = compiled.origin
        compiled = dataclasses.replace(compile_contract(short, _default()), origin=origin)
    return compiled


def _default() -> ChannelConfig:
    """Sizes that a contract does not ask for: those of the board, as software knows them."""
    from mcos_hw.config import ChannelConfig
    from mcos_hw.targets.ulx3s import board_config
    from mcos_policy.client.discovery import UNTOLD

    channel = board_config().fabric.channel
    usual = {name: getattr(ChannelConfig, name) for name in UNTOLD}
    return dataclasses.replace(channel, **usual)


@contextlib.contextmanager
def _simulated(
    arbiter: str, directory: Path
) -> Generator[tuple[Line, Callable[[int], None]], None, None]:
    """A simulated board, and what lets clocks pass in it."""
    from mcos_hw.targets.ulx3s import board_config
    from mcos_sim.board.simulated import build_board, simulated_board
    from mcos_sim.commands.verilog import arbiters_of

    config = board_config(arbiters_of(arbiter), bit_clocks=_SIMULATED_BIT_CLOCKS)
    with progress("Building the board's simulator from its Verilog", None):
        built = build_board(config)
    with simulated_board(config, directory, built=built) as line:
        yield line, line.wait


@contextlib.contextmanager
def _device(
    path: str, baud: int | None, config: ChannelConfig
) -> Generator[tuple[Line, Callable[[int], None]], None, None]:
    """A board at a serial device, and what lets clocks pass."""
    from mcos_hw.targets.ulx3s import BAUD
    from mcos_policy.client.serial_line import SerialLine

    def wait(clocks: int) -> None:
        time.sleep(clocks / (1000 * config.clock_khz))

    with SerialLine(path, baud=baud or BAUD) as line:
        yield line, wait


def _earlier(path: Path, compiled: Compiled) -> dict[str, tuple[LaneFound, ...]]:
    """Lanes of an earlier run."""
    from mcos_sim.board.comparison import read_lanes
    from mcos_sim.inputs import read_whole

    try:
        return read_lanes(json_format.loads(read_whole(path)), compiled)
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise UserError(
            f"{path} must be what --json of this command wrote of the same contract, not something "
            f"else ({error}); choose another"
        ) from None


def _compare(
    board: Board,
    compiled: Compiled,
    earlier: dict[str, tuple[LaneFound, ...]],
    *,
    wait: Callable[[int], None],
    clocks: int,
) -> Comparison:
    from mcos_sim.board.comparison import compare
    from mcos_sim.board.live import shown

    title = f"{compiled.origin['name']} at {compiled.config.clock_khz / 1000:g} MHz"
    with shown(title) as show:
        found = compare(
            board,
            compiled,
            wait=wait,
            clocks=clocks,
            frames=_FRAMES,
            on_frame=show,
            beside=earlier,
        )
    for lane in found.loaded:
        if lane.late is None:
            tell(f"{lane.arbiter.name}: no epoch has ended yet, so late answers are not counted")
    return found
