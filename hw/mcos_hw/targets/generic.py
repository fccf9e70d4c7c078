"""The generic target: one channel as plain Verilog with flat ports, for any tool and any board."""

import dataclasses

from mcos_hw.config import ChannelConfig
from mcos_hw.controller import Controller
from mcos_hw.registers import ArbiterKind
from mcos_hw.registers.client import c_client, c_example
from mcos_hw.registers.export import c_name
from mcos_hw.targets.flat import FlatTop
from mcos_hw.targets.package import Package, package_names
from mcos_hw.targets.testbench import testbench_text
from mcos_hw.targets.wrapping import Memories

__all__ = [
    "NAMES",
    "TOP",
    "GenericTop",
    "files",
]


TOP = "mcos"
"""Name of the top module."""

NAMES = package_names(TOP, f"{TOP}_tb.v", f"{TOP}_client.h", f"{TOP}_example.c")
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


class GenericTop(FlatTop):
    """A controller whose ports are plain vectors; see :class:`mcos_hw.targets.flat.FlatTop`.

    ``request.tenant`` of :class:`mcos_hw.controller.Controller` is ``request_tenant`` here,
    ``command.payload.slot`` is ``command_slot``.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.
    arbiter : ArbiterKind
        Who chooses the grants.
    """

    def __init__(self, config: ChannelConfig, *, arbiter: ArbiterKind = ArbiterKind.MCOS) -> None:
        self.config = config
        self.arbiter = arbiter
        self.controller = Controller(config, arbiter=arbiter)
        super().__init__(self.controller, config, name="controller")


def files(
    config: ChannelConfig,
    *,
    arbiter: ArbiterKind = ArbiterKind.MCOS,
    memories: Memories = Memories.INFERRED,
    regenerate: str,
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
    memories : Memories
        What becomes of its memories; wrapped ones are in ``mcos_memories.v``.
    regenerate : str
        Command that makes these files again.

    Returns
    -------
    dict[str, str]
        Text of each file by its name.
    """
    top = GenericTop(config, arbiter=arbiter)
    registers = top.controller.registers
    package = Package(
        top=top,
        name=TOP,
        what="one MCOS channel with its registers and its image loader",
        channel=config,
        registers=registers,
        prefix=c_name(config),
        arbiter=arbiter,
        config=dataclasses.asdict(config),
        config_hash=config.hash,
        regenerate=regenerate,
        memories=memories,
    )
    head = (*_TESTBENCH, *package.origin)
    texts = package.texts() | {
        f"{TOP}_tb.v": testbench_text(TOP, top.ports, config, registers, head=head),
        f"{TOP}_client.h": c_client(name=c_name(config), header=f"{TOP}_registers.h"),
        f"{TOP}_example.c": c_example(),
    }
    return package.recorded(texts, NAMES)
