"""The cocotb test that stands for a board's cable; see :mod:`mcos_sim.board.simulated`.

A program on the other side of a socket sends bytes to the board's pins and takes those that come
back. Time goes on only while it waits for bytes, or asks for clocks to pass.
"""

import logging
import socket
import struct

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, First, Timer
from cocotbext.uart import UartSink, UartSource

from mcos_sim.cosim.run_tests import parameters

__all__ = ["serves_a_line"]


_CLOCK_NS = 20

_RESET_CLOCKS = 4


def _received(link: socket.socket, count: int) -> bytes:
    """So many bytes of the program, or none where it has gone."""
    found = b""
    while len(found) < count:
        some = link.recv(count - len(found))
        if not some:
            return b""
        found += some
    return found


async def _read(sink: UartSink, count: int, silent_ns: int) -> bytes:
    """Bytes of the board; fewer where none comes for so long."""
    found = b""
    while len(found) < count:
        if sink.empty():
            sink.sync.clear()
            await First(sink.sync.wait(), Timer(silent_ns, "ns"))
            if sink.empty():
                break
        found += bytes(sink.read_nowait(min(sink.count(), count - len(found))))
    return found


@cocotb.test()
async def serves_a_line(dut) -> None:
    """Carries bytes until the program goes away."""
    settings = parameters()
    bit_ns = settings["bit_clocks"] * _CLOCK_NS
    silent_ns = settings["silent_clocks"] * _CLOCK_NS
    for pin in ("received", "sent"):
        logging.getLogger(f"cocotb.{dut._name}.{pin}").setLevel(logging.WARNING)
    Clock(dut.clk, _CLOCK_NS, "ns").start()
    source = UartSource(dut.received, baud=10**9 // bit_ns)
    sink = UartSink(dut.sent, baud=10**9 // bit_ns)
    dut.rst.value = 1
    await ClockCycles(dut.clk, _RESET_CLOCKS)
    dut.rst.value = 0
    with socket.socket(socket.AF_UNIX) as link:
        link.connect(settings["socket"])
        while head := _received(link, 5):
            what, amount = struct.unpack("<cI", head)
            match what:
                case b"W":
                    source.write_nowait(_received(link, amount))
                case b"R":
                    await source.wait()
                    found = await _read(sink, amount, silent_ns)
                    link.sendall(struct.pack("<I", len(found)) + found)
                case b"D":
                    sink.clear()
                case b"T":
                    await source.wait()
                    await Timer(amount * _CLOCK_NS, "ns")
                    link.sendall(struct.pack("<I", int(dut.lights.value)))
                case b"P":
                    link.sendall(struct.pack("<I", int(dut.differed.value)))
