"""Every request of a fabric's ports: where it went, in which order, and when it was answered.

The reference engine has ports that are only modelled: a request comes to its channel in the clock
in which its port takes it, and its answer leaves the port a certain number of clocks after that of
the channel (:data:`mcos_sim.ported.sizes.FABRIC_PORT_CLOCKS`). On the RTL the ports take as long
where a request meets no other, and longer where it waits. So each request is held against that
model: it comes to its channel once, as it was asked for, in the order of its port, tenant and
direction; it is answered once, and no earlier than in the model.
"""

import dataclasses
from collections.abc import Iterable

import numpy as np

from mcos_hw.link.request import Op
from mcos_sim.environment import layout as env
from mcos_sim.environment.environment import blocks_of
from mcos_sim.ported.sizes import FABRIC_PORT_CLOCKS
from mcos_sim.scenario import Scenario
from mcos_sim.verilated.crossings import crossing_field, crossing_rows

__all__ = [
    "PortFigures",
    "Ports",
    "Wrong",
]


_TO_ANSWER_CLOCKS = 1
"""Clocks from a completion to the channel's response."""

_SETTLE_CLOCKS = 4_096
"""Clocks before the end of a run whose requests must be answered if their channels did."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Wrong:
    """The first request that a port treated otherwise than the model's.

    Parameters
    ----------
    clock : int
        In which that is seen.
    name : str
        Port and what of it, such as ``port_0.delivered.address``.
    found, expected : int
        On the hardware, and in the model; -1 stands for none.
    """

    clock: int
    name: str
    found: int
    expected: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class PortFigures:
    """What the ports of a run did.

    Parameters
    ----------
    requests : int
        Requests that were answered and compared.
    exact : int
        Those whose ports took the clocks of the model's.
    waited : int
        Clocks that the others took on top, in all.
    """

    requests: int = 0
    exact: int = 0
    waited: int = 0

    def __add__(self, other: "PortFigures") -> "PortFigures":
        return PortFigures(
            requests=self.requests + other.requests,
            exact=self.exact + other.exact,
            waited=self.waited + other.waited,
        )


@dataclasses.dataclass(kw_only=True)
class _Asked:
    """A request, and the clocks of its way."""

    port: int
    tenant: int
    op: int
    channel: int
    address: int
    beats: int
    turn: int
    taken: int
    answered: int
    delivered: int = -1
    sent: int = -1
    served: int = -1


class Ports:
    """What crosses the channels of a run, kept to compare every port in the end.

    Parameters
    ----------
    scenario : Scenario
        What runs; a tenant asks for an address once, and behind each channel is the simple memory.
    """

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._events: list[list[tuple]] = [[] for _ in scenario.channels]
        """Of each channel: (clock, kind, values of the kind), in the order of clocks."""

    def watch(self, rows: np.ndarray, first: int) -> None:
        """Keep what the rows of some clocks show; ``first`` is the clock of the first one."""
        config, channels = self._scenario.config, len(self._scenario.channels)
        clocks = np.arange(first, first + len(rows))
        for channel, kept in enumerate(self._events):
            crossing = crossing_rows(rows, config, channels, channel)
            events = []
            for kind, (valid, names) in _KINDS.items():
                happens = np.ones(len(rows), dtype=bool)
                for each in valid:
                    happens &= crossing_field(crossing, config, each) == 1
                shown = crossing[happens]
                fields = [crossing_field(shown, config, f"{kind}.{name}") for name in names]
                columns = [each.tolist() for each in (clocks[happens], *fields)]
                events += [(clock, kind, values) for clock, *values in zip(*columns, strict=True)]
            kept += sorted(events, key=lambda each: each[0])

    def compared(self, e: np.ndarray) -> Wrong | PortFigures:
        """Compare every request with the ports of the model.

        Parameters
        ----------
        e : numpy.ndarray
            The environment after the run.
        """
        asked = _asked(self._scenario, e)
        wrong = [_followed(channel, events, asked) for channel, events in enumerate(self._events)]
        seen = [each for each in wrong if each is not None]
        latency = self._scenario.channel.latency
        if not seen:
            seen = _late(asked.values(), latency, int(e[env.CLOCK]))
        if seen:
            return min(seen, key=lambda each: each.clock)
        return _figures(asked.values(), latency)


_KINDS = {
    "request": (("request_valid", "request_ready"), ("tenant", "op", "address", "beats")),
    "command": (("command_valid", "command_ready"), ("slot", "tenant", "address")),
    "completion": (("completion_valid",), ("slot",)),
}
"""What crosses a channel: when it does, and what is kept of it."""

_Key = tuple[int, int, int]
"""Tenant, channel and local address: of one request only."""


def _asked(scenario: Scenario, e: np.ndarray) -> dict[_Key, _Asked]:
    """Each request that a port took, by tenant, channel and local address."""
    found = {}
    for stream, block in zip(scenario.streams, blocks_of(e), strict=True):
        count = int(block[env.OFFERED])
        requests = stream.requests[:count]
        taken, answered, ports = (
            e[block[name] :][:count].tolist()
            for name in (env.TAKEN_AT, env.COMPLETED_AT, env.PORT_OF)
        )
        channels = scenario.interleave.channel(requests["address"]).tolist()
        local = scenario.interleave.local(requests["address"]).tolist()
        for turn, (op, beats) in enumerate(
            zip(requests["op"].tolist(), requests["beats"].tolist(), strict=True)
        ):
            if taken[turn] < 0:
                continue
            found[stream.tag, channels[turn], local[turn]] = _Asked(
                port=ports[turn],
                tenant=stream.tag,
                op=op,
                channel=channels[turn],
                address=local[turn],
                beats=beats,
                turn=turn,
                taken=taken[turn],
                answered=answered[turn],
            )
    return found


def _followed(channel: int, events: list[tuple], asked: dict[_Key, _Asked]) -> Wrong | None:
    """Follow each request to a channel and back; the first that goes wrong."""
    turns: dict[tuple[int, int, int], int] = {}
    slots: dict[int, _Asked] = {}
    for clock, kind, values in events:
        if kind == "request":
            wrong = _delivered(clock, channel, values, asked, turns)
            if wrong is not None:
                return wrong
        elif kind == "command":
            slot, tenant, address = values
            slots[slot] = asked[tenant, channel, address]
            slots[slot].sent = clock
        else:
            slots.pop(values[0]).served = clock
    return None


def _delivered(
    clock: int,
    channel: int,
    values: list[int],
    asked: dict[_Key, _Asked],
    turns: dict[tuple[int, int, int], int],
) -> Wrong | None:
    """A request comes to a channel; ``turns`` has the last one of each port, tenant and op."""
    tenant, op, address, beats = values
    request = asked.get((tenant, channel, address))
    if request is None or request.taken >= clock:
        name = f"channel_{channel}.request.address"
        return Wrong(clock=clock, name=name, found=address, expected=-1)
    key = request.port, tenant, op
    last = turns.get(key, -1)
    for name, found, expected in (
        ("op", op, request.op),
        ("beats", beats, request.beats),
        ("times", 1 + (request.delivered >= 0), 1),
        ("order", request.turn, max(last, request.turn)),
    ):
        if found != expected:
            name = f"port_{request.port}.to_channel_{channel}.{name}"
            return Wrong(clock=clock, name=name, found=found, expected=expected)
    turns[key] = request.turn
    request.delivered = clock
    return None


def _in_ports(request: _Asked) -> int:
    """Clocks that its ports and its memory took for a request: all but those in the channel."""
    return request.answered - request.taken - (request.sent - request.delivered)


def _least(request: _Asked, memory_latency: int) -> int:
    """The same in the model, where it meets no other."""
    beats, is_write = request.beats, request.op == Op.WRITE
    ports = FABRIC_PORT_CLOCKS[is_write] + (beats if is_write else 2 * beats)
    return ports + beats + memory_latency + _TO_ANSWER_CLOCKS


def _late(asked: Iterable[_Asked], latency: int, end: int) -> list[Wrong]:
    """Answers that are early, that nothing was served for, or that are missing."""
    seen = []
    for each in asked:
        where = f"port_{each.port}.answer"
        if each.answered >= 0 and each.served < 0:
            name = f"{where}.clock"
            seen.append(Wrong(clock=each.answered, name=name, found=each.answered, expected=-1))
        elif each.answered >= 0 and _in_ports(each) < _least(each, latency):
            wrong = {"found": _in_ports(each), "expected": _least(each, latency)}
            seen.append(Wrong(clock=each.answered, name=f"{where}.clocks", **wrong))
        elif each.answered < 0 <= each.served < end - _SETTLE_CLOCKS:
            name = f"{where}.clock"
            seen.append(Wrong(clock=end, name=name, found=-1, expected=each.served))
    return seen


def _figures(asked: Iterable[_Asked], latency: int) -> PortFigures:
    took = [_in_ports(each) - _least(each, latency) for each in asked if each.answered >= 0]
    return PortFigures(requests=len(took), exact=took.count(0), waited=sum(took))
