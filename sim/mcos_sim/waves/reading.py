"""Waveforms of a channel as columns of numbers, one row a clock."""

import dataclasses
import json
import tomllib
from array import array
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from mcos_hw.channel.probe import probe_layout
from mcos_hw.config import ChannelConfig
from mcos_hw.registers import ArbiterKind
from mcos_policy.settings import ChannelSettings, Settings, TenantSettings
from mcos_sim.errors import UserError
from mcos_sim.waves.signals import EVENTS, OF_THE_PORT, ROOT, SIGNED

__all__ = [
    "NO_VALUE",
    "Waveform",
    "read_waveform",
    "state_path",
]


NO_VALUE = -1
"""Stands where a signal has no value, such as the tenant of a grant that did not happen."""

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
    images : tuple[tuple[int, Settings], ...]
        Images and the clocks from which they are live, in order; the first one is live at the
        beginning.
    names : dict[int, str]
        Tenants that it has, by tag.
    clocks : numpy.ndarray
        Shape (n,): number of each clock.
    channel : dict[str, numpy.ndarray]
        Shape (n,): members of the probe's ``channel``.
    tenants : dict[str, numpy.ndarray]
        Shape (n, tenants): members of the probe's ``tenants``; 0 for a tag without a tenant.
    events : dict[str, numpy.ndarray]
        Shape (n,): members of the port events, as ``command.slot``; ``command.valid`` is 0 or 1.
    """

    config: ChannelConfig
    arbiter: ArbiterKind
    images: tuple[tuple[int, Settings], ...]
    names: dict[int, str]
    clocks: np.ndarray
    channel: dict[str, np.ndarray]
    tenants: dict[str, np.ndarray]
    events: dict[str, np.ndarray]


_Changes = tuple[str, np.ndarray, np.ndarray]
"""A signal, the times of its changes and the values from them on."""


def read_waveform(
    path: Path,
    *,
    mapping: Path | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> Waveform:
    """Read a VCD or FST with the signals of :mod:`mcos_sim.waves.signals`.

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
        If a file is missing or not what it should be, or a signal is missing.
    """
    size = _size(path)
    mapped = _mapping(mapping)
    state = state_path(path, mapping)
    config, arbiter, images, tenants_by_scope = _read_state(state)
    signals = _signals(config, tenants_by_scope)
    renamed = {name: mapped.get("signals", {}).get(name, name) for name in signals}
    report = on_progress or (lambda part: None)
    read = _read_fst if path.suffix == ".fst" else _read_vcd
    ours: dict[str, list[str]] = {}
    for name, their in renamed.items():
        ours.setdefault(their, []).append(name)
    layout = probe_layout(config)["tenants"].shape.elem_shape
    tenant_places = {
        f"{ROOT}.tenants.{scope}.{member}": (member, tag)
        for scope, (tag, _) in tenants_by_scope.items()
        for member, _ in layout
    }
    missing = set(signals)
    tenants: dict[str, np.ndarray] = {}
    columns: dict[str, np.ndarray] = {}
    edges = clocks = np.zeros(0, dtype=np.int64)
    # The clock comes first; each signal becomes a column before the next one is looked at.
    for their, times, values in read(path, size, renamed[CLOCK], set(ours), report):
        if CLOCK in ours[their]:
            edges, clocks = times, values
        for name in ours[their]:
            missing.discard(name)
            column = _column(edges, times, values, signals[name], name)
            if name in tenant_places:
                member, tag = tenant_places[name]
                shape = (len(clocks), config.tenants)
                tenants.setdefault(member, np.zeros(shape, dtype=column.dtype))[:, tag] = column
            else:
                columns[name] = column
    if missing:
        raise UserError(
            f"{path}: must have the signal {min(renamed[name] for name in missing)}, and has not"
            + (f" (nor {len(missing) - 1} others)" if len(missing) > 1 else "")
            + "; name a mapping with --mapping, see docs/waveforms.md"
        )
    del columns[CLOCK]
    short = {name.removeprefix(f"{ROOT}."): found for name, found in columns.items()}
    return Waveform(
        config=config,
        arbiter=arbiter,
        images=images,
        names=dict(tenants_by_scope.values()),
        clocks=clocks,
        channel={
            name.split(".")[1]: found
            for name, found in short.items()
            if not name.startswith("events.")
        },
        tenants=tenants,
        events={
            name.removeprefix("events."): found
            for name, found in short.items()
            if name.startswith("events.")
        },
    )


def state_path(path: Path, mapping: Path | None = None) -> Path:
    """The file of the state that a waveform begins with: the one beside, or that of a mapping.

    Raises
    ------
    UserError
        If the mapping cannot be read.
    """
    named = _mapping(mapping).get("state")
    if mapping is None or named is None:
        return path.with_suffix(".json")
    if not isinstance(named, str):
        raise UserError(f"{mapping}: state must be the name of a file, not {named!r}; quote it")
    return mapping.parent / named


def _column(
    edges: np.ndarray, times: np.ndarray, values: np.ndarray, width: int, name: str
) -> np.ndarray:
    """The value in each clock; the last change at or before its edge counts."""
    if name.rsplit(".", 1)[-1] in SIGNED:
        values = np.where(values >> (width - 1) == 1, values - (1 << width), values)
    last = np.searchsorted(times, edges, side="right") - 1
    found = values.astype(_dtype(width))[np.maximum(last, 0)]
    found[last < 0] = NO_VALUE
    return found


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


def _mapping(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path}: must be a mapping file: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: must be TOML: {error}") from None
    unknown = sorted(set(found) - {"state", "signals"})
    if unknown or not isinstance(found.get("signals", {}), dict):
        raise UserError(
            f"{path}: must have only state and the table signals"
            + (f", not {unknown[0]!r}" if unknown else "")
        )
    return found


def _read_json(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(
            f"{path}: must be the state that the waveform starts from: {error.strerror}; it is "
            "written beside every window, and a mapping may name it"
        ) from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: must be JSON: {error}") from None


def _read_state(
    path: Path,
) -> tuple[
    ChannelConfig, ArbiterKind, tuple[tuple[int, Settings], ...], dict[str, tuple[int, str]]
]:
    """Sizes, arbiter, images with their clocks, and tag and name of each tenant by scope."""
    found = _read_json(path)
    try:
        config = ChannelConfig(**found["config"])
        arbiter = ArbiterKind[found.get("arbiter_kind", "mcos").upper()]
        images = tuple(
            (
                row["clock"],
                Settings(
                    channel=ChannelSettings(**row["channel"]),
                    tenants=tuple(TenantSettings(**each) for each in row["tenants"]),
                ),
            )
            for row in found["images"]
        )
        tenants = {scope: (row["tag"], row["name"]) for scope, row in found["tenants"].items()}
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"{path}: must be the state of a window, with config, images and tenants: {error}"
        ) from None
    return config, arbiter, images, tenants


def _number(text: str) -> int:
    """Value of a vector's text; NO_VALUE for one with x or z."""
    try:
        return int(text, 2)
    except ValueError:
        return NO_VALUE


