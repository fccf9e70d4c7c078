"""The protocol of one AXI interface, watched clock by clock in Python."""

import dataclasses
import enum
from collections import defaultdict, deque
from collections.abc import Callable
from typing import Protocol as Pattern

from mcos_sim.axi.rules import Rule

__all__ = [
    "Pins",
    "Protocol",
    "Side",
    "Violation",
]


_ADDRESS = ("id", "addr", "len", "size", "burst", "lock", "cache", "prot", "qos")
_PAYLOADS = {
    "aw": tuple(f"aw{name}" for name in _ADDRESS),
    "w": ("wid", "wdata", "wstrb", "wlast"),
    "b": ("bid", "bresp"),
    "ar": tuple(f"ar{name}" for name in _ADDRESS),
    "r": ("rid", "rdata", "rresp", "rlast"),
}
"""Payload of each channel."""

_OF_AXI4 = ("awqos", "arqos")
_OF_AXI3 = ("wid",)

_FIXED, _INCR, _WRAP, _RESERVED = range(4)
_EXOKAY = 1
_EXCLUSIVE = 1
_PAGE = 4096


class Side(enum.Flag):
    """Whose signals are judged."""

    MANAGER = enum.auto()
    SUBORDINATE = enum.auto()
    BOTH = MANAGER | SUBORDINATE


class Pins(Pattern):
    """The values of an interface's signals in a clock, by AXI's names in lower case."""

    def __getitem__(self, name: str, /) -> int: ...


@dataclasses.dataclass(frozen=True, kw_only=True)
class Violation:
    """A rule that was broken.

    Parameters
    ----------
    interface : str
        Name of the interface.
    clock : int
        Clock, counted from the first one that was watched.
    rule : Rule
        The rule.
    value : int
        The ID, transfer or field that broke it.
    """

    interface: str
    clock: int
    rule: Rule
    value: int

    def __str__(self) -> str:
        return f"clock {self.clock}: {self.interface}: {self.rule.value} ({self.value:#x})"


@dataclasses.dataclass
class _Burst:
    """A burst whose address has been taken; ``count`` of its transfers have crossed."""

    id: int
    address: int
    length: int
    size: int
    kind: int
    exclusive: bool
    count: int = 0

    @property
    def at_last(self) -> bool:
        return self.count == self.length

    @property
    def whole(self) -> bool:
        return self.count > self.length

    def lanes(self, bus: int) -> int:
        """Strobes that its next transfer may have."""
        step = 1 << self.size
        begin = self.address
        if self.kind != _FIXED and self.count:
            begin = self.address // step * step + self.count * step
            if self.kind == _WRAP:
                total = step * (self.length + 1)
                begin = self.address // total * total + begin % total
        end = begin // step * step + step
        return ((1 << (end - begin)) - 1) << begin % bus


