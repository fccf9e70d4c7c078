"""What a waveform does not show and a file beside it does: sizes, images, tenants, other names."""

import dataclasses
import json
import tomllib
from pathlib import Path
from typing import Any

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import ArbiterKind, channel_map
from mcos_policy.image import encode
from mcos_policy.settings import ChannelSettings, Settings, TenantSettings
from mcos_sim.errors import UserError
from mcos_sim.inputs import read_whole

__all__ = [
    "Renaming",
    "State",
    "read_mapping",
    "read_state",
]


_CLOCK_LIMIT = 1 << 62

_KINDS: dict[type, str] = {dict: "an object", list: "a list", str: "text", int: "a whole number"}


@dataclasses.dataclass(frozen=True, kw_only=True)
class State:
    """What the state of a window says.

    Parameters
    ----------
    config : ChannelConfig
        Sizes.
    arbiter : ArbiterKind
        Who chooses.
    contract : str
        Name of the contract; empty where the state names none.
    images : tuple[tuple[int, Settings], ...]
        Images and the clocks from which they are live, in order.
    tenants : dict[str, tuple[int, str]]
        Tag and name of each tenant, by its scope.
    """

    config: ChannelConfig
    arbiter: ArbiterKind
    contract: str
    images: tuple[tuple[int, Settings], ...]
    tenants: dict[str, tuple[int, str]]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Renaming:
    """What a mapping says: the file of the state, if it names one, and names of signals by ours."""

    state: Path | None = None
    signals: dict[str, str] = dataclasses.field(default_factory=dict)


class _Wrong(Exception):  # noqa: N818  (a note to the reader of the file, who says which one it is)
    """What is wrong in a file."""


def read_mapping(path: Path) -> Renaming:
    """Read a mapping; that its names are signals of ours is for the reader to check.

    Raises
    ------
    UserError
        If it is no TOML, or has something else than ``state`` and ``signals``.
    """
    try:
        found = tomllib.loads(read_whole(path).decode())
    except OSError as error:
        raise UserError(f"{path}: must be a mapping file: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: must be TOML: {_shortly(error)}") from None
    try:
        for key in found:
            if key not in ("state", "signals"):
                raise _Wrong(f"must have only state and the table signals, not {_short(key)}")
        state = _of(str, found.get("state", ""), "state")
        signals = _of(dict, found.get("signals", {}), "signals")
        names = {key: _of(str, each, f"signals.{_short(key)}") for key, each in signals.items()}
        if "\0" in state:
            raise _Wrong(f"state must be a path, not {_short(state)}")
    except _Wrong as wrong:
        raise UserError(f"{path}: {wrong}; see docs/waveforms.md") from None
    return Renaming(state=path.parent / state if state else None, signals=names)


def read_state(path: Path) -> State:
    """Read a state.

    Raises
    ------
    UserError
        If it is missing, no JSON, or says something that no window can say.
    """
    try:
        found = json.loads(read_whole(path).decode())
    except OSError as error:
        raise UserError(
            f"{path}: must be the state that the waveform starts from: {error.strerror}; it is "
            "written beside every window, and a mapping may name it"
        ) from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: must be JSON: {_shortly(error)}") from None
    try:
        state = _of(dict, found, "a state")
        config = _config(_member(state, "config", dict))
        return State(
            config=config,
            arbiter=_arbiter(state),
            contract=_of(str, state.get("contract", ""), "contract"),
            images=_images(_member(state, "images", list), config),
            tenants=_tenants(_member(state, "tenants", dict), config),
        )
    except _Wrong as wrong:
        raise UserError(
            f"{path}: {wrong}; take the state that was written beside the window"
        ) from None


def _config(row: dict[str, Any]) -> ChannelConfig:
    names = {field.name for field in dataclasses.fields(ChannelConfig)}
    _require_keys(row, names, "config")
    try:
        return ChannelConfig(**row)
    except (TypeError, ValueError) as error:
        raise _Wrong(f"config: {_shortly(error)}") from None


