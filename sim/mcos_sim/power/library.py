"""A rig as a shared library: Amaranth to Verilog, Verilator and a harness to C functions."""

import ctypes
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from amaranth.lib.wiring import In, Out

from mcos_sim.building.rig import rig_library
from mcos_sim.power.rig import Rig

__all__ = ["RunningRig"]


_HARNESS = Path(__file__).with_name("harness.cpp")

_NAME = "mcos_power_rig"


class RunningRig:
    """A compiled rig that goes on from call to call; a context that ends it.

    Parameters
    ----------
    rig : Rig
        The design.

    Raises
    ------
    BuildFailed
        If Verilator warns or fails, or the C++ compiler fails.
    """

    def __init__(self, rig: Rig) -> None:
        members = rig.signature.members.items()
        self._inputs = [name for name, member in members if member.flow is In]
        self._outputs = [name for name, member in members if member.flow is Out]
        library = rig_library(rig, name=_NAME, harness=_HARNESS, header=self._header())
        library.rig_create.restype = ctypes.c_void_p
        library.rig_destroy.argtypes = (ctypes.c_void_p,)
        library.rig_run.argtypes = (
            *(ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p),
        )
        self._library = library
        self._handle = library.rig_create()
        self._values = np.zeros(len(self._inputs), dtype=np.int64)
        self._results = np.zeros(len(self._outputs), dtype=np.int64)

    def __enter__(self) -> "RunningRig":
        return self

    def __exit__(self, *_: object) -> None:
        self._library.rig_destroy(self._handle)

    def run(self, clocks: int, **inputs: int) -> Mapping[str, int]:
        """So many clocks with these inputs, the others as before; what the outputs are then."""
        for name, value in inputs.items():
            self._values[self._inputs.index(name)] = value
        self._library.rig_run(
            self._handle, clocks, self._values.ctypes.data, self._results.ctypes.data
        )
        return dict(zip(self._outputs, self._results.tolist(), strict=True))

    def _header(self) -> str:
        """C++ for ``pins.h``."""

        def listed(names: list[str]) -> str:
            return " ".join(f"X({place}, {name})" for place, name in enumerate(names))

        return (
            f"#pragma once\n#define EACH_INPUT(X) {listed(self._inputs)}\n"
            f"#define EACH_OUTPUT(X) {listed(self._outputs)}\n"
        )
