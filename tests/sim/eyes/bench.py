# amaranth: UnusedElaboratable=no
"""A small AXI top between interfaces of avl-axi, to which the parts of others attach."""

import importlib.util
import re
from pathlib import Path
from typing import NamedTuple

from amaranth.hdl import Shape
from amaranth.lib.wiring import In

from mcos_hw.config import ChannelConfig, FabricConfig, PortConfig
from mcos_hw.registers import ArbiterKind
from mcos_hw.targets.axi import TOP, AxiTop
from mcos_sim.building.index import looked_up
from mcos_sim.building.verilator import elaborated, verilog_of
from mcos_sim.cosim.build import Built, build_verilog, recipe
from mcos_sim.cosim.run_tests import run

__all__ = [
    "FABRIC",
    "NAME",
    "build",
    "regress",
]

NAME = "mcos_eyes"

# Importing it takes seconds.
_PACKAGE = importlib.util.find_spec("avl_axi")
assert _PACKAGE is not None
assert _PACKAGE.origin is not None
# What it generates refuses settings that it does not know, and counts credits: nothing that these
# tests use, and it would need a simulator with delays.
_INTERFACE = re.sub(
    r"\bgenerate\b.*\bendgenerate\b",
    "",
    (Path(_PACKAGE.origin).parent / "rtl" / "avl_axi.sv").read_text(),
    flags=re.DOTALL,
)


def _port(data_bytes: int, *, inner: bool = False) -> PortConfig:
    return PortConfig(
        data_bytes=data_bytes,
        id_width=3,
        order_width=3,
        reads=8,
        writes=8,
        read_units=16,
        write_units=16,
        table_rows=2,
        hazard_rows=8,
        inner=inner,
    )


# What the channel counts and what the loader judges have their own tests.
FABRIC = FabricConfig.around(
    ChannelConfig(
        tenants=4,
        queue_depth=8,
        bytes_per_clock=8,
        beat_bytes=8,
        max_beats=8,
        address_width=32,
        slots=16,
        stamp_width=24,
        lateness=0,
        loader_checks=False,
        monitors=False,
    ),
    ports=(_port(16), _port(8), _port(8, inner=True)),
)
"""Transfers of the first port are two memory beats, those of the second one; the third is an
engine's inside."""

_PRESENT = ("BURST", "CACHE", "LEN", "PROT", "QOS", "RLAST", "SIZE", "WLAST", "WSTRB")

# It runs for some thousand clocks, driven by Python: what compiles soon is best.
_ARGUMENTS = ("--public-params", "-CFLAGS", "-O0")

_OPEN = ("s_axil_", "inner_02_")
"""What the wrapper passes on."""

# What is spoilt on its way between the hardware and an interface, by the bit of ``planted``.
_PLANTED = {
    "s00_axi_rdata": "{signal} ^ {planted_data}",
    "m00_axi_awsize": "{signal} + {planted_size}",
}


class _Pin(NamedTuple):
    """A port of the top."""

    name: str
    width: int
    direction: str

    @property
    def range(self) -> str:
        """Its bits, in Verilog."""
        return f"[{self.width - 1}:0] " if self.width > 1 else ""


def _pins(top: AxiTop) -> list[_Pin]:
    return [
        _Pin(name, Shape.cast(member.shape).width, "input" if member.flow is In else "output")
        for name, member in top.signature.members.items()
    ]


def _wrapper(top: AxiTop) -> str:
    """A module that holds one interface for each AXI interface of the top."""
    clocked = [_Pin("clk", 1, "input"), _Pin("rst", 1, "input")]
    ports = clocked + [pin for pin in _pins(top) if pin.name.startswith(_OPEN)]
    header = ",\n".join(f"    {port.direction} {port.range}{port.name}" for port in ports)
    buses = {
        "s00": (8 * FABRIC.ports[0].data_bytes, FABRIC.ports[0].id_width, 4096),
        "s01": (8 * FABRIC.ports[1].data_bytes, FABRIC.ports[1].id_width, 4096),
        # avl-axi judges by it that no fragment is longer than it may be.
        "m00": (8 * FABRIC.beat_bytes, FABRIC.channel.slot_width, FABRIC.channel.l_max),
    }
    lines, connections = [], [f".{port.name}({port.name})" for port in ports]
    for name, (data, ids, most) in buses.items():
        values = {
            "ADDR_WIDTH": FABRIC.channel.address_width,
            "DATA_WIDTH": data,
            "ID_R_WIDTH": ids,
            "ID_W_WIDTH": ids,
            "BRESP_WIDTH": 2,
            "RRESP_WIDTH": 2,
            "Exclusive_Accesses": 1,
            "Cache_Line_Size": 64,
            "Max_Transaction_Bytes": most,
            **{f"{each}_Present": 1 for each in _PRESENT},
        }
        listed = ", ".join(f".{key}({value})" for key, value in values.items())
        lines += [
            f"    axi_if #({listed}) {name}();",
            f"    assign {name}.aresetn = ~rst;",
        ]
    for port in _pins(top):
        bus, _, signal = port.name.partition("_axi_")
        if bus not in buses:
            if port not in ports:
                connections.append(f".{port.name}()")
            continue
        if port.name in _PLANTED:
            spoilt = _PLANTED[port.name].format(
                signal=port.name,
                planted_data=f"{port.width}'(planted[0])",
                planted_size=f"{port.width}'(planted[1])",
            )
            lines += [
                f"    wire {port.range}{port.name};",
                f"    assign {bus}.{signal} = {spoilt};",
            ]
            connections.append(f".{port.name}({port.name})")
        else:
            connections.append(f".{port.name}({bus}.{signal})")
    body = "\n".join(lines)
    return (
        f"module {NAME} (\n    input [1:0] planted,\n{header}\n);\n{body}\n"
        f"    {TOP} core ({', '.join(connections)});\nendmodule\n"
    )


def build() -> Built:
    """The simulator, built or found."""
    top = AxiTop(FABRIC)
    wrapper = _wrapper(top)
    open_pins = [pin.name for pin in _pins(top) if pin.name.startswith(_OPEN)]
    names = ("clk", "rst", "planted", *open_pins)
    visible = "\n".join(
        [
            "`verilator_config",
            # The first and the last beat of a block are compared with what no beat is beyond.
            "lint_off -rule CMPCONST",
            "lint_off -rule UNSIGNED",
            *(f'public_flat_rw -module "{NAME}" -var "{name}"' for name in names),
            'public_flat_rw -module "axi_if" -var "*"',
            "",
        ]
    )
    inputs = recipe(_INTERFACE, wrapper, visible, *_ARGUMENTS)

    def make() -> Path:
        design = elaborated(top, TOP)
        return build_verilog(
            lambda: _INTERFACE + verilog_of(design) + wrapper,
            name=NAME,
            visible=visible,
            digest=recipe(design, inputs),
            arguments=_ARGUMENTS,
        ).directory

    folder = looked_up(NAME, inputs, FABRIC, ArbiterKind.MCOS, make)
    return Built(name=NAME, directory=folder)


def regress(module: str, directory: Path, *, seed: int = 1, **parameters: object) -> None:
    """Runs every cocotb test of a module; raises unless all of them pass."""
    run(
        build(),
        test_module=f"tests.sim.eyes.{module}",
        directory=directory,
        seed=seed,
        parameters=parameters,
        timeout=300,
    )
