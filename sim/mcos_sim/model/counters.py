"""Places of the counters of the running epoch: of each register under its name."""

from mcos_sim.model.layout import COUNTER

globals().update(COUNTER)


def __getattr__(name: str) -> int:
    raise AttributeError(f"the monitor has no counter {name!r}")
