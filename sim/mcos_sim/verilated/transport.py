"""Registers of the verilated hardware, as a client of ``mcos_policy.client`` reaches them."""

import numpy as np

from mcos_sim.verilated.hardware import Hardware

__all__ = ["VerilatedTransport"]


class VerilatedTransport:
    """AXI4-Lite accesses to running hardware; each takes the clocks that the bus takes.

    Parameters
    ----------
    hardware : Hardware
        The hardware.
    environment : numpy.ndarray or None
        Who asks and who serves while software waits for an answer; it may be set later. Without one
        nothing is asked for.
    """

    def __init__(self, hardware: Hardware, environment: np.ndarray | None = None) -> None:
        self.hardware = hardware
        self.environment = environment

    def read32(self, address: int) -> int:
        """The word at an address."""
        return self.hardware.read(address, self.environment)

    def write32(self, address: int, word: int) -> None:
        """Write a word at an address."""
        self.hardware.write(address, word, self.environment)
