"""A fabric on hardware, and every channel and port of it on the model.

The ports of the RTL decide when a request comes to its channel. So the model of a channel is given
what the channel of the RTL was given: requests, room for commands, completions. Its probe is
compared in every clock. What the ports do is compared request by request when the run has ended:
:mod:`mcos_sim.lockstep.ports`. The environment checks the data: it ends a run at an answer that
nobody waits for, or whose data are wrong.
"""

import dataclasses

import numpy as np

from mcos_hw.config import ChannelConfig
from mcos_sim.compiling import compiled
from mcos_sim.engines.model import started_channel
from mcos_sim.engines.verilated import channel_library, started_hardware
from mcos_sim.environment import layout as env
from mcos_sim.environment.environment import environment
from mcos_sim.environment.faults import Fault
from mcos_sim.lockstep.compare import Difference, Outcome, values_of
from mcos_sim.lockstep.ports import PortFigures, Ports, Wrong
from mcos_sim.model.channel import advance, begin
from mcos_sim.model.probe import pack, probe_places, probe_words
from mcos_sim.ported.ported_fabric import given_layout
from mcos_sim.scenario import Scenario
from mcos_sim.verilated.build import Library
from mcos_sim.verilated.crossings import (
    crossing_place,
    crossing_rows,
    probe_rows,
    shown_words,
)

__all__ = [
    "GIVEN",
    "FabricOutcome",
    "compare_fabric",
    "follow",
    "given_places",
]


_CHUNK = 1 << 13
"""Clocks between two looks at what the hardware has shown."""

GIVEN = (
    env.REQUEST_VALID,
    env.REQUEST_TENANT,
    env.REQUEST_ID,
    env.REQUEST_OP,
    env.REQUEST_ADDRESS,
    env.REQUEST_BEATS,
    env.REQUEST_OFFERED,
    env.COMMAND_READY,
    env.COMPLETION_VALID,
    env.COMPLETION_SLOT,
)
"""Places of what a channel is given, in the order of :func:`given_places`."""

_REQUEST = ("tenant", "id", "op", "address", "beats", "offered")


def given_places(config: ChannelConfig) -> np.ndarray:
    """Offset and width of each value of :data:`GIVEN` in a row of ``given_layout``."""
    layout = given_layout(config)
    request, completion = layout["request"], layout["completion"]
    fields = [
        (layout["request_valid"].offset, 1),
        *(
            (request.offset + request.shape[name].offset, request.shape[name].width)
            for name in _REQUEST
        ),
        (layout["command_ready"].offset, 1),
        (layout["completion_valid"].offset, 1),
        (completion.offset + completion.shape["slot"].offset, completion.shape["slot"].width),
    ]
    return np.array(fields, dtype=np.int64)


def _crossing_places(config: ChannelConfig) -> np.ndarray:
    """The same in a row that shows all that crosses the channel."""
    shown = (
        "request_valid",
        *(f"request.{name}" for name in _REQUEST),
        "command_ready",
        "completion_valid",
        "completion.slot",
    )
    return np.array([crossing_place(config, name) for name in shown], dtype=np.int64)


@compiled
def _bits(row, offset, width):
    """A field of less than 64 bits of a row."""
    word, bit = offset >> 6, offset & 63
    value = (row[word] >> bit) & ((1 << (64 - bit)) - 1) if bit else row[word]
    if bit + width > 64:
        value |= row[word + 1] << (64 - bit)
    return value & ((1 << width) - 1)


@compiled
def follow(s, e, places, given_at, given_places, shown, given, mine):
    """Run the model as the hardware's channel was run, up to a clock whose probe differs; how many
    clocks they are.

    ``shown`` and ``given`` are rows of what the hardware's channel shows and is given. ``mine``
    gets what the model shows.
    """
    for k in range(len(shown)):
        begin(s)
        row = mine[k]
        for word in range(len(row)):
            row[word] = 0
        pack(s, places, row)
        for word in range(len(row)):
            if row[word] != shown[k, word]:
                return k
        for j in range(len(given_at)):
            e[given_at[j]] = _bits(given[k], given_places[j, 0], given_places[j, 1])
        advance(s, e)
    return len(shown)


