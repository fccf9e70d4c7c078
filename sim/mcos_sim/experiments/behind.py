"""What a scenario is with a certain memory behind its port."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING

from mcos_policy.spreading import interleave_of
from mcos_sim.errors import UserError
from mcos_sim.memory.name import MemoryName
from mcos_sim.memory.pages import PageColours, placed

if TYPE_CHECKING:
    from mcos_hw.config import ChannelConfig
    from mcos_policy.compiler import Compiled
    from mcos_policy.contract import Memory
    from mcos_policy.interleave import Interleave
    from mcos_sim.memory.hbm.memory import Hbm
    from mcos_sim.scenario import Scenario

__all__ = [
    "behind",
    "capacity",
    "colours_of",
    "hbm",
    "way",
]


_SIMPLE_BYTES = 1 << 30
"""Bytes of the simple memory where a contract says nothing."""

_QUEUE_ENTRIES = 64
_DRAIN_FROM, _DRAIN_TO = 0.95, 0.05
"""A turn of the data bus costs as much as 20 bursts, so writes go in long runs."""


def hbm(name: MemoryName) -> Hbm | None:
    """The device of that name with the controller that runs have; None for the simple memory."""
    from mcos_sim.memory.hbm import Policy, coloured_mapping, find_preset
    from mcos_sim.memory.hbm.memory import Hbm

    if name is MemoryName.SIMPLE:
        return None
    preset = find_preset(name.value)
    policy = Policy(queue_entries=_QUEUE_ENTRIES, drain_from=_DRAIN_FROM, drain_to=_DRAIN_TO)
    return Hbm(preset=preset, policy=policy, mapping=coloured_mapping(preset))


def capacity(compiled: Compiled, name: MemoryName) -> float:
    """Bytes per clock that a channel can pass on under a contract: r, less what refresh takes.

    The pacer saves nothing up: what a memory in refresh does not take is lost.
    """
    config = compiled.config
    rate = compiled.settings.channel.pacer_rate / (1 << config.rate_fraction)
    device = hbm(name)
    if device is None:
        return rate
    peak = device.peak_bytes_per_clock(config.clock_ps)
    return min(rate, peak) * device.preset.refresh_ceiling


def behind(scenario: Scenario, name: MemoryName, compiled: Compiled) -> Scenario:
    """A scenario with another memory behind its port.

    The pages of each tenant are put where an allocator that keeps to the contract's colours has
    them; without colours in the contract anywhere, and nowhere else with the simple memory. With an
    HBM the scenario's latency is that of a row conflict and the way to the device and back; the way
    stays.

    Parameters
    ----------
    scenario : Scenario
        Any; its addresses are taken as virtual.
    name : MemoryName
        The memory.
    compiled : Compiled
        The contract.

    Raises
    ------
    UserError
        If the contract's colours are not sets of banks of that memory, or it has an interleave of
        several channels beside them.
    """
    scenario = _spread(scenario, compiled)
    device = hbm(name)
    if device is not None:
        colours = colours_of(compiled, device)
        latency = way(scenario.channel.latency, device, scenario.config)
        scenario = scenario.with_channel(memory=device, latency=latency)
    elif compiled.contract.memory.colour_bits:
        colours = _colours_of_simple(compiled.contract.memory)
    else:
        return scenario
    colours = _over_channels(colours, scenario.interleave)
    return scenario.with_streams(
        placed(scenario.streams, colours, compiled.colours, seed=scenario.seed)
    )


def _spread(scenario: Scenario, compiled: Compiled) -> Scenario:
    """A scenario of several channels under the interleave of its contract, if that has one."""
    spreading = interleave_of(compiled.contract, scenario.config, channels=len(scenario.channels))
    if spreading is None or not scenario.fabric:
        return scenario
    if compiled.contract.memory.colour_bits:
        raise UserError(
            f"{compiled.origin['name']}: a run of {len(scenario.channels)} channels must have "
            "interleave in [fabric] or colour_bits in [memory], not both; remove one, or run one "
            "channel"
        )
    return dataclasses.replace(scenario, spreading=spreading)


def _colours_of_simple(memory: Memory) -> PageColours:
    """Colours in the simple memory, which has no banks, and enough bytes for them."""
    size = memory.size or max(_SIMPLE_BYTES, 2 << memory.colour_bits[-1])
    return PageColours(bits=memory.colour_bits, page_bytes=memory.page, memory_bytes=size)


def _over_channels(colours: PageColours, interleave: Interleave) -> PageColours:
    """Colours of a channel's memory as addresses of all channels have them.

    A page lies in all channels. Their window is below every bit of a colour.
    """
    return dataclasses.replace(
        colours,
        bits=tuple(bit + interleave.width for bit in colours.bits),
        memory_bytes=colours.memory_bytes * interleave.channels,
    )


def way(latency: int, device: Hbm, config: ChannelConfig) -> int:
    """Clocks of a latency that are not the device's."""
    return max(1, latency - math.floor(device.conflict_ps / config.clock_ps))


def colours_of(compiled: Compiled, device: Hbm) -> PageColours:
    """The contract's colours in a memory.

    Raises
    ------
    UserError
        If the contract assumes another size, or a bit of a colour does not select a bank there.
    """
    memory = compiled.contract.memory
    name = device.preset.name
    size = device.preset.bytes
    if memory.size is not None and memory.size != size:
        raise UserError(
            f"{compiled.origin['name']}: size in [memory] must be the {size} bytes behind a "
            f"channel of {name}, not {memory.size}; change it or choose another memory"
        )
    banks = device.used_mapping.bank_bits(device.preset.burst_bytes)
    wrong = [bit for bit in memory.colour_bits if bit not in banks]
    if wrong:
        raise UserError(
            f"{compiled.origin['name']}: colour_bits in [memory] must select banks of {name}, as "
            f"address bits {', '.join(map(str, banks))} do, not {wrong[0]}; change them or choose "
            "another memory"
        )
    return PageColours(bits=memory.colour_bits, page_bytes=memory.page, memory_bytes=size)
