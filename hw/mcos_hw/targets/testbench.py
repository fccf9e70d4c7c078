"""Testbenches beside the Verilog, from templates with marks for what the hardware decides."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import RegisterMap
from mcos_hw.registers.image import IMAGE_MAGIC, HeaderWord, ImageState
from mcos_hw.targets.companions import comment, instance_lines, signal_lines
from mcos_hw.targets.ports import Port

__all__ = [
    "channel_constants",
    "constant_lines",
    "filled",
    "idle_lines",
    "is_input",
    "testbench_text",
]


_STATES = (ImageState.STAGED, ImageState.REFUSED)


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
    return filled(
        "testbench.v",
        {
            "CONSTANTS": constant_lines(channel_constants(config, registers)),
            "SIGNALS": signal_lines(ports, driven=is_input),
            "INSTANCE": instance_lines(name, "dut", ports),
            "IDLE": idle_lines([port for port in ports if is_input(port)]),
        },
        head=head,
    )


def is_input(port: Port) -> bool:
    """Whether the hardware takes it."""
    return port.direction == "input"


def idle_lines(ports: Sequence[Port]) -> list[str]:
    """An assignment for each input but the clock: in reset, with nothing offered."""
    ready = ("rst", "s_axil_bready", "s_axil_rready")
    lines = []
    for port in ports:
        value = "1" if port.name in ready else "4'hf" if port.name == "s_axil_wstrb" else "0"
        if port.name != "clk":
            lines.append(f"{port.name} = {value};")
    return lines


def constant_lines(constants: Mapping[str, str]) -> list[str]:
    """A declaration of each constant."""
    return [f"localparam {key} = {value};" for key, value in constants.items()]


def filled(template: str, parts: Mapping[str, Sequence[str]], *, head: Sequence[str]) -> str:
    """A template beside this module, with lines where it has their marks.

    Parameters
    ----------
    template : str
        Its file. A line ``//@KEY`` is a mark.
    parts : Mapping[str, Sequence[str]]
        Lines by their key. What every testbench does with registers is REGISTERS.
    head : Sequence[str]
        Lines of the comment at the top.
    """
    text = _text(template).replace("  //@REGISTERS\n", _text("testbench_registers.v"))
    for key, lines in parts.items():
        mark = f"//@{key}\n"
        before = text[: text.index(mark)]
        indent = before[before.rindex("\n") + 1 :]
        text = text.replace(mark, f"\n{indent}".join(lines) + "\n")
    return comment(head) + text


def _text(name: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8")


def channel_constants(config: ChannelConfig, registers: RegisterMap) -> dict[str, str]:
    """Names and values of what every testbench knows of the hardware."""
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
        "IMAGE_LENGTH_PLACE": int(HeaderWord.WORDS),
        "REGISTER_ADDRESS_BITS": registers.address_width,
        "IMAGE_CONTROL_BEGIN": control.pack(begin=1),
        "IMAGE_CONTROL_COMMIT": control.pack(commit=1),
        "CODE_LOW": fields["code"].low,
        **{state.name: int(state) for state in _STATES},
    }
    words = {
        "MAP_HASH_VALUE": registers["MAP_HASH"].reset,
        "IMAGE_MAGIC": IMAGE_MAGIC,
        "STATE_MASK": fields["state"].mask,
        "CODE_MASK": fields["code"].mask,
    }
    offsets = ("MAP_HASH", "CLOCK", "IMAGE_CONTROL", "IMAGE_DATA", "IMAGE_STATUS", "GENERATION")
    return {
        **{key: str(value) for key, value in found.items()},
        **{key: f"32'h{value:08x}" for key, value in words.items()},
        **{key: f"'h{registers[key].offset:x}" for key in (*offsets, "LIVE_CRC")},
    }
