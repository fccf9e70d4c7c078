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
from mcos_sim.model.probe import pack

__all__ = [
    "run_channels",
    "watch_channels",
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


@functools.cache
def _watch_loop(memory: MemoryModel) -> Callable:
    """The same clock by clock, with what each channel shows, compiled."""
    drive = modelled_fabric_step(memory).drive

    @compiled
    def watch(states, e, places, rows):
        last = places[len(places) - 1]
        words = (last[0] + last[1] + 63) // 64
        for k in range(len(rows)):
            for c in range(len(states)):
                begin(states[c])
                pack(states[c], places, rows[k, c])
                show(states[c], e[env.LANE * c :])
                # The ports put responses of their own in the same places.
                for place in range(env.RESPONSE_VALID, env.RESPONSE_ID + 1):
                    rows[k, c, words + place - env.PORTS] = e[env.LANE * c + place]
            drive(e)
            for c in range(len(states)):
                for place in range(env.PORTS, env.PORTS + env.PORTS_LENGTH):
                    if not env.RESPONSE_VALID <= place <= env.RESPONSE_ID:
                        rows[k, c, words + place - env.PORTS] = e[env.LANE * c + place]
            if e[env.DONE] or e[env.FAULT]:
                return k
            for c in range(len(states)):
                advance(states[c], e[env.LANE * c :])
        return len(rows)

    return watch


def watch_channels(states: np.ndarray, e: np.ndarray, places: np.ndarray, rows: np.ndarray) -> int:
    """Run up to ``len(rows)`` clocks, fill a row a clock, and return how many ran.

    Parameters
    ----------
    states, e : numpy.ndarray
        As in :func:`run_channels`.
    places : numpy.ndarray
        Of :func:`mcos_sim.model.probe.probe_places`.
    rows : numpy.ndarray
        Shape (clocks, channels, words), int64: gets probe and words of the boundary.
    """
    return int(_watch_loop(model_of(e))(states, e, places, rows))


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
