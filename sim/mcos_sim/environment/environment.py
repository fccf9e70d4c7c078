"""An environment's array from request streams and a memory, and what a run left in it."""

from collections.abc import Callable, Iterator

import numpy as np

from mcos_hw.link.request import Op
from mcos_sim.environment import layout as at
from mcos_sim.environment.faults import Fault
from mcos_sim.environment.ways import port_of_requests, way_rows
from mcos_sim.errors import HardwareError
from mcos_sim.memory.hbm.counts import MemoryCounts
from mcos_sim.memory.memory import MemoryModel
from mcos_sim.ported.sizes import bank_units
from mcos_sim.scenario import FIRST_CLOCK, Scenario, TenantResult
from mcos_sim.traffic.stream import Stream

__all__ = [
    "EnvironmentFault",
    "blocks_of",
    "counts_of",
    "environment",
    "granted_requests",
    "in_flight",
    "model_of",
    "require_sound",
    "tenant_results",
]


class EnvironmentFault(HardwareError):  # noqa: N818  (what happened, not who erred)
    """The channel did something that its requesters or its memory did not allow.

    Parameters
    ----------
    text : str
        What, of which tenant, in which clock.
    clock : int
        The clock.
    """

    def __init__(self, text: str, clock: int) -> None:
        super().__init__(text)
        self.clock = clock


def _threshold(probability: float) -> int:
    """A probability as :func:`mcos_sim.environment.drive.paused` takes it."""
    return round(probability * (1 << 32))


def environment(scenario: Scenario, *, port_clocks: tuple[int, int] = (0, 0)) -> np.ndarray:
    """The array of a scenario at its first clock; see :mod:`mcos_sim.environment.layout`.

    Parameters
    ----------
    scenario : Scenario
        What to run.
    port_clocks : tuple[int, int]
        Clocks by which the answers of a channel to reads and to writes come later, beside those
        of their beats, for ports that are only modelled; 0 where ports are real or there are none.

    Raises
    ------
    ValueError
        If a window has more requests than there are ids.
    """
    config = scenario.config
    fabric = scenario.fabric
    lanes = max(len(scenario.axi_ports), len(scenario.channels)) if fabric else 1
    blocks_at = at.LANE * lanes
    parts = [np.zeros(blocks_at + at.BLOCK * len(scenario.streams), dtype=np.int64)]
    end = len(parts[0])

    def place(array: np.ndarray) -> int:
        nonlocal end
        parts.append(array.astype(np.int64).reshape(-1))
        first, end = end, end + parts[-1].size
        return first

    header = parts[0]
    header[at.CLOCK] = FIRST_CLOCK
    header[at.SEED] = scenario.seed
    header[at.OFFER_PAUSE] = _threshold(scenario.offer_pause)
    header[at.COMMAND_PAUSE] = _threshold(scenario.command_pause)
    header[at.ID_MASK] = (1 << config.id_width) - 1
    header[at.BEAT_BYTES] = config.beat_bytes
    header[at.REQUESTERS] = len(scenario.streams)
    header[at.FIRST_BLOCK] = blocks_at
    header[at.MEMORY_MODEL] = _number(scenario.channel.memory.model)
    for k, channel in enumerate(scenario.channels):
        lane = header[at.LANE * k :]
        lane[at.GRANTED] = -1
        lane[at.MEMORY_CREDIT] = channel.credit
        lane[at.MEMORY_SIZES] = place(np.zeros(config.slots))
        lane[at.MEMORY] = place(
            channel.memory.state(config, latency=channel.latency, first_clock=FIRST_CLOCK)
        )
        lane[at.MEMORY_END] = end
    header[at.REORDERED] = scenario.axi
    header[at.READ_CLOCKS], header[at.WRITE_CLOCKS] = port_clocks
    if any(port_clocks) and not fabric:
        header[at.ANSWERS] = place(np.zeros(3 * at.ANSWERS_LENGTH))
    blocks = np.zeros(config.tenants)
    for k, stream in enumerate(scenario.streams):
        blocks[stream.tag] = blocks_at + k * at.BLOCK
    header[at.BLOCK_OF] = place(blocks)
    if fabric:
        header[at.AXI_PORTS] = len(scenario.axi_ports)
        header[at.CHANNELS] = len(scenario.channels)
        if any(port_clocks):
            _model_ports(header, scenario, place)
    for k, stream in enumerate(scenario.streams):
        block = header[blocks_at + k * at.BLOCK :][: at.BLOCK]
        _fill(block, stream, scenario, place, local=fabric and any(port_clocks))
        if fabric:
            _spread(block, stream, scenario, place)
    return np.concatenate(parts)


