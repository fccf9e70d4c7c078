"""Waveforms of a channel as columns of numbers, one row a clock."""

import dataclasses
import json
import tomllib
from array import array
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mcos_hw.channel.probe import probe_layout
from mcos_hw.config import ChannelConfig
from mcos_policy.settings import ChannelSettings, Settings, TenantSettings
from mcos_sim.errors import UserError
from mcos_sim.waves.signals import EVENTS, OF_THE_PORT, ROOT, SIGNED

__all__ = [
    "NO_VALUE",
    "Waveform",
    "read_waveform",
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
    images: tuple[tuple[int, Settings], ...]
    names: dict[int, str]
    clocks: np.ndarray
    channel: dict[str, np.ndarray]
    tenants: dict[str, np.ndarray]
    events: dict[str, np.ndarray]


class _Changes:
    """Value changes of the signals that are wanted: times and values, by name."""

    def __init__(self, names: set[str]) -> None:
        self.times = {name: array("q") for name in names}
        self.values = {name: array("q") for name in names}

    def put(self, name: str, time: int, value: int) -> None:
        self.times[name].append(time)
        self.values[name].append(value)


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
    state = Path(mapped.get("state") or path.with_suffix(".json"))
    if mapping is not None and "state" in mapped:
        state = mapping.parent / state
    config, images, scopes = _read_state(state)
    signals = _signals(config, scopes)
    renamed = {name: mapped.get("signals", {}).get(name, name) for name in signals}
    report = on_progress or (lambda part: None)
    read = _read_fst if path.suffix == ".fst" else _read_vcd
    changes = read(path, size, set(renamed.values()), report)

    missing = sorted(their for their in renamed.values() if not len(changes.times[their]))
    if missing:
        raise UserError(
            f"{path}: must have the signal {missing[0]}, and has not"
            + (f" (nor {len(missing) - 1} others)" if len(missing) > 1 else "")
            + "; name a mapping with --mapping, see docs/waveforms.md"
        )
    clock = renamed[CLOCK]
    edges = np.frombuffer(changes.times[clock], dtype=np.int64)
    clocks = np.frombuffer(changes.values[clock], dtype=np.int64)

    def column(name: str, width: int) -> np.ndarray:
        """The value in each clock; the last change at or before its edge counts."""
        their = renamed[name]
        times = np.frombuffer(changes.times[their], dtype=np.int64)
        values = np.frombuffer(changes.values[their], dtype=np.int64)
        last = np.searchsorted(times, edges, side="right") - 1
        found = np.where(last >= 0, values[np.maximum(last, 0)], NO_VALUE)
        return found.astype(_dtype(width))

    columns = {name: column(name, width) for name, width in signals.items() if name != CLOCK}
    tenants: dict[str, np.ndarray] = {}
    for member, field in probe_layout(config)["tenants"].shape.elem_shape:
        rows = np.zeros((len(clocks), config.tenants), dtype=_dtype(field.width))
        for tag, scope in scopes.items():
            rows[:, tag] = columns.pop(f"{ROOT}.tenants.{scope}.{member}")
        tenants[member] = rows
    short = {name.removeprefix(f"{ROOT}."): found for name, found in columns.items()}
    return Waveform(
        config=config,
        images=images,
        names=_names(state),
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


def _dtype(width: int) -> type[np.signedinteger]:
    for dtype, bits in ((np.int8, 8), (np.int16, 16), (np.int32, 32)):
        if width < bits:
            return dtype
    return np.int64


def _signals(config: ChannelConfig, scopes: Mapping[int, str]) -> dict[str, int]:
    """Width of every signal that is read, by its name in our waveforms."""
    layout = probe_layout(config)
    found = {CLOCK: 64}
    for member, field in layout["channel"].shape:
        scope = "port" if member in OF_THE_PORT else "arbiter"
        found[f"{ROOT}.{scope}.{member}"] = field.width
    for scope in scopes.values():
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
) -> tuple[ChannelConfig, tuple[tuple[int, Settings], ...], dict[int, str]]:
    found = _read_json(path)
    try:
        config = ChannelConfig(**found["config"])
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
        scopes = {row["tag"]: scope for scope, row in found["tenants"].items()}
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"{path}: must be the state of a window, with config, images and tenants: {error}"
        ) from None
    return config, images, scopes


