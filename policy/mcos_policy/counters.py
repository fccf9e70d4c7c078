"""How long an epoch may be before the monitor's counters saturate in it."""

import math
from collections import defaultdict
from collections.abc import Iterator
from fractions import Fraction

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import Access, channel_map
from mcos_policy.contract import Contract
from mcos_policy.diagnostics import Diagnostic, warning
from mcos_policy.quantize import bucket_depth, channel_rate, clocks, per_clock
from mcos_policy.units import DURATION

__all__ = ["check_epoch"]


_SHOWN = 10_000


def check_epoch(contract: Contract, config: ChannelConfig) -> Iterator[Diagnostic]:
    """A warning for each kind of counter that can saturate within the contract's epoch.

    A counter of bytes grows at most as fast as one tenant is granted bytes: at the channel's rate,
    or at the tenant's burst rate if the tenant conserves no work. A counter of requests then counts
    requests of one beat each, at most one a clock. A counter of clocks grows by one a clock.
    """
    epoch = contract.fabric.epoch
    growth = _growth(contract, config)
    for (unit, most), names in _counters(config).items():
        rate, at_once = growth[unit]
        longest = math.floor(max(Fraction(0), most - at_once) / rate)
        if math.ceil(clocks(epoch, config)) <= longest:
            continue
        shown = DURATION.show(_down(Fraction(longest, config.clock_khz * 1000)))
        text = (
            f"epoch should be at most {shown}, not {DURATION.show(epoch)}, because "
            f"{', '.join(names)} could saturate at {most:,} {unit}; shorten it, or expect counts "
            "with their highest bit set"
        )
        yield warning(contract.fabric.at("epoch").origin, text)


def _counters(config: ChannelConfig) -> dict[tuple[str, int], list[str]]:
    """Names of the monitor's counters, by their unit and their largest count."""
    counters = defaultdict(list)
    for register in channel_map(config).registers:
        fields = {field.name: field for field in register.fields}
        if register.access is Access.READ and {"count", "overflow"} <= fields.keys():
            count = fields["count"]
            counters[count.unit, (1 << count.width) - 1].append(register.name)
    return counters


def _growth(contract: Contract, config: ChannelConfig) -> dict[str, tuple[Fraction, int]]:
    """By unit: how much a counter grows in a clock, and how much more it may grow at once."""
    whole = channel_rate(contract, config)
    rate, at_once = Fraction(0), 0
    for tenant in contract.tenants.values():
        promise, channels = tenant.bandwidth, contract.fabric.channels
        if promise.work_conserving or not promise.burst:
            own = (whole, config.l_max)
        else:
            depth = bucket_depth(promise.burst, promise.burst_duration, channels, config)
            own = (min(whole, per_clock(promise.burst, channels, config)), depth + config.l_max)
        rate, at_once = max(rate, own[0]), max(at_once, own[1])
    requests = (min(Fraction(1), rate / config.beat_bytes), at_once // config.beat_bytes)
    promotions = min(requests[0], Fraction(1, contract.fabric.promotion_interval))
    return {
        "bytes": (rate, at_once),
        "clocks": (Fraction(1), 0),
        "grants": (promotions, 1),
        "requests": requests,
    }


def _down(seconds: Fraction) -> Fraction:
    """A duration to four digits, rounded down so that it still fits."""
    step = Fraction(1, 10**12)
    while seconds / step >= _SHOWN:
        step *= 10
    return math.floor(seconds / step) * step
