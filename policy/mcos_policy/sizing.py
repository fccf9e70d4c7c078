"""From a service's words to a tenant of a contract: bytes, rates and what bounds them.

Every decode step reads the weights once, and the KV of every sequence of the batch. It gives one
token of each sequence.
"""

import dataclasses
import math
from collections.abc import Iterator
from fractions import Fraction

from mcos_hw.config import ADMISSIBLE_SHARE, ChannelConfig
from mcos_policy.contract import MOST_CHANNELS
from mcos_policy.quantize import DEFAULT_LATENCY
from mcos_policy.rounding import rounded, rounded_down, rounded_up
from mcos_policy.units import DURATION, RATE, SIZE, Quantity

__all__ = [
    "Line",
    "Service",
    "Sizing",
    "size",
]


_DIGITS = 6
"""Of the values in the block; rates are rounded up, durations down."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Service:
    """A decode service and the memory that it reads from.

    Parameters
    ----------
    name : str
        Name of the tenant.
    weight_bytes, read_bytes : int
        Bytes of all weights, and of those that a step reads: fewer where experts are chosen.
    kv_bytes_per_token : int
        Bytes of K and V of a token.
    tokens_per_second : Fraction
        Tokens of all sequences together.
    context, batch : int
        Tokens of a sequence; sequences of a step.
    tbt : Fraction
        Seconds between two tokens of a sequence, at most.
    channels : int
        Memory channels.
    rate : Fraction
        Bytes per second of a channel.
    window, request_bytes : int
        Requests outstanding on a channel, and bytes of each.
    memory_size : int or None
        Bytes of the memory, if that is to be checked.
    """

    name: str
    weight_bytes: int
    read_bytes: int
    kv_bytes_per_token: int
    tokens_per_second: Fraction
    context: int
    batch: int
    tbt: Fraction
    channels: int
    rate: Fraction
    window: int
    request_bytes: int
    memory_size: int | None = None

    @property
    def kv_bytes(self) -> int:
        """KV of all sequences of a step."""
        return self.batch * self.context * self.kv_bytes_per_token

    @property
    def step_bytes(self) -> int:
        """Bytes that a step reads."""
        return self.read_bytes + self.kv_bytes

    @property
    def steps_per_second(self) -> Fraction:
        """Steps per second: each gives one token of each sequence."""
        return self.tokens_per_second / self.batch

    @property
    def step_time(self) -> Fraction:
        """Seconds that a step may take: the TBT, or less if the tokens need more steps."""
        return min(self.tbt, 1 / self.steps_per_second)

    @property
    def capacity(self) -> Fraction:
        """Bytes per second of all channels."""
        return self.channels * self.rate

    @property
    def limit(self) -> Fraction:
        """Bytes per second that guarantees may take."""
        return ADMISSIBLE_SHARE * self.capacity

    @property
    def guaranteed(self) -> Fraction:
        """Bytes per second of all steps."""
        return self.step_bytes * self.steps_per_second

    @property
    def burst(self) -> Fraction:
        """Bytes per second that read a step in its time."""
        return self.step_bytes / self.step_time

    @property
    def latency(self) -> Fraction:
        """Seconds that a request may take, by Little's law."""
        outstanding = self.window * self.request_bytes
        return outstanding * self.step_time / Fraction(self.step_bytes, self.channels)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Line:
    """One step of the arithmetic.

    Parameters
    ----------
    name, formula, figures, value : str
        What it is, how it is worked out, the same in figures, and the result.
    """

    name: str
    formula: str
    figures: str
    value: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sizing:
    """The bandwidth that a service needs, and how it was worked out.

    Parameters
    ----------
    service : Service
        The service.
    lines : tuple[Line, ...]
        The arithmetic.
    remarks : tuple[str, ...]
        Sentences about values that a limit of the hardware cuts.
    misfits : tuple[str, ...]
        Reasons why the service does not fit, each with values that would; empty if it fits.
    burst_duration, latency_slo : Fraction
        Seconds.
    """

    service: Service
    lines: tuple[Line, ...]
    remarks: tuple[str, ...]
    misfits: tuple[str, ...]
    burst_duration: Fraction
    latency_slo: Fraction

    @property
    def block(self) -> str:
        """The tenant as TOML, for a contract with the service's channels and rate."""
        of = self.service
        guaranteed = rounded_up(of.guaranteed, _DIGITS)
        burst = max(guaranteed, min(rounded_up(of.burst, _DIGITS), of.capacity))
        latency = rounded_down(self.latency_slo)
        return (
            f"[[tenant]]\n"
            f'name = "{of.name}"\n'
            f"\n"
            f"[tenant.bandwidth]\n"
            f'guaranteed = "{RATE.show(guaranteed)}"\n'
            f'burst = "{RATE.show(burst)}"\n'
            f'burst_duration = "{DURATION.show(rounded_down(self.burst_duration, _DIGITS))}"\n'
            f'latency_slo = "{DURATION.show(latency)}"\n'
        )