def _model_ports(header: np.ndarray, scenario: Scenario, place: Callable) -> None:
    """What the modelled ports of a fabric hold."""
    channels = len(scenario.channels)
    units = bank_units(scenario.config, scenario.axi_ports, channels)
    header[at.BANK_BEATS] = units
    # Every beat of the banks may wait for the bus, behind the clocks of the port and of a request.
    length = 1 << (2 * units * channels + at.ANSWERS_LENGTH).bit_length()
    header[at.FABRIC_ANSWERS] = length
    for k in range(len(scenario.axi_ports)):
        lane = header[at.LANE * k :]
        lane[at.ANSWERS] = place(np.zeros(3 * length))
        lane[at.BANKS] = place(np.zeros(len(Op) * channels))


def _spread(block: np.ndarray, stream: Stream, scenario: Scenario, place: Callable) -> None:
    """The port and the channel of each request of a stream, and its ways."""
    ports = [k for k, tags in enumerate(scenario.axi_ports) if stream.tag in tags]
    count = len(stream.requests)
    port_of = port_of_requests(count, ports)
    channel_of = scenario.interleave.channel(stream.requests["address"])
    for column, ways_column, place_of, places in (
        (at.PORT_OF, at.PORT_WAYS, port_of, len(scenario.axi_ports)),
        (at.CHANNEL_OF, at.CHANNEL_WAYS, channel_of, len(scenario.channels)),
    ):
        lists, ways = way_rows(place_of, places)
        for found, way in zip(lists, ways, strict=True):
            way[at.WAY_LIST] = place(found)
        block[column] = place(place_of)
        block[ways_column] = place(ways)


_models: list[MemoryModel] = []
"""Models that environments of this process have; an environment holds the number of its own."""


def _number(model: MemoryModel) -> int:
    if model not in _models:
        _models.append(model)
    return _models.index(model)


def model_of(e: np.ndarray) -> MemoryModel:
    """The model of an environment's memory."""
    return _models[e[at.MEMORY_MODEL]]


def counts_of(scenario: Scenario, e: np.ndarray, channel: int = 0) -> MemoryCounts | None:
    """What the memory behind a channel counted; None for one that counts nothing."""
    lane = e[at.LANE * channel :]
    state = e[lane[at.MEMORY] : lane[at.MEMORY_END]]
    return scenario.channels[channel].memory.counts(state, scenario.config)


def _fill(
    block: np.ndarray, stream: Stream, scenario: Scenario, place: Callable, *, local: bool
) -> None:
    config = scenario.config
    mask = (1 << config.id_width) - 1
    if stream.window > mask:
        raise ValueError(
            f"window of {stream.name!r} must be at most {mask} with {config.id_width} id bits, "
            f"not {stream.window}"
        )
    count, steps = len(stream.requests), len(stream.steps)
    rows = np.empty((count, at.REQUEST_ROW), dtype=np.int64)
    for column, name in enumerate(("op", "beats", "address")):
        rows[:, column] = stream.requests[name]
    if local:
        rows[:, 2] = scenario.interleave.local(stream.requests["address"])
    rows[:, 3] = np.repeat(np.arange(steps), stream.steps["count"])
    steps_rows = np.empty((steps, at.STEP_ROW), dtype=np.int64)
    for column, name in enumerate(("first", "count", "ready", "compute", "count")):
        steps_rows[:, column] = stream.steps[name]
    block[at.TAG] = stream.tag
    block[at.WINDOW] = stream.window
    block[at.CLOSED] = stream.closed
    block[at.UNTIL] = at.NEVER if stream.until is None else stream.until
    block[at.COUNT] = count * stream.repeat
    block[at.STEPS] = steps * stream.repeat
    block[at.ROUND_REQUESTS] = max(count, 1)
    block[at.ROUND_STEPS] = max(steps, 1)
    kept = count * stream.repeat if scenario.keep_requests else 2 * (mask + 1)
    block[at.KEPT] = at.NEVER - 1 if scenario.keep_requests else kept - 1
    block[at.NEXT_START] = steps_rows[0, 2] if steps else at.NEVER
    block[at.STOPPED] = not count
    block[at.STAMP_AGE] = stream.stamp_age
    block[at.REQUEST_ROWS] = place(rows)
    block[at.STEP_ROWS] = place(steps_rows)
    for column in (at.OFFERED_AT, at.TAKEN_AT, at.GRANTED_AT, at.CLASS_OF, at.COMPLETED_AT):
        block[column] = place(np.full(kept, -1))
    for column in (at.STEP_STARTED, at.STEP_ENDED):
        block[column] = place(np.full(steps * stream.repeat, -1))


