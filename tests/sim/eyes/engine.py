"""An engine inside: fragments with data by handle, at the inner port of the top."""

import dataclasses
from collections import deque

from cocotb.triggers import FallingEdge, ReadOnly

from mcos_hw.link.transfer import FETCH_CLOCKS
from tests.sim.eyes.attach import INNER

__all__ = ["Engine", "Fragment"]

_HANDLES = 8


@dataclasses.dataclass(kw_only=True, eq=False)
class Fragment:
    """Beats within a block, and the clocks in which it was taken, its first beat and its end came.

    A read has as many words as it wants; they are what memory gives when it has finished.
    """

    address: int
    order: int
    words: list[int]
    taken: int = -1
    began: int = -1
    left: int = -1

    @property
    def beats(self) -> int:
        """How many."""
        return len(self.words)

    def overlaps(self, other: "Fragment") -> bool:
        """Whether the two may not be outstanding together."""
        end, other_end = (each.address + 8 * each.beats for each in (self, other))
        return self.order == other.order and self.address < other_end and other.address < end


class Engine:
    """Drives the pins of the inner port; one direction at a time."""

    def __init__(self, dut) -> None:
        self.dut = dut
        self.clock = 0

    def pin(self, name: str):
        """A pin of the port."""
        return getattr(self.dut, f"inner_02_{name}")

    def value(self, name: str) -> int:
        """What it shows."""
        return int(self.pin(name).value)

    async def write(self, fragments: list[Fragment]) -> None:
        """Writes fragments, each of whose beats memory fetches when it wants it."""
        await self._run("writes", fragments)

    async def read(self, fragments: list[Fragment]) -> None:
        """Reads fragments into their words."""
        await self._run("reads", fragments)

    async def _run(self, side: str, fragments: list[Fragment]) -> None:
        waiting = deque(fragments)
        handles = deque(range(_HANDLES))
        outstanding: dict[int, Fragment] = {}
        counts: dict[int, int] = {}
        fetched: deque[tuple[int, int]] = deque()
        offered = None
        while waiting or outstanding or offered:
            assert self.clock < 20_000
            await FallingEdge(self.dut.clk)
            self.clock += 1
            if offered is None and waiting and handles:
                offered = handles.popleft(), waiting.popleft()
                self._offer(side, *offered)
            self.pin(f"{side}_valid").value = offered is not None
            if fetched and fetched[0][0] == self.clock:
                self.pin("fetch_data").value = fetched.popleft()[1]
                self.pin("fetch_strobe").value = 0xFF
            await ReadOnly()
            if self.value("fetch_stb"):
                handle = self.value("fetch_entry")
                beat, of = counts[handle], outstanding[handle]
                assert self.value("fetch_last") == (beat == of.beats - 1)
                if beat == 0:
                    of.began = self.clock
                fetched.append((self.clock + FETCH_CLOCKS, of.words[beat]))
                counts[handle] += 1
            left = self._left(outstanding, counts)
            if left is not None:
                outstanding.pop(left).left = self.clock
                handles.append(left)
            if offered is not None and self.value(f"{side}_ready"):
                handle, fragment = offered
                fragment.taken = self.clock
                outstanding[handle], counts[handle] = fragment, 0
                offered = None
        await FallingEdge(self.dut.clk)
        self.pin(f"{side}_valid").value = 0

    def _offer(self, side: str, handle: int, fragment: Fragment) -> None:
        fields = {
            "tenant": INNER,
            "address": fragment.address,
            "beats": fragment.beats,
            "entry": handle,
            "order": fragment.order,
            "offered": 0,
        }
        for name, value in fields.items():
            self.pin(f"{side}_{name}").value = value

    def _left(self, outstanding: dict[int, Fragment], counts: dict[int, int]) -> int | None:
        """The handle that memory has finished in this clock."""
        if self.value("acknowledged_valid"):
            handle = self.value("acknowledged_entry")
            assert self.value("acknowledged_response") == 0
            assert counts[handle] == outstanding[handle].beats
            return handle
        if not self.value("returned_valid"):
            return None
        handle = self.value("returned_entry")
        fragment = outstanding[handle]
        assert self.value("returned_response") == 0
        if counts[handle] == 0:
            fragment.began = self.clock
        fragment.words[counts[handle]] = self.value("returned_data")
        counts[handle] += 1
        last = counts[handle] == fragment.beats
        assert self.value("returned_last") == last
        return handle if last else None