def size(service: Service, config: ChannelConfig) -> Sizing:
    """Work out the bandwidth that a service needs of a fabric of such channels."""
    duration = min(service.step_time, _longest_bucket(service, config))
    objective = min(service.latency, _longest_objective(config))
    return Sizing(
        service=service,
        lines=tuple(_lines(service, duration, objective)),
        remarks=tuple(_remarks(service, config)),
        misfits=tuple(_misfits(service, config)),
        burst_duration=duration,
        latency_slo=objective,
    )


def _longest_bucket(of: Service, config: ChannelConfig) -> Fraction:
    """Seconds for which the largest bucket lasts at the burst."""
    return Fraction(_bucket(config) * of.channels) / rounded_up(of.burst, _DIGITS)


def _bucket(config: ChannelConfig) -> int:
    """Bytes of the largest bucket."""
    return (1 << config.depth_width) - 1


def _longest_objective(config: ChannelConfig) -> Fraction:
    """Seconds of the longest latency objective."""
    return Fraction((1 << config.clocks_width) - 1, config.clock_khz * 1000)


def _remarks(of: Service, config: ChannelConfig) -> Iterator[str]:
    """Sentences about values that a limit of the hardware cuts."""
    if of.step_time < of.tbt:
        yield (
            f"the tokens need a step every {_about(DURATION, of.step_time)}, sooner than the TBT "
            f"of {_about(DURATION, of.tbt)}: a step is given that time"
        )
    if of.step_time > _longest_bucket(of, config):
        yield (
            f"a bucket holds {_about(SIZE, _bucket(config))} a channel, less than the "
            f"{_about(SIZE, Fraction(of.step_bytes, of.channels))} of a step: burst_duration is "
            f"{_about(DURATION, _longest_bucket(of, config))} instead of "
            f"{_about(DURATION, of.step_time)}"
        )
    if of.latency > _longest_objective(config):
        yield (
            f"the hardware counts objectives up to {_about(DURATION, _longest_objective(config))}: "
            f"latency_slo is that instead of {_about(DURATION, of.latency)}"
        )


def _lines(of: Service, duration: Fraction, objective: Fraction) -> list[Line]:
    step, step_time = _about(SIZE, of.step_bytes), _about(DURATION, of.step_time)
    steps = f"{_number(of.steps_per_second)} /s"
    share = _about(SIZE, Fraction(of.step_bytes, of.channels))
    return [
        Line(
            name="bytes per step",
            formula="weights read + batch x context x KV bytes per token",
            figures=(
                f"{_about(SIZE, of.read_bytes)} + {of.batch:,} x {of.context:,} x "
                f"{_about(SIZE, of.kv_bytes_per_token)}"
            ),
            value=step,
        ),
        Line(
            name="steps per second",
            formula="tokens per second / batch",
            figures=f"{_number(of.tokens_per_second)} /s / {of.batch:,}",
            value=steps,
        ),
        Line(
            name="time of a step",
            formula="TBT, at most 1 / steps per second",
            figures=f"min({_about(DURATION, of.tbt)}, {_about(DURATION, 1 / of.steps_per_second)})",
            value=step_time,
        ),
        Line(
            name="guaranteed",
            formula="bytes per step x steps per second",
            figures=f"{step} x {steps}",
            value=_about(RATE, of.guaranteed),
        ),
        Line(
            name="share of capacity",
            formula="guaranteed / (channels x rate)",
            figures=(
                f"{_about(RATE, of.guaranteed)} / ({of.channels:,} x {_about(RATE, of.rate)})"
            ),
            value=f"{float(of.guaranteed / of.capacity):.1%}",
        ),
        Line(
            name="burst",
            formula="bytes per step / time of a step",
            figures=f"{step} / {step_time}",
            value=_about(RATE, of.burst),
        ),
        Line(
            name="burst_duration",
            formula="time of a step, at most what a bucket holds",
            figures=step_time,
            value=_about(DURATION, duration),
        ),
        Line(
            name="latency_slo",
            formula="window x request bytes x time of a step / bytes per step per channel",
            figures=f"{of.window:,} x {_about(SIZE, of.request_bytes)} x {step_time} / {share}",
            value=_about(DURATION, objective),
        ),
    ]


