"""An example design around the AXI top: managers, memories and a testbench, in plain Verilog."""

from collections.abc import Sequence

from mcos_hw.config import FabricConfig, MemoryProtocol
from mcos_hw.registers import PortError, RegisterMap
from mcos_hw.registers.ports import PORT_ERROR_KINDS
from mcos_hw.targets.companions import instance_lines, signal_lines
from mcos_hw.targets.ports import Port
from mcos_hw.targets.testbench import (
    channel_constants,
    constant_lines,
    filled,
    idle_lines,
    is_input,
)

__all__ = ["example_text"]


_MEMORY_PARTS = (
    *(f"{channel}{part}" for channel in ("aw", "ar") for part in ("id", "addr", "len")),
    *(f"{channel}{part}" for channel in ("aw", "ar") for part in ("size", "burst")),
    *(f"{channel}{part}" for channel in ("aw", "ar") for part in ("valid", "ready")),
    *("wdata", "wstrb", "wlast", "wvalid", "wready"),
    *("bid", "bresp", "bvalid", "bready"),
    *("rid", "rdata", "rresp", "rlast", "rvalid", "rready"),
)
"""What the memory of the example looks at, in AXI3 and AXI4."""


def example_text(
    name: str,
    ports: Sequence[Port],
    fabric: FabricConfig,
    registers: RegisterMap,
    *,
    head: Sequence[str],
) -> str:
    """A testbench around managers, the top module and its memories.

    Parameters
    ----------
    name : str
        Name of the top module.
    ports : Sequence[Port]
        Its ports.
    fabric : FabricConfig
        Its sizes.
    registers : RegisterMap
        Its registers.
    head : Sequence[str]
        Lines of the comment at the top.
    """

    def is_set(port: Port) -> bool:
        """Whether the testbench itself drives it."""
        return is_input(port) and "_axi_" not in port.name

    return filled(
        "axi_example.v",
        {
            "CONSTANTS": constant_lines(
                channel_constants(fabric.channel, registers) | _constants(fabric, registers)
            ),
            "SIGNALS": signal_lines(ports, driven=is_set),
            "INSTANCE": instance_lines(name, "dut", ports),
            "MANAGERS": [
                line for k in range(len(fabric.ports)) for line in _manager(k, fabric, ports)
            ],
            "MEMORIES": [line for c in range(fabric.channels) for line in _memory(c)],
            "IDLE": idle_lines([port for port in ports if is_set(port)]),
        },
        head=head,
    )


def _constants(fabric: FabricConfig, registers: RegisterMap) -> dict[str, str]:
    """What the example knows of the ports and their registers."""
    tenant_mode, row, ids = (registers[each] for each in ("TENANT_MODE", "PORT_ROW", "PORT_IDS"))
    enable = next(field for field in tenant_mode.fields if field.name == "enable")
    lows = {f"ROW_{field.name.upper()}_LOW": field.low for field in row.fields}
    lows |= {f"IDS_{field.name.upper()}_LOW": field.low for field in ids.fields}
    found = {
        "PORTS": len(fabric.ports),
        "CHANNELS": fabric.channels,
        "ADDRESS_BITS": fabric.channel.address_width,
        "LENGTH_BITS": 4 if fabric.memory_protocol is MemoryProtocol.AXI3 else 8,
        "SLOT_BITS": fabric.channel.slot_width,
        "MOST_DATA_BYTES": max(port.data_bytes for port in fabric.ports),
        "LEAST_ID_BITS": min(port.id_width for port in fabric.ports),
        "ROWS": min(port.table_rows for port in fabric.ports),
        "ERROR_KINDS": PORT_ERROR_KINDS,
        "UNMAPPED_READ": int(PortError.UNMAPPED_READ),
        "UNMAPPED_WRITE": int(PortError.UNMAPPED_WRITE),
        **lows,
    }
    names = ("TENANT_MODE", "PORT_ROW", "PORT_IDS", "PORT_ERRORS")
    return {
        **{key: str(value) for key, value in found.items()},
        **{each: f"'h{registers[each].offset:x}" for each in names},
        "ENABLE_MASK": f"32'h{enable.mask:08x}",
    }


def _manager(number: int, fabric: FabricConfig, ports: Sequence[Port]) -> list[str]:
    """An instance of a manager, whose ports are called as the parts of its interface."""
    port = fabric.ports[number]
    prefix = f"s{number:02}_axi_"
    parameters = {
        "PORT": str(number),
        "ID_BITS": str(port.id_width),
        "ADDRESS_BITS": "ADDRESS_BITS",
        "DATA_BYTES": str(port.data_bytes),
        "REGION": "REGION",
        "BURSTS": "BURSTS",
        "IDS": "IDS",
    }
    signals = {each: each for each in ("clk", "hold", "refused")}
    signals["wanted"] = "wanted"
    signals |= {each: f"{each}[{number}]" for each in ("done", "bad")}
    signals |= {
        each.name.removeprefix(prefix): each.name for each in ports if each.name.startswith(prefix)
    }
    given = ", ".join(f".{key}({value})" for key, value in parameters.items())
    lines = [f".{key} ({value})," for key, value in signals.items()]
    lines[-1] = lines[-1].removesuffix(",")
    return [
        f"mcos_axi_manager #({given})",
        f"manager_{number} (",
        *(f"  {line}" for line in lines),
        ");",
    ]


def _memory(channel: int) -> list[str]:
    """An instance of the memory of a channel."""
    parameters = {
        "ID_BITS": "SLOT_BITS",
        "ADDRESS_BITS": "ADDRESS_BITS",
        "LENGTH_BITS": "LENGTH_BITS",
        "DATA_BYTES": "BEAT_BYTES",
        "MAX_BEATS": "MAX_BEATS",
        "BYTES": "PORTS * BURSTS * REGION",
    }
    signals = {"clk": "clk", "rst": "rst", "bad": f"memory_bad[{channel}]"}
    signals |= {part: f"m{channel:02}_axi_{part}" for part in _MEMORY_PARTS}
    given = ", ".join(f".{key}({value})" for key, value in parameters.items())
    lines = [f".{key} ({value})," for key, value in signals.items()]
    lines[-1] = lines[-1].removesuffix(",")
    return [
        f"mcos_axi_memory #({given})",
        f"memory_{channel} (",
        *(f"  {line}" for line in lines),
        ");",
    ]
