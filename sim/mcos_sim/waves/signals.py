"""What a waveform window shows: signals, and how each is read from a clock's sample."""

import dataclasses
import enum
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping

from amaranth.hdl import Shape
from amaranth.lib import data

from mcos_hw.channel.probe import probe_layout
from mcos_hw.config import ChannelConfig
from mcos_hw.link.classes import NO_CLASS
from mcos_hw.link.request import (
    Op,
    command_layout,
    completion_layout,
    request_layout,
    response_layout,
)
from mcos_hw.registers import GrantClass

__all__ = [
    "CLASS_NAMES",
    "EVENTS",
    "ROOT",
    "PortEvents",
    "Radix",
    "Sample",
    "Sampler",
    "Signal",
    "scope_names",
]


ROOT = "mcos"
"""Outermost scope."""

EVENTS = {
    "request": request_layout,
    "offer": command_layout,
    "command": command_layout,
    "completion": completion_layout,
    "response": response_layout,
}
"""Layout of each kind of port event."""

_PROBE = probe_layout(ChannelConfig())
_CHANNEL = {str(name): field for name, field in _PROBE["channel"].shape}
_TENANT = {str(name): field for name, field in _PROBE["tenants"].shape.elem_shape}
_OF_EVENTS = {str(name) for layout in EVENTS.values() for name, _ in layout(ChannelConfig())}


def _named(*names: str, among: Iterable[str]) -> frozenset[str]:
    missing = set(names) - set(among)
    assert not missing, f"{', '.join(sorted(missing))} must be members of the hardware's layouts"
    return frozenset(names)


SIGNED = frozenset(
    name for name, field in (_CHANNEL | _TENANT).items() if Shape.cast(field.shape).signed
)
"""Probe members that are two's complement."""

LEVELS = _named("committed", "debt", "peak", among={*_CHANNEL, *_TENANT})
"""Probe members in ``2**-rate_fraction`` bytes; each has a reading in whole bytes beside it."""

HEXADECIMAL = _named(
    *("address", "finish", "start", "virtual_time"), among={*_CHANNEL, *_TENANT, *_OF_EVENTS}
)
"""Members that people read in hexadecimal."""

OF_THE_PORT = _named("debt", "in_flight", among=_CHANNEL)
"""Channel members of the probe that tell of the memory port; the others tell of the arbiter."""

OF_A_GRANT = _named("beats", "promoted", "tenant", among=_CHANNEL)
"""Channel members of the probe that mean something only in a clock with a grant."""

CLASS_NAMES = {code.value: code.name.lower() for code in GrantClass} | {NO_CLASS: "none"}
"""Class codes of the probe for people."""


class Radix(enum.Enum):
    """How people read a signal."""

    DECIMAL = "dec"
    SIGNED = "signed"
    HEXADECIMAL = "hex"
    TEXT = "ascii"


@dataclasses.dataclass(frozen=True, kw_only=True)
class PortEvents:
    """Transfers at a channel's ports in one clock, each payload packed as its layout packs it.

    Parameters
    ----------
    request : int or None
        Request accepted from a requester, as ``request_layout``; None if there was none.
    offer : int or None
        Command that stands at the memory port, taken or not, as ``command_layout``.
    command : int or None
        Command taken by memory, as ``command_layout``.
    completion : int or None
        Completion given by memory, as ``completion_layout``.
    response : int or None
        Response taken by a requester, as ``response_layout``.
    """

    request: int | None = None
    offer: int | None = None
    command: int | None = None
    completion: int | None = None
    response: int | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sample:
    """One clock, unpacked.

    Parameters
    ----------
    clock : int
        Number of the clock.
    channel : dict[str, int]
        Members of the probe's ``channel``.
    tenants : list[dict[str, int]]
        Members of the probe's ``tenants``, by tag.
    events : dict[str, dict[str, int] or None]
        Members of each kind of event, None for a kind that did not happen.
    """

    clock: int
    channel: dict[str, int]
    tenants: list[dict[str, int]]
    events: dict[str, dict[str, int] | None]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Signal:
    """One signal of a window.

    Parameters
    ----------
    scope : tuple[str, ...]
        Scopes that hold the signal, the outermost first.
    name : str
        Name in its scope.
    width : int
        Bits; 1 for text.
    radix : Radix
        How people read it.
    read : Callable[[Sample], int or str or None]
        Its value in a clock: a string for text, else a number, or None where there is no value.
    """

    scope: tuple[str, ...]
    name: str
    width: int
    radix: Radix
    read: Callable[[Sample], int | str | None]

    @property
    def path(self) -> str:
        """The name with its scopes, joined by dots."""
        return ".".join((*self.scope, self.name))