def _misfits(of: Service, config: ChannelConfig) -> list[str]:
    """Reasons why a service does not fit, each with values that would."""
    found = []
    held = of.weight_bytes + of.kv_bytes
    if of.memory_size is not None and held > of.memory_size:
        room = of.memory_size - of.weight_bytes
        found.append(
            f"weights and KV are {_about(SIZE, held)}, more than the memory of "
            f"{_about(SIZE, of.memory_size)}; take "
            + _ways(
                _fewer("a batch of", Fraction(room, of.context * of.kv_bytes_per_token)),
                _fewer("a context of", Fraction(room, of.batch * of.kv_bytes_per_token)),
                f"a memory of {SIZE.show(rounded_up(Fraction(held)))}",
            )
        )
    if of.guaranteed > of.limit:
        found.append(
            f"the guarantee of {_about(RATE, of.guaranteed)} is over {_about(RATE, of.limit)}, "
            f"{float(ADMISSIBLE_SHARE)} of the capacity of {of.channels:,} channels; take "
            f"{_bandwidth_ways(of)}"
        )
    elif of.burst > of.capacity:
        found.append(
            f"a step reads {_about(SIZE, of.step_bytes)}, which takes "
            f"{_about(DURATION, of.step_bytes / of.capacity)} of all {of.channels:,} channels, "
            f"more than the TBT of {_about(DURATION, of.tbt)}; take {_bandwidth_ways(of)}"
        )
    if of.latency < DEFAULT_LATENCY:
        window = math.ceil(of.window * DEFAULT_LATENCY / of.latency)
        found.append(
            f"{of.window:,} requests of {_about(SIZE, of.request_bytes)} outstanding on a channel "
            f"need an answer in {_about(DURATION, of.latency)}, sooner than an idle channel gives "
            f"one ({DURATION.show(DEFAULT_LATENCY)}); take a window of {window:,} at least"
        )
    return found


def _bandwidth_ways(of: Service) -> str:
    """Single changes that would bring guarantee and burst within the channels."""
    channels = math.ceil(max(of.guaranteed / (ADMISSIBLE_SHARE * of.rate), of.burst / of.rate))
    # What a step may read, by the guarantee and in its time.
    step = min(of.limit / of.steps_per_second, of.capacity * of.step_time)
    in_time = of.capacity * of.tbt >= of.step_bytes
    slower = dataclasses.replace(of, tbt=rounded_up(of.step_bytes / of.capacity))
    return _ways(
        f"{channels:,} channels" if channels <= MOST_CHANNELS else "",
        _larger_batch(of) if of.guaranteed > of.limit else "",
        _fewer("a context of", (step - of.read_bytes) / (of.batch * of.kv_bytes_per_token)),
        _fewer("tokens per second of", of.tokens_per_second * of.limit / of.guaranteed)
        if in_time and of.guaranteed > of.limit
        else "",
        f"a TBT of {DURATION.show(slower.tbt)}" if _within(slower) else "",
    )


def _within(of: Service) -> bool:
    """Whether guarantee and burst are within what the channels pass."""
    return of.guaranteed <= of.limit and of.burst <= of.capacity


def _larger_batch(of: Service) -> str:
    """The smallest batch with which weights are read rarely enough; empty for none."""
    room = of.limit / of.tokens_per_second - of.context * of.kv_bytes_per_token
    if room <= 0:
        return ""
    batch = math.ceil(of.read_bytes / room)
    larger = dataclasses.replace(of, batch=batch)
    held = larger.weight_bytes + larger.kv_bytes
    if not _within(larger) or (of.memory_size is not None and held > of.memory_size):
        return ""
    return f"a batch of {batch:,} at least"


def _fewer(what: str, most: Fraction) -> str:
    return f"{what} {math.floor(most):,} at most" if most >= 1 else ""


def _ways(*ways: str) -> str:
    known = [way for way in ways if way]
    return ", or ".join(known) or "a smaller model"


def _about(kind: Quantity, number: int | Fraction) -> str:
    """A quantity in four digits."""
    return kind.show(rounded(Fraction(number)))


def _number(number: Fraction) -> str:
    return f"{float(rounded(number)):,g}"