_PARTS = 50
"""How often a reader says how far it is."""

_SIGNALS_AT_A_TIME = 16
"""Signals after which an FST is opened anew: it keeps every signal that was looked at."""

_CHANGE_BYTES = 12
"""Bytes of a value change in a VCD, about."""


def _read_vcd(
    path: Path, size: int, clock: str, names: set[str], report: Callable[[float], None]
) -> Iterator[_Changes]:
    from vcdvcd import VCDVCD, StreamParserCallbacks

    changes: dict[str, tuple[array, array]] = {}
    part = max(1, size // _CHANGE_BYTES // _PARTS)

    class Callbacks(StreamParserCallbacks):
        """Keeps what is wanted while the file streams through."""

        def __init__(self) -> None:
            self.wanted: dict[str, tuple[array, array]] = {}
            self.seen = 0

        def enddefinitions(self, vcd, signals, cur_sig_vals) -> None:
            for name, code in vcd.references_to_ids.items():
                plain = name.split("[")[0]
                if plain in names:
                    # One code may stand for several names.
                    places = self.wanted.setdefault(code, (array("q"), array("q")))
                    changes[plain] = places

        def value(self, vcd, time, value, identifier_code, cur_sig_vals) -> None:
            self.seen += 1
            if self.seen % part == 0 and self.seen < part * _PARTS:
                report(1 / _PARTS)
            found = self.wanted.get(identifier_code)
            if found is not None:
                found[0].append(time)
                found[1].append(_number(value))

    try:
        VCDVCD(str(path), callbacks=Callbacks(), store_tvs=False)
    except (ValueError, KeyError, IndexError) as error:
        _close(error)
        raise UserError(
            f"{path}: must be a whole VCD, and is cut off or damaged: {error}; write it again"
        ) from None
    for name in sorted(changes, key=lambda each: each != clock):
        times, values = changes[name]
        if len(times):
            yield (name, np.array(times, dtype=np.int64), np.array(values, dtype=np.int64))


def _close(error: BaseException) -> None:
    """Close the file that vcdvcd leaves open when it fails."""
    trace = error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_locals.get("vcd_file")
        if file is not None:
            file.close()
        trace = trace.tb_next


def _read_fst(
    path: Path, size: int, clock: str, names: set[str], report: Callable[[float], None]
) -> Iterator[_Changes]:
    from pywellen import Waveform as Wave  # ty: ignore[missing-module-member]

    try:
        found = {each.full_name for each in Wave(str(path)).all_vars()} & names
        ordered = sorted(found, key=lambda each: each != clock)
        for first in range(0, len(ordered), _SIGNALS_AT_A_TIME):
            chunk = ordered[first : first + _SIGNALS_AT_A_TIME]
            by_name = {each.full_name: each for each in Wave(str(path)).all_vars()}
            for name in chunk:
                times, values = array("q"), array("q")
                for time, value in by_name[name].tv:
                    times.append(time)
                    values.append(_number(value) if isinstance(value, str) else value)
                report(1 / len(ordered))
                if len(times):
                    yield (
                        name,
                        np.frombuffer(times, dtype=np.int64),
                        np.frombuffer(values, dtype=np.int64),
                    )
    except (RuntimeError, ValueError, OSError) as error:
        raise UserError(
            f"{path}: must be a whole FST, and is cut off or damaged: {error}; write it again"
        ) from None


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise UserError(f"{path}: must be a waveform: {error.strerror}") from None
