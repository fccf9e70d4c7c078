"""Memories as black boxes: their cells in the netlist, and what a timing tool knows of them.

A memory of an ASIC is a macro that no synthesis makes. Here each becomes a cell of a type that
names its size, with one stated timing for all of them, so that the paths from and to it are
measured like all others.
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from mcos_sim.errors import InternalError
from mcos_sim.synthesis.netlist import plain_name

__all__ = [
    "MEMORY_TIMING",
    "Macro",
    "MemoryTiming",
    "Port",
    "extract",
    "liberty",
    "pin_buffers",
]


@dataclasses.dataclass(frozen=True, kw_only=True)
class MemoryTiming:
    """Timing of every black box.

    Parameters
    ----------
    access_ps : int
        From the clock, and from the address of a port that reads in the same clock, to the data.
    setup_ps : int
        Of every input before the clock.
    slew_ps : int
        Transition time of the data.
    pin_ff : float
        Capacitance of an input pin.
    """

    access_ps: int
    setup_ps: int
    slew_ps: int
    pin_ff: float


MEMORY_TIMING = MemoryTiming(access_ps=250, setup_ps=60, slew_ps=20, pin_ff=1.0)
"""An assumption, as the library has no memories.

About three clock-to-output delays and two setup times of its flip-flops at the slow corner: what a
small compiled register file of this node needs; a pin weighs two of its gates' inputs.
"""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Port:
    """A port of a black box.

    Parameters
    ----------
    name : str
        Name.
    is_output : bool
        Whether it is read data.
    width : int
        Bits.
    address : str or None
        For read data that follows its address in the same clock, the port with the address.
    is_clocked : bool
        Whether it has a setup time; addresses of such data have none.
    """

    name: str
    is_output: bool
    width: int
    address: str | None = None
    is_clocked: bool = True


@dataclasses.dataclass(frozen=True, kw_only=True)
class Macro:
    """A type of black box: all memories of one size and with the same ports.

    Parameters
    ----------
    name : str
        Name of the cell type.
    ports : tuple[Port, ...]
        Ports, without ``clk``.
    """

    name: str
    ports: tuple[Port, ...]

    @property
    def buffered_name(self) -> str:
        """Name of the cell type until its pins have their buffers, see :func:`pin_buffers`."""
        return f"buffered_{self.name}"


def extract(netlist: dict[str, Any], *, top: str, chosen: Callable[[str], bool]) -> list[Macro]:
    """Turn memories of a netlist into black boxes, in place.

    The cell of a black box is called as the memory is. Enables of parts of a word that are always
    equal become one pin. All ports have one clock.

    Parameters
    ----------
    netlist : dict
        Yosys's JSON with ``$mem_v2`` cells.
    top : str
        Name of the module.
    chosen : Callable[[str], bool]
        Whether the memory of a hierarchical name becomes a black box.

    Returns
    -------
    list[Macro]
        The types, each once, in order of their names.

    Raises
    ------
    InternalError
        If a port must read what is written in the same clock; that takes a bypass, which the black
        box would hide.
    """
    modules = netlist["modules"]
    cells = modules[top]["cells"]
    macros: dict[str, Macro] = {}
    for cell_name, cell in list(cells.items()):
        if cell["type"] != "$mem_v2":
            continue
        memory = plain_name(cell["parameters"]["MEMID"])
        if not chosen(memory):
            continue
        if "1" in cell["parameters"]["RD_TRANSPARENCY_MASK"]:
            raise InternalError(
                f"{memory} must be a memory without transparent ports to be a black box, not with; "
                "put the bypass beside it"
            )
        connections = dict(_connections(cell))
        ports = tuple(port for port, _ in connections.values())
        macro = Macro(name=_type_name(cell, ports), ports=ports)
        macros[macro.name] = macro
        bits = {name: bits for name, (_, bits) in connections.items()}
        del cells[cell_name]
        cells[memory] = {
            "hide_name": 0,
            "type": macro.buffered_name,
            "parameters": {},
            "attributes": {"keep": "1"},
            "port_directions": {
                **{port.name: "output" if port.is_output else "input" for port in ports},
                "clk": "input",
            },
            "connections": {**bits, "clk": [_clock(cell)]},
        }
    for macro in macros.values():
        modules[macro.name] = modules[macro.buffered_name] = _black_box(macro)
    return [macros[name] for name in sorted(macros)]


def _connections(cell: Mapping[str, Any]) -> Iterator[tuple[str, tuple[Port, list[Any]]]]:
    """Ports of a memory by name, with what is connected to them."""
    parameters, pins = cell["parameters"], cell["connections"]
    width = int(parameters["WIDTH"], 2)
    address_width = int(parameters["ABITS"], 2)
    clocked_reads = parameters["RD_CLK_ENABLE"][::-1]

    def part(pin: str, index: int, size: int) -> list[Any]:
        return pins[pin][index * size : (index + 1) * size]

    def entry(port: Port, bits: list[Any]) -> tuple[str, tuple[Port, list[Any]]]:
        return port.name, (port, bits)

    for i in range(int(parameters["WR_PORTS"], 2)):
        enables = list(dict.fromkeys(part("WR_EN", i, width)))
        for name, bits in (
            (f"w{i}_en", enables),
            (f"w{i}_addr", part("WR_ADDR", i, address_width)),
            (f"w{i}_data", part("WR_DATA", i, width)),
        ):
            yield entry(Port(name=name, is_output=False, width=len(bits)), bits)
    for i in range(int(parameters["RD_PORTS"], 2)):
        clocked = clocked_reads[i] == "1"
        address = Port(name=f"r{i}_addr", is_output=False, width=address_width, is_clocked=clocked)
        if clocked:
            yield entry(Port(name=f"r{i}_en", is_output=False, width=1), [pins["RD_EN"][i]])
        yield entry(address, part("RD_ADDR", i, address_width))
        read = Port(
            name=f"r{i}_data",
            is_output=True,
            width=width,
            address=None if clocked else address.name,
        )
        yield entry(read, part("RD_DATA", i, width))


def _clock(cell: Mapping[str, Any]) -> Any:
    pins = cell["connections"]
    return (pins["WR_CLK"] or pins["RD_CLK"])[0]


def _type_name(cell: Mapping[str, Any], ports: tuple[Port, ...]) -> str:
    """``memory_256x64_w1_rs_ra``: writes by their enables, reads synchronous or asynchronous."""
    parts = [f"memory_{int(cell['parameters']['SIZE'], 2)}x{int(cell['parameters']['WIDTH'], 2)}"]
    for port in ports:
        if port.name.startswith("w") and port.name.endswith("_en"):
            parts.append(f"w{port.width}")
        if port.is_output:
            parts.append("rs" if port.address is None else "ra")
    return "_".join(parts)


def _black_box(macro: Macro) -> dict[str, Any]:
    ports: dict[str, Any] = {"clk": {"direction": "input", "bits": [2]}}
    next_bit = 3
    for port in macro.ports:
        bits = list(range(next_bit, next_bit + port.width))
        next_bit += port.width
        ports[port.name] = {"direction": "output" if port.is_output else "input", "bits": bits}
    return {"attributes": {"blackbox": "1"}, "ports": ports, "cells": {}, "netnames": {}}


def pin_buffers(macros: list[Macro]) -> str:
    """A techmap file that gives every input pin of a black box its own buffer.

    Without it a signal that goes to many pins is one output to the mapper, which then makes no
    tree for it. It removes the buffers again where they are of no use.
    """
    lines: list[str] = []
    for macro in macros:
        names = ["clk", *(port.name for port in macro.ports)]
        lines += [
            f'(* techmap_celltype = "{macro.buffered_name}" *)',
            f"module map_{macro.name} ({', '.join(names)});",
            "  input clk;",
        ]
        connections = [".clk(clk)"]
        for port in macro.ports:
            size = f"[{port.width - 1}:0]"
            lines.append(f"  {'output' if port.is_output else 'input'} {size} {port.name};")
            if port.is_output:
                connections.append(f".{port.name}({port.name})")
                continue
            lines.append(f"  wire {size} {port.name}_pin;")
            lines += [
                f"  \\$_BUF_ {port.name}_{i} (.A({port.name}[{i}]), .Y({port.name}_pin[{i}]));"
                for i in range(port.width)
            ]
            connections.append(f".{port.name}({port.name}_pin)")
        lines.append(f"  {macro.name} _TECHMAP_REPLACE_ ({', '.join(connections)});")
        lines.append("endmodule")
    return "\n".join(lines) + "\n"


def liberty(macros: list[Macro], timing: MemoryTiming = MEMORY_TIMING) -> str:
    """A liberty file of the black boxes, in ps and fF; their area is 0."""
    widths = sorted({port.width for macro in macros for port in macro.ports})
    lines = [
        "library (memories) {",
        "  delay_model : table_lookup;",
        '  time_unit : "1ps";',
        "  capacitive_load_unit (1,ff);",
        '  voltage_unit : "1V";',
        '  current_unit : "1mA";',
        "  input_threshold_pct_rise : 50;",
        "  input_threshold_pct_fall : 50;",
        "  output_threshold_pct_rise : 50;",
        "  output_threshold_pct_fall : 50;",
        "  slew_lower_threshold_pct_rise : 10;",
        "  slew_lower_threshold_pct_fall : 10;",
        "  slew_upper_threshold_pct_rise : 90;",
        "  slew_upper_threshold_pct_fall : 90;",
    ]
    lines += [
        f"  type (word_{width}) {{ base_type : array; data_type : bit; bit_width : {width}; "
        f"bit_from : {width - 1}; bit_to : 0; downto : true; }}"
        for width in widths
    ]
    for macro in macros:
        lines.append(f"  cell ({macro.name}) {{ area : 0; interface_timing : true;")
        lines.append(
            f"    pin (clk) {{ direction : input; clock : true; capacitance : {timing.pin_ff}; }}"
        )
        lines += [f"    {line}" for port in macro.ports for line in _port_lines(port, timing)]
        lines.append("  }")
    return "\n".join([*lines, "}", ""])


def _port_lines(port: Port, timing: MemoryTiming) -> Iterator[str]:
    direction = "output" if port.is_output else "input"
    yield f"bus ({port.name}) {{ bus_type : word_{port.width}; direction : {direction};"
    if port.is_output:
        arcs = [("clk", "timing_type : rising_edge;")]
        if port.address is not None:
            arcs.append((port.address, "timing_sense : non_unate;"))
        tables = " ".join(
            f'{table} (scalar) {{ values ("{value}"); }}'
            for table, value in (
                ("cell_rise", timing.access_ps),
                ("cell_fall", timing.access_ps),
                ("rise_transition", timing.slew_ps),
                ("fall_transition", timing.slew_ps),
            )
        )
        for related, kind in arcs:
            yield f'  timing () {{ related_pin : "{related}"; {kind} {tables} }}'
    else:
        yield f"  capacitance : {timing.pin_ff};"
        if port.is_clocked:
            yield (
                '  timing () { related_pin : "clk"; timing_type : setup_rising; '
                f'rise_constraint (scalar) {{ values ("{timing.setup_ps}"); }} '
                f'fall_constraint (scalar) {{ values ("{timing.setup_ps}"); }} }}'
            )
    yield "}"
