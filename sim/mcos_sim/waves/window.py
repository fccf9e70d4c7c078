"""Window of clocks, written as a VCD with the state it starts from and a GTKWave save file."""

import contextlib
import dataclasses
import json
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from vcd import VCDWriter

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import ArbiterKind
from mcos_policy.files import replacing
from mcos_policy.settings import Settings
from mcos_sim.errors import UserError
from mcos_sim.waves.save_file import write_save_file
from mcos_sim.waves.signals import PortEvents, Radix, Sample, Sampler, Signal
from mcos_sim.waves.surfer import write_command_file

__all__ = [
    "WindowWriter",
    "channel_path",
    "channel_paths",
    "never_begun",
    "recorded_paths",
    "window_files",
]


UNITS = {"ns": 1, "ps": 1_000, "fs": 1_000_000}
"""Units of a VCD's time, coarsest first, by how many make a nanosecond."""


def window_files(path: Path) -> tuple[Path, Path, Path, Path]:
    """The files of a window: its VCD, its state, the GTKWave save file, the Surfer command file."""
    state, save, commands = (path.with_suffix(suffix) for suffix in (".json", ".gtkw", ".sucl"))
    return path, state, save, commands


def channel_path(path: Path, channel: int) -> Path:
    """The VCD of one of several channels: ``<name>_<channel>.vcd``, two digits."""
    return path.with_stem(f"{path.stem}_{channel:02}")


def channel_paths(path: Path, channels: int) -> list[Path]:
    """The VCD of each channel; with one channel it is the window's."""
    return [path] if channels == 1 else [channel_path(path, c) for c in range(channels)]


def recorded_paths(path: Path, channel: int | None = None) -> list[Path]:
    """The waveforms of a name: itself, or those of several channels, or of one of them.

    Parameters
    ----------
    path : Path
        A waveform, or the name that several channels were recorded under.
    channel : int or None
        The only channel to look at.

    Raises
    ------
    UserError
        If a channel is chosen that was not recorded, or of a waveform of one channel.
    """
    found = []
    while channel_path(path, len(found)).is_file():
        found.append(channel_path(path, len(found)))
    if path.exists() or not found:
        if channel is not None:
            raise UserError(
                f"--channel must go with a waveform of several channels, not {path}; leave it out"
            )
        return [path]
    if channel is None:
        return found
    if channel >= len(found):
        raise UserError(
            f"--channel must be one of the {len(found)} recorded, 0 to {len(found) - 1}, not "
            f"{channel}; choose another"
        )
    return [found[channel]]


def never_begun(clock: int) -> UserError:
    """What to raise where a run ended before the window that begins in ``clock``."""
    return UserError(
        f"a waveform window must begin before the run ends, not at clock {clock}; "
        "give an earlier window or a longer run"
    )


