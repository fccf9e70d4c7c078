"""What each port of the generic top means, and the groups that they are read in."""

import dataclasses
import re
from collections.abc import Iterable
from itertools import groupby

from mcos_hw.config import ChannelConfig
from mcos_hw.link.request import Op

__all__ = [
    "Port",
    "group_of",
    "groups",
    "meaning_of",
]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Port:
    """A port of the top module.

    Parameters
    ----------
    name : str
        Name.
    direction : str
        ``input`` or ``output``.
    width : int
        Bits.
    group : str
        The ports that it is read with, in a few words.
    meaning : str
        One sentence.
    """

    name: str
    direction: str
    width: int
    group: str
    meaning: str

    @property
    def range(self) -> str:
        """Its bits as Verilog has them, with a space behind; empty for a single one."""
        return f"[{self.width - 1}:0] " if self.width > 1 else ""


_MEANINGS = {
    "clk": "Clock; everything happens at its rising edge.",
    "rst": "Synchronous reset, active high; afterwards no image is live and no request is taken.",
    "now": "Clocks since reset, modulo; what requesters stamp their requests with.",
    "irq": "A level: an event that the registers enable is pending.",
    "request_valid": "A request is offered in this clock.",
    "request_ready": "Bit i: the queue of tenant i takes a request, whatever is offered.",
    "response_valid": "A response leaves in this clock and does not wait.",
    "command_valid": "A granted request is offered to memory.",
    "command_ready": "Memory takes the command in this clock, if one is offered.",
    "completion_valid": "Memory has served a command; this is taken at once.",
    "power_cap_valid": "The broadcast power cap is in force.",
    "power_cap_rate": "Bytes per clock that each channel may pass, in the unit of POWER_BUDGET.",
    "power_status_governs": "A power budget or cap is in force.",
    "power_status_capped": "It is the broadcast cap.",
    "power_status_infeasible": "BUDGET_INFEASIBLE: the guarantees take more than it allows.",
    "power_status_closes": "An enabled tenant is held to its guarantee in this clock.",
    "power_status_rate": "The lower of budget and cap, in the unit of POWER_BUDGET.",
    "power_status_guaranteed": "What the guarantees take, in the unit of POWER_BUDGET.",
}
"""What ports outside every pattern mean."""

_GROUPS = {
    "clk": "Clock and reset",
    "rst": "Clock and reset",
    "now": "Time",
    "irq": "Interrupt",
    "request": "Requests in; request_ready has a bit for each tenant",
    "response": "Responses out, without back-pressure",
    "command": "Commands to memory",
    "completion": "Completions from memory, in any order",
    "power": "Power cap of the system, synchronous to clk, and what the governor does",
}
"""Group of ports by the word that their name begins with."""

_NOUNS = {
    "request": "the request",
    "response": "the request that is answered",
    "command": "the command",
    "completion": "the command that is served",
}

_FIELDS = {
    "slot": "Transaction id of {noun} at the memory port.",
    "tenant": "Tenant tag of {noun}.",
    "id": "The requester's own number of {noun}, returned unchanged.",
    "op": "Direction of {noun}: {ops}.",
    "address": "Byte address of {noun}.",
    "beats": "Length of {noun} in beats of {beat_bytes} bytes, 1 to {max_beats}.",
    "offered": "Value of now when {noun} was first offered, before any back-pressure.",
}
"""What a field of a layout means, whichever payload it is in."""

_BUS = re.compile(r"s_axil_(?P<channel>aw|w|b|ar|r)(?P<part>[a-z]+)")

_AXI = re.compile(r"(?P<name>[sm]\d\d)_axi_(?P<channel>aw|w|b|ar|r)(?P<part>[a-z]+)")

_BUS_CHANNELS = {
    "aw": "write address",
    "w": "write data",
    "b": "write response",
    "ar": "read address",
    "r": "read data",
}

_BUS_PARTS = {
    "addr": "byte address; bits 1..0 are ignored",
    "prot": "protection bits, ignored",
    "data": "the word",
    "strb": "byte strobes; all of them must be set",
    "resp": "0 OKAY, 2 SLVERR, 3 DECERR",
    "valid": "offered in this clock",
    "ready": "taken in this clock, if offered",
}

_AXI_PARTS = {
    "id": "ID",
    "addr": "byte address",
    "len": "transfers less one",
    "size": "log2 of a transfer's bytes",
    "burst": "0 FIXED, 1 INCR, 2 WRAP",
    "lock": "exclusive access",
    "cache": "memory attributes, passed through",
    "prot": "protection attributes, passed through",
    "qos": "quality of service, passed through",
    "data": "data",
    "strb": "byte strobes",
    "last": "last transfer of the burst",
    "resp": "0 OKAY, 2 SLVERR, 3 DECERR",
    "valid": "offered in this clock",
    "ready": "taken in this clock, if offered",
}

_SIDES = {"s": "Manager", "m": "Memory"}


def meaning_of(name: str, config: ChannelConfig) -> str:
    """What a port means, in one sentence.

    Parameters
    ----------
    name : str
        Its name.
    config : ChannelConfig
        Sizes of the channel.
    """
    if name in _MEANINGS:
        return _MEANINGS[name]
    if bus := _BUS.fullmatch(name):
        return f"AXI4-Lite {_BUS_CHANNELS[bus['channel']]}: {_BUS_PARTS[bus['part']]}."
    if bus := _AXI.fullmatch(name):
        if bus["part"] == "lock" and name.startswith("s"):
            return "Exclusive access; it is served as any other and answered OKAY."
        return f"AXI {_BUS_CHANNELS[bus['channel']]}: {_AXI_PARTS[bus['part']]}."
    group, _, field = name.partition("_")
    return _FIELDS[field].format(
        noun=_NOUNS[group],
        ops=", ".join(f"{op.value} {op.name.lower()}" for op in Op),
        beat_bytes=config.beat_bytes,
        max_beats=config.max_beats,
    )


def group_of(name: str) -> str:
    """The group that a port is read in."""
    if bus := _BUS.fullmatch(name):
        return f"Registers, AXI4-Lite: {_BUS_CHANNELS[bus['channel']]}"
    if bus := _AXI.fullmatch(name):
        side = _SIDES[bus["name"][0]]
        return f"{side} {bus['name']}_axi: {_BUS_CHANNELS[bus['channel']]}"
    return _GROUPS[name.partition("_")[0]]


def groups(ports: Iterable[Port]) -> list[tuple[str, list[Port]]]:
    """Ports by group, in their order."""
    return [(name, list(those)) for name, those in groupby(ports, key=lambda port: port.group)]