class Protocol:
    """Holds an interface against :class:`mcos_sim.axi.rules.Rule`.

    What is asked for in a clock can be answered in the next one at the earliest. Write data may
    come before their address; responses of different IDs may come in any order, and transfers of
    reads of different IDs between each other.

    Parameters
    ----------
    name : str
        Name of the interface.
    data_bytes : int
        Bytes of its data bus.
    axi3 : bool
        It is AXI3, otherwise AXI4.
    unique_ids : bool
        No two bursts under way may have the same ID.
    side : Side
        Whose signals are judged.
    on_violation : Callable
        Called with each :class:`Violation`.
    """

    def __init__(
        self,
        name: str,
        *,
        data_bytes: int,
        axi3: bool = False,
        unique_ids: bool = False,
        side: Side = Side.BOTH,
        on_violation: Callable[[Violation], None],
    ) -> None:
        self.name = name
        self.data_bytes = data_bytes
        self.axi3 = axi3
        self.unique_ids = unique_ids
        self.side = side
        self.clocks = 0
        self.bursts = 0
        self._on_violation = on_violation
        absent = _OF_AXI4 if axi3 else _OF_AXI3
        self._payloads = {
            channel: tuple(name for name in names if name not in absent)
            for channel, names in _PAYLOADS.items()
        }
        self._forget()

    def _forget(self) -> None:
        self._waiting: dict[str, tuple[int, ...]] = {}
        self._reads: dict[int, deque[_Burst]] = defaultdict(deque)
        self._writes: dict[int, deque[_Burst]] = defaultdict(deque)
        self._unfilled: deque[_Burst] = deque()
        self._beats: deque[tuple[int, int, int]] = deque()

    @property
    def outstanding(self) -> int:
        """Bursts that have been taken and not yet been answered."""
        return sum(len(queue) for each in (self._reads, self._writes) for queue in each.values())

    def reset(self, pins: Pins) -> None:
        """A clock in which reset is active, and was in the clock before."""
        self._forget()
        for channel in self._payloads:
            if pins[f"{channel}valid"] and self._judges(channel):
                self._broken(Rule.RESET, 1)
        self.clocks += 1

    def clock(self, pins: Pins) -> None:
        """A clock, with the values that its last edge takes."""
        valid = {channel: pins[f"{channel}valid"] for channel in self._payloads}
        taken = {channel: valid[channel] and pins[f"{channel}ready"] for channel in valid}
        begins = {channel: valid[channel] and channel not in self._waiting for channel in valid}
        self._stable(pins, valid, taken)
        if begins["b"]:
            self._begin_response(pins)
        if begins["r"] and self._judges("r") and not self._reads[pins["rid"]]:
            self._broken(Rule.READ_UNASKED, pins["rid"])
        if taken["b"] and self._writes[pins["bid"]]:
            self._writes[pins["bid"]].popleft()
        if taken["r"] and self._reads[pins["rid"]]:
            self._take_read(pins)
        for channel in ("aw", "ar"):
            if begins[channel]:
                self._legal(pins, channel)
        for channel, queues in (("ar", self._reads), ("aw", self._writes)):
            if taken[channel]:
                burst = self._burst(pins, channel)
                queues[burst.id].append(burst)
                self.bursts += 1
                if channel == "aw":
                    self._unfilled.append(burst)
        if taken["w"]:
            beat_id = pins["wid"] if self.axi3 else 0
            self._beats.append((pins["wlast"], pins["wstrb"], beat_id))
        self._match()
        self.clocks += 1

    def end(self) -> None:
        """Nothing comes any more: everything must be answered."""
        if self.outstanding:
            self._broken(Rule.UNANSWERED, self.outstanding)

    def _judges(self, channel: str) -> bool:
        owner = Side.SUBORDINATE if channel in ("b", "r") else Side.MANAGER
        return owner in self.side

    def _broken(self, rule: Rule, value: int) -> None:
        self._on_violation(
            Violation(interface=self.name, clock=self.clocks, rule=rule, value=value)
        )

    def _stable(self, pins: Pins, valid: dict[str, int], taken: dict[str, int]) -> None:
        for channel, names in self._payloads.items():
            before = self._waiting.pop(channel, None)
            if before is None and (taken[channel] or not valid[channel]):
                continue
            payload = tuple(pins[name] for name in names) if valid[channel] else None
            if before not in (None, payload) and self._judges(channel):
                self._broken(Rule[f"STABLE_{channel.upper()}"], before[0])
            if payload is not None and not taken[channel]:
                self._waiting[channel] = payload

    def _burst(self, pins: Pins, channel: str) -> _Burst:
        return _Burst(
            id=pins[f"{channel}id"],
            address=pins[f"{channel}addr"],
            length=pins[f"{channel}len"],
            size=pins[f"{channel}size"],
            kind=pins[f"{channel}burst"],
            exclusive=pins[f"{channel}lock"] == _EXCLUSIVE,
        )

    def _legal(self, pins: Pins, channel: str) -> None:
        if Side.MANAGER not in self.side:
            return
        burst = self._burst(pins, channel)
        step = 1 << burst.size
        transfers = burst.length + 1
        end = burst.address // step * step + transfers * step
        broken = {
            Rule.SIZE: step > self.data_bytes,
            Rule.BURST_CODE: burst.kind == _RESERVED,
            Rule.LONG_FIXED: burst.kind == _FIXED and transfers > 16,
            Rule.WRAP_LENGTH: burst.kind == _WRAP and transfers not in (2, 4, 8, 16),
            Rule.WRAP_ADDRESS: burst.kind == _WRAP and burst.address % step,
            Rule.CROSSES: burst.kind == _INCR and burst.address // _PAGE != (end - 1) // _PAGE,
            Rule.LONG_AXI3: self.axi3 and transfers > 16,
            Rule.ID_REUSED: self.unique_ids and (self._reads[burst.id] or self._writes[burst.id]),
        }
        for rule, is_broken in broken.items():
            if is_broken:
                self._broken(rule, burst.id if rule is Rule.ID_REUSED else burst.address)

    def _begin_response(self, pins: Pins) -> None:
        if Side.SUBORDINATE not in self.side:
            return
        id_ = pins["bid"]
        queue = self._writes[id_]
        if not queue:
            self._broken(Rule.WRITE_UNASKED, id_)
        elif not queue[0].whole:
            self._broken(Rule.WRITE_EARLY, id_)
        elif pins["bresp"] == _EXOKAY and not queue[0].exclusive:
            self._broken(Rule.EXCLUSIVE, id_)

    def _take_read(self, pins: Pins) -> None:
        queue = self._reads[pins["rid"]]
        burst = queue[0]
        if Side.SUBORDINATE in self.side:
            if bool(pins["rlast"]) != burst.at_last:
                self._broken(Rule.RLAST, burst.count)
            if pins["rresp"] == _EXOKAY and not burst.exclusive:
                self._broken(Rule.EXCLUSIVE, burst.id)
        if burst.at_last:
            queue.popleft()
        burst.count += 1

    def _match(self) -> None:
        """Write data belong to bursts in the order of their addresses."""
        while self._beats and self._unfilled:
            last, strobe, id_ = self._beats.popleft()
            burst = self._unfilled[0]
            if Side.MANAGER in self.side:
                if bool(last) != burst.at_last:
                    self._broken(Rule.WLAST, burst.count)
                if self.axi3 and id_ != burst.id:
                    self._broken(Rule.WID, id_)
                if strobe & ~burst.lanes(self.data_bytes):
                    self._broken(Rule.STROBE, strobe)
            burst.count += 1
            if burst.whole:
                self._unfilled.popleft()