class WindowWriter:
    """Writer of one window of a channel's clocks.

    ``path`` becomes the VCD; its ``$dumpvars`` is the whole state in the window's first clock, and
    after it only what changes is written. Beside it are written ``<name>.json``, the state that
    the window starts from with its units, ``<name>.gtkw``, a GTKWave save file, and
    ``<name>.sucl``, a Surfer command file. Clock ``n`` is at ``n`` times the clock's period since
    the simulation's start, exactly if the period is a whole number of femtoseconds, and else
    rounded down to one. The signals are those of :class:`mcos_sim.waves.signals.Sampler`.

    Parameters
    ----------
    path : Path
        The VCD, ending in ``.vcd``; its folder must exist.
    config : ChannelConfig
        Sizes of the channel.
    names : Mapping[int, str]
        Tenant names by tag.
    clock_ns : Fraction
        Nanoseconds of a clock.
    first_clock : int
        Clock that the window starts with.
    in_flight : Mapping[int, int] or None
        Bytes of each tag granted and not yet served as the window starts, for the state beside
        the VCD; the probe only tells their sum. None leaves them out.
    images : Sequence[tuple[int, Settings]]
        Images and the clocks from which they are live, for the state beside the VCD:
        ``mcos waves`` checks by them.
    focus : int or None
        Clock at which GTKWave opens, with its marker there; the first one if None.
    arbiter : ArbiterKind
        Who chose the grants, for the state beside the VCD.
    contract : str
        Name of the contract, for the state beside the VCD; empty if there is none.

    Raises
    ------
    UserError
        If the path does not end in ``.vcd``.
    ValueError
        If the clock's period is not over 0, the first clock is negative, or names has no tenant
        or a tag that the channel does not have.
    OSError
        If the VCD cannot be written.
    """

    def __init__(
        self,
        path: Path,
        *,
        config: ChannelConfig,
        names: Mapping[int, str],
        clock_ns: Fraction,
        first_clock: int,
        in_flight: Mapping[int, int] | None = None,
        images: Sequence[tuple[int, Settings]] = (),
        focus: int | None = None,
        arbiter: ArbiterKind = ArbiterKind.MCOS,
        contract: str = "",
    ) -> None:
        if path.suffix != ".vcd":
            raise UserError(f"a waveform window must be a .vcd, not {str(path)!r}")
        if clock_ns <= 0:
            raise ValueError(f"clock_ns must be over 0, not {clock_ns!r}")
        if first_clock < 0:
            raise ValueError(f"first_clock must be at least 0, not {first_clock!r}")
        self.path = path
        self.first_clock = first_clock
        self._config = config
        self._in_flight = in_flight
        self._images = images
        self._focus = focus
        self._arbiter = arbiter
        self._contract = contract
        self._unit = next(
            (unit for unit, per_ns in UNITS.items() if per_ns % clock_ns.denominator == 0), "fs"
        )
        self._ticks = clock_ns * UNITS[self._unit]
        self._next = first_clock
        self._sampler = Sampler(config, names)
        self._state = ""
        with contextlib.ExitStack() as stack:
            partial = stack.enter_context(replacing(path))
            self._file = stack.enter_context(partial.open("w", encoding="utf-8"))
            self._vcd = VCDWriter(
                self._file,
                timescale=f"1 {self._unit}",
                date="",
                comment=f"MCOS channel, config {config.hash}, from clock {first_clock}",
                init_timestamp=self._time(first_clock),
            )
            self._files = stack.pop_all()
        self._variables = [
            (
                self._vcd.register_var(
                    signal.scope,
                    signal.name,
                    "string" if signal.radix is Radix.TEXT else "wire",
                    signal.width,
                ),
                signal.read,
            )
            for signal in self.signals
        ]

    @property
    def signals(self) -> tuple[Signal, ...]:
        """Signals of the window."""
        return self._sampler.signals

    @property
    def clocks(self) -> int:
        """Clocks written so far."""
        return self._next - self.first_clock

    @property
    def state_path(self) -> Path:
        """File of the state that the window starts from."""
        return window_files(self.path)[1]

    @property
    def save_path(self) -> Path:
        """GTKWave save file."""
        return window_files(self.path)[2]

    @property
    def command_path(self) -> Path:
        """Surfer command file."""
        return window_files(self.path)[3]

    def sample(self, clock: int, probe: int, events: PortEvents) -> None:
        """Write one clock.

        Parameters
        ----------
        clock : int
            Number of the clock: the window's first, then one more each time.
        probe : int
            The channel's probe in that clock, packed as ``probe_layout``.
        events : PortEvents
            What crossed the channel's ports in that clock.

        Raises
        ------
        ValueError
            If a clock is left out or comes twice.
        """
        if clock != self._next:
            raise ValueError(f"the next clock of the window must be {self._next}, not {clock!r}")
        sample = self._sampler.unpack(clock, probe, events)
        if clock == self.first_clock:
            self._state = self._state_text(sample)
        time = self._time(clock)
        for variable, read in self._variables:
            self._vcd.change(variable, time, read(sample))
        self._next += 1

    def close(self) -> None:
        """Finish the files; the VCD ends where the last clock ends.

        Raises
        ------
        UserError
            If the run ended before the window began; no file is left.
        """
        if not self.clocks:
            error = never_begun(self.first_clock)
            self._abandon(error)
            raise error
        with self._files as files:
            self._vcd.close(self._time(self._next))
            # The waveform and its state are new together, or neither is.
            self._file.close()
            state = files.enter_context(replacing(self.state_path))
            state.write_text(self._state, encoding="utf-8")
        focus = None if self._focus is None else self._time(self._focus)
        start = self._time(self.first_clock)
        write_save_file(
            self.save_path,
            vcd=self.path,
            signals=self.signals,
            start=start,
            clock=self._ticks,
            focus=focus,
        )
        write_command_file(
            self.command_path,
            signals=self.signals,
            focus=start if focus is None else focus,
            clocks=self.clocks,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # The clocks before a failed check are what somebody wants to see.
        failed_check = isinstance(error, Exception) and not isinstance(error, OSError)
        if error is None or (failed_check and self.clocks):
            self.close()
        else:
            self._abandon(error)

    def _abandon(self, error: BaseException) -> None:
        """Leave no file, and what was there before as it was."""
        try:
            self._files.__exit__(type(error), error, error.__traceback__)
        except OSError:
            # It may be the same failure again, with the name of the file.
            if isinstance(error, OSError):
                raise

    def _time(self, clock: int) -> int:
        return int(clock * self._ticks)

    def _state_text(self, sample: Sample) -> str:
        state: dict[str, Any] = {}
        for signal in self.signals:
            scope = signal.scope[1:]
            if scope[:1] == ("events",):
                continue
            place = state
            for name in scope:
                place = place.setdefault(name, {})
            place[signal.name] = signal.read(sample)
        for tag, scope in self._sampler.scopes.items():
            tenant = {"name": self._sampler.names[tag], "tag": tag, **state["tenants"][scope]}
            if self._in_flight is not None:
                tenant["in_flight"] = self._in_flight.get(tag, 0)
            state["tenants"][scope] = tenant
        config = self._config
        text = json.dumps(
            {
                "config_hash": config.hash,
                "time": f"{self._time(sample.clock)} {self._unit}",
                "units": {
                    "age": "clocks",
                    "committed, peak, debt": f"bytes / 2**{config.rate_fraction}",
                    "in_flight": "bytes",
                    "start, finish, virtual_time": (
                        f"bytes per unit of weight / 2**{config.tag_fraction}, "
                        f"modulo 2**{config.tag_width}"
                    ),
                },
                **state,
                "arbiter_kind": self._arbiter.name.lower(),
                "contract": self._contract,
                "config": dataclasses.asdict(config),
                "images": [
                    {"clock": clock, **dataclasses.asdict(settings)}
                    for clock, settings in self._images
                ],
            },
            indent=2,
        )
        return text + "\n"
