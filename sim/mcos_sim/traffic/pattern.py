"""Patterns: how a tenant asks for memory, as a traffic file says it."""

import dataclasses
from fractions import Fraction
from typing import Annotated, TypeAlias

from mcos_hw.config import ChannelConfig
from mcos_policy.diagnostics import RuleError
from mcos_policy.keys import Key, Table, declared
from mcos_policy.kinds import choice, integer, number, quantity, size, text
from mcos_policy.units import DURATION, RATE, SIZE
from mcos_sim.traffic.models import MODELS

__all__ = [
    "PATTERNS",
    "PHASES",
    "AnyPattern",
    "Backlogged",
    "Closed",
    "Idle",
    "OnOff",
    "Steady",
    "TraceFile",
]


MOST_OUTSTANDING = (1 << ChannelConfig.id_width) - 1
"""Requests outstanding of a tenant: one less than there are ids."""

MOST_SIZES = 64
"""Sizes that a list of them has, at most."""

MOST_TRACE_REQUESTS = 1_000_000

PHASES = ("prefill", "decode")
"""Parts of a service that a tenant may be."""


def _sizes(value: object) -> tuple[int, ...]:
    given = value if isinstance(value, list) else [value]
    if not 1 <= len(given) <= MOST_SIZES:
        raise RuleError(f"must be a size or a list of 1 to {MOST_SIZES} sizes", "shorten it")
    return tuple(_SIZE.parse(each) for each in given)


def _file(value: object) -> str:
    if not isinstance(value, str) or not value or "\0" in value:
        raise RuleError("must be the name of a file", "write it in quotes")
    return value


def _model(value: object) -> str:
    if not isinstance(value, str) or value not in MODELS:
        raise RuleError(f"must be one of {', '.join(sorted(MODELS))}", "choose one of them")
    return value


def _share(value: object) -> float:
    return float(number(0, 1).parse(value))


_SHARE = text(_share, noun="number")
_SIZE = size()
_SIZES = dataclasses.replace(text(_sizes, noun="size"), quantity=SIZE)
_SPAN = Key(quantity(DURATION, zero=True))
_DURATION = Key(quantity(DURATION))
_RATE = Key(quantity(RATE))
_WINDOW = Key(integer(1, MOST_OUTSTANDING))


def _named(pattern: str) -> Key:
    """The key that names a pattern; which model is read depends on it."""
    return Key(choice(pattern))