_Reading = Callable[[int], int | str]


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Member:
    name: str
    offset: int
    width: int

    def unpack(self, word: int) -> int:
        value = word >> self.offset & (1 << self.width) - 1
        if self.name in SIGNED and value >> self.width - 1:
            return value - (1 << self.width)
        return value


class _Struct:
    """A packed structure of numbers."""

    def __init__(self, layout: data.StructLayout) -> None:
        self.members = tuple(
            _Member(name=str(name), offset=field.offset, width=field.width)
            for name, field in layout
        )

    def unpack(self, word: int) -> dict[str, int]:
        return {member.name: member.unpack(word) for member in self.members}


def scope_names(names: Mapping[int, str]) -> dict[int, str]:
    """Scope of each tenant: its name, made fit for a waveform.

    What is not a letter, a digit or ``_`` becomes ``_``; tenants that would then share a name get
    their tags behind it.

    Parameters
    ----------
    names : Mapping[int, str]
        Tenant names by tag.

    Returns
    -------
    dict[int, str]
        Distinct names by rising tag.
    """
    scopes = {tag: re.sub(r"[^A-Za-z0-9_]", "_", names[tag]) for tag in sorted(names)}
    while len(set(scopes.values())) < len(scopes):
        count = Counter(scopes.values())
        scopes = {
            tag: f"{scope}_{tag}" if count[scope] > 1 else scope for tag, scope in scopes.items()
        }
    return scopes


