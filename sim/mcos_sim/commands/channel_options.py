"""Options that say how many channels of a contract's fabric are run, and behind which ports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mcos_hw.config import CHANNELS
from mcos_sim.commands.options import PortKind, require_axi
from mcos_sim.errors import UserError
from mcos_sim.ported.sizes import dealt

if TYPE_CHECKING:
    from mcos_policy.compiler import Compiled
    from mcos_sim.ported.sizes import Ports

__all__ = [
    "FABRIC_TENANTS",
    "ChannelsOption",
    "OwnPortsOption",
    "owns_ports",
    "port_kind",
    "ports_of",
    "require_channels",
]


FABRIC_TENANTS = 4
"""Tags of the hardware of several channels with the essay's workload: that many, since every tag
costs time in each."""

ChannelsOption = Annotated[
    int,
    typer.Option(
        "--channels",
        min=1,
        max=CHANNELS[-1],
        help="Channels that are run, of those of the contract. Several are behind AXI ports.",
    ),
]


OwnPortsOption = Annotated[
    bool | None,
    typer.Option(
        "--own-ports/--shared-ports",
        help="In front of several channels the tenants are dealt over the ports, at least one for "
        "each tenant unless --ports has fewer; or every tenant asks at each port, where AXI "
        "couples them.",
        show_default="own ports",
    ),
]


def port_kind(context: typer.Context, port: PortKind, channels: int) -> PortKind:
    """Where requests come in: several channels are always behind AXI ports.

    Raises
    ------
    UserError
        If the command line puts them elsewhere.
    """
    source = context.get_parameter_source("port")
    if channels > 1 and port is not PortKind.AXI and source and source.name == "COMMANDLINE":
        raise UserError(
            f"--channels must be 1 with --port {port.value}, not {channels}; leave --port out"
        )
    return PortKind.AXI if channels > 1 else port


def owns_ports(own: bool | None, channels: int) -> bool:
    """Whether tenants have ports of their own: in front of several channels, unless told otherwise.

    Raises
    ------
    UserError
        If the command line says it of one channel, whose tenants always have.
    """
    if own is not None and channels == 1:
        option = "--own-ports" if own else "--shared-ports"
        raise UserError(f"{option} must go with several --channels; leave it out, or add them")
    return channels > 1 and own is not False


def ports_of(
    compiled: Compiled,
    ports: int | None,
    *,
    port: PortKind,
    channels: int,
    own: bool = False,
) -> Ports:
    """Tags at each AXI port of a run; none without AXI.

    Parameters
    ----------
    compiled : Compiled
        The contract.
    ports : int or None
        Ports that the command line asks for.
    port : PortKind
        Where requests come in.
    channels : int
        Channels that are run.
    own : bool
        Whether tenants are dealt over the ports of several channels.

    Raises
    ------
    UserError
        If ports are asked for without AXI.
    """
    require_axi(ports, port)
    if port is not PortKind.AXI:
        return ()
    return dealt(compiled.names, ports, channels=channels, own=own)


def require_channels(compiled: Compiled, channels: int) -> None:
    """Refuse channels that hardware has not, or that are no part of a contract's.

    Raises
    ------
    UserError
        If their number is not a power of two or does not divide the contract's.
    """
    of_contract = compiled.contract.fabric.channels
    fitting = [each for each in CHANNELS if of_contract % each == 0]
    if channels not in fitting:
        raise UserError(
            f"--channels must be one of {', '.join(map(str, fitting))} with the {of_contract} "
            f"channels of {compiled.origin['name']}, not {channels}; choose another, or change "
            "channels in [fabric]"
        )