def _size(size: int) -> str:
    """A size as people say it: powers of two in their own units."""
    return f"{size >> 10:,} KiB" if size >= 1 << 10 and size % (1 << 10) == 0 else f"{size:,} B"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Idle(Table):
    """Asks for nothing."""

    pattern: Annotated[str, _named("idle")] = "idle"

    @property
    def words(self) -> str:
        """The pattern for people."""
        return "idle"


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Asking(Table):
    start: Annotated[Fraction | None, _SPAN] = None
    stop: Annotated[Fraction | None, _DURATION] = None

    def _with_times(self, words: str) -> str:
        first = f" from {DURATION.show(self.start)}" if self.start else ""
        last = f" until {DURATION.show(self.stop)}" if self.stop is not None else ""
        return f"{words}{first}{last}"


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Made(_Asking):
    request: Annotated[tuple[int, ...] | None, Key(_SIZES)] = None
    write_share: Annotated[float, Key(_SHARE)] = 0.0

    def _with_requests(self, words: str) -> str:
        if self.request is not None:
            sizes = " or ".join(_size(size) for size in self.request)
            words += f", requests of {sizes}"
        if self.write_share:
            words += f", {100 * self.write_share:g} % writes"
        return self._with_times(words)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Backlogged(_Made):
    """Has more to ask for than it can get.

    Attributes
    ----------
    window : int
        Requests outstanding.
    request : tuple[int, ...] or None
        Bytes of a request, drawn with equal probability; None is one longest request.
    write_share : float
        Probability that a request is a write.
    start, stop : Fraction or None
        Seconds of the run when it begins and ends to ask.
    """

    pattern: Annotated[str, _named("backlogged")] = "backlogged"
    window: Annotated[int, _WINDOW] = 1024

    @property
    def words(self) -> str:
        """The pattern for people."""
        return self._with_requests("backlogged")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Closed(_Made):
    """Asks for a step of bytes, waits for its last response, thinks, asks again.

    Attributes
    ----------
    window : int
        Requests outstanding.
    step : int or None
        Bytes of a step on one channel; None is as many requests as are outstanding.
    think : Fraction
        Seconds from a step's last response to the next step.
    request, write_share, start, stop
        As those of :class:`Backlogged`.
    """

    pattern: Annotated[str, _named("closed")] = "closed"
    window: Annotated[int, _WINDOW]
    step: Annotated[int | None, Key(_SIZE)] = None
    think: Annotated[Fraction, _SPAN] = Fraction(0)

    @property
    def words(self) -> str:
        """The pattern for people."""
        words = f"closed loop: {self.window} outstanding"
        if self.step is not None:
            words += f", steps of {_size(self.step)}"
        if self.think:
            words += f", {DURATION.show(self.think)} of thinking"
        return self._with_requests(words)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Steady(_Made):
    """Asks evenly, whatever it gets.

    Attributes
    ----------
    rate : Fraction or None
        Bytes per second of the whole fabric; None is its guarantee.
    request, write_share, start, stop
        As those of :class:`Backlogged`.
    """

    pattern: Annotated[str, _named("steady")] = "steady"
    rate: Annotated[Fraction | None, _RATE] = None

    @property
    def words(self) -> str:
        """The pattern for people."""
        rate = "the guarantee" if self.rate is None else RATE.show(self.rate)
        return self._with_requests(f"steady at {rate}")


@dataclasses.dataclass(frozen=True, kw_only=True)
class OnOff(_Made):
    """Asks evenly for a while, then for nothing, again and again.

    Attributes
    ----------
    rate : Fraction
        Bytes per second of the whole fabric while it asks.
    on, off : Fraction
        Seconds for which it asks, and for which it does not.
    request, write_share, start, stop
        As those of :class:`Backlogged`.
    """

    pattern: Annotated[str, _named("on-off")] = "on-off"
    rate: Annotated[Fraction, _RATE]
    on: Annotated[Fraction, _DURATION]
    off: Annotated[Fraction, _DURATION]

    @property
    def words(self) -> str:
        """The pattern for people."""
        return self._with_requests(
            f"on-off: {RATE.show(self.rate)} for {DURATION.show(self.on)}, nothing for "
            f"{DURATION.show(self.off)}"
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class TraceFile(_Asking):
    """Asks for what a file has: memory requests, or what a service moves for its requests.

    Attributes
    ----------
    file : str
        CSV of memory requests, or a Mooncake or Azure trace.
    model : str or None
        Model that serves a Mooncake or Azure trace.
    phase : str or None
        Which part of that service the tenant is.
    requests : int
        Requests taken of a Mooncake or Azure trace.
    window : int
        Memory requests outstanding.
    start, stop
        As those of :class:`Backlogged`; the file's time 0 is at ``start``.
    """

    pattern: Annotated[str, _named("trace")] = "trace"
    file: Annotated[str, Key(text(_file))]
    model: Annotated[str | None, Key(text(_model))] = None
    phase: Annotated[str | None, Key(choice(*PHASES))] = None
    requests: Annotated[int, Key(integer(1, MOST_TRACE_REQUESTS))] = 200
    window: Annotated[int, _WINDOW] = MOST_OUTSTANDING

    @property
    def words(self) -> str:
        """The pattern for people."""
        served = f", {self.phase} of {self.model}" if self.model else ""
        return self._with_times(f"trace {self.file}{served}")


AnyPattern: TypeAlias = Backlogged | Closed | Steady | OnOff | TraceFile | Idle

PATTERNS: dict[str, type[AnyPattern]] = {
    declared(model)["pattern"].default: model
    for model in (Backlogged, Closed, Steady, OnOff, TraceFile, Idle)
}
"""Model of each pattern by its name."""
