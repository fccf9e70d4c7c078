"""The generic target: one channel as plain Verilog with flat ports, for any tool and any board."""

import dataclasses
import hashlib
import json
from collections.abc import Iterator

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw import __version__
from mcos_hw.config import ChannelConfig
from mcos_hw.controller import Controller
from mcos_hw.registers import ArbiterKind
from mcos_hw.registers.client import c_client, c_example
from mcos_hw.registers.export import c_header, c_name, markdown, systemrdl
from mcos_hw.targets.companions import (
    instance_text,
    lattice_constraints,
    synopsys_constraints,
    testbench_text,
)
from mcos_hw.targets.ports import Port, group_of, meaning_of
from mcos_hw.targets.verilog import verilog_text

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
    f"{TOP}_inst.vh",
    f"{TOP}_tb.v",
    *(f"{TOP}.{suffix}" for suffix in ("sdc", "xdc", "lpf")),
    *(f"{TOP}_registers.{suffix}" for suffix in ("h", "rdl", "md")),
    f"{TOP}_client.h",
    f"{TOP}_example.c",
    f"{TOP}.json",
)
"""Names of the files, known before they are made."""

_TESTBENCH = (
    f"A testbench of {TOP}. It loads an image and sends requests of every tenant that this",
    "enables to a small memory. It checks that each is answered once, by its own number, and ends",
    "with a line PASS or FAIL. Compile a contract for this hardware; then one of",
    f"  $ iverilog -g2005 -o tb {TOP}.v {TOP}_tb.v && vvp tb +image=IMAGE.hex",
    f"  $ verilator --binary --timing --top {TOP}_tb {TOP}.v {TOP}_tb.v",
    f"  $ obj_dir/V{TOP}_tb +image=IMAGE.hex",
    "With +refused it expects that the loader refuses the image, as one of another clock.",
)

_DIRECTIONS = {In: "input", Out: "output"}


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
                group=group_of(name),
                meaning=meaning_of(name, self.config),
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

    ``mcos.v`` is the module tree, ``mcos_inst.vh`` an instance of it and ``mcos_tb.v`` a testbench;
    ``mcos.sdc``, ``.xdc`` and ``.lpf`` constrain its clock; ``mcos_registers.h``, ``.rdl`` and
    ``.md`` are the register map for C, SystemRDL and people; ``mcos_client.h`` is a driver in C and
    ``mcos_example.c`` a program that uses it. ``mcos.json`` tells programs about them: ``target``,
    ``top``, ``version``, ``arbiter``, ``config``, ``config_hash``, ``map_hash``, ``ports`` (each
    ``name``, ``direction``, ``width``, ``group``, ``meaning``), ``regenerate``, and the SHA-256 of
    the other ``files``.

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
    of = (
        f"Generated by MCOS {__version__}; do not edit.",
        f"Built for {config.tenants} tenants with the arbiter {arbiter_name}.",
        f"Config hash {config.hash}, register map hash {map_hash}.",
        f"Generate it again: {regenerate}",
    )
    ports = top.ports
    clock = f"The clock of {TOP} at {config.clock_khz / 1000:g} MHz, for {TOP} as the top module."
    sdc = synopsys_constraints(config, head=(clock, *of))
    heads = {
        "v": f"{TOP}: one MCOS channel with its registers and its image loader, Verilog-2005.",
        "inst": f"An instance of {TOP} to copy; clk and rst are those of the module around it.",
    }
    texts = {
        f"{TOP}.v": verilog_text(top, name=TOP, head=(heads["v"], *of), ports=ports),
        f"{TOP}_inst.vh": instance_text(TOP, ports, head=(heads["inst"], *of)),
        f"{TOP}_tb.v": testbench_text(TOP, ports, config, registers, head=(*_TESTBENCH, *of)),
        f"{TOP}.sdc": sdc,
        f"{TOP}.xdc": sdc,
        f"{TOP}.lpf": lattice_constraints(config, head=(clock, *of)),
        f"{TOP}_registers.h": c_header(registers, name=c_name(config)),
        f"{TOP}_registers.rdl": systemrdl(registers),
        f"{TOP}_registers.md": markdown(registers),
        f"{TOP}_client.h": c_client(name=c_name(config), header=f"{TOP}_registers.h"),
        f"{TOP}_example.c": c_example(),
    }
    record = {
        "arbiter": arbiter_name,
        "config": dataclasses.asdict(config),
        "config_hash": config.hash,
        "files": {name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()},
        "map_hash": map_hash,
        "ports": [dataclasses.asdict(port) for port in ports],
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
