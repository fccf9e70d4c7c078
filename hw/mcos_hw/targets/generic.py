"""The generic target: one channel as plain Verilog with flat ports, for any tool and any board."""

import dataclasses
import hashlib
import json
import re
from collections.abc import Iterator

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw import __version__
from mcos_hw.config import ChannelConfig
from mcos_hw.controller import Controller
from mcos_hw.link.request import Op
from mcos_hw.registers import ArbiterKind
from mcos_hw.registers.export import c_header, c_name, markdown, systemrdl
from mcos_hw.targets.verilog import Port, verilog_text

__all__ = [
    "NAMES",
    "TOP",
    "GenericTop",
    "files",
]


TOP = "mcos"
"""Name of the top module."""

NAMES = (
    f"{TOP}.v",
    *(f"{TOP}_registers.{suffix}" for suffix in ("h", "rdl", "md")),
    f"{TOP}.json",
)
"""Names of the files, known before they are made."""

_DIRECTIONS = {In: "input", Out: "output"}

_MEANINGS = {
    "clk": "Clock; everything happens at its rising edge.",
    "rst": "Synchronous reset, active high; afterwards no image is live and no request is taken.",
    "now": "Clocks since reset, modulo; what requesters stamp their requests with.",
    "request_valid": "A request is offered in this clock.",
    "request_ready": "Bit i: the queue of tenant i takes a request, whatever is offered.",
    "response_valid": "A response leaves in this clock and does not wait.",
    "command_valid": "A granted request is offered to memory.",
    "command_ready": "Memory takes the command in this clock, if one is offered.",
    "completion_valid": "Memory has served a command; this is taken at once.",
}
"""What ports outside every pattern mean."""

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


class GenericTop(wiring.Component):
    """A controller whose ports are plain vectors with single underscores in their names.

    ``request.tenant`` of :class:`mcos_hw.controller.Controller` is ``request_tenant`` here,
    ``command.payload.slot`` is ``command_slot``. The probe is left unconnected, for synthesis to
    prune, and the signals that are constant are left out.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.
    arbiter : ArbiterKind
        Who chooses the grants.

    Members
    -------
    s_axil_* : In and Out
        Registers, AXI4-Lite.
    now, request_*, response_*, command_*, completion_*
        As in :class:`mcos_hw.controller.Controller`; see :attr:`ports`.
    """

    def __init__(self, config: ChannelConfig, *, arbiter: ArbiterKind = ArbiterKind.MCOS) -> None:
        self.config = config
        self.arbiter = arbiter
        self.controller = Controller(config, arbiter=arbiter)
        super().__init__(
            {name: flow(len(value)) for name, flow, value in _flattened(self.controller)}
        )

    @property
    def ports(self) -> tuple[Port, ...]:
        """Ports of the Verilog module, clock and reset included."""
        rows = [("clk", In, 1), ("rst", In, 1)]
        rows += [
            (name, member.flow, Shape.cast(member.shape).width)
            for name, member in self.signature.members.items()
        ]
        return tuple(
            Port(
                name=name,
                direction=_DIRECTIONS[flow],
                width=width,
                meaning=_meaning(name, self.config),
            )
            for name, flow, width in rows
        )

    def elaborate(self, platform):
        m = Module()
        m.submodules.controller = self.controller
        for name, flow, value in _flattened(self.controller):
            port = getattr(self, name)
            m.d.comb += port.eq(value) if flow is Out else value.eq(port)
        return m


def files(
    config: ChannelConfig, *, arbiter: ArbiterKind = ArbiterKind.MCOS, regenerate: str
) -> dict[str, str]:
    """The files of this target, the same text for the same arguments.

    ``mcos.v`` is the module tree; ``mcos_registers.h``, ``.rdl`` and ``.md`` are the register map
    for C, SystemRDL and people; ``mcos.json`` tells programs about them: ``target``, ``top``,
    ``version``, ``arbiter``, ``config``, ``config_hash``, ``map_hash``, ``ports`` (each ``name``,
    ``direction``, ``width``, ``meaning``), ``regenerate``, and the SHA-256 of the other ``files``.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.
    arbiter : ArbiterKind
        Who chooses the grants.
    regenerate : str
        Command that makes these files again.

    Returns
    -------
    dict[str, str]
        Text of each file by its name.
    """
    top = GenericTop(config, arbiter=arbiter)
    registers = top.controller.registers
    arbiter_name = arbiter.name.lower()
    map_hash = f"0x{registers.hash:08x}"
    head = (
        f"{TOP}: one MCOS channel with its registers and its image loader, Verilog-2005.",
        f"Generated by MCOS {__version__}; do not edit.",
        f"Built for {config.tenants} tenants with the arbiter {arbiter_name}.",
        f"Config hash {config.hash}, register map hash {map_hash}.",
        f"Generate it again: {regenerate}",
    )
    texts = {
        f"{TOP}.v": verilog_text(top, name=TOP, head=head),
        f"{TOP}_registers.h": c_header(registers, name=c_name(config)),
        f"{TOP}_registers.rdl": systemrdl(registers),
        f"{TOP}_registers.md": markdown(registers),
    }
    record = {
        "arbiter": arbiter_name,
        "config": dataclasses.asdict(config),
        "config_hash": config.hash,
        "files": {name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()},
        "map_hash": map_hash,
        "ports": [dataclasses.asdict(port) for port in top.ports],
        "regenerate": regenerate,
        "target": "generic",
        "top": TOP,
        "version": __version__,
    }
    return texts | {f"{TOP}.json": json.dumps(record, indent=2, sort_keys=True) + "\n"}


def _flattened(controller: Controller) -> Iterator[tuple[str, wiring.Flow, Value]]:
    """Every plain signal at the controller's boundary, with the name of its port."""
    for path, member, value in controller.signature.flatten(controller):
        if path == ("probe",) or isinstance(value, Const):
            continue
        name = "_".join(str(part) for part in path if part != "payload")
        if isinstance(value, data.View):
            for field, _ in value.shape():
                yield f"{name}_{field}", member.flow, Value.cast(value[field])
        else:
            yield name, member.flow, value


def _meaning(name: str, config: ChannelConfig) -> str:
    if name in _MEANINGS:
        return _MEANINGS[name]
    if bus := _BUS.fullmatch(name):
        return f"AXI4-Lite {_BUS_CHANNELS[bus['channel']]}: {_BUS_PARTS[bus['part']]}."
    group, _, field = name.partition("_")
    return _FIELDS[field].format(
        noun=_NOUNS[group],
        ops=", ".join(f"{op.value} {op.name.lower()}" for op in Op),
        beat_bytes=config.beat_bytes,
        max_beats=config.max_beats,
    )
