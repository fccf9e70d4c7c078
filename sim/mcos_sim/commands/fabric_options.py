"""Options that say how many channels there are, and which AXI ports stand in front of them."""

from __future__ import annotations

import dataclasses
import enum
from pathlib import Path
from typing import Annotated, Any

import typer

from mcos_hw.config import CHANNELS, RANGES, ChannelConfig, FabricConfig, MemoryProtocol, PortConfig
from mcos_sim.commands.hardware_options import HardwareOptions
from mcos_sim.errors import UserError

__all__ = [
    "DataBits",
    "FabricOptions",
]


class DataBits(enum.StrEnum):
    """Widths of a port's data bus."""

    BITS_64 = "64"
    BITS_128 = "128"
    BITS_256 = "256"
    BITS_512 = "512"


def _default(value: object) -> str:
    return f"{value} with --top axi"


@dataclasses.dataclass(frozen=True, kw_only=True)
class FabricOptions:
    """The fabric that options ask for; None where an option was not given."""

    channels: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=CHANNELS[-1],
            help="Channels, over which addresses are interleaved; a power of two.",
            show_default=_default(1),
        ),
    ] = None
    ports: Annotated[
        int | None,
        typer.Option(
            min=1, max=16, help="AXI ports, each for a manager.", show_default=_default(1)
        ),
    ] = None
    data_bits: Annotated[
        DataBits | None,
        typer.Option(
            help="Bits of each port's data.", show_default=_default(8 * PortConfig.data_bytes)
        ),
    ] = None
    axi_id_bits: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=16,
            help="Bits of an ID at each port.",
            show_default=_default(PortConfig.id_width),
        ),
    ] = None
    table_rows: Annotated[
        int | None,
        typer.Option(
            help="Rows of each port's tenant table.", show_default=_default(PortConfig.table_rows)
        ),
    ] = None
    outstanding: Annotated[
        int | None,
        typer.Option(
            help="Reads, and writes, that each port can have under way.",
            show_default=_default(PortConfig.reads),
        ),
    ] = None
    memory_protocol: Annotated[
        MemoryProtocol | None,
        typer.Option(help="What the memory port speaks.", show_default=_default("axi4")),
    ] = None
    power: Annotated[
        bool | None,
        typer.Option(
            "--power",
            help="Add a power governor, with a broadcast cap as an input.",
            show_default=False,
        ),
    ] = None

    def require_none(self) -> None:
        """No option was given.

        Raises
        ------
        UserError
            If one was.
        """
        for field in dataclasses.fields(self):
            if getattr(self, field.name) is not None:
                option = f"--{field.name.replace('_', '-')}"
                raise UserError(f"{option} must be left out without --top axi; add that option")

    def config(self, contract: Path | None, hardware: HardwareOptions) -> FabricConfig:
        """The fabric that is asked for.

        A beat of its channel is a clock's worth, and the longest request keeps its bytes as far as
        16 beats hold them.

        Raises
        ------
        UserError
            If there is none such.
        ContractError
            If the contract is at fault.
        """
        if hardware.id_width is not None:
            raise UserError(
                "--id-width must be left out with --top axi, where --outstanding decides it; "
                "--axi-id-bits gives the IDs of the ports"
            )
        channel = _channel(contract, hardware)
        given: dict[str, Any] = {
            "data_bytes": None if self.data_bits is None else int(self.data_bits) // 8,
            "id_width": self.axi_id_bits,
            "table_rows": self.table_rows,
        }
        try:
            port = PortConfig(**{key: value for key, value in given.items() if value is not None})
            if port.data_bytes > channel.l_max:
                raise UserError(
                    f"--data-bits must be at most {8 * channel.l_max}, the longest request, not "
                    f"{8 * port.data_bytes}; choose fewer"
                )
            outstanding = port.reads if self.outstanding is None else self.outstanding
            channels = 1 if self.channels is None else self.channels
            port = port.with_outstanding(outstanding, max_beats=channel.max_beats * channels)
            fabric = FabricConfig.around(
                channel,
                channels=channels,
                ports=(port,) * (1 if self.ports is None else self.ports),
                memory_protocol=self.memory_protocol or MemoryProtocol.AXI4,
            )
            return dataclasses.replace(fabric, power=bool(self.power))
        except ValueError as error:
            raise UserError(f"{_as_options(str(error))}; choose another") from None

    def words(self, fabric: FabricConfig) -> list[str]:
        """Words of a command line that ask for these ports again."""
        port = fabric.ports[0]
        channels = ["--channels", str(fabric.channels)] if fabric.channels > 1 else []
        return [
            *channels,
            *("--ports", str(len(fabric.ports))),
            *("--data-bits", str(8 * port.data_bytes)),
            *("--axi-id-bits", str(port.id_width)),
            *("--table-rows", str(port.table_rows)),
            *("--outstanding", str(port.reads)),
            *("--memory-protocol", fabric.memory_protocol.value),
            *(["--power"] if fabric.power else []),
        ]


def _channel(contract: Path | None, hardware: HardwareOptions) -> ChannelConfig:
    """The channel that is asked for, with a clock's worth as its beat."""
    from mcos_policy.compiler import examine

    default = hardware.default
    low, high = RANGES["beat_bytes"]
    # What the contract and the options ask for in bytes per clock, whatever else is wrong.
    narrow = dataclasses.replace(default, beat_bytes=low)
    if contract is None:
        beat = hardware.config(default=narrow).bytes_per_clock
    else:
        beat = examine(contract, narrow, options=hardware.sizes).config.bytes_per_clock
    if beat & (beat - 1) or beat > high:
        raise UserError(
            f"bytes_per_clock must be a power of two in {low}..{high} with --top axi, a beat of "
            f"the memory port, not {beat}; choose another"
        )
    fitted = dataclasses.replace(
        default,
        bytes_per_clock=beat,
        beat_bytes=beat,
        max_beats=min(RANGES["max_beats"][1], max(2, default.l_max // beat)),
    )
    channel = hardware.config(contract, default=fitted)
    if channel.beat_bytes != beat:
        raise UserError(
            f"beat_bytes must be bytes_per_clock with --top axi, {beat}, not {channel.beat_bytes}; "
            "leave it out"
        )
    return channel


def _as_options(text: str) -> str:
    """A fault of a size, by the name of its option."""
    names = {"channels": "--channels", "reads": "--outstanding", "table_rows": "--table-rows"}
    first, space, rest = text.partition(" ")
    return names.get(first, first) + space + rest
