"""A protocol checker for an AXI interface of a design under cocotb."""

import cocotb
from cocotb.triggers import FallingEdge, ReadOnly

from mcos_sim.axi.protocol import Protocol, Side, Violation

__all__ = [
    "AxiChecker",
]


class _Handles(dict):
    """Handles of an interface by AXI's names; reads values."""

    def __getitem__(self, name: str) -> int:
        return int(super().__getitem__(name).value)


class AxiChecker:
    """Watches an AXI interface from its making to the end of the test.

    It looks when a clock's values have settled, after its falling edge, so that managers and
    memories may drive at either edge. A violation fails the test in its clock. A test ends with
    :meth:`end`, which fails unless everything was answered.

    Parameters
    ----------
    dut
        Design, as cocotb shows it.
    prefix : str
        What stands before AXI's names, for example ``s00_axi_``. With a ``wid`` it is AXI3.
    clock, reset
        Handles; reset is active high, None is never.
    side : Side
        Whose signals are judged.
    unique_ids : bool
        No two bursts under way may have the same ID.
    """

    def __init__(
        self, dut, prefix: str, *, clock, reset=None, side: Side = Side.BOTH, unique_ids=False
    ) -> None:
        names = {f"{channel}{part}" for channel in ("aw", "ar") for part in _ADDRESS}
        axi3 = hasattr(dut, f"{prefix}wid")
        names |= {*_DATA, *(("wid",) if axi3 else ("awqos", "arqos"))}
        self._handles = _Handles({name: getattr(dut, f"{prefix}{name}") for name in names})
        self._clock, self._reset = clock, reset
        self.protocol = Protocol(
            prefix.strip("_"),
            data_bytes=len(dict.__getitem__(self._handles, "wstrb")),
            axi3=axi3,
            unique_ids=unique_ids,
            side=side,
            on_violation=_fail,
        )
        self._task = cocotb.start_soon(self._watch())

    def end(self) -> None:
        """Ends the watch.

        Raises
        ------
        AssertionError
            If it saw no burst, or one of them was not answered.
        """
        self._task.cancel()
        assert self.protocol.bursts, f"{self.protocol.name} must have had a burst to be judged by"
        self.protocol.end()

    async def _watch(self) -> None:
        was_reset = False
        falling, settled = FallingEdge(self._clock), ReadOnly()
        while True:
            await falling
            await settled
            is_reset = self._reset is not None and bool(int(self._reset.value))
            if not is_reset:
                self.protocol.clock(self._handles)
            elif was_reset:
                self.protocol.reset(self._handles)
            was_reset = is_reset


_ADDRESS = (
    *("id", "addr", "len", "size", "burst", "lock", "cache", "prot"),
    *("valid", "ready"),
)

_DATA = (
    *("wdata", "wstrb", "wlast", "wvalid", "wready", "bid", "bresp", "bvalid", "bready"),
    *("rid", "rdata", "rresp", "rlast", "rvalid", "rready"),
)


def _fail(violation: Violation) -> None:
    raise AssertionError(str(violation))
