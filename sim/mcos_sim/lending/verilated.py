"""The lending top as a shared library."""

import ctypes
import dataclasses
from pathlib import Path
from types import TracebackType

import numpy as np
from amaranth.hdl import Value
from amaranth.lib import data

from mcos_hw.config import FabricConfig
from mcos_policy.settings import Settings
from mcos_sim.building.rig import rig_library
from mcos_sim.lending.hardware import LendingTop

__all__ = ["LendingRun"]


_HARNESS = Path(__file__).with_name("harness.cpp")

_NAME = "lending"


class LendingRun:
    """A lending top that runs; a context manager.

    Parameters
    ----------
    fabric : FabricConfig
        Sizes.
    """

    def __init__(self, fabric: FabricConfig) -> None:
        self.fabric = fabric
        top = LendingTop(fabric)
        self._pins = {
            "__".join(map(str, path)): value for path, _, value in top.signature.flatten(top)
        }
        library = rig_library(top, name=_NAME, harness=_HARNESS, header=self._header())
        pointer, number = ctypes.c_void_p, ctypes.c_int64
        library.lending_create.restype = pointer
        library.lending_destroy.argtypes = (pointer,)
        library.lending_set.argtypes = (pointer, ctypes.c_int, pointer, number)
        library.lending_get.argtypes = (pointer, ctypes.c_int, pointer, number)
        library.lending_run.argtypes = (pointer, number)
        self._library = library
        self._handle = library.lending_create()

    def __enter__(self) -> "LendingRun":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._library.lending_destroy(self._handle)

    def restart(self) -> None:
        """Begin anew from power-up."""
        self._library.lending_destroy(self._handle)
        self._handle = self._library.lending_create()

    def commit(self, settings: Settings, *, generation: int) -> None:
        """Make an image live."""
        tenants = [
            dataclasses.asdict(settings.tenants[tag]) for tag in range(self.fabric.channel.tenants)
        ]
        channel = dataclasses.asdict(settings.channel)
        self.set("image__channel", channel)
        self.set("image__tenants", tenants)
        self.set("contracts", tenants)
        self.set("image__generation", generation)

    def set(self, name: str, value) -> None:
        """Set a pin, from what the fields of its layout are called."""
        pin = self._pins[name]
        bits = _bits(pin.shape() if isinstance(pin, data.View) else None, value)
        text = bits.to_bytes(-(-len(Value.cast(pin)) // 8), "little")
        self._library.lending_set(self._handle, self._number(name), text, len(text))

    def counts(self, name: str) -> np.ndarray:
        """Counts of 32 bits, (channels, tenants)."""
        shape = (self.fabric.channels, self.fabric.channel.tenants)
        found = np.zeros(shape, dtype=np.uint32)
        self._library.lending_get(self._handle, self._number(name), found.ctypes.data, found.nbytes)
        return found.astype(np.int64)

    def run(self, clocks: int) -> None:
        self._library.lending_run(self._handle, clocks)

    def _number(self, name: str) -> int:
        return list(self._pins).index(name)

    def _header(self) -> str:
        # Verilator writes two underscores so.
        names = [name.replace("__", "___05F") for name in self._pins]
        pins = " ".join(f"X({k}, {name})" for k, name in enumerate(names))
        return f"#define EACH_PIN(X) {pins}\n"


def _bits(layout, value) -> int:
    """The bits of nested lists and dicts; fields that the layout has not are left out."""
    if isinstance(layout, data.ArrayLayout):
        parts = [(layout[k], each) for k, each in enumerate(value)]
    elif isinstance(layout, data.StructLayout):
        parts = [(layout[name], value[name]) for name in layout.members]
    else:
        return int(value)
    return sum(_bits(field.shape, each) << field.offset for field, each in parts)
