"""What a contract gives each tenant, in numbers for people."""

import dataclasses
from fractions import Fraction
from typing import Any

from mcos_policy.bounds import blocked_index, delay_bound, depth1_term
from mcos_policy.compiler import Compiled, Examination
from mcos_policy.contract import Contract
from mcos_policy.headroom import headroom
from mcos_policy.objectives import Objective, idle_latency
from mcos_policy.power import power_of, power_rate, rates_under_budget, required_power
from mcos_policy.quantize import (
    bucket_depth,
    guarantees_of,
    memory_wait,
    per_clock,
    shared_rate,
    single_class_delay,
    single_class_index,
    weights,
)
from mcos_policy.settings import ChannelSettings, TenantSettings

__all__ = [
    "GBPS_NOTE",
    "Explanation",
    "PowerExplanation",
    "TenantExplanation",
    "explain",
]


GBPS_NOTE = (
    "guaranteed_gbps = 120 means 120 GB/s: 120 x 10^9 bytes per second of the whole fabric, "
    "not bits."
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class TenantExplanation:
    """What one tenant gets.

    Parameters
    ----------
    name : str
        Its name.
    tag : int
        Its number in hardware.
    priority : int
        Its priority; 0 is highest.
    guaranteed_fabric, burst_fabric : float
        GB/s of the whole fabric.
    guaranteed_channel, burst_channel : float
        GB/s of each channel.
    bytes_per_clock : float
        Guaranteed bytes per clock on each channel.
    capacity_share : float
        Guarantee times its cost as a share of capacity.
    cost : float
        What a byte takes of the memory at worst, in bytes at the memory's rate.
    fitting_fabric : float
        GB/s of the guarantee if all are scaled alike to fit; the guarantee itself where they do.
    slo_ns : float or None
        Its latency objective.
    bound_ns : float or None
        From first offer to response, of a request that waits behind none of its tenant's own beyond
        the guarantee; None without a promise.
    bound_terms_ns : dict[str, float]
        What the bound is made of.
    burst_bound_ns : float or None
        The same of the last request of a saved-up bucket that is sent at once.
    verdict : str or None
        Of :class:`mcos_policy.objectives.Verdict`; None without an objective.
    weight, weight_error : float
        Weight asked for, and the relative error of the one in the register.
    weight_share : float
        w / W: what the tenant gets of a channel where all are backlogged.
    alpha : float
        Single-class worst-case fair index in bytes.
    depth1_alpha : float
        What ``alpha`` grows by when every other tenant has one request in flight.
    delay_clocks, delay_ns : float
        Single-class delay bound of one longest request.
    conforming_clocks, conforming_ns : float
        The same of a conforming one beside requests of lower classes, whose tokens are seen as late
        as can be.
    colours : int or None
        Page colours, a bit each. None, as are the members below, for a contract that is not
        admitted.
    power_fabric : float or None
        GB/s of the fabric that the power budget leaves it while all are backlogged; None without a
        budget, and where it is less than the guarantees take.
    rate_error, peak_error : float or None
        Relative error of the rates in the registers.
    registers : TenantSettings or None
        Register values.
    """

    name: str
    tag: int
    priority: int
    guaranteed_fabric: float
    burst_fabric: float
    guaranteed_channel: float
    burst_channel: float
    bytes_per_clock: float
    capacity_share: float
    cost: float
    fitting_fabric: float
    slo_ns: float | None
    bound_ns: float | None
    bound_terms_ns: dict[str, float]
    burst_bound_ns: float | None
    verdict: str | None
    weight: float
    weight_error: float
    weight_share: float
    alpha: float
    depth1_alpha: float
    delay_clocks: float
    delay_ns: float
    conforming_clocks: float
    conforming_ns: float
    power_fabric: float | None
    colours: int | None
    rate_error: float | None
    peak_error: float | None
    registers: TenantSettings | None


@dataclasses.dataclass(frozen=True, kw_only=True)
class PowerExplanation:
    """What a power budget allows.

    Parameters
    ----------
    budget, baseline : float
        Watts of the contract.
    required : float
        Least budget in watts that the guarantees can be kept with.
    full : float
        Watts of a fabric whose channels pass all they can.
    rate_fabric : float
        GB/s that the budget allows all channels together.
    rate_register : int
        The same as the hardware has it, and a broadcast cap is given: bytes per clock of each
        channel in units of ``2**-rate_fraction``.
    """

    budget: float
    baseline: float
    required: float
    full: float
    rate_fabric: float
    rate_register: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class Explanation:
    """What a contract gives.

    Parameters
    ----------
    admitted : bool
        Whether the hardware can keep it. If not, nothing is promised and nothing compiled.
    channels : int
        Channels over which guarantees are divided.
    capacity_fabric, capacity_channel : float
        GB/s.
    shared_rate : float
        GB/s of a channel while all tenants are backlogged, at their costs.
    memory_wait_clocks : float
        What a wait for the memory adds to every delay bound.
    reserved_share : float
        Sum of guarantees times their costs as a share of capacity.
    limit_gbps : float
        GB/s of the fabric that guarantees may take.
    headroom_gbps, headroom_channel_gbps : float
        GB/s of the fabric and of a channel that are still free for guarantees.
    further_least_gbps, further_most_gbps : float or None
        The smallest and the largest guarantee that one more tenant could get; None where none fits.
    over_by_gbps : float
        GB/s by which the guarantees take too much.
    fitting_factor : float
        What all guarantees times this is within the limit; at most 1.
    fitting_channels : int or None
        The fewest channels that would do.
    idle_ns : float
        What a longest request takes on an idle channel.
    power : PowerExplanation or None
        What the power budget allows; None without one.
    channel : ChannelSettings or None
        Register values of each channel.
    total_weight_error : float
        Relative error of 1/W in the register.
    tenants : tuple[TenantExplanation, ...]
        Tenants by tag.
    """

    admitted: bool
    channels: int
    capacity_fabric: float
    capacity_channel: float
    shared_rate: float
    memory_wait_clocks: float
    reserved_share: float
    limit_gbps: float
    headroom_gbps: float
    headroom_channel_gbps: float
    further_least_gbps: float | None
    further_most_gbps: float | None
    over_by_gbps: float
    fitting_factor: float
    fitting_channels: int | None
    idle_ns: float
    power: PowerExplanation | None
    channel: ChannelSettings | None
    total_weight_error: float
    tenants: tuple[TenantExplanation, ...]

    def as_mapping(self) -> dict[str, Any]:
        """The same as plain values for JSON."""
        return dataclasses.asdict(self) | {"units": GBPS_NOTE}


def explain(subject: Compiled | Examination) -> Explanation:
    """Explain a contract: with register values if it was compiled.

    Delay bound and fair index are the single-class ones of :mod:`mcos_policy.bounds` for requests
    of ``l_max``, with the weights that are in the image.

    Raises
    ------
    ValueError
        If it is an examination of a contract with keys at fault.
    """
    if subject.contract is None:
        raise ValueError("a contract whose keys are at fault cannot be explained")
    return _Explainer(subject, subject.contract).explanation()


class _Explainer:
    def __init__(self, subject: Compiled | Examination, contract: Contract) -> None:
        config = subject.config
        self.contract = contract
        self.config = config
        self.compiled = subject if isinstance(subject, Compiled) else None
        self.admitted = subject.admitted
        self.promised = {key: each.bandwidth for key, each in contract.tenants.items()}
        self.weighed = weights(guarantees_of(contract), config)
        self.room = headroom(contract, config)
        self.rate = shared_rate(contract, config)
        self.wait = memory_wait(contract, config)
        self.objectives = subject.objectives
        self.power = self._power()
        feasible = self.power is not None and self.power.required <= self.power.budget
        self.under_budget = rates_under_budget(contract, config) if feasible else {}

    def explanation(self) -> Explanation:
        room, compiled = self.room, self.compiled
        least, most = room.further or (None, None)
        total = Fraction(self.weighed.inverse_total, 1 << self.config.total_reciprocal_fraction)
        tags = sorted(self.contract.tags().items(), key=lambda item: item[1])
        return Explanation(
            admitted=self.admitted,
            channels=room.channels,
            capacity_fabric=_giga(room.capacity),
            capacity_channel=_giga(room.capacity / room.channels),
            shared_rate=_giga(self.rate * self.config.clock_khz * 1000),
            memory_wait_clocks=float(self.wait),
            reserved_share=float(room.charged / room.capacity),
            limit_gbps=_giga(room.limit),
            headroom_gbps=_giga(room.free),
            headroom_channel_gbps=_giga(room.free / room.channels),
            further_least_gbps=None if least is None else _giga(least),
            further_most_gbps=None if most is None else _giga(most),
            over_by_gbps=_giga(room.over),
            fitting_factor=float(room.factor),
            fitting_channels=room.enough_channels,
            idle_ns=self._nanoseconds(idle_latency(self.contract, self.config)),
            power=self.power,
            channel=None if compiled is None else compiled.settings.channel,
            total_weight_error=_error(total, 1 / self.weighed.total),
            tenants=tuple(self._tenant(position, tag) for position, tag in tags),
        )

    def _power(self) -> PowerExplanation | None:
        power, register = self.contract.power, power_rate(self.contract, self.config)
        if power.budget is None or register is None:
            return None
        rate = Fraction(register, 1 << self.config.rate_fraction)
        return PowerExplanation(
            budget=float(power.budget),
            baseline=float(power.baseline),
            required=float(required_power(self.contract, self.config)),
            full=float(power_of(self.room.capacity, self.contract)),
            rate_fabric=_giga(rate * self.room.channels * self.config.clock_khz * 1000),
            rate_register=register,
        )

    def _tenant(self, position: int, tag: int) -> TenantExplanation:
        promise, config, channels = self.promised[position], self.config, self.room.channels
        guaranteed = per_clock(promise.guaranteed, channels, config)
        share = self.weighed.share(position)
        delay = single_class_delay(share, config, rate=self.rate, wait=self.wait)
        index = single_class_index(share, config)
        conforming = delay_bound(
            sigma=config.l_max,
            index=index + blocked_index(l_max=config.l_max, share=share),
            share=share,
            bytes_per_clock=self.rate,
            wait=self.wait + config.token_lateness,
        )
        depth1 = depth1_term(share=share, others=[config.l_max] * (len(self.promised) - 1))
        return TenantExplanation(
            name=self.contract.tenants[position].name,
            tag=tag,
            priority=promise.priority,
            guaranteed_fabric=_giga(promise.guaranteed),
            burst_fabric=_giga(promise.burst),
            guaranteed_channel=_giga(promise.guaranteed / channels),
            burst_channel=_giga(promise.burst / channels),
            bytes_per_clock=float(guaranteed),
            capacity_share=float(promise.guaranteed * promise.cost / self.room.capacity),
            cost=float(promise.cost),
            fitting_fabric=_giga(promise.guaranteed * self.room.factor),
            **self._objective(position, tag, share),
            weight=float(self.weighed.exact[position]),
            weight_error=_error(self.weighed.quantized[position], self.weighed.exact[position]),
            weight_share=float(share),
            alpha=float(index),
            depth1_alpha=float(depth1),
            delay_clocks=float(delay),
            delay_ns=self._nanoseconds(delay),
            conforming_clocks=float(conforming),
            conforming_ns=self._nanoseconds(conforming),
            power_fabric=(
                _giga(self.under_budget[position]) if position in self.under_budget else None
            ),
            **self._compiled(position, tag),
        )

    def _objective(self, position: int, tag: int, share: Fraction) -> dict[str, Any]:
        """What is answered to a tenant's latency objective."""
        promise, config = self.promised[position], self.config
        slo = promise.latency_slo
        objective = self.objectives.get(position, _NOTHING)
        bound, verdict, burst = objective.bound, objective.verdict, None
        if bound is not None:
            depth = bucket_depth(
                promise.guaranteed, promise.burst_duration, self.room.channels, config
            )
            if self.compiled is not None:
                depth = self.compiled.settings.tenants[tag].committed_depth
            burst = self._nanoseconds(bound + depth / (self.rate * share))
        return {
            "slo_ns": None if slo is None else float(slo * 10**9),
            "bound_ns": None if bound is None else self._nanoseconds(bound),
            "bound_terms_ns": {
                name: self._nanoseconds(term) for name, term in objective.terms.items()
            },
            "burst_bound_ns": burst,
            "verdict": None if verdict is None else verdict.value,
        }

    def _compiled(self, position: int, tag: int) -> dict[str, Any]:
        """What only a compiled contract has."""
        if self.compiled is None:
            return dict.fromkeys(("colours", "rate_error", "peak_error", "registers"))
        promise, channels = self.promised[position], self.room.channels
        registers = self.compiled.settings.tenants[tag]
        unit = 1 << self.config.rate_fraction
        guaranteed = per_clock(promise.guaranteed, channels, self.config)
        burst = per_clock(promise.burst, channels, self.config)
        return {
            "colours": self.compiled.colours[tag],
            "rate_error": _error(Fraction(registers.committed_rate, unit), guaranteed),
            "peak_error": _error(Fraction(registers.peak_rate, unit), burst),
            "registers": registers,
        }

    def _nanoseconds(self, clocks: Fraction) -> float:
        return float(clocks * 10**6 / self.config.clock_khz)


_NOTHING = Objective(slo=None, idle=Fraction(0), terms={})


def _giga(rate: Fraction) -> float:
    return float(rate / 10**9)


def _error(got: Fraction, wanted: Fraction) -> float:
    return float(got / wanted - 1) if wanted else 0.0
