"""The window of a run on the model or on the verilated hardware, from a row a clock."""

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import numpy as np

from mcos_hw.registers import channel_map
from mcos_policy.image import Image, unpack
from mcos_policy.settings import Settings
from mcos_sim.environment import layout as env
from mcos_sim.environment.environment import in_flight
from mcos_sim.model.probe import probe_fields, probe_words
from mcos_sim.scenario import Scenario
from mcos_sim.waves.reading import NO_VALUE, Waveform
from mcos_sim.waves.signals import EVENTS, OF_A_GRANT, SIGNED, PortEvents
from mcos_sim.waves.window import WindowWriter, channel_paths, never_begun

__all__ = [
    "Recording",
    "Unrecorded",
    "by_channel",
    "clock_rows",
    "live_images",
    "row_words",
    "rows_waveform",
    "write_rows",
]


def row_words(scenario: Scenario) -> int:
    """Words of 64 bits of a channel's clock: its probe, and what crosses its boundary."""
    return probe_words(scenario.config) + env.PORTS_LENGTH


def clock_rows(scenario: Scenario, clocks: int) -> np.ndarray:
    """Room for some clocks: a row each, with :func:`row_words` for each channel."""
    return np.zeros((clocks, len(scenario.channels) * row_words(scenario)), dtype=np.uint64)


def by_channel(rows: np.ndarray, scenario: Scenario) -> list[np.ndarray]:
    """The rows of each channel, shape (clocks, :func:`row_words`)."""
    words = row_words(scenario)
    return [rows[:, words * c :][:, :words] for c in range(len(scenario.channels))]


def live_images(scenario: Scenario) -> list[tuple[int, Settings]]:
    """The image of a scenario, live from the beginning."""
    return [(0, unpack(channel_map(scenario.config), Image(words=scenario.image)))]


def rows_waveform(
    rows: np.ndarray,
    scenario: Scenario,
    *,
    first: int,
    images: Sequence[tuple[int, Settings]],
) -> Waveform:
    """Some clocks as a waveform that is read, without a file.

    Parameters
    ----------
    rows : numpy.ndarray
        Shape (clocks, :func:`row_words`), uint64: what each clock has.
    scenario : Scenario
        What ran.
    first : int
        Clock of the first row.
    images : Sequence[tuple[int, Settings]]
        Images and the clocks from which they are live.
    """
    config = scenario.config
    names = {stream.tag: stream.name for stream in scenario.streams}
    channel: dict[str, np.ndarray] = {}
    tenants: dict[str, np.ndarray] = {}
    for scope, name, offset, width in probe_fields(config).values():
        if scope == "monitor":
            continue
        tag = None if scope == "channel" else int(scope.removeprefix("tenant_"))
        if tag is None:
            channel[name] = _field(rows, offset, width, signed=name in SIGNED)
        elif tag in names:
            shape = (len(rows), config.tenants)
            column = tenants.setdefault(name, np.zeros(shape, dtype=np.int64))
            column[:, tag] = _field(rows, offset, width, signed=name in SIGNED)
    for name in OF_A_GRANT:
        channel[name] = np.where(channel["granted"] == 1, channel[name], NO_VALUE)
    ports = rows[:, probe_words(config) :].view(np.int64)
    events = {}
    for kind, layout in EVENTS.items():
        valid = _happens(ports, kind)
        events[f"{kind}.valid"] = valid.astype(np.int8)
        for name, field in layout(config):
            value = ports[:, _port(kind, name)] & ((1 << field.width) - 1)
            events[f"{kind}.{name}"] = np.where(valid, value, NO_VALUE)
    return Waveform(
        config=config,
        arbiter=scenario.arbiter,
        contract=scenario.contract,
        images=tuple(images),
        names=names,
        clocks=np.arange(first, first + len(rows)),
        channel=channel,
        tenants=tenants,
        events=events,
    )


def _field(rows: np.ndarray, offset: int, width: int, *, signed: bool) -> np.ndarray:
    """A field of at most 63 bits of every row."""
    word, bit = divmod(offset, 64)
    value = rows[:, word] >> np.uint64(bit)
    if bit + width > 64:
        value = value | rows[:, word + 1] << np.uint64(64 - bit)
    found = (value & np.uint64((1 << width) - 1)).astype(np.int64)
    return np.where(found >> (width - 1) == 1, found - (1 << width), found) if signed else found


def _happens(ports: np.ndarray, kind: str) -> np.ndarray:
    """Whether an event happens, for port words of one clock or of many."""
    valid = ports[..., _port(kind, "valid")] != 0
    # The other ports are always ready, and an offer need not be taken.
    return valid & (ports[..., _port(kind, "ready")] != 0) if kind == "command" else valid