def blocks_of(e: np.ndarray) -> Iterator[np.ndarray]:
    """The block of each requester, in the order of the streams."""
    for k in range(e[at.REQUESTERS]):
        yield e[e[at.FIRST_BLOCK] + k * at.BLOCK :][: at.BLOCK]


def granted_requests(e: np.ndarray, block: np.ndarray) -> tuple[np.ndarray, ...]:
    """Of each granted request whose clocks are kept: bytes, clock of the grant and of completion.

    A request that is not complete has -1 as the clock of its completion.
    """
    grants, kept = int(block[at.GRANTS]), int(block[at.KEPT]) + 1
    index = np.arange(max(0, grants - kept), grants)
    rows = block[at.REQUEST_ROWS] + at.REQUEST_ROW * (index % block[at.ROUND_REQUESTS])
    place = index & block[at.KEPT]
    return (
        e[rows + 1] * e[at.BEAT_BYTES],
        e[block[at.GRANTED_AT] + place],
        e[block[at.COMPLETED_AT] + place],
    )


def in_flight(e: np.ndarray, clock: int) -> dict[int, int]:
    """Bytes of each tag granted before a clock and not served before it.

    The clock is the environment's next one, or the one that it has just stepped through.
    """
    held = {}
    for block in blocks_of(e):
        size, granted, completed = granted_requests(e, block)
        held[int(block[at.TAG])] = int(
            size[(granted < clock) & ((completed == -1) | (completed == clock))].sum()
        )
    return held


def tenant_results(scenario: Scenario, e: np.ndarray) -> tuple[TenantResult, ...]:
    """What each tenant saw, in the order of the streams."""
    results = []
    for stream, block in zip(scenario.streams, blocks_of(e), strict=True):
        steps = int(block[at.NEXT_STEP])
        offered, taken, grants = (
            int(block[count]) if scenario.keep_requests else 0
            for count in (at.OFFERED, at.TAKEN, at.GRANTS)
        )

        def column(name: int, length: int, block=block) -> np.ndarray:
            return e[block[name] :][:length].copy()

        if scenario.fabric:
            # Channels and ports do not keep a stream's order: count up to the first still missing.
            taken, grants = (
                _all_up_to(column(name, offered)) for name in (at.TAKEN_AT, at.GRANTED_AT)
            )

        rounds = np.arange(offered) % max(len(stream.requests), 1)
        beats = stream.requests["beats"][rounds].astype(np.int64)
        results.append(
            TenantResult(
                name=stream.name,
                tag=stream.tag,
                sizes=beats * scenario.config.beat_bytes,
                offered=column(at.OFFERED_AT, offered),
                taken=column(at.TAKEN_AT, taken),
                granted=column(at.GRANTED_AT, grants),
                classes=column(at.CLASS_OF, grants),
                completed=column(at.COMPLETED_AT, offered),
                step_started=column(at.STEP_STARTED, steps),
                step_ended=column(at.STEP_ENDED, steps),
                bytes_granted=int(block[at.GRANTED_BYTES]),
            )
        )
    return tuple(results)


def _all_up_to(clocks: np.ndarray) -> int:
    """How many values stand before the first that is -1."""
    missing = np.nonzero(clocks == -1)[0]
    return int(missing[0]) if len(missing) else len(clocks)


_MESSAGES = {
    Fault.UNKNOWN_RESPONSE: "got a response to id {found}, which is not outstanding",
    Fault.UNKNOWN_TENANT: "asks nothing, and got a grant, a command or a response",
    Fault.GRANT_OF_NOTHING: "got grant {found}, and no more requests of it had been taken",
    Fault.COMMAND_OF_NOTHING: "sent command {found}, which was not granted",
    Fault.WRONG_COMMAND: "sent command {found} with another direction, address or length",
    Fault.PORT_OVERFULL: "brought the memory port to {found} bytes, over its credit",
}


def require_sound(e: np.ndarray) -> None:
    """Nothing may be wrong so far.

    Raises
    ------
    EnvironmentFault
        If something is; the text says what, of which tenant, and in which clock.
    """
    fault = Fault(e[at.FAULT])
    if fault is not Fault.NONE:
        what = _MESSAGES[fault].format(found=e[at.FAULT_FOUND])
        clock = int(e[at.CLOCK])
        raise EnvironmentFault(f"clock {clock}: tenant {e[at.FAULT_TENANT]} {what}", clock)
