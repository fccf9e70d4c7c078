"""Patterns: how a tenant asks for memory, as a traffic file says it."""

from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, PlainValidator

from mcos_hw.config import ChannelConfig
from mcos_policy.diagnostics import RuleError
from mcos_policy.fields import integer, quantity, whole_bytes
from mcos_policy.units import DURATION, RATE, SIZE, exact
from mcos_sim.traffic.models import MODELS

__all__ = [
    "PATTERNS",
    "PHASES",
    "QUANTITIES",
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
    return tuple(whole_bytes(each) for each in given)


def _share(value: object) -> float:
    number = isinstance(value, int | Decimal) and not isinstance(value, bool)
    share = exact(Decimal(value)) if number else None
    if share is None or not 0 <= share <= 1:
        raise RuleError("must be a number in 0..1", "write it without quotes")
    return float(share)


def _file(value: object) -> str:
    if not isinstance(value, str) or not value or "\0" in value:
        raise RuleError("must be the name of a file", "write it in quotes")
    return value


def _model(value: object) -> str:
    if not isinstance(value, str) or value not in MODELS:
        raise RuleError(f"must be one of {', '.join(sorted(MODELS))}", "choose one of them")
    return str(value)


def _phase(value: object) -> str:
    if value not in PHASES:
        shown = " or ".join(f'"{phase}"' for phase in PHASES)
        raise RuleError(f"must be {shown}", "choose one of them")
    return str(value)


Span = Annotated[Fraction, quantity(DURATION, zero=True)]
Duration = Annotated[Fraction, quantity(DURATION)]
Rate = Annotated[Fraction, quantity(RATE)]
Window = Annotated[int, integer(1, MOST_OUTSTANDING)]


def _size(size: int) -> str:
    """A size as people say it: powers of two in their own units."""
    return f"{size >> 10:,} KiB" if size >= 1 << 10 and size % (1 << 10) == 0 else f"{size:,} B"


class _Pattern(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Idle(_Pattern):
    """Asks for nothing."""

    pattern: Literal["idle"] = "idle"

    @property
    def words(self) -> str:
        """The pattern for people."""
        return "idle"


class _Asking(_Pattern):
    start: Span | None = None
    stop: Duration | None = None

    def _with_times(self, words: str) -> str:
        first = f" from {DURATION.show(self.start)}" if self.start else ""
        last = f" until {DURATION.show(self.stop)}" if self.stop is not None else ""
        return f"{words}{first}{last}"


class _Made(_Asking):
    request: Annotated[tuple[int, ...], PlainValidator(_sizes)] | None = None
    write_share: Annotated[float, PlainValidator(_share)] = 0.0

    def _with_requests(self, words: str) -> str:
        if self.request is not None:
            sizes = " or ".join(_size(size) for size in self.request)
            words += f", requests of {sizes}"
        if self.write_share:
            words += f", {100 * self.write_share:g} % writes"
        return self._with_times(words)


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

    pattern: Literal["backlogged"] = "backlogged"
    window: Window = 1024

    @property
    def words(self) -> str:
        """The pattern for people."""
        return self._with_requests("backlogged")


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

    pattern: Literal["closed"] = "closed"
    window: Window
    step: Annotated[int, PlainValidator(whole_bytes)] | None = None
    think: Span = Fraction(0)

    @property
    def words(self) -> str:
        """The pattern for people."""
        words = f"closed loop: {self.window} outstanding"
        if self.step is not None:
            words += f", steps of {_size(self.step)}"
        if self.think:
            words += f", {DURATION.show(self.think)} of thinking"
        return self._with_requests(words)


class Steady(_Made):
    """Asks evenly, whatever it gets.

    Attributes
    ----------
    rate : Fraction or None
        Bytes per second of the whole fabric; None is its guarantee.
    request, write_share, start, stop
        As those of :class:`Backlogged`.
    """

    pattern: Literal["steady"] = "steady"
    rate: Rate | None = None

    @property
    def words(self) -> str:
        """The pattern for people."""
        rate = "the guarantee" if self.rate is None else RATE.show(self.rate)
        return self._with_requests(f"steady at {rate}")


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

    pattern: Literal["on-off"] = "on-off"
    rate: Rate
    on: Duration
    off: Duration

    @property
    def words(self) -> str:
        """The pattern for people."""
        return self._with_requests(
            f"on-off: {RATE.show(self.rate)} for {DURATION.show(self.on)}, nothing for "
            f"{DURATION.show(self.off)}"
        )


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

    pattern: Literal["trace"] = "trace"
    file: Annotated[str, PlainValidator(_file)]
    model: Annotated[str, PlainValidator(_model)] | None = None
    phase: Annotated[str, PlainValidator(_phase)] | None = None
    requests: Annotated[int, integer(1, MOST_TRACE_REQUESTS)] = 200
    window: Window = MOST_OUTSTANDING

    @property
    def words(self) -> str:
        """The pattern for people."""
        served = f", {self.phase} of {self.model}" if self.model else ""
        return self._with_times(f"trace {self.file}{served}")


AnyPattern: TypeAlias = Backlogged | Closed | Steady | OnOff | TraceFile | Idle

PATTERNS: dict[str, type[AnyPattern]] = {
    model.model_fields["pattern"].default: model
    for model in (Backlogged, Closed, Steady, OnOff, TraceFile, Idle)
}
"""Model of each pattern by its name."""

QUANTITIES = {
    "rate": RATE,
    **dict.fromkeys(("start", "stop", "think", "on", "off"), DURATION),
    **dict.fromkeys(("request", "step"), SIZE),
}
"""Kinds of keys that are a quantity."""
