"""One running instance of the verilated hardware."""

import functools
from collections.abc import Sequence

import numpy as np
from numba import carray, types
from numba.core.ccallback import CFunc

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import channel_map
from mcos_sim.compiling import callback
from mcos_sim.environment import layout
from mcos_sim.environment.drive import environment_step
from mcos_sim.environment.environment import model_of
from mcos_sim.environment.fabric import fabric_step
from mcos_sim.errors import HardwareError
from mcos_sim.memory.memory import MemoryModel
from mcos_sim.verilated.build import Library

__all__ = [
    "Hardware",
    "image_writes",
    "load_clocks",
    "writes_before",
]


_WRITE_CLOCKS = 4
"""Clocks from one register write to the next; the harness needs them to have the answer."""

_CHECK_CLOCKS = 8
"""Clocks from the one in which the write after the last word could come to the live image.

A write reaches the loader in the second clock after it, and the checks take a clock.
"""


@functools.cache
def _drive(memory: MemoryModel, *, fabric: bool) -> CFunc:
    """A C function that takes an environment with such a memory one clock on."""
    drive = (fabric_step if fabric else environment_step)(memory).drive

    @callback(types.void(types.CPointer(types.int64), types.int64))
    def drive_array(pointer, length):
        drive(carray(pointer, (length,)))

    return drive_array


def load_clocks(config: ChannelConfig) -> int:
    """Clocks from the first write of an image to the one in which it is live."""
    return _WRITE_CLOCKS * (channel_map(config).image_length + 1) + _CHECK_CLOCKS


def image_writes(
    words: Sequence[int], config: ChannelConfig, *, live: int, longer: int = 0
) -> list[tuple[int, int, int]]:
    """Register writes that load an image and make it live in clock ``live``.

    Parameters
    ----------
    words : Sequence[int]
        The image, good or not.
    config : ChannelConfig
        Sizes of each channel.
    live : int
        Clock.
    longer : int
        Words that a good image has beyond those of one channel.

    Returns
    -------
    list[tuple[int, int, int]]
        Rows of (clock, address, word), the first one ``load_clocks(config)`` before ``live``, or
        earlier if the image is longer.
    """
    registers = channel_map(config)
    control, stream = registers["IMAGE_CONTROL"], registers["IMAGE_DATA"]
    first = live - load_clocks(config) - _WRITE_CLOCKS * longer
    rows = [(first, control.offset, control.pack(begin=1))]
    rows += [(first + _WRITE_CLOCKS * (k + 1), stream.offset, word) for k, word in enumerate(words)]
    # A write happens in the clock after it is driven, reaches the loader in the next, and what it
    # makes live is so in the one after that.
    return [*rows, (live - 3, control.offset, control.pack(commit=1))]


def writes_before(
    words: Sequence[tuple[int, int]], writes: Sequence[tuple[int, int, int]]
) -> list[tuple[int, int, int]]:
    """Register writes (address, word) as rows that end before the first of others.

    Raises
    ------
    ValueError
        If they would begin before the hardware does.
    """
    first = writes[0][0] - _WRITE_CLOCKS * len(words)
    if first < 0:
        raise ValueError(f"there must be time for {len(words)} writes before clock {writes[0][0]}")
    rows = [(first + _WRITE_CLOCKS * k, *word) for k, word in enumerate(words)]
    return [*rows, *writes]


class Hardware:
    """The hardware from reset on, one clock after another.

    Parameters
    ----------
    library : Library
        Built design.
    config : ChannelConfig
        Its sizes.
    """

    def __init__(self, library: Library, config: ChannelConfig) -> None:
        self.config = config
        self._library = library
        self._handle = library.create()

    def __enter__(self) -> "Hardware":
        return self

    def __exit__(self, *_: object) -> None:
        self._library.destroy(self._handle)

    @property
    def clock(self) -> int:
        """The clock it is in, counted from reset."""
        return self._library.clock(self._handle)

    def reset(self) -> None:
        """A clock of reset, whatever is under way; the next clock is clock 0."""
        self._library.reset(self._handle)

    def run(
        self,
        until: int,
        *,
        environment: np.ndarray | None = None,
        writes: Sequence[tuple[int, int, int]] = (),
        rows: np.ndarray | None = None,
    ) -> int:
        """Run up to a clock, or until the environment is done; the clocks that it were.

        Parameters
        ----------
        until : int
            Clock to stop in.
        environment : numpy.ndarray or None
            Who asks and who serves; without one nothing happens.
        writes : Sequence[tuple[int, int, int]]
            Register writes, in the order of their clocks.
        rows : numpy.ndarray or None
            Shape (clocks, words), uint64: gets the probe of each clock, and if a row has room for
            it what crosses the ports, see :mod:`mcos_sim.environment.layout`.
        """
        written = np.array(writes, dtype=np.int64).reshape(-1, 3)
        if rows is not None and len(rows) < until - self.clock:
            raise ValueError(f"rows must be at least {until - self.clock}, not {len(rows)}")
        return self._library.run(
            self._handle,
            *_traffic(environment),
            until,
            written.ctypes.data,
            len(written),
            None if rows is None else rows.ctypes.data,
            0 if rows is None else rows.shape[1],
        )

    def read(self, address: int, environment: np.ndarray | None = None) -> int:
        """The word at an address, while an environment goes on; without one nothing is asked for.

        An environment rests until its first clock has come, and when it is done.

        Raises
        ------
        HardwareError
            If the bus does not answer OKAY.
        """
        word = self._library.read(self._handle, *_traffic(environment), address)
        if word < 0:
            raise HardwareError(f"a read at 0x{address:04x} must be answered OKAY")
        return word

    def write(self, address: int, word: int, environment: np.ndarray | None = None) -> None:
        """Write a word at an address; otherwise as :meth:`read`."""
        if self._library.write(self._handle, *_traffic(environment), address, word) < 0:
            raise HardwareError(f"a write at 0x{address:04x} must be answered OKAY")

    def read_array(self, name: str) -> list[int]:
        """The words of a register, while nothing is asked for.

        Raises
        ------
        HardwareError
            If the bus does not answer OKAY.
        """
        register = channel_map(self.config)[name]
        return [self.read(register.offset + 4 * index) for index in range(register.count)]


def _traffic(environment: np.ndarray | None) -> tuple[int | None, int | None, int]:
    """What drives an environment in C, where it is, and how many words it has."""
    if environment is None:
        return None, None, 0
    fabric = bool(environment[layout.AXI_PORTS])
    drive = _drive(model_of(environment), fabric=fabric).address
    return drive, environment.ctypes.data, len(environment)