@dataclasses.dataclass(frozen=True, kw_only=True)
class FabricOutcome(Outcome):
    """What a comparison of a fabric gave.

    Parameters
    ----------
    ports : PortFigures
        What its ports did; nothing if a channel differs.
    """

    ports: PortFigures = dataclasses.field(default_factory=PortFigures)


def compare_fabric(
    scenario: Scenario, *, library: Library | None = None, model: Scenario | None = None
) -> FabricOutcome:
    """Run a scenario of several channels up to the first difference.

    Compared is the probe of every channel in every clock, and in the end every request of every
    port. What requesters and memories find wrong is a difference too. Each is named by channel,
    port or tenant.

    Parameters
    ----------
    scenario : Scenario
        What the hardware runs; a tenant asks for an address once, and behind each channel is the
        simple memory.
    library : Library or None
        The hardware; the emitted one if None.
    model : Scenario or None
        What the models are started with; the same if None.
    """
    config, channels = scenario.config, len(scenario.channels)
    models = _Models(model or scenario)
    ports = Ports(scenario)
    e = environment(scenario)
    rows = np.zeros((_CHUNK, shown_words(config, channels)), dtype=np.int64)
    library = library or channel_library(config, scenario.arbiter, scenario.axi_ports, channels)
    with started_hardware(library, scenario) as hardware:
        while hardware.clock < scenario.clocks and not e[env.DONE]:
            begun = hardware.clock
            ran = hardware.run(min(begun + _CHUNK, scenario.clocks), environment=e, rows=rows)
            ports.watch(rows[:ran], begun)
            difference = models.follow(rows[:ran], begun)
            if difference is not None:
                return FabricOutcome(clocks=difference.clock, difference=difference)
            if e[env.FAULT]:
                return FabricOutcome(clocks=hardware.clock, difference=_fault(e))
        clocks = hardware.clock
    found = ports.compared(e)
    if isinstance(found, Wrong):
        values = {found.name: (found.found, found.expected)}
        return FabricOutcome(clocks=clocks, difference=Difference(clock=found.clock, values=values))
    return FabricOutcome(clocks=clocks, difference=None, ports=found)


def _fault(e: np.ndarray) -> Difference:
    """What requesters or memories found wrong."""
    name = f"environment.tenant_{e[env.FAULT_TENANT]}.{Fault(e[env.FAULT]).name.lower()}"
    return Difference(clock=int(e[env.CLOCK]), values={name: (int(e[env.FAULT_FOUND]), 0)})


class _Models:
    """A model of each channel of a scenario."""

    def __init__(self, scenario: Scenario) -> None:
        self._config = scenario.config
        channels = range(len(scenario.channels))
        self._states = [started_channel(scenario) for _ in channels]
        self._drives = [np.zeros(env.LANE, dtype=np.int64) for _ in channels]
        self._places = probe_places(scenario.config)
        self._given_places = _crossing_places(scenario.config)
        self._given_at = np.array(GIVEN, dtype=np.int64)
        self._mine = np.zeros((_CHUNK, probe_words(scenario.config)), dtype=np.int64)

    def follow(self, rows: np.ndarray, begun: int) -> Difference | None:
        """Run every channel as the hardware's were; the first clock in which one differs."""
        channels, config = len(self._states), self._config
        first = None
        for c in range(channels):
            shown = probe_rows(rows, config, c)
            given = crossing_rows(rows, config, channels, c)
            state, drive = self._states[c], self._drives[c]
            places = self._places, self._given_at, self._given_places
            followed = int(follow(state, drive, *places, shown, given, self._mine))
            if followed < len(rows) and (first is None or begun + followed < first.clock):
                found = values_of(shown[followed], self._mine[followed], config)
                values = {f"channel_{c}.{name}": pair for name, pair in found.items()}
                first = Difference(clock=begun + followed, values=values)
        return first
