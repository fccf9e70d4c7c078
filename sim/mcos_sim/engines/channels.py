"""Models of several channels side by side, behind modelled ports."""

import functools
from collections.abc import Callable

import numpy as np

from mcos_sim.compiling import compiled
from mcos_sim.environment import layout as env
from mcos_sim.environment.environment import model_of
from mcos_sim.environment.fabric import modelled_fabric_step
from mcos_sim.memory.memory import MemoryModel
from mcos_sim.model import layout as at
from mcos_sim.model.channel import advance, begin, is_idle, skip
from mcos_sim.model.ports import show

__all__ = [
    "run_channels",
]


@functools.cache
def _loop(memory: MemoryModel) -> Callable:
    """The loop over clocks around a model of the memory behind each channel, compiled."""
    step = modelled_fabric_step(memory)
    drive, quiet_until = step.drive, step.quiet_until

    @compiled
    def run(states, e, until):
        while states[0, at.CLOCK] < until:
            for c in range(len(states)):
                begin(states[c])
                show(states[c], e[env.LANE * c :])
            drive(e)
            if e[env.DONE] or e[env.FAULT]:
                return
            idle = True
            for c in range(len(states)):
                advance(states[c], e[env.LANE * c :])
                idle &= is_idle(states[c])
            if idle:
                quiet = min(quiet_until(e), until)
                if quiet > states[0, at.CLOCK]:
                    # Channels are idle from the same clock on, and their epochs end in the same.
                    for c in range(len(states)):
                        skip(states[c], quiet)
                    e[env.CLOCK] = states[0, at.CLOCK]

    return run


def run_channels(states: np.ndarray, e: np.ndarray, until: int) -> None:
    """Run clocks up to ``until``, or until all is done.

    Parameters
    ----------
    states : numpy.ndarray
        Shape (channels, places): the state of each channel, see
        :func:`mcos_sim.model.state.reset_state`.
    e : numpy.ndarray
        The environment of a fabric with modelled ports.
    until : int
        Clock to stop in.
    """
    _loop(model_of(e))(states, e, until)
