"""Waveforms of a channel as columns of numbers, one row a clock."""

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from mcos_hw.channel.probe import probe_layout
from mcos_hw.config import ChannelConfig
from mcos_hw.registers import ArbiterKind
from mcos_policy.settings import Settings
from mcos_sim.errors import UserError
from mcos_sim.waves.dump import (
    TIME_LIMIT,
    UNKNOWN,
    WIDEST,
    Changes,
    Piece,
    Variable,
    Variables,
)
from mcos_sim.waves.fst import read_fst
from mcos_sim.waves.signals import EVENTS, OF_A_GRANT, OF_THE_PORT, ROOT, SIGNED, Sampler
from mcos_sim.waves.state import Renaming, State, read_mapping, read_state
from mcos_sim.waves.vcd import read_vcd

__all__ = [
    "NO_VALUE",
    "Waveform",
    "read_waveform",
    "state_path",
]


NO_VALUE = -1
"""Stands where a signal has no value, such as the tenant of a grant that did not happen."""

_LOOKED_AT = 1 << 12
"""Bytes at the beginning of a file that show what it is."""

_FST_BLOCKS = (b"\x00", b"\xfe")
"""First byte of an FST: the type of its header, or of a whole that is compressed."""

_SHOWN = 200
"""Characters of a name in a message."""

