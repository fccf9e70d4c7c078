"""The power governor clock by clock, with the same numbers as the hardware."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from mcos_hw.config import FabricConfig
from mcos_hw.control.power import debt_width, step_width

__all__ = [
    "Forced",
    "PowerModel",
]


_SUMMANDS = 4
_BITS_OF_A_SUMMAND = _SUMMANDS.bit_length() - 1


@dataclasses.dataclass(frozen=True, kw_only=True)
class Forced:
    """What is in force, in the terms of :func:`mcos_hw.link.power.power_status_layout`.

    Parameters
    ----------
    governs, capped : bool
        A rate is in force; it is the cap's.
    rate : int
        That rate, in ``2**-rate_fraction`` bytes per clock of one channel.
    """

    governs: bool = False
    capped: bool = False
    rate: int = 0

    @classmethod
    def of(cls, rate: int | None, cap: int | None) -> "Forced":
        """The lower of the image's rate and the cap; None where there is none."""
        if cap is not None and (rate is None or cap < rate):
            return cls(governs=True, capped=True, rate=cap)
        # A rate that is not in force stands at its register's value, which is of no effect.
        return cls(governs=rate is not None, capped=False, rate=rate or 0)


class PowerModel:
    """The account of :class:`mcos_hw.control.power.PowerGovernor`, and whom it closes.

    The image's sum of committed rates and lowest priority are given; how the hardware collects
    them is not modelled.

    Parameters
    ----------
    fabric : FabricConfig
        Sizes.
    priorities : Sequence[int]
        Priority of each tenant; 0 is highest.
    guaranteed : int
        Sum of the committed rates of one channel.
    lowest : int
        Largest priority of an enabled tenant.

    Attributes
    ----------
    account : int
        In ``2**-rate_fraction`` bytes.
    closed : numpy.ndarray
        Whether each tenant is closed in this clock.
    """

    def __init__(
        self, fabric: FabricConfig, *, priorities: Sequence[int], guaranteed: int, lowest: int
    ) -> None:
        self.fabric = fabric
        self.priorities = np.array(priorities)
        self.guaranteed = guaranteed
        self.lowest = lowest
        self.forced = Forced()
        self.account = 0
        self.closed = np.zeros(len(self.priorities), dtype=bool)
        self._restart = False
        self._change = 0
        # Beats on their way through the adders.
        stages = -(-fabric.channel_width // _BITS_OF_A_SUMMAND)
        self._sums = [0] * stages
        fraction = fabric.channel.rate_fraction
        self._beat = fabric.beat_bytes << fraction
        self._step = 1 << step_width(fabric) + fraction
        self._debt = 1 << debt_width(fabric) + fraction

    @property
    def infeasible(self) -> bool:
        """Whether the guarantees are over the rate in force."""
        return self.forced.governs and self.guaranteed > self.forced.rate

    def step(self, beats: Sequence[int], rate: int | None, cap: int | None) -> None:
        """One clock.

        Parameters
        ----------
        beats : Sequence[int]
            Beats that left each channel.
        rate, cap : int or None
            The image's rate and the broadcast one, if there are any.
        """
        level = max(self.account, 0) // self._step
        closes = self._restart | (self.priorities >= level)
        self.closed = closes if self.forced.governs else np.zeros_like(self.closed)

        after = self.account + self._change
        most = (self.lowest + 2) * self._step
        if not self.forced.governs or (self._restart and self.account >= 0):
            after = 0
        else:
            after = min(max(after, 0 if self.infeasible else -self._debt), most)

        self._sums.append(sum(beats))
        paid = self._sums.pop(0) * self._beat
        self._change = self.forced.rate * self.fabric.channels - paid
        self.account = after

        forced = Forced.of(rate, cap)
        lowered = not self.forced.governs or forced.rate < self.forced.rate
        self._restart = forced.governs and lowered
        self.forced = forced