def _port(kind: str, name: str) -> int:
    """Place of an event's signal among the words behind the probe."""
    port = "command" if kind == "offer" else kind
    return getattr(env, f"{port}_{name}".upper()) - env.PORTS


def write_rows(
    path: Path,
    rows: np.ndarray,
    scenario: Scenario,
    *,
    first: int,
    images: Sequence[tuple[int, Settings]],
    in_flight: Mapping[int, int] | None = None,
    focus: int | None = None,
) -> None:
    """Write the waveform of some clocks.

    Parameters
    ----------
    path : pathlib.Path
        VCD.
    rows : numpy.ndarray
        Shape (clocks, :func:`row_words`), uint64: what each clock has.
    scenario : Scenario
        What ran.
    first : int
        Clock of the first row.
    images : Sequence[tuple[int, Settings]]
        Images and the clocks from which they are live.
    in_flight : Mapping[int, int] or None
        Bytes of each tag granted and not yet served at the first clock.
    focus : int or None
        Clock at which a viewer opens.
    """
    events = _Events(scenario)
    words = probe_words(scenario.config)
    with WindowWriter(
        path,
        config=scenario.config,
        names={stream.tag: stream.name for stream in scenario.streams},
        clock_ns=Fraction(1_000_000, scenario.config.clock_khz),
        first_clock=first,
        in_flight=in_flight,
        images=images,
        focus=focus,
        arbiter=scenario.arbiter,
        contract=scenario.contract,
    ) as writer:
        for k, row in enumerate(rows):
            probe = int.from_bytes(row[:words].tobytes(), "little")
            writer.sample(first + k, probe, events.of(row[words:].view(np.int64)))


class Recording(Protocol):
    """What looks at clocks of a run; between them an engine runs as fast as it can."""

    def begins(self, clock: int) -> bool:
        """Whether it looks from this clock on."""
        ...

    def before(self, clock: int) -> int:
        """A clock to run to, or an earlier one at which it begins."""
        ...

    def record(self, run: Callable[[np.ndarray], int]) -> None:
        """Look at clocks that ``run`` runs, a row each."""
        ...

    def require_written(self) -> None:
        """Raise :class:`UserError` if it has not seen what it should."""
        ...


class Unrecorded:
    """The window of a run that is still to be recorded, if there is one.

    Parameters
    ----------
    scenario : Scenario
        What runs.
    e : numpy.ndarray
        The run's environment.
    """

    def __init__(self, scenario: Scenario, e: np.ndarray) -> None:
        self._scenario = scenario
        self._environment = e
        self._window = scenario.window

    def begins(self, clock: int) -> bool:
        """Whether the window begins in a clock."""
        return self._window is not None and clock == self._window.first

    def before(self, clock: int) -> int:
        """A clock to run to, or the window's first one if that is earlier."""
        return clock if self._window is None else min(clock, self._window.first)

    def record(self, run: Callable[[np.ndarray], int]) -> None:
        """Run through the window and write its waveform.

        Parameters
        ----------
        run : Callable
            Runs up to as many clocks as its argument has rows, fills one row per clock,
            and returns how many ran.
        """
        scenario, window = self._scenario, self._window
        assert window is not None
        # Of several channels only the sum is known.
        held = None
        if not scenario.fabric:
            held = in_flight(self._environment, int(self._environment[env.CLOCK]))
        rows = clock_rows(scenario, window.end - window.first)
        clocks = run(rows)
        self._window = None
        paths = channel_paths(window.path, len(scenario.channels))
        for path, of_channel in zip(paths, by_channel(rows[:clocks], scenario), strict=True):
            write_rows(
                path,
                of_channel,
                scenario,
                first=window.first,
                in_flight=held,
                images=live_images(scenario),
                focus=window.focus,
            )

    def require_written(self) -> None:
        """Raise :class:`UserError` if the run ended before the window began."""
        if self._window is not None:
            raise never_begun(self._window.first)


class _Events:
    """Rows of port words as packed events."""

    def __init__(self, scenario: Scenario) -> None:
        self._layouts = {kind: layout(scenario.config) for kind, layout in EVENTS.items()}

    def of(self, ports: np.ndarray) -> PortEvents:
        """Transfers of a clock."""

        def port(kind: str, name: str) -> int:
            return int(ports[_port(kind, name)])

        found = {}
        for kind, layout in self._layouts.items():
            if not _happens(ports, kind):
                continue
            found[kind] = sum(
                (port(kind, name) & (1 << field.width) - 1) << field.offset
                for name, field in layout
            )
        return PortEvents(**found)
