"""What the coordinator asks of a contract."""

from collections.abc import Iterator
from fractions import Fraction

from mcos_hw.config import COORDINATOR_INTERVAL, ChannelConfig
from mcos_policy.contract import Contract
from mcos_policy.diagnostics import Diagnostic, error, warning
from mcos_policy.units import DURATION

__all__ = ["check_lending"]


LASTING = 2
"""Intervals for which a lender lives on what it saved, at most; see docs/coordinator.md."""


def check_lending(contract: Contract, config: ChannelConfig) -> Iterator[Diagnostic]:
    """An error if rates are to be lent without an image of all channels, and a warning for each
    guarantee whose buckets may be empty before lent rate is back."""
    fabric = contract.fabric
    if not fabric.coordinator:
        return
    if fabric.interleave is None:
        text = (
            "coordinator needs interleave, because it lends between the channels of one image; "
            'write interleave = {grain = "1 KiB"} under [fabric], or remove coordinator'
        )
        yield error(fabric.at("coordinator").key_origin, text)
    clocks = LASTING << COORDINATOR_INTERVAL
    least = Fraction(clocks, config.clock_khz * 1000)
    for tenant in contract.tenants.values():
        promise = tenant.bandwidth
        duration = promise.burst_duration
        if not promise.guaranteed or not 0 < duration < least:
            continue
        text = (
            f"burst_duration should be at least {DURATION.show(least)}, {clocks:,} clocks, not "
            f"{DURATION.show(duration)}, because a channel that lent its rate has it "
            "back only then and lives on its bucket until then; lengthen it, or expect this "
            "tenant to be short for a moment where it comes back to an idle channel"
        )
        yield warning(promise.at("burst_duration").origin, text)
