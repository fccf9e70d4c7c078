"""What a user begins with beside the Verilog: an instance, a testbench and constraints."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import RegisterMap
from mcos_hw.registers.image import IMAGE_MAGIC, ImageState
from mcos_hw.targets.ports import Port, groups

__all__ = [
    "instance_text",
    "lattice_constraints",
    "synopsys_constraints",
    "testbench_text",
]


_TESTBENCH = Path(__file__).with_name("testbench.v")
_STATES = (ImageState.STAGED, ImageState.REFUSED)
_PICOSECONDS = 10**9
"""Of a millisecond: a period in ps is this over a frequency in kHz."""


def _comment(head: Sequence[str], sign: str = "//") -> str:
    return "".join(f"{sign} {line}\n" for line in head)


def _signals(ports: Sequence[Port], *, driven: bool) -> list[str]:
    """A declaration for each port; inputs are registers where they are driven."""
    lines = []
    for port in ports:
        kind = "reg " if driven and port.direction == "input" else "wire"
        lines.append(f"{kind} {port.range}{port.name};")
    return lines


def _instance(name: str, instance: str, ports: Sequence[Port]) -> list[str]:
    """An instance whose signals are called as its ports."""
    width = max(len(port.name) for port in ports)
    lines = [f"{name} {instance} ("]
    for group, members in groups(ports):
        lines.append(f"  // {group}")
        for port in members:
            comma = "" if port is ports[-1] else ","
            bits = f"{port.direction}, {port.width} bit{'s' if port.width > 1 else ''}"
            lines.append(f"  .{port.name:{width}} ({port.name}){comma}  // {bits}")
    return [*lines, ");"]


def instance_text(name: str, ports: Sequence[Port], *, head: Sequence[str]) -> str:
    """A template that instantiates the top module.

    Parameters
    ----------
    name : str
        Name of the module.
    ports : Sequence[Port]
        Its ports in the order in which they are connected.
    head : Sequence[str]
        Lines of the comment at the top.
    """
    inner = [port for port in ports if port.name not in ("clk", "rst")]
    lines = [*_signals(inner, driven=False), "", *_instance(name, f"{name}_inst", ports)]
    return _comment(head) + "\n" + "\n".join(lines) + "\n"


def testbench_text(
    name: str,
    ports: Sequence[Port],
    config: ChannelConfig,
    registers: RegisterMap,
    *,
    head: Sequence[str],
) -> str:
    """A testbench that loads an image, runs traffic, and says PASS or FAIL.

    Parameters
    ----------
    name : str
        Name of the module under test.
    ports : Sequence[Port]
        Its ports.
    config : ChannelConfig
        Its sizes.
    registers : RegisterMap
        Its registers.
    head : Sequence[str]
        Lines of the comment at the top.
    """
    inputs = [port for port in ports if port.direction == "input" and port.name != "clk"]
    ready = ("rst", "s_axil_bready", "s_axil_rready")
    idle = []
    for port in inputs:
        value = "1" if port.name in ready else "4'hf" if port.name == "s_axil_wstrb" else "0"
        idle.append(f"{port.name} = {value};")
    parts = {
        "CONSTANTS": [
            f"localparam {key} = {value};" for key, value in _constants(config, registers)
        ],
        "SIGNALS": _signals(ports, driven=True),
        "INSTANCE": _instance(name, "dut", ports),
        "IDLE": idle,
    }
    text = _TESTBENCH.read_text(encoding="utf-8")
    for key, lines in parts.items():
        mark = f"//@{key}\n"
        before = text[: text.index(mark)]
        indent = before[before.rindex("\n") + 1 :]
        text = text.replace(mark, f"\n{indent}".join(lines) + "\n")
    return _comment(head) + text


def _constants(config: ChannelConfig, registers: RegisterMap) -> list[tuple[str, str]]:
    """Names and values of what the testbench knows of the hardware."""
    control, status = registers["IMAGE_CONTROL"], registers["IMAGE_STATUS"]
    fields = {field.name: field for field in status.fields}
    found = {
        "TENANTS": config.tenants,
        "SLOTS": config.slots,
        "ID_BITS": config.id_width,
        "MAX_BEATS": config.max_beats,
        "BEAT_BYTES": config.beat_bytes,
        "BYTES_PER_CLOCK": config.bytes_per_clock,
        "CLOCK_KHZ": config.clock_khz,
        "IMAGE_WORDS": registers.image_length,
        "REGISTER_ADDRESS_BITS": registers.address_width,
        "IMAGE_CONTROL_BEGIN": control.pack(begin=1),
        "IMAGE_CONTROL_COMMIT": control.pack(commit=1),
        "CODE_LOW": fields["code"].low,
        **{state.name: int(state) for state in _STATES},
    }
    words = {
        "MAP_HASH_VALUE": registers.hash,
        "IMAGE_MAGIC": IMAGE_MAGIC,
        "STATE_MASK": fields["state"].mask,
        "CODE_MASK": fields["code"].mask,
    }
    offsets = ("MAP_HASH", "CLOCK", "IMAGE_CONTROL", "IMAGE_DATA", "IMAGE_STATUS", "GENERATION")
    return [
        *((key, str(value)) for key, value in found.items()),
        *((key, f"32'h{value:08x}") for key, value in words.items()),
        *((key, f"'h{registers[key].offset:x}") for key in (*offsets, "LIVE_CRC")),
    ]


def synopsys_constraints(config: ChannelConfig, *, head: Sequence[str]) -> str:
    """The clock as SDC, which XDC is a kind of."""
    period = float(Fraction(_PICOSECONDS, config.clock_khz)) / 1000
    return _comment(head, "#") + f"\ncreate_clock -name clk -period {period:.3f} [get_ports clk]\n"


def lattice_constraints(config: ChannelConfig, *, head: Sequence[str]) -> str:
    """The clock as Lattice's preferences."""
    return _comment(head, "#") + f'\nFREQUENCY PORT "clk" {config.clock_khz / 1000:g} MHz;\n'
