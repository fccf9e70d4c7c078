"""A run under the eyes of the rules: nothing is written, and the first violation ends it."""

from collections.abc import Callable

import numpy as np

from mcos_sim.engines.recording import (
    by_channel,
    clock_rows,
    live_images,
    rows_waveform,
)
from mcos_sim.scenario import FIRST_CLOCK, Scenario
from mcos_sim.waves.rules import Violation, Wording, check_waveform

__all__ = [
    "MARGIN_CLOCKS",
    "Seen",
    "Watch",
]


MARGIN_CLOCKS = 256
"""Clocks of a window before a violation, and half as many after it."""

_CHUNK = 20_000
"""Clocks that are checked at a time; a clock of 16 tenants takes some kilobytes."""

_OVERLAP = 2_000
"""Clocks of the chunk before that are looked at again, so that what lasts over its end is seen."""


class Seen(Exception):  # noqa: N818  (what happened, not who erred)
    """A rule is broken: ``violation`` in numbers, ``sentence`` in words."""

    def __init__(self, violation: Violation, sentence: str) -> None:
        super().__init__(sentence)
        self.violation = violation
        self.sentence = sentence


class Watch:
    """Checks each clock of a run; in place of a window that is recorded.

    Parameters
    ----------
    scenario : Scenario
        What runs.
    """

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._next = FIRST_CLOCK
        self._kept = clock_rows(scenario, 0)

    def begins(self, clock: int) -> bool:
        """Every clock is looked at."""
        return True

    def before(self, clock: int) -> int:
        """A clock to run to without looking: none is."""
        return self._next

    def record(self, run: Callable[[np.ndarray], int]) -> None:
        """Run some clocks and check them.

        Parameters
        ----------
        run : Callable
            Runs up to as many clocks as its argument has rows, fills one row per clock,
            and returns how many ran.

        Raises
        ------
        Seen
            If a rule is broken.
        """
        scenario = self._scenario
        rows = clock_rows(scenario, min(_CHUNK, scenario.clocks - self._next))
        clocks = run(rows)
        every = np.concatenate([self._kept, rows[:clocks]])
        seen = []
        for channel, of_channel in enumerate(by_channel(every, scenario)):
            waveform = rows_waveform(
                of_channel,
                scenario,
                first=self._next - len(self._kept),
                images=live_images(scenario),
            )
            violations, _ = check_waveform(waveform)
            for each in [each for each in violations if each.clock >= self._next][:1]:
                where = f"channel {channel}: " if scenario.fabric else ""
                seen.append((each, where + Wording(waveform).sentence(each)))
        if seen:
            raise Seen(*min(seen, key=lambda each: each[0].clock))
        self._next += clocks
        self._kept = every[-_OVERLAP:]

    def require_written(self) -> None:
        """There is nothing to write."""
