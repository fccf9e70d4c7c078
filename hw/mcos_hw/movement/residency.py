"""What is where: commands about objects are looked up, decided, and end with one outcome each."""

from collections.abc import Sequence

from amaranth import *
from amaranth.hdl import Value
from amaranth.lib import data, memory, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.config import FabricConfig, MovementConfig
from mcos_hw.link.job import (
    Abort,
    Urgency,
    abort_signature,
    end_layout,
    end_signature,
    job_signature,
)
from mcos_hw.link.movement import (
    LEASE_WIDTH,
    Operation,
    completion_layout,
    completion_signature,
    movement_command_layout,
    movement_command_signature,
    place_layout,
    work_layout,
)
from mcos_hw.link.request import StructuredStream
from mcos_hw.movement.decision import Decision
from mcos_hw.movement.frames import Frames
from mcos_hw.movement.quotas import Quotas, quota_layout
from mcos_hw.movement.table import Table
from mcos_hw.primitive.backlog import Backlog
from mcos_hw.primitive.free_list import FreeList
from mcos_hw.primitive.select import at_index

__all__ = ["Residency"]


class Residency(wiring.Component):
    """Takes commands in order, one in a clock, and gives each exactly one outcome.

    A command is looked up in two clocks and decided in the third. What it needs is moved by jobs;
    its outcome then follows when the job has ended. A command about an object that is being moved
    is parked, and tried again when a movement has ended; so it joins that movement. So is one that
    needs a job while all are under way. Outcomes come in any order, each with the number of its
    command.

    ::

        clock      0        1        2        3
        command   |taken   |        |decided |
        jobs      |        |        |offered |
        table     |        |        |        |written

    A command waits while one before it that is not decided may be in the same row of the table,
    and while the completion before it is not taken. Movements that have ended go before commands
    that are parked, and these before new ones. After reset the table is emptied, a row in a clock;
    meanwhile no command is taken.

    Parameters
    ----------
    fabric : FabricConfig
        Sizes of the fabric.
    movement : MovementConfig
        Sizes of the engines.

    Members
    -------
    commands : In(stream of movement_command_layout)
        What clients want.
    completions : Out(stream of completion_layout)
        What became of it.
    jobs : Out(stream of job_layout, always ready), abort : Out(Abort), ends : In(stream of end)
        To the DMA engine and from it.
    bases : In(address_width), an array with one for each tier
        Address of frame 0 of the tier.
    up : In(tiers)
        Bit t: tier t can be reached.
    quota : In(quota_layout)
        Frames that each tenant may have.
    movement_tags : In(tenant_width), an array with one for each tenant
        Who is charged for what is moved for a tenant.
    lease_clock, lease : In(LEASE_WIDTH)
        The lease clock, and how long a lease holds.
    left : Out, an array with one for each tier
        Frames that are not in use.
    """

    commands: StructuredStream
    completions: StructuredStream
    jobs: StructuredStream
    abort: Abort
    ends: StructuredStream
    bases: Sequence[Signal]
    up: Signal
    quota: data.View
    movement_tags: Sequence[Signal]
    lease_clock: Signal
    lease: Signal
    left: Sequence[Signal]

    def __init__(self, fabric: FabricConfig, movement: MovementConfig) -> None:
        self.fabric = fabric
        self.movement = movement
        tiers, channel = len(movement.frames), fabric.channel
        super().__init__(
            {
                "commands": In(movement_command_signature(fabric, movement)),
                "completions": Out(completion_signature(fabric, movement)),
                "jobs": Out(job_signature(fabric, movement)),
                "abort": Out(abort_signature(movement)),
                "ends": In(end_signature(movement)),
                "bases": In(channel.address_width).array(tiers),
                "up": In(tiers),
                "quota": In(quota_layout(fabric, movement)),
                "movement_tags": In(channel.tenant_width).array(channel.tenants),
                "lease_clock": In(LEASE_WIDTH),
                "lease": In(LEASE_WIDTH),
                "left": Out(movement.frame_width + 1).array(tiers),
            }
        )

    def elaborate(self, platform):
        m = Module()
        fabric, movement = self.fabric, self.movement
        m.submodules.table = table = Table(fabric, movement)
        m.submodules.decision = decision = Decision(fabric, movement)
        layout = work_layout(fabric, movement)
        asked, looked, decided = (
            data.View(layout, Signal(layout, name=name)) for name in ("asked", "looked", "decided")
        )
        asked_valid, looked_valid, decided_valid = (
            Signal(name=f"{name}_valid") for name in ("asked", "looked", "decided")
        )
        acts = Signal()
        takes = Signal()
        m.d.comb += takes.eq(
            (~looked_valid | ~decided_valid | acts) & ~table.clashes & ~table.clears
        )
        self._elaborate_asked(m, decision, asked, asked_valid, takes, acts & decision.parks)
        self._retry_after(m, acts & decided.settles)

        m.d.comb += [
            table.look.eq(asked_valid & takes),
            table.object.eq(asked.command.object),
            table.moves.eq(~decided_valid | acts),
            table.looking.eq(looked_valid),
            table.deciding.eq(decided_valid),
        ]
        with m.If(table.moves):
            m.d.sync += [decided_valid.eq(looked_valid), decided.eq(looked)]
        with m.If(table.look):
            m.d.sync += [looked_valid.eq(1), looked.eq(asked)]
        with m.Elif(table.moves):
            m.d.sync += looked_valid.eq(0)

        self._elaborate_act(m, decision, table, decided, decided_valid, acts)
        return m

    def _elaborate_asked(
        self,
        m: Module,
        decision: Decision,
        asked: data.View,
        asked_valid: Signal,
        takes: Value,
        parks: Value,
    ) -> None:
        """What is looked up next: a movement that has ended, else a parked command, else a new
        one."""
        fabric, movement = self.fabric, self.movement
        command_layout = movement_command_layout(fabric, movement)
        m.submodules.parked = parked = Backlog(command_layout, depth=movement.parked)
        self._waiting = Signal(range(movement.parked + 1))
        self._retries = Signal(range(movement.parked + 1))
        self._parks, self._retried = parks, Signal()

        # What belongs to a job is read while its end waits here.
        begun = data.StructLayout({"command": command_layout, "to": place_layout(movement)})
        m.submodules.begun = kept = memory.Memory(shape=begun, depth=movement.jobs, init=[])
        self._keep, known = kept.write_port(), kept.read_port()
        layout = end_layout(movement)
        ended = data.View(layout, Signal(layout, name="ended"))
        ended_valid, retries = Signal(), Signal()
        m.d.comb += [
            self.ends.ready.eq(~ended_valid | takes),
            known.en.eq(self.ends.ready),
            known.addr.eq(self.ends.payload.number),
            retries.eq((self._retries != 0) & parked.o.valid),
            self._retried.eq(takes & ~ended_valid & retries),
            parked.o.ready.eq(self._retried),
            self.commands.ready.eq(takes & ~ended_valid & ~retries),
            asked_valid.eq(ended_valid | retries | self.commands.valid),
            parked.i.valid.eq(parks),
            parked.i.payload.eq(decision.work.command),
            decision.may_park.eq(self._waiting != movement.parked),
        ]
        with m.If(self.ends.ready):
            m.d.sync += [ended_valid.eq(self.ends.valid), ended.eq(self.ends.payload)]
        m.d.comb += [
            asked.settles.eq(ended_valid),
            asked.command.eq(Mux(retries, parked.o.payload, self.commands.payload)),
            asked.to.eq(known.data.to),
            asked.job.eq(ended.number),
            asked.end.eq(ended.end),
            asked.sum.eq(ended.checksum),
        ]
        with m.If(ended_valid):
            m.d.comb += asked.command.eq(known.data.command)

    def _retry_after(self, m: Module, settled: Value) -> None:
        """All that is parked when a movement has settled is tried once more."""
        m.d.sync += self._waiting.eq(self._waiting + self._parks - self._retried)
        with m.If(settled):
            m.d.sync += self._retries.eq(self._waiting - self._retried)
        with m.Elif(self._retried):
            m.d.sync += self._retries.eq(self._retries - 1)

    def _elaborate_act(
        self,
        m: Module,
        decision: Decision,
        table: Table,
        decided: data.View,
        decided_valid: Value,
        acts: Signal,
    ) -> None:
        """What was decided takes effect, all of it in one clock."""
        fabric, movement = self.fabric, self.movement
        m.submodules.numbers = numbers = FreeList(movement.jobs)
        m.submodules.quotas = quotas = Quotas(fabric, movement)
        offered_layout = completion_layout(fabric, movement)
        offered = data.View(offered_layout, Signal(offered_layout, name="completion"))
        offered_valid = Signal()
        command, entry, value = decided.command, decision.entry, decision.value
        m.d.comb += [
            decision.work.eq(decided),
            decision.found.eq(table.found),
            decision.full.eq(table.full),
            decision.entry.eq(table.entry),
            decision.within.eq(quotas.within),
            decision.up.eq(self.up),
            decision.has_job.eq(numbers.take.valid),
            decision.job.eq(numbers.take.payload),
            decision.lease_clock.eq(self.lease_clock),
            decision.lease.eq(self.lease),
            acts.eq(
                decided_valid & (~decision.completes | ~offered_valid | self.completions.ready)
            ),
            table.store.eq(acts & decision.writes),
            table.at.eq(table.slot),
            table.taken.eq(decision.taken),
            table.value.eq(value),
            quotas.quota.eq(self.quota),
            # A copy is on its owner's account, whoever wants it.
            quotas.tenant.eq(Mux(table.found, entry.tenant, command.tenant)),
        ]
        for tier, (free, given, quota) in enumerate(
            zip(decision.free, decision.given, quotas.given, strict=True)
        ):
            m.d.comb += [
                quota.stb.eq(acts & given.stb),
                quota.tenant.eq(given.tenant),
                quotas.takes[tier].eq(acts & free.take),
            ]
            if not movement.frames[tier]:
                continue
            m.submodules[f"frames_{tier}"] = frames = Frames(fabric, movement, tier)
            m.d.comb += [
                free.valid.eq(frames.free.valid),
                free.frame.eq(frames.free.frame),
                free.clean.eq(frames.free.clean),
                frames.free.take.eq(acts & free.take),
                frames.given.stb.eq(acts & given.stb),
                frames.given.frame.eq(given.frame),
                frames.given.tenant.eq(given.tenant),
                frames.given.mixed.eq(given.mixed),
                self.left[tier].eq(frames.left),
            ]

        job = self.jobs.payload
        begins = acts & decision.starts
        m.d.comb += [
            numbers.take.ready.eq(begins),
            numbers.give.valid.eq(acts & decided.settles),
            numbers.give.number.eq(decided.job),
            self._keep.en.eq(begins),
            self._keep.addr.eq(numbers.take.payload),
            self._keep.data.command.eq(command),
            self._keep.data.to.eq(decision.to),
            self.jobs.valid.eq(begins),
            job.number.eq(numbers.take.payload),
            job.tenant.eq(at_index(command.tenant, self.movement_tags)),
            job.urgency.eq(
                Mux(command.operation == Operation.ACCESS, Urgency.DEMAND, command.urgency)
            ),
            job.source.eq(self._address(entry.at)),
            job.target.eq(self._address(decision.to)),
            job.beats.eq(movement.frame_beats(fabric)),
            job.rows.eq(1),
            job.fills.eq(decision.fills),
            job.checks.eq(~decision.fills),
            self.abort.stb.eq(acts & decision.aborts),
            self.abort.number.eq(entry.job),
        ]

        m.d.comb += [self.completions.payload.eq(offered), self.completions.valid.eq(offered_valid)]
        with m.If(acts & decision.completes):
            m.d.sync += [
                offered_valid.eq(1),
                offered.number.eq(command.number),
                offered.tenant.eq(command.tenant),
                offered.outcome.eq(decision.outcome),
                offered.reason.eq(decision.reason),
                offered.tier.eq(Mux(decision.tells, value.at.tier, 0)),
                offered.address.eq(Mux(decision.tells, self._address(value.at), 0)),
                offered.version.eq(Mux(decision.tells, value.version, 0)),
                offered.term.eq(Mux(decision.tells, value.term, 0)),
            ]
        with m.Elif(self.completions.ready):
            m.d.sync += offered_valid.eq(0)

    def _address(self, place: data.View) -> Value:
        """The address of a frame."""
        base = at_index(place.tier, _filled(self.bases, 1 << len(place.tier)))
        shift = self.movement.frame_bytes.bit_length() - 1
        return base + (place.frame << shift)


def _filled(values: Sequence[Value], count: int) -> list[Value]:
    """The values, and 0 for the rest."""
    return [*values, *(Const(0, 1) for _ in range(count - len(values)))]
