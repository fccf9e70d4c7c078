"""What a user begins with beside the Verilog: an instance and constraints."""

from collections.abc import Callable, Sequence
from fractions import Fraction

from mcos_hw.config import ChannelConfig
from mcos_hw.targets.ports import Port, groups

__all__ = [
    "comment",
    "instance_lines",
    "instance_text",
    "lattice_constraints",
    "signal_lines",
    "synopsys_constraints",
]


_PICOSECONDS = 10**9
"""Of a millisecond: a period in ps is this over a frequency in kHz."""


def comment(head: Sequence[str], sign: str = "//") -> str:
    """Lines as a comment."""
    return "".join(f"{sign} {line}\n" for line in head)


def signal_lines(
    ports: Sequence[Port], *, driven: Callable[[Port], bool] = lambda _: False
) -> list[str]:
    """A declaration for each port; those that are driven are registers."""
    lines = []
    for port in ports:
        kind = "reg " if driven(port) else "wire"
        lines.append(f"{kind} {port.range}{port.name};")
    return lines


def instance_lines(name: str, instance: str, ports: Sequence[Port]) -> list[str]:
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
    lines = [*signal_lines(inner), "", *instance_lines(name, f"{name}_inst", ports)]
    return comment(head) + "\n" + "\n".join(lines) + "\n"


def synopsys_constraints(config: ChannelConfig, *, head: Sequence[str]) -> str:
    """The clock as SDC, which XDC is a kind of."""
    period = float(Fraction(_PICOSECONDS, config.clock_khz)) / 1000
    return comment(head, "#") + f"\ncreate_clock -name clk -period {period:.3f} [get_ports clk]\n"


def lattice_constraints(config: ChannelConfig, *, head: Sequence[str]) -> str:
    """The clock as Lattice's preferences."""
    return comment(head, "#") + f'\nFREQUENCY PORT "clk" {config.clock_khz / 1000:g} MHz;\n'
