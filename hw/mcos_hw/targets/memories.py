"""Memories as modules of their own, which a memory compiler's macros take the place of."""

from collections.abc import Iterator, Sequence

from amaranth import *
from amaranth.hdl import MemoryData
from amaranth.lib import memory

from mcos_hw.targets.companions import comment

__all__ = ["MemoryWrappers"]


class MemoryWrappers:
    """A platform for which every memory is an instance of a wrapper.

    A wrapper's name tells its size and ports: ``mcos_memory_512x9_w1_rs`` has 512 rows of 9 bits, a
    write port with one enable (``w1``) and a synchronous read port (``rs``); an asynchronous one,
    whose data follow its address in the same clock, is ``ra``. Memories of one size share one
    wrapper. Their models start with rows of any bits, as macros do: no core needs its memories
    cleared.

    Parameters
    ----------
    name : str
        Name of the top module; the names of the wrappers begin with it.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._wrappers: dict[str, list[str]] = {}

    def get_memory(self, source: memory.Memory) -> Elaboratable:
        """What Amaranth puts in the place of a memory.

        Raises
        ------
        ValueError
            If it has contents, or a port that reads what is written in the same clock.
        """
        shape = Shape.cast(source.shape)
        empty = MemoryData(shape=source.shape, depth=source.depth, init=[])
        if list(source.init) != list(empty.init):
            raise ValueError(
                "a memory must be empty at power-up to have a wrapper, not with contents"
            )
        if any(port.transparent_for for port in source.read_ports):
            raise ValueError(
                "a memory must not have transparent ports to have a wrapper; "
                "put the bypass beside it"
            )
        if not source.write_ports or source.depth < 2:
            return source.elaborate(None)
        parts = [f"{self.name}_memory_{source.depth}x{shape.width}"]
        parts += [f"w{len(port.en)}" for port in source.write_ports]
        parts += ["ra" if port.domain == "comb" else "rs" for port in source.read_ports]
        name = "_".join(parts)
        if name not in self._wrappers:
            self._wrappers[name] = list(_module(name, source, shape.width))
        ports = {"i_clk": ClockSignal(source.write_ports[0].domain)}
        for i, port in enumerate(source.write_ports):
            ports |= {
                f"i_w{i}_en": port.en,
                f"i_w{i}_addr": port.addr,
                f"i_w{i}_data": Value.cast(port.data),
            }
        for i, port in enumerate(source.read_ports):
            if port.domain != "comb":
                ports[f"i_r{i}_en"] = port.en
            ports |= {f"i_r{i}_addr": port.addr, f"o_r{i}_data": Value.cast(port.data)}
        m = Module()
        m.submodules.macro = Instance(name, **ports)
        return m

    def text(self, *, head: Sequence[str]) -> str:
        """The wrappers as Verilog-2005, in order of their names.

        Parameters
        ----------
        head : Sequence[str]
            Lines of the comment at the top.
        """
        modules = ["\n".join(self._wrappers[name]) for name in sorted(self._wrappers)]
        waivers = "// verilator lint_off DECLFILENAME\n// verilator lint_off WIDTH"
        return "\n".join([comment(head) + waivers, *(f"\n{each}" for each in modules), ""])


def _module(name: str, source: memory.Memory, width: int) -> Iterator[str]:
    """A wrapper with a model of the memory in it."""
    declared = ["input wire clk"]
    for i, port in enumerate(source.write_ports):
        declared += [
            f"input wire {_range(len(port.en))}w{i}_en",
            f"input wire {_range(len(port.addr))}w{i}_addr",
            f"input wire {_range(width)}w{i}_data",
        ]
    for i, port in enumerate(source.read_ports):
        clocked = port.domain != "comb"
        declared += [f"input wire r{i}_en"] if clocked else []
        declared += [
            f"input wire {_range(len(port.addr))}r{i}_addr",
            f"output {'reg' if clocked else 'wire'} {_range(width)}r{i}_data",
        ]
    yield f"// {source.depth} rows of {width} bits."
    yield f"module {name} ("
    yield ",\n".join(f"  {each}" for each in declared)
    yield ");"
    yield f"  reg {_range(width)}rows [{source.depth - 1}:0];"
    yield "`ifndef SYNTHESIS"
    yield "  integer k;"
    yield f"  initial for (k = 0; k < {source.depth}; k = k + 1)"
    # Not unknown bits: a comparison of two of them is unknown in a simulator and never in silicon.
    yield f"    rows[k] = {{{-(-width // 32)}{{$random}}}};"
    yield "`endif"
    for i, port in enumerate(source.write_ports):
        part = width // len(port.en)
        yield "  always @(posedge clk) begin"
        for k in range(len(port.en)):
            bits = f"[{(k + 1) * part - 1}:{k * part}]" if width > 1 else ""
            enable = f"w{i}_en[{k}]" if len(port.en) > 1 else f"w{i}_en"
            yield f"    if ({enable}) rows[w{i}_addr]{bits} <= w{i}_data{bits};"
        yield "  end"
    for i, port in enumerate(source.read_ports):
        if port.domain == "comb":
            yield f"  assign r{i}_data = rows[r{i}_addr];"
        else:
            yield f"  always @(posedge clk) if (r{i}_en) r{i}_data <= rows[r{i}_addr];"
    yield "endmodule"


def _range(width: int) -> str:
    return f"[{width - 1}:0] " if width > 1 else ""
