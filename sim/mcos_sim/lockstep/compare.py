"""One case on hardware and model, compared in every clock."""

import dataclasses

import numpy as np

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import channel_map
from mcos_hw.registers.monitor import monitor_registers
from mcos_policy.image import register_words
from mcos_sim.environment import layout as env
from mcos_sim.environment.faults import Fault
from mcos_sim.lockstep.case import Case
from mcos_sim.lockstep.sides import HardwareSide, ModelSide
from mcos_sim.model.probe import probe_fields, probe_words
from mcos_sim.model.registers import read_monitor
from mcos_sim.verilated.build import Library

__all__ = [
    "Difference",
    "Outcome",
    "compare",
    "traces",
    "values_of",
]


_CHUNK = 1 << 15
"""Clocks between two looks at what both sides have shown."""

_QUEUE_LEVEL = 0xFF
"""Bits of QUEUE that say how many wait now."""

_SETTLE_CLOCKS = 2048
"""Clocks after the last request until nothing moves and registers are read."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Difference:
    """The first clock in which the two sides differ.

    Parameters
    ----------
    clock : int
        Counted from reset.
    values : dict[str, tuple[int, int]]
        What differs: value of the hardware and of the model, by field of the probe or register.
    """

    clock: int
    values: dict[str, tuple[int, int]]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a comparison gave.

    Parameters
    ----------
    clocks : int
        Clocks compared.
    difference : Difference or None
        The first one.
    """

    clocks: int
    difference: Difference | None


def compare(case: Case, library: Library) -> Outcome:
    """Run a case on both sides up to the first difference.

    Compared are the probe of every clock, with all that the monitor counts in it and the number of
    its epoch; what requesters and memory find wrong with either side; and in the end the registers:
    those of the live image, and the monitor's if it has no epochs.
    """
    scenario = case.scenario
    sides = _Sides(case, library)
    with sides.hardware:
        while sides.clock < scenario.clocks:
            outcome = sides.advance(min(sides.clock + _CHUNK, scenario.clocks))
            if outcome is not None:
                return Outcome(clocks=outcome.clock, difference=outcome)
            if sides.done:
                break
        clock = sides.clock
        differing = sides.registers()
    if differing:
        return Outcome(clocks=clock, difference=Difference(clock=clock, values=differing))
    return Outcome(clocks=clock, difference=None)


def traces(case: Case, library: Library, *, first: int) -> dict[str, np.ndarray]:
    """Probe rows of both sides from a clock to the end of a case, or as many as a chunk has."""
    sides = _Sides(case, library)
    with sides.hardware:
        while sides.clock < first and not sides.done:
            sides.advance(min(first, sides.clock + _CHUNK))
        begun = sides.clock
        end = min(case.scenario.clocks, begun + _CHUNK)
        sides.advance(end)
        shown = slice(0, end - begun)
        return {"hardware": sides.hardware_rows[shown], "model": sides.model_rows[shown]}


class _Sides:
    """Both sides in the same clock."""

    def __init__(self, case: Case, library: Library) -> None:
        config = case.scenario.config
        self.config = config
        self.hardware = HardwareSide(case, library)
        self.model = ModelSide(case)
        accepted = case.accepted
        self.commits = len(accepted)
        self.live = accepted[-1]
        self.epochs_go_on = self.live.settings.channel.epoch_clocks != 0
        words = probe_words(config)
        self.hardware_rows = np.zeros((_CHUNK, words), dtype=np.uint64)
        self.model_rows = np.zeros((_CHUNK, words), dtype=np.uint64)
        self._rest(int(self.model.environment[env.CLOCK]))

    @property
    def clock(self) -> int:
        return self.model.clock

    @property
    def done(self) -> bool:
        return bool(self.hardware.environment[env.DONE])

    def _rest(self, until: int) -> None:
        """Both sides without traffic."""
        self.hardware.rest(until)
        self.model.rest(until)

    def advance(self, until: int) -> Difference | None:
        begun = self.clock
        ran = self.hardware.run(until, self.hardware_rows)
        followed = self.model.run(self.model_rows[: until - begun])
        # A side that stops shows the clock in which it does.
        shown = min(min(ran, followed) + 1, until - begun)
        hardware, model = self.hardware_rows[:shown], self.model_rows[:shown]
        if not np.array_equal(hardware, model):
            k = int(np.nonzero((hardware != model).any(axis=1))[0][0])
            return Difference(clock=begun + k, values=values_of(hardware[k], model[k], self.config))
        found = _faults(self.hardware.environment, self.model.environment)
        if found or ran != followed:
            return Difference(clock=begun + shown, values=found)
        return None

    def registers(self) -> dict[str, tuple[int, int]]:
        """Registers that differ, once nothing moves any more."""
        last = max([self.clock, *(clock for clock, _ in self.model.images)])
        self._rest(last + _SETTLE_CLOCKS)
        ours = read_monitor(self.model.state, self.config)
        ours |= {"GENERATION": [self.commits], "LIVE_CRC": [self.live.image.crc]}
        ours["LIVE_LABEL"] = [self.live.clock]
        settings = register_words(channel_map(self.config), self.live.image)
        ours |= settings
        differing = {}
        # Reading takes clocks: what an epoch may latch meanwhile cannot be compared.
        monitors = [each.name for each in monitor_registers(self.config) if each.name != "LOAD"]
        if self.epochs_go_on:
            monitors = []
        for name in (*monitors, *settings, "GENERATION", "LIVE_LABEL", "LIVE_CRC"):
            theirs = self.hardware.hardware.read_array(name)
            count = channel_map(self.config)[name].count
            for k in range(count):
                if name == "QUEUE":
                    # A late token may still be granted; the levels are in the probe.
                    theirs[k] |= _QUEUE_LEVEL
                    ours[name][k] |= _QUEUE_LEVEL
                if theirs[k] != ours[name][k]:
                    label = f"{name}[{k}]" if count > 1 else name
                    differing[label] = (theirs[k], ours[name][k])
        return differing


def values_of(
    hardware: np.ndarray, model: np.ndarray, config: ChannelConfig
) -> dict[str, tuple[int, int]]:
    """Fields of the probe that differ."""
    wholes = [int.from_bytes(row.tobytes(), "little") for row in (hardware, model)]
    values = {}
    for name, (_, _, offset, width) in probe_fields(config).items():
        theirs, ours = (whole >> offset & (1 << width) - 1 for whole in wholes)
        if theirs != ours:
            values[name] = (theirs, ours)
    return values


def _faults(theirs: np.ndarray, ours: np.ndarray) -> dict[str, tuple[int, int]]:
    """What requesters or memory found wrong with either side."""
    faults = int(theirs[env.FAULT]), int(ours[env.FAULT])
    if faults == (Fault.NONE, Fault.NONE):
        return {}
    return {f"fault {Fault(max(faults)).name.lower()}": faults}
