"""Registers of a design under cocotb, as a client of ``mcos_policy.client`` reaches them."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from cocotb.task import bridge, resume

from mcos_sim.cosim.testbench import Registers

__all__ = [
    "CosimTransport",
    "run_software",
]


_Given = ParamSpec("_Given")
_Found = TypeVar("_Found")


class CosimTransport:
    """AXI4-Lite accesses by cocotb's master, for software that knows no coroutines.

    Use it inside :func:`run_software`: an access lets the simulation go on until it is answered.

    Parameters
    ----------
    registers : Registers
        The driver of the bus.
    """

    def __init__(self, registers: Registers) -> None:
        self._read = resume(registers.read_word)
        self._write = resume(registers.write_word)

    def read32(self, address: int) -> int:
        """The word at an address."""
        return self._read(address)

    def write32(self, address: int, word: int) -> None:
        """Write a word at an address."""
        self._write(address, word)


async def run_software(
    software: Callable[_Given, _Found], *arguments: _Given.args, **options: _Given.kwargs
) -> _Found:
    """Run a function that is no coroutine while the simulation goes on; what it returns."""
    return await bridge(software)(*arguments, **options)
