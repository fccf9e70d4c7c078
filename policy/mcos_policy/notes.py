"""What a reader of a contract may take for granted and should not."""

from collections.abc import Iterator
from fractions import Fraction

from mcos_hw.config import ChannelConfig
from mcos_policy.contract import Contract
from mcos_policy.diagnostics import Diagnostic
from mcos_policy.source import Source
from mcos_policy.units import RATE

__all__ = ["notes"]


def notes(contract: Contract, config: ChannelConfig, source: Source) -> Iterator[Diagnostic]:
    """Notes about a contract that compiles, in the order of its tables."""
    if contract.memory.rate is None and not contract.hardware.tells_rate:
        rate = RATE.show(Fraction(config.capacity))
        text = (
            f"capacity is assumed to be {contract.fabric.channels} channels of {rate}, the "
            "hardware's rate; write [memory] rate if a channel of yours passes another"
        )
        yield source.note(("fabric",), text)
    yield from _priority(contract, source)


def _priority(contract: Contract, source: Source) -> Iterator[Diagnostic]:
    """A note at the first priority of a contract whose priorities order nothing."""
    priorities = {tenant.bandwidth.priority for tenant in contract.tenants.values()}
    if contract.fabric.overcommitted or len(priorities) == 1:
        return
    paths = (("tenant", position, "bandwidth", "priority") for position in contract.tenants)
    first = next(path for path in paths if path in source.keys)
    text = (
        "priority orders nothing here: MCOS shares by guarantee, and only the baseline of fixed "
        "priority goes by it; write overcommitted = true under [fabric] to have it go before "
        "fairness"
    )
    yield source.note(first, text)