CLOCK = f"{ROOT}.clock"
"""Signal whose changes are the clocks."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Waveform:
    """What a waveform shows of one channel.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.
    arbiter : ArbiterKind
        Who chose the grants.
    contract : str
        Name of the contract; empty where its state names none.
    images : tuple[tuple[int, Settings], ...]
        Images and the clocks from which they are live, in order; the first one is live at the
        beginning.
    names : dict[int, str]
        Tenants that it has, by tag.
    clocks : numpy.ndarray
        Shape (n,): number of each clock, rising; what is left out was not shown.
    channel : dict[str, numpy.ndarray]
        Shape (n,): members of the probe's ``channel``.
    tenants : dict[str, numpy.ndarray]
        Shape (n, tenants): members of the probe's ``tenants``; 0 for a tag without a tenant.
    events : dict[str, numpy.ndarray]
        Shape (n,): members of the port events, as ``command.slot``; ``command.valid`` is 0 or 1.
    """

    config: ChannelConfig
    arbiter: ArbiterKind
    contract: str
    images: tuple[tuple[int, Settings], ...]
    names: dict[int, str]
    clocks: np.ndarray
    channel: dict[str, np.ndarray]
    tenants: dict[str, np.ndarray]
    events: dict[str, np.ndarray]

    @property
    def hidden_clocks(self) -> int:
        """Clocks between the first and the last that are not shown."""
        return int(self.clocks[-1] - self.clocks[0]) + 1 - len(self.clocks)

    def stretches(self) -> Iterator["Waveform"]:
        """The waveform in parts whose clocks follow each other without a gap."""
        gaps = np.flatnonzero(np.diff(self.clocks) != 1) + 1
        if not len(gaps):
            yield self
            return
        for first, end in zip([0, *gaps], [*gaps, len(self.clocks)], strict=True):
            yield self.rows(slice(int(first), int(end)))

    def rows(self, rows: slice | np.ndarray) -> "Waveform":
        """Some clocks of it."""

        def of(columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
            return {name: column[rows] for name, column in columns.items()}

        return dataclasses.replace(
            self,
            clocks=self.clocks[rows],
            channel=of(self.channel),
            tenants=of(self.tenants),
            events=of(self.events),
        )


def read_waveform(
    path: Path,
    *,
    mapping: Path | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> Waveform:
    """Read a VCD or FST with the signals of :mod:`mcos_sim.waves.signals`.

    A clock is where the counter of clocks changes to a known value, and a signal has the value of
    its last change at or before that time. A clock in which a signal is unknown that must be known
    is not shown, nor one behind whose time the file ends.

    Parameters
    ----------
    path : pathlib.Path
        VCD, or FST by its suffix. Sizes and image are in the state beside it, ``<name>.json``,
        unless the mapping names another one.
    mapping : pathlib.Path or None
        TOML for a waveform of other names: ``state``, a path, and a table ``signals`` with their
        names by ours.
    on_progress : Callable or None
        Called with the part of the work that is done since the last call; 1 in all.

    Raises
    ------
    UserError
        If a file is missing or not what it should be, a signal is missing, or the clocks are not
        counted.
    """
    mapped, state = _beside(path, mapping)
    widths = _signals(state.config, state.tenants)
    # Those of a window that are for people may be named, though nobody reads them.
    names = {tag: scope for scope, (tag, _) in state.tenants.items()}
    readable = {signal.path for signal in Sampler(state.config, names).signals}
    unknown = sorted(set(mapped.signals) - set(widths) - readable)
    if unknown:
        raise UserError(
            f"{mapping}: signals must be named by ours, and {unknown[0]!a} is none of "
            f"{state_path(path, mapping)}; the names are in docs/waveforms.md"
        )
    pieces: dict[str, tuple[Piece, ...]] = {}

    def choose(variables: list[Variable]) -> set[object]:
        pieces.update(_found(path, Variables(variables), widths, mapped.signals))
        return {piece.code for each in pieces.values() for piece in each}

    read = read_fst if path.suffix.lower() == ".fst" else read_vcd
    try:
        changes, end = read(path, choose, on_progress or (lambda part: None))
    except OSError as error:
        raise UserError(f"{path}: must be a waveform: {error.strerror}") from None
    return _Columns(path, state, widths, pieces, changes, end).waveform()


def state_path(path: Path, mapping: Path | None = None) -> Path:
    """File of the state that belongs to a waveform.

    Raises
    ------
    UserError
        If the waveform is a folder, or the mapping is not what it should be.
    """
    if not path.name or path.is_dir():
        raise UserError(f"{path} must be a waveform, VCD or FST, not a folder")
    named = None if mapping is None else read_mapping(mapping).state
    return named or path.with_suffix(".json")


def _beside(path: Path, mapping: Path | None) -> tuple[Renaming, State]:
    """Mapping and state of a waveform that is there."""
    try:
        path.stat()
    except (OSError, ValueError) as error:
        raise UserError(
            f"{path}: must be a waveform: {getattr(error, 'strerror', None) or error}"
        ) from None
    # What is read from a pipe is gone.
    if path.is_file() and not _begins_as_waveform(path):
        raise UserError(
            f"{path}: must be a waveform, VCD or FST, and does not begin as one; name the .vcd or "
            ".fst file"
        )
    mapped = Renaming() if mapping is None else read_mapping(mapping)
    return mapped, read_state(state_path(path, mapping))


def _begins_as_waveform(path: Path) -> bool:
    """Whether a file begins with a keyword of a VCD, or with the block that an FST begins with."""
    try:
        with path.open("rb") as file:
            begin = file.read(_LOOKED_AT)
    except OSError as error:
        raise UserError(f"{path}: must be a waveform: {error.strerror}") from None
    return begin[:1] in _FST_BLOCKS or begin.lstrip().startswith(b"$")


def _found(
    path: Path, variables: Variables, widths: dict[str, int], renamed: dict[str, str]
) -> dict[str, tuple[Piece, ...]]:
    """Where the bits of every signal are."""
    found: dict[str, tuple[Piece, ...]] = {}
    missing = []
    for name, width in widths.items():
        theirs = renamed.get(name, name)
        try:
            pieces = variables.find(theirs, width=width)
        except UserError as error:
            raise UserError(f"{path}: {error}") from None
        if pieces is None:
            missing.append(theirs)
        else:
            found[name] = pieces
    if missing:
        raise UserError(
            f"{path}: must have the signal {ascii(min(missing))[1:-1][:_SHOWN]}, and has not"
            + (f" (nor {len(missing) - 1} others)" if len(missing) > 1 else "")
            + "; name a mapping with --mapping, see docs/waveforms.md"
        )
    return found


class _Columns:
    """The waveform from changes."""

    def __init__(
        self,
        path: Path,
        state: State,
        widths: dict[str, int],
        pieces: dict[str, tuple[Piece, ...]],
        changes: Mapping[object, Changes],
        end: int,
    ) -> None:
        self._path = path
        self._state = state
        self._widths = widths
        self._pieces = pieces
        self._changes = changes
        self._edges, self._clocks = self._counted(end)
        self._shown = np.ones(len(self._clocks), dtype=bool)

    def waveform(self) -> Waveform:
        config = self._state.config
        granted = self._happens(f"{ROOT}.arbiter.granted")
        channel = {}
        for member, _ in probe_layout(config)["channel"].shape:
            scope = "port" if member in OF_THE_PORT else "arbiter"
            when = granted if member in OF_A_GRANT else None
            channel[member] = self._column(f"{ROOT}.{scope}.{member}", when)
        events = {}
        for kind, layout in EVENTS.items():
            happens = self._happens(f"{ROOT}.events.{kind}.valid")
            events[f"{kind}.valid"] = self._column(f"{ROOT}.events.{kind}.valid")
            for member, _ in layout(config):
                name = f"{kind}.{member}"
                events[name] = self._column(f"{ROOT}.events.{name}", happens)
        tenants = {}
        for member, field in probe_layout(config)["tenants"].shape.elem_shape:
            shape = (len(self._clocks), config.tenants)
            rows = tenants[member] = np.zeros(shape, dtype=_dtype(field.width))
            for scope, (tag, _) in self._state.tenants.items():
                rows[:, tag] = self._column(f"{ROOT}.tenants.{scope}.{member}")
        whole = Waveform(
            config=config,
            arbiter=self._state.arbiter,
            contract=self._state.contract,
            images=self._state.images,
            names=dict(self._state.tenants.values()),
            clocks=self._clocks,
            channel=channel,
            tenants=tenants,
            events=events,
        )
        if not self._shown.any():
            raise self._wrong("must have a clock in which every signal is known, and has none")
        return whole if self._shown.all() else whole.rows(self._shown)

    def _counted(self, end: int) -> tuple[np.ndarray, np.ndarray]:
        """Times and numbers of the clocks."""
        times, values = self._bits(CLOCK)
        known = values != UNKNOWN
        times, values = times[known], values[known]
        changed = np.ones(len(values), dtype=bool)
        changed[1:] = values[1:] != values[:-1]
        times, values = times[changed], values[changed]
        back = np.flatnonzero(values[1:] < values[:-1]) + 1
        if len(back):
            k = int(back[0])
            raise self._wrong(
                f"{CLOCK} must count clocks, and goes from {values[k - 1]} to {values[k]} at time "
                f"{times[k]}; map it to a counter that does not begin anew"
            )
        if len(values) and (values[0] < 0 or values[-1] >= TIME_LIMIT):
            raise self._wrong(f"{CLOCK} must count clocks up to 2^62, and does not")
        # Behind the last time of a file, changes of the same time may be cut off.
        whole = times < end
        if not whole.any():
            raise self._wrong("must have a whole clock, and has none: it is empty or cut off")
        times, values = times[whole], values[whole]
        if len(values) > 1 and (np.diff(values) != 1).all():
            raise self._wrong(
                f"{CLOCK} must count clocks one by one, and goes from {values[0]} to {values[1]}; "
                "map it to a counter of clocks"
            )
        return times, values

    def _bits(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Times at which a signal changes, each once, and its values from them on."""
        pieces = self._pieces[name]
        columns = [self._piece(piece) for piece in pieces]
        if len(columns) == 1:
            return columns[0]
        times = np.unique(np.concatenate([times for times, _ in columns]))
        values = np.zeros(len(times), dtype=np.int64)
        known = np.ones(len(times), dtype=bool)
        shift = 0
        for piece, (own_times, own_values) in zip(pieces, columns, strict=True):
            part = _held(own_times, own_values, times)
            known &= part != UNKNOWN
            values |= np.where(part == UNKNOWN, 0, part) << shift
            shift += piece.width
        return times, np.where(known, values, UNKNOWN)

    def _piece(self, piece: Piece) -> tuple[np.ndarray, np.ndarray]:
        times, values = (np.frombuffer(each, dtype=np.int64) for each in self._changes[piece.code])
        # Of several values at one time the last one counts.
        last = np.ones(len(times), dtype=bool)
        last[:-1] = times[1:] != times[:-1]
        times, values = times[last], values[last]
        if piece.width < WIDEST:
            bits = values >> piece.low & (1 << piece.width) - 1
            values = np.where(values == UNKNOWN, UNKNOWN, bits)
        return times, values

    def _happens(self, name: str) -> np.ndarray:
        values = self._values(name)
        return (values != 0) & (values != UNKNOWN)

    def _values(self, name: str) -> np.ndarray:
        """The value of a signal in each clock, unknown ones included."""
        width = self._widths[name]
        found = _held(*self._bits(name), self._edges)
        known = found != UNKNOWN
        if width < WIDEST:
            wrong = np.flatnonzero(known & (found >> width != 0))
            if len(wrong):
                k = int(wrong[0])
                raise self._wrong(
                    f"{name} must have values of {width} bits, not {found[k]} in clock "
                    f"{self._clocks[k]}; name the right signal, or the state of this waveform"
                )
        if name.rsplit(".", 1)[-1] in SIGNED:
            return np.where(known & (found >> (width - 1) == 1), found - (1 << width), found)
        return found

    def _column(self, name: str, when: np.ndarray | None = None) -> np.ndarray:
        """The value of a signal in each clock, or in some; clocks that lack it are not shown."""
        values = self._values(name)
        unknown = values == UNKNOWN
        if when is not None:
            values = np.where(when, values, NO_VALUE)
            unknown &= when
        self._shown &= ~unknown
        return np.where(unknown, NO_VALUE, values).astype(_dtype(self._widths[name]))

    def _wrong(self, what: str) -> UserError:
        return UserError(f"{self._path}: {what}")


