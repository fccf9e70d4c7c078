"""Notes: facts that a reader of a contract may wrongly take for granted."""

from collections.abc import Iterator
from fractions import Fraction

from mcos_hw.config import ChannelConfig
from mcos_policy.contract import Contract
from mcos_policy.diagnostics import Diagnostic, note
from mcos_policy.quantize import channel_rate
from mcos_policy.units import RATE, SIZE

__all__ = ["notes"]


def notes(contract: Contract, config: ChannelConfig) -> Iterator[Diagnostic]:
    """Notes about a contract that compiles, in the order of its tables."""
    if contract.memory.rate is None and not contract.hardware.tells_rate:
        rate = RATE.show(Fraction(config.capacity))
        text = (
            f"capacity is assumed to be {contract.fabric.channels} channels of {rate}, the "
            "hardware's rate; write [memory] rate if a channel of yours passes another"
        )
        yield note(contract.fabric.origin, text)
    if config.compact:
        least = SIZE.show(config.grant_interval * channel_rate(contract, config))
        text = (
            f"a grant takes {config.grant_interval} clocks here, so guarantees and delay bounds "
            f"are for requests of {least} or more; shorter ones fill less of the channel, and take "
            f"it from all tenants. Tokens count up to {config.token_lateness} clocks late, which "
            "these bounds cover"
        )
        yield note(contract.fabric.origin, text)
    yield from _priority(contract)


def _priority(contract: Contract) -> Iterator[Diagnostic]:
    """A note at the first priority of a contract whose priorities order nothing."""
    priorities = {tenant.bandwidth.priority for tenant in contract.tenants.values()}
    orders = contract.fabric.overcommitted or contract.power.budget is not None
    if orders or len(priorities) == 1:
        return
    promises = (tenant.bandwidth for tenant in contract.tenants.values())
    first = next(each.given["priority"] for each in promises if "priority" in each.given)
    text = (
        "priority orders nothing here: MCOS shares by guarantee, and only the baseline of fixed "
        "priority goes by it; write overcommitted = true under [fabric] to have it go before "
        "fairness"
    )
    yield note(first.origin, text)
