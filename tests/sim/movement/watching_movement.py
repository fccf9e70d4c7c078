"""Whole engines beside their model, which sees no more than their ports."""

from mcos_hw.link.inner import inner_member
from mcos_sim.movement import dma, residency
from mcos_sim.movement.words import Command
from tests.sim.movement.watching import Watch, fields
from tests.sim.movement.watching_engines import acknowledged, fetch, fragment, returned

__all__ = ["MovementWatch"]


class MovementWatch(Watch):
    """Residency and DMA engine."""

    def step(self, quota):
        """One clock: call it when all inputs of the clock are there."""
        fabric = self.component.fabric
        names = {
            name: [f"inner.{inner_member(fabric, name, c)}" for c in range(fabric.channels)]
            for name in ("returned", "fetch", "acknowledged")
        }
        command = self.offered("commands")
        outputs = self.model.step(
            residency.Inputs(
                command=Command(**command) if command else None,
                completion_ready=bool(self.get("completions.ready")),
                up=self.get("up"),
                quota=quota,
                lease_clock=self.get("lease_clock"),
                lease=self.get("lease"),
            ),
            dma.PortInputs(
                places=self.get("inner.places"),
                read_ready=bool(self.get("inner.reads.ready")),
                write_ready=bool(self.get("inner.writes.ready")),
                returned=[returned(self, name) for name in names["returned"]],
                fetch=[fetch(self, name) for name in names["fetch"]],
                acknowledged=[acknowledged(self, name) for name in names["acknowledged"]],
            ),
        )
        if command is not None:
            self.compare("commands.ready", self.get("commands.ready"), outputs.command_ready)
        self.compare("completions", self.offered("completions"), fields(outputs.completion))
        for tier, left in enumerate(outputs.left):
            self.compare(f"left.{tier}", self.get(f"left.{tier}"), left)
        self.compare("inner.reads", fragment(self.offered("inner.reads")), outputs.read)
        self.compare("inner.writes", fragment(self.offered("inner.writes")), outputs.write)
        for name, fetched in zip(names["fetch"], outputs.fetched, strict=True):
            if fetched is not None:
                self.compare(f"{name}.data", self.get(f"{name}.data"), fetched)
        self.clock += 1
        return outputs