def _arbiter(state: dict[str, Any]) -> ArbiterKind:
    name = _of(str, state.get("arbiter_kind", "mcos"), "arbiter_kind")
    known = {kind.name.lower(): kind for kind in ArbiterKind}
    if name not in known:
        raise _Wrong(f"arbiter_kind must be one of {', '.join(known)}, not {_short(name)}")
    return known[name]


def _images(rows: list[Any], config: ChannelConfig) -> tuple[tuple[int, Settings], ...]:
    if not rows:
        raise _Wrong("images must have at least one image, and is empty")
    images: list[tuple[int, Settings]] = []
    registers = channel_map(config)
    for place, each in enumerate(rows):
        where = f"images[{place}]"
        row = _of(dict, each, where)
        clock = _member(row, "clock", int, where)
        if not 0 <= clock < _CLOCK_LIMIT or (images and clock <= images[-1][0]):
            raise _Wrong(f"{where}.clock must be a clock after the one before, not {_short(clock)}")
        tenants = _member(row, "tenants", list, where)
        settings = Settings(
            channel=_settings(
                ChannelSettings, _member(row, "channel", dict, where), f"{where}.channel"
            ),
            tenants=tuple(
                _settings(TenantSettings, tenant, f"{where}.tenants[{tag}]")
                for tag, tenant in enumerate(tenants)
            ),
        )
        try:
            encode(config, registers, settings, 0)
        except ValueError as error:
            raise _Wrong(f"{where}: {_shortly(error)}") from None
        images.append((clock, settings))
    return tuple(images)


def _settings(kind: type[ChannelSettings] | type[TenantSettings], row: Any, where: str) -> Any:
    row = _of(dict, row, where)
    _require_keys(row, {field.name for field in dataclasses.fields(kind)}, where)
    return kind(**{name: _of(int, value, f"{where}.{name}") for name, value in row.items()})


def _tenants(rows: dict[str, Any], config: ChannelConfig) -> dict[str, tuple[int, str]]:
    if not rows:
        raise _Wrong("tenants must have at least one tenant, and is empty")
    found: dict[str, tuple[int, str]] = {}
    for scope, each in rows.items():
        where = f"tenants.{_short(scope)}"
        row = _of(dict, each, where)
        tag = _member(row, "tag", int, where)
        if not 0 <= tag < config.tenants:
            raise _Wrong(f"{where}.tag must be in 0..{config.tenants - 1}, not {_short(tag)}")
        if tag in (other for other, _ in found.values()):
            raise _Wrong(f"{where}.tag must be that of one tenant, and {tag} is another one's")
        found[scope] = (tag, _member(row, "name", str, where))
    return found


def _member(row: dict[str, Any], key: str, kind: type, where: str = "") -> Any:
    path = f"{where}.{key}" if where else key
    if key not in row:
        raise _Wrong(f"{path} must be there, and is not")
    return _of(kind, row[key], path)


def _of(kind: type, value: Any, where: str) -> Any:
    if not isinstance(value, kind) or isinstance(value, bool):
        raise _Wrong(f"{where} must be {_KINDS[kind]}, not {_short(value)}")
    return value


def _require_keys(row: dict[str, Any], known: set[str], where: str) -> None:
    for key in sorted(known - set(row)):
        raise _Wrong(f"{where}.{key} must be there, and is not")
    for key in row:
        if key not in known:
            raise _Wrong(f"{where} must have no key {_short(key)}")


def _short(value: Any) -> str:
    """A value for a message: short, and nothing that a terminal would obey."""
    if isinstance(value, int) and abs(value) >= 1 << 64:
        return f"a number of {value.bit_length()} bits"
    text = ascii(value) if isinstance(value, (str, int, float)) else json.dumps(value, default=str)
    return text if len(text) <= 60 else f"{text[:56]}..."


def _shortly(error: Exception) -> str:
    """What an error says, on one line, short and harmless."""
    text = " ".join("".join(c if c.isprintable() else repr(c)[1:-1] for c in str(error)).split())
    return text if len(text) <= 200 else f"{text[:196]}..."
