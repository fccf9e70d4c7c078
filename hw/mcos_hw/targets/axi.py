# amaranth: UnusedElaboratable=no
"""The AXI target: ports, a channel and its memory port as plain Verilog."""

import dataclasses

from mcos_hw.config import FabricConfig, MemoryProtocol
from mcos_hw.fabric.fabric import Fabric
from mcos_hw.registers import ArbiterKind
from mcos_hw.targets.axi_example import example_text
from mcos_hw.targets.flat import FlatTop
from mcos_hw.targets.package import Package, package_names
from mcos_hw.targets.ports import Port
from mcos_hw.targets.wrapping import Memories

__all__ = [
    "NAMES",
    "TOP",
    "AxiTop",
    "files",
]


TOP = "mcos_axi"
"""Name of the top module."""

NAMES = package_names(TOP, f"{TOP}_example.v")
"""Names of the files, known before they are made."""

_EXAMPLE = (
    f"An example of {TOP}: managers that write and read, {TOP}, and a memory. A testbench lets the",
    "loader refuse a damaged image, loads a good one, writes rows of the tenant tables, and runs",
    "the managers. Every byte that they read is checked, and every response, those to IDs of no",
    "tenant included. It ends with a line PASS or FAIL. Compile a contract for this hardware; then",
    "one of",
    f"  $ iverilog -g2005 -o tb {TOP}.v {TOP}_example.v && vvp tb +image=IMAGE.hex",
    f"  $ verilator --binary --timing --top {TOP}_example {TOP}.v {TOP}_example.v",
    f"  $ obj_dir/V{TOP}_example +image=IMAGE.hex",
)


class AxiTop(FlatTop):
    """A fabric whose ports are plain vectors; see :class:`mcos_hw.targets.flat.FlatTop`.

    ``s00_axi.awaddr`` of :class:`mcos_hw.fabric.fabric.Fabric` is ``s00_axi_awaddr`` here, which
    packagers of IP take for a port of the interface ``s00_axi``.

    Parameters
    ----------
    fabric : FabricConfig
        Sizes.
    arbiter : ArbiterKind
        Who chooses the grants.
    """

    def __init__(self, fabric: FabricConfig, *, arbiter: ArbiterKind = ArbiterKind.MCOS) -> None:
        self.fabric = fabric
        self.arbiter = arbiter
        self.core = Fabric(fabric, arbiter=arbiter)
        super().__init__(self.core, fabric.channel, name="fabric")


def files(
    fabric: FabricConfig,
    *,
    arbiter: ArbiterKind = ArbiterKind.MCOS,
    memories: Memories = Memories.INFERRED,
    regenerate: str,
    compile_command: str,
) -> dict[str, str]:
    """The files of this target, the same text for the same arguments.

    They are those of :func:`mcos_hw.targets.generic.files` but for the driver, and
    ``mcos_axi_example.v``, a design around the module with its testbench, in the place of
    ``mcos_tb.v``. ``mcos_axi.json`` says beside what ``mcos.json`` says by which ``compile``
    command an image for this hardware is made; its ``config`` is that of the fabric.

    Parameters
    ----------
    fabric : FabricConfig
        Sizes; no port is an inner one.
    arbiter : ArbiterKind
        Who chooses the grants.
    memories : Memories
        What becomes of its memories; wrapped ones are in ``mcos_axi_memories.v``.
    regenerate : str
        Command that makes these files again.
    compile_command : str
        Command that makes an image for this hardware.

    Returns
    -------
    dict[str, str]
        Text of each file by its name.
    """
    top = AxiTop(fabric, arbiter=arbiter)
    registers = top.core.registers
    count = len(fabric.ports)
    package = Package(
        top=top,
        name=TOP,
        what=f"{_counted(count, 'AXI port')}, {_counted(fabric.channels, 'MCOS channel')} and "
        "a memory port for each",
        channel=fabric.channel,
        registers=registers,
        prefix=f"{registers.name}_{fabric.channel.tenants}",
        arbiter=arbiter,
        config=dataclasses.asdict(fabric) | {"memory_protocol": fabric.memory_protocol.value},
        config_hash=fabric.hash,
        regenerate=regenerate,
        attributes=_attributes(fabric, top.ports),
        memories=memories,
    )
    head = (*_EXAMPLE, f"IMAGE is made by {compile_command}", *package.origin)
    example = example_text(TOP, top.ports, fabric, registers, head=head)
    texts = package.texts() | {f"{TOP}_example.v": example}
    return package.recorded(texts, NAMES, compile=compile_command)


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'s' if count > 1 else ''}"


def _attributes(fabric: FabricConfig, ports: tuple[Port, ...]) -> dict[str, str]:
    """What Vivado's packager of IP does not see from the names of the ports.

    It infers AXI interfaces from names, but neither that all of them belong to one clock, nor that
    the reset is active high, nor AXI3. Other tools ignore these attributes.
    """
    interfaces = sorted({port.name.rpartition("_")[0] for port in ports if "_axi" in port.name})
    clock = f"ASSOCIATED_BUSIF {':'.join(interfaces)}, ASSOCIATED_RESET rst"
    found = {
        "clk": _interface("signal:clock:1.0 clk CLK", clock),
        "rst": _interface("signal:reset:1.0 rst RST", "POLARITY ACTIVE_HIGH"),
    }
    if fabric.memory_protocol is MemoryProtocol.AXI3:
        for port in ports:
            interface, _, part = port.name.rpartition("_")
            if interface.startswith("m"):
                parameter = "PROTOCOL AXI3" if part == "awid" else ""
                what = f"interface:aximm:1.0 {interface} {part.upper()}"
                found[port.name] = _interface(what, parameter)
    return found


def _interface(what: str, parameter: str) -> str:
    text = f'X_INTERFACE_INFO = "xilinx.com:{what}"'
    return f'{text}, X_INTERFACE_PARAMETER = "{parameter}"' if parameter else text
