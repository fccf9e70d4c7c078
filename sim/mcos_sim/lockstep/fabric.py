"""A fabric on hardware, and every channel of it on the model, compared in every clock.

The ports of the RTL decide when a request comes to its channel. So the model of a channel is given
what the channel of the RTL was given: requests, room for commands, completions. The environment
checks what the ports do: it ends a run at an answer that nobody waits for, or whose data are wrong.
"""

import numpy as np

from mcos_hw.config import ChannelConfig
from mcos_sim.compiling import compiled
from mcos_sim.engines.model import started_channel
from mcos_sim.engines.verilated import channel_library, started_hardware
from mcos_sim.environment import layout as env
from mcos_sim.environment.environment import environment, require_sound
from mcos_sim.lockstep.compare import Difference, Outcome, values_of
from mcos_sim.model.channel import advance, begin
from mcos_sim.model.probe import pack, probe_places, probe_words
from mcos_sim.ported.ported_fabric import given_layout
from mcos_sim.scenario import Scenario

__all__ = [
    "GIVEN",
    "compare_channels",
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


def given_places(config: ChannelConfig) -> np.ndarray:
    """Offset and width of each value of :data:`GIVEN` in a row that shows it."""
    layout = given_layout(config)
    request, completion = layout["request"], layout["completion"]
    names = ("tenant", "id", "op", "address", "beats", "offered")
    fields = [
        (layout["request_valid"].offset, 1),
        *(
            (request.offset + request.shape[name].offset, request.shape[name].width)
            for name in names
        ),
        (layout["command_ready"].offset, 1),
        (layout["completion_valid"].offset, 1),
        (completion.offset + completion.shape["slot"].offset, completion.shape["slot"].width),
    ]
    return np.array(fields, dtype=np.int64)


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


def compare_channels(scenario: Scenario, *, model: Scenario | None = None) -> Outcome:
    """Run a scenario of several channels up to the first difference.

    Compared is the probe of every channel in every clock. What requesters and memories find wrong
    ends the run.

    Parameters
    ----------
    scenario : Scenario
        What the hardware runs.
    model : Scenario or None
        What the models are started with; the same if None.

    Raises
    ------
    EnvironmentFault
        If a port or a memory port does what requesters or memories do not allow.
    """
    config = scenario.config
    channels = len(scenario.channels)
    states = [started_channel(model or scenario) for _ in range(channels)]
    drives = [np.zeros(env.LANE, dtype=np.int64) for _ in range(channels)]
    places, places_given = probe_places(config), given_places(config)
    given_at = np.array(GIVEN, dtype=np.int64)
    words, given_words = probe_words(config), (given_layout(config).size + 63) // 64
    e = environment(scenario)
    rows = np.zeros((_CHUNK, channels * (words + given_words)), dtype=np.int64)
    mine = np.zeros((_CHUNK, words), dtype=np.int64)
    library = channel_library(config, scenario.arbiter, scenario.axi_ports, channels)
    with started_hardware(library, scenario) as hardware:
        while hardware.clock < scenario.clocks and not e[env.DONE]:
            begun = hardware.clock
            until = min(begun + _CHUNK, scenario.clocks)
            ran = hardware.run(until, environment=e, rows=rows)
            require_sound(e)
            for c in range(channels):
                shown = rows[:ran, words * c :][:, :words]
                first = words * channels + given_words * c
                given = rows[:ran, first:][:, :given_words]
                followed = int(
                    follow(states[c], drives[c], places, given_at, places_given, shown, given, mine)
                )
                if followed < ran:
                    found = values_of(shown[followed], mine[followed], config)
                    values = {f"channel_{c}.{name}": pair for name, pair in found.items()}
                    clock = begun + followed
                    return Outcome(clocks=clock, difference=Difference(clock=clock, values=values))
        return Outcome(clocks=hardware.clock, difference=None)