def _held(times: np.ndarray, values: np.ndarray, at: np.ndarray) -> np.ndarray:
    """The value of the last change at or before each time."""
    if not len(times):
        return np.full(len(at), UNKNOWN, dtype=np.int64)
    last = np.searchsorted(times, at, side="right") - 1
    return np.where(last < 0, UNKNOWN, values[np.maximum(last, 0)])


def _dtype(width: int) -> type[np.signedinteger]:
    for dtype, bits in ((np.int8, 8), (np.int16, 16), (np.int32, 32)):
        if width < bits:
            return dtype
    return np.int64


def _signals(config: ChannelConfig, scopes: Iterable[str]) -> dict[str, int]:
    """Width of every signal that is read, by its name in our waveforms."""
    layout = probe_layout(config)
    found = {CLOCK: 64}
    for member, field in layout["channel"].shape:
        scope = "port" if member in OF_THE_PORT else "arbiter"
        found[f"{ROOT}.{scope}.{member}"] = field.width
    for scope in scopes:
        for member, field in layout["tenants"].shape.elem_shape:
            found[f"{ROOT}.tenants.{scope}.{member}"] = field.width
    for kind, event in EVENTS.items():
        found[f"{ROOT}.events.{kind}.valid"] = 1
        for member, field in event(config):
            found[f"{ROOT}.events.{kind}.{member}"] = field.width
    return found