def _names(path: Path) -> dict[int, str]:
    return {row["tag"]: row["name"] for row in _read_json(path)["tenants"].values()}


def _number(text: str, signed_width: int) -> int:
    """Value of a vector's text; NO_VALUE for one with x or z."""
    try:
        value = int(text, 2)
    except ValueError:
        return NO_VALUE
    if signed_width and value >> signed_width - 1 & 1:
        value -= 1 << signed_width
    return value


def _signed_width(name: str, width: int) -> int:
    return width if name.rsplit(".", 1)[-1] in SIGNED else 0


_PARTS = 50
"""How often a reader says how far it is."""

_CHANGE_BYTES = 12
"""Bytes of a value change in a VCD, about."""


def _read_vcd(path: Path, size: int, names: set[str], report: Callable[[float], None]) -> _Changes:
    from vcdvcd import VCDVCD, StreamParserCallbacks

    changes = _Changes(names)
    part = max(1, size // _CHANGE_BYTES // _PARTS)

    class Callbacks(StreamParserCallbacks):
        """Keeps what is wanted while the file streams through."""

        def __init__(self) -> None:
            self.wanted: dict[str, list[tuple[array, array, int]]] = {}
            self.seen = 0

        def enddefinitions(self, vcd, signals, cur_sig_vals) -> None:
            for name, code in vcd.references_to_ids.items():
                plain = name.split("[")[0]
                if plain in names:
                    signed_width = _signed_width(plain, int(vcd.data[code].size))
                    places = (changes.times[plain], changes.values[plain], signed_width)
                    self.wanted.setdefault(code, []).append(places)

        def value(self, vcd, time, value, identifier_code, cur_sig_vals) -> None:
            self.seen += 1
            if self.seen % part == 0 and self.seen < part * _PARTS:
                report(1 / _PARTS)
            for times, values, signed_width in self.wanted.get(identifier_code, ()):
                times.append(time)
                values.append(_number(value, signed_width))

    try:
        VCDVCD(str(path), callbacks=Callbacks(), store_tvs=False)
    except (ValueError, KeyError, IndexError) as error:
        _close(error)
        raise UserError(
            f"{path}: must be a whole VCD, and is cut off or damaged: {error}; write it again"
        ) from None
    return changes


def _close(error: BaseException) -> None:
    """Close the file that vcdvcd leaves open when it fails."""
    trace = error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_locals.get("vcd_file")
        if file is not None:
            file.close()
        trace = trace.tb_next


def _read_fst(path: Path, size: int, names: set[str], report: Callable[[float], None]) -> _Changes:
    from pywellen import Waveform as Wave  # ty: ignore[missing-module-member]

    changes = _Changes(names)
    try:
        variables = [each for each in Wave(str(path)).all_vars() if each.full_name in names]
        for variable in variables:
            name = variable.full_name
            signed_width = _signed_width(name, variable.length or 0)
            times, values = changes.times[name], changes.values[name]
            for time, value in variable.tv:
                if isinstance(value, str):
                    value = _number(value, 0)
                if signed_width and value >> signed_width - 1 & 1:
                    value -= 1 << signed_width
                times.append(time)
                values.append(value)
            report(1 / len(variables))
    except (RuntimeError, ValueError, OSError) as error:
        raise UserError(
            f"{path}: must be a whole FST, and is cut off or damaged: {error}; write it again"
        ) from None
    return changes


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise UserError(f"{path}: must be a waveform: {error.strerror}") from None