class Sampler:
    """The signals of a channel and the clocks they are read from.

    Every member of the probe is a signal under its own name and as the hardware holds it; readings
    for people stand beside it: ``class`` beside ``class_code``, ``committed_bytes`` (whole bytes,
    rounded down) beside ``committed``, ``tenant_name`` beside ``tenant``. What means nothing in a
    clock, such as the tenant of a grant that did not happen, has no value in it. A member that the
    probe gains is shown without a change here.

    Parameters
    ----------
    config : ChannelConfig
        Sizes of the channel.
    names : Mapping[int, str]
        Tenant names by tag. Tags without a name have no scope.

    Raises
    ------
    ValueError
        If there are no names, or a tag is not one of the channel's.
    """

    def __init__(self, config: ChannelConfig, names: Mapping[int, str]) -> None:
        if not names:
            raise ValueError("names must name at least one tenant")
        for tag in names:
            if not 0 <= tag < config.tenants:
                raise ValueError(f"a tag of names must be in 0..{config.tenants - 1}, not {tag!r}")
        self.config = config
        self.names = dict(sorted(names.items()))
        self.scopes = scope_names(names)
        probe = probe_layout(config)
        self._channel_offset = probe["channel"].offset
        self._channel = _Struct(probe["channel"].shape)
        self._tenants_offset = probe["tenants"].offset
        self._tenant = _Struct(probe["tenants"].shape.elem_shape)
        self._stride = probe["tenants"].shape.elem_shape.size
        self._events = {kind: _Struct(layout(config)) for kind, layout in EVENTS.items()}
        self.signals = (
            Signal(
                scope=(ROOT,),
                name="clock",
                width=64,
                radix=Radix.DECIMAL,
                read=lambda sample: sample.clock,
            ),
            *self._tenant_signals(),
            *self._channel_signals(),
            *self._event_signals(),
        )

    def unpack(self, clock: int, probe: int, events: PortEvents) -> Sample:
        """Unpack one clock.

        Parameters
        ----------
        clock : int
            Number of the clock.
        probe : int
            The probe, packed as ``probe_layout``.
        events : PortEvents
            What crossed the ports in this clock.
        """
        tenants = probe >> self._tenants_offset
        mask = (1 << self._stride) - 1
        payloads = {kind: getattr(events, kind) for kind in EVENTS}
        return Sample(
            clock=clock,
            channel=self._channel.unpack(probe >> self._channel_offset),
            tenants=[
                self._tenant.unpack(tenants >> tag * self._stride & mask)
                for tag in range(self.config.tenants)
            ],
            events={
                kind: None if payload is None else self._events[kind].unpack(payload)
                for kind, payload in payloads.items()
            },
        )

    def _tenant_signals(self) -> Iterator[Signal]:
        for tag, scope in self.scopes.items():
            yield from self._signals(
                ("tenants", scope),
                self._tenant.members,
                lambda sample, tag=tag: sample.tenants[tag],
            )

    def _channel_signals(self) -> Iterator[Signal]:
        for member in self._channel.members:
            if member.name in OF_THE_PORT:
                yield from self._signals(("port",), [member], lambda sample: sample.channel)
            elif member.name in OF_A_GRANT:
                yield from self._signals(("arbiter",), [member], _grant)
            else:
                yield from self._signals(("arbiter",), [member], lambda sample: sample.channel)
        class_code = next(m for m in self._tenant.members if m.name == "class_code")
        yield from self._signals(("arbiter",), [class_code], _granted_head)

    def _event_signals(self) -> Iterator[Signal]:
        for kind, struct in self._events.items():
            scope = ("events", kind)
            yield Signal(
                scope=(ROOT, *scope),
                name="valid",
                width=1,
                radix=Radix.DECIMAL,
                read=lambda sample, kind=kind: int(sample.events[kind] is not None),
            )
            yield from self._signals(
                scope, struct.members, lambda sample, kind=kind: sample.events[kind]
            )

    def _signals(
        self,
        scope: tuple[str, ...],
        members: Iterable[_Member],
        struct: Callable[[Sample], dict[str, int] | None],
    ) -> Iterator[Signal]:
        """Members of a structure, each with the readings for people that belong to it."""

        for member in members:
            for name, width, radix, reading in self._readings(member):
                yield Signal(
                    scope=(ROOT, *scope),
                    name=name,
                    width=width,
                    radix=radix,
                    read=_reader(struct, member.name, radix, reading),
                )

    def _readings(self, member: _Member) -> Iterator[tuple[str, int, Radix, _Reading]]:
        """Name, width, radix and reading of each signal that shows a member."""
        numeric = Radix.SIGNED if member.name in SIGNED else Radix.DECIMAL
        radix = Radix.HEXADECIMAL if member.name in HEXADECIMAL else numeric
        yield member.name, member.width, radix, lambda value: value
        if member.name in LEVELS:
            fraction = self.config.rate_fraction
            width = member.width - fraction
            yield f"{member.name}_bytes", width, numeric, lambda level: level >> fraction
        elif member.name == "class_code":
            yield "class", 1, Radix.TEXT, lambda code: CLASS_NAMES[code]
        elif member.name == "tenant":
            yield "tenant_name", 1, Radix.TEXT, lambda tag: self.names.get(tag, f"tag {tag}")
        elif member.name == "op":
            yield "op_name", 1, Radix.TEXT, lambda op: Op(op).name.lower()


def _reader(
    struct: Callable[[Sample], dict[str, int] | None],
    member: str,
    radix: Radix,
    reading: _Reading,
) -> Callable[[Sample], int | str | None]:
    absent = "" if radix is Radix.TEXT else None

    def read(sample: Sample) -> int | str | None:
        members = struct(sample)
        return absent if members is None else reading(members[member])

    return read


def _grant(sample: Sample) -> dict[str, int] | None:
    return sample.channel if sample.channel["granted"] else None


def _granted_head(sample: Sample) -> dict[str, int] | None:
    grant = _grant(sample)
    return None if grant is None else sample.tenants[grant["tenant"]]
