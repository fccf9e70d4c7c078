"""The residency of the engines beside its model, in each clock."""

import dataclasses

from mcos_hw.movement.movement import Movement
from mcos_sim.movement.residency import Inputs, Residency
from mcos_sim.movement.words import Command, End

__all__ = ["ResidencyWatch", "WatchedMovement"]


class WatchedMovement(Movement):
    """The engines, with their parts as attributes, for who watches what passes between them."""

    def elaborate(self, platform):
        m = super().elaborate(platform)
        self.residency = m.submodules.residency
        self.dma = m.submodules.dma
        return m


class ResidencyWatch:
    """Steps the model with what the gates get, and compares what they give.

    Parameters
    ----------
    bench : Bench
        Of what has the residency.
    prefix : str
        Where its members are, with a dot at the end.
    residency : Residency
        The model.
    """

    def __init__(self, bench, residency: Residency, prefix="") -> None:
        self.bench = bench
        self.model = residency
        self.prefix = prefix
        self.clock = 0
        self.jobs = 0

    def get(self, name):
        return self.bench.get(self.prefix + name)

    def _offered(self, stream):
        """The payload of a stream that is offered."""
        return self.get(f"{stream}.payload") if self.get(f"{stream}.valid") else None

    def step(self, quota):
        """One clock: call it when all inputs of the clock are there."""
        command, end = self._offered("commands"), self._offered("ends")
        outputs = self.model.step(
            Inputs(
                command=Command(**command) if command else None,
                completion_ready=bool(self.get("completions.ready")),
                end=End(**end) if end else None,
                up=self.get("up"),
                quota=quota,
                lease_clock=self.get("lease_clock"),
                lease=self.get("lease"),
            )
        )
        ready = {"commands": command, "ends": end}
        for name, expected in (
            ("commands", outputs.command_ready),
            ("ends", outputs.end_ready),
        ):
            if ready[name] is not None:
                self._compare(f"{name}.ready", self.get(f"{name}.ready"), expected)
        self._compare("completions", self._offered("completions"), _fields(outputs.completion))
        job = self._offered("jobs")
        if job is not None and job["fills"]:
            # Nothing is read.
            job["source"] = 0
        self._compare("jobs", job, _fields(outputs.job))
        aborted = self.get("abort.number") if self.get("abort.stb") else None
        self._compare("abort", aborted, outputs.abort)
        for tier, left in enumerate(outputs.left):
            self._compare(f"left.{tier}", self.get(f"left.{tier}"), left)
        self.clock += 1
        self.jobs += job is not None
        return outputs

    def conserved(self):
        """No frame has two owners, and those that are owned or left are all."""
        for tier, frames in enumerate(self.model.frames):
            if frames is None:
                continue
            owned = self.model.owned(tier)
            assert len(set(owned)) == len(owned), f"clock {self.clock}: a frame owned twice"
            left = self.get(f"left.{tier}")
            assert len(owned) + left == self.model.movement.frames[tier]
            assert sum(frames.has) == len(owned)

    def _compare(self, name, gates, model):
        assert gates == model, (
            f"clock {self.clock}: {self.prefix}{name} is {gates} in gates, {model} in the model"
        )


def _fields(value):
    return None if value is None else dataclasses.asdict(value)
