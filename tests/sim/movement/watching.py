"""The residency of the engines beside its model, in each clock."""

import dataclasses

from mcos_hw.movement.dma import Dma
from mcos_hw.movement.movement import Movement
from mcos_sim.movement import jobs, residency
from mcos_sim.movement.words import Command, End, Job

__all__ = [
    "JobsWatch",
    "ResidencyWatch",
    "Watch",
    "WatchedDma",
    "WatchedMovement",
    "fields",
]


class WatchedDma(Dma):
    """The DMA engine, with its parts as an attribute, for who watches what passes between them."""

    def elaborate(self, platform):
        m = super().elaborate(platform)
        self.parts = m.submodules
        return m


class WatchedMovement(Movement):
    """The engines, with their parts as attributes."""

    def elaborate(self, platform):
        m = super().elaborate(platform)
        self.residency, self.dma = m.submodules.residency, m.submodules.dma
        elaborate = self.dma.elaborate

        def elaborate_dma(platform):
            m = elaborate(platform)
            self.dma.parts = m.submodules
            return m

        self.dma.elaborate = elaborate_dma
        return m


class Watch:
    """Steps a model with what the gates get, and compares what they give.

    Parameters
    ----------
    bench : Bench
        Of what has the gates.
    prefix : str
        Where its members are, with a dot at the end.
    model
        The model.
    """

    def __init__(self, bench, model, prefix="") -> None:
        self.bench = bench
        self.model = model
        self.prefix = prefix
        self.clock = 0

    @property
    def component(self):
        """The gates."""
        found = self.bench.component
        for part in self.prefix.split(".")[:-1]:
            found = getattr(found, part)
        return found

    def get(self, name):
        return self.bench.get(self.prefix + name)

    def offered(self, stream):
        """The payload of a stream that is offered."""
        return self.get(f"{stream}.payload") if self.get(f"{stream}.valid") else None

    def compare(self, name, gates, model):
        assert gates == model, (
            f"clock {self.clock}: {self.prefix}{name} is {gates} in gates, {model} in the model"
        )


class ResidencyWatch(Watch):
    """The residency."""

    def __init__(self, bench, model, prefix="") -> None:
        super().__init__(bench, model, prefix)
        self.jobs = 0

    def step(self, quota):
        """One clock: call it when all inputs of the clock are there."""
        command, end = self.offered("commands"), self.offered("ends")
        outputs = self.model.step(
            residency.Inputs(
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
                self.compare(f"{name}.ready", self.get(f"{name}.ready"), expected)
        self.compare("completions", self.offered("completions"), fields(outputs.completion))
        job = self.offered("jobs")
        if job is not None and job["fills"]:
            # Nothing is read.
            job["source"] = 0
        self.compare("jobs", job, fields(outputs.job))
        aborted = self.get("abort.number") if self.get("abort.stb") else None
        self.compare("abort", aborted, outputs.abort)
        if aborted is not None:
            # It is the movement of the object that was named, not a later one of its number.
            assert aborted in self.model.under_way
        for tier, left in enumerate(outputs.left):
            self.compare(f"left.{tier}", self.get(f"left.{tier}"), left)
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


class JobsWatch(Watch):
    """The jobs of the DMA engine."""

    def step(self):
        """One clock: call it when all inputs of the clock are there."""
        job = self.offered("jobs")
        outputs = self.model.step(
            jobs.Inputs(
                job=Job(**job) if job else None,
                abort=self.get("abort.number") if self.get("abort.stb") else None,
                places=self.get("places"),
                piece_ready=bool(self.get("pieces.ready")),
                written=self._settled("written"),
                dropped=self._settled("dropped"),
                end_ready=bool(self.get("ends.ready")),
                checksum=self.get("checksum"),
            )
        )
        self.compare("pieces", self.offered("pieces"), fields(outputs.piece))
        self.compare("ends", self.offered("ends"), fields(outputs.end))
        self.compare("stopped", self.get("stopped"), outputs.stopped)
        if outputs.ending is not None:
            self.compare("ending", self.get("ending"), outputs.ending)
        self.clock += 1
        return outputs

    def _settled(self, name):
        if not self.get(f"{name}.stb"):
            return None
        return jobs.Settled(self.get(f"{name}.number"), bool(self.get(f"{name}.failed")))


def fields(value):
    """The fields of a value of the model, None if there is none."""
    return None if value is None else dataclasses.asdict(value)
