"""The verilated hardware with every mistake in it that a waveform has to show."""

from contextlib import AbstractContextManager

from mcos_hw.config import ChannelConfig
from mcos_sim.verilated.build import Library
from mcos_sim.waves.rules import Rule
from tests import planted_hardware
from tests.sim.waves.bugs import WAVEFORM_BUGS

__all__ = [
    "live_bug",
    "planted_library",
]


def planted_library(config: ChannelConfig) -> Library:
    """The hardware with all of :data:`tests.sim.waves.bugs.WAVEFORM_BUGS`; none is live."""
    return planted_hardware.planted_library(config, tuple(WAVEFORM_BUGS.values()))


def live_bug(rule: Rule) -> AbstractContextManager[None]:
    """Simulations that begin now have the mistake that the rule must name."""
    return planted_hardware.live_bug(list(WAVEFORM_BUGS).index(rule))
