"""What is where: commands are looked up, decided, and end with one outcome each."""

import dataclasses
from collections.abc import Sequence

from mcos_hw.config import FabricConfig, MovementConfig
from mcos_hw.link.job import Urgency
from mcos_hw.link.movement import Operation, Outcome
from mcos_sim.movement.decision import Decision, Surroundings, Work, decide
from mcos_sim.movement.frames import Frames
from mcos_sim.movement.queues import Backlog, FreeList
from mcos_sim.movement.table import Found, Table
from mcos_sim.movement.words import Command, Completion, End, Job, Place

__all__ = [
    "Inputs",
    "Outputs",
    "Residency",
]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """Inputs of one clock."""

    command: Command | None
    """The command that is offered."""

    completion_ready: bool
    end: End | None = None
    """The end of a job that is offered."""

    up: int
    """Bit t: tier t can be reached."""

    quota: Sequence[Sequence[int]]
    """Frames that each tenant may have, by tier and tenant."""

    lease_clock: int
    lease: int


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """What goes out in the same clock."""

    command_ready: bool
    """The command is taken. False if none is offered."""

    end_ready: bool
    """The end is taken. False if none is offered."""

    completion: Completion | None
    job: Job | None
    abort: int | None
    """The number of the job that is aborted."""

    left: tuple[int, ...]
    """Frames of each tier that are not in use."""


class Residency:
    """The model of :class:`mcos_hw.movement.residency.Residency`, equal in each clock.

    A command is taken in one clock, looked up in the next and decided in the one after: then all of
    its decision takes effect. :meth:`step` is one clock.

    Parameters
    ----------
    fabric : FabricConfig
        Sizes of the fabric.
    movement : MovementConfig
        Sizes of the engines.
    bases : Sequence[int]
        Address of frame 0 of each tier.
    movement_tags : Sequence[int]
        Who is charged for what is moved for each tenant.
    """

    def __init__(
        self,
        fabric: FabricConfig,
        movement: MovementConfig,
        *,
        bases: Sequence[int],
        movement_tags: Sequence[int],
    ) -> None:
        self.fabric = fabric
        self.movement = movement
        self.bases = bases
        self.movement_tags = movement_tags
        self.table = Table(movement.table_rows)
        self.frames = [
            Frames(count, fabric.channel.tenants) if count else None for count in movement.frames
        ]
        self.under_way: dict[int, tuple[Command, Place]] = {}
        """What each job was begun for, and the frame that it writes."""

        self._clears = movement.table_rows
        self._numbers = FreeList(movement.jobs)
        self._parked: Backlog[Command] = Backlog()
        self._waiting = 0
        self._retries = 0
        self._ended: Work | None = None
        self._looked: tuple[Work, Found] | None = None
        self._decided: tuple[Work, Found] | None = None
        self._completion: Completion | None = None

    def owned(self, tier: int) -> list[int]:
        """The frames of a tier that belong to an object or to a movement."""
        places = [entry.at for entry in self.table.entries]
        places += [entry.backing for entry in self.table.entries if entry.backing is not None]
        places += [to for _, to in self.under_way.values() if to not in places]
        return [place.frame for place in places if place.tier == tier]

    @property
    def quiet(self) -> bool:
        """Whether nothing is known that has no outcome."""
        stages = (self._ended, self._looked, self._decided, self._completion)
        return not self.under_way and not self._waiting and stages == (None,) * len(stages)

    def step(self, inputs: Inputs) -> Outputs:
        """One clock."""
        decision = self._decide(inputs)
        acts = decision is not None and (
            decision.outcome is None or self._completion is None or inputs.completion_ready
        )
        retries = self._ended is None and self._retries > 0 and self._parked.head is not None
        if self._ended is not None:
            asked = self._ended
        elif retries:
            assert self._parked.head is not None
            asked = Work(self._parked.head)
        else:
            asked = Work(inputs.command) if inputs.command is not None else None
        moves = self._decided is None or acts
        takes = asked is not None and self._takes(asked, moves)
        takes_command = takes and self._ended is None and not retries
        takes_end = inputs.end is not None and (self._ended is None or takes)
        outputs = Outputs(
            command_ready=takes_command,
            end_ready=takes_end,
            completion=self._completion,
            job=self._job(decision) if decision is not None and acts else None,
            abort=self._aborted(decision) if decision is not None and acts else None,
            left=tuple(frames.left if frames else 0 for frames in self.frames),
        )

        found = self.table.find(asked.command.object) if asked is not None and takes else None
        if inputs.completion_ready:
            self._completion = None
        parks = self._act(decision if acts else None)
        self._parked.step(enters=parks, leaves=retries and takes)
        self._count_waiting(decision if acts else None, retries and takes)
        if moves:
            self._decided, self._looked = self._looked, None
        if asked is not None and found is not None:
            self._looked = asked, found
        self._end(inputs.end if takes_end else None, takes)
        self._clears = max(self._clears - 1, 0)
        return outputs

    def _decide(self, inputs: Inputs) -> Decision | None:
        """The decision about what is in the last stage."""
        if self._decided is None:
            return None
        work, found = self._decided
        owner = work.command.tenant if found.entry is None else found.entry.tenant
        around = Surroundings(
            free=[frames.free if frames else None for frames in self.frames],
            there=[
                frames is not None and bool(inputs.up >> tier & 1)
                for tier, frames in enumerate(self.frames)
            ],
            within=[
                frames is not None and frames.has[owner] < inputs.quota[tier][owner]
                for tier, frames in enumerate(self.frames)
            ],
            job=self._numbers.head,
            may_park=self._waiting < self.movement.parked,
            lease_clock=inputs.lease_clock,
            lease=inputs.lease,
        )
        return decide(work, found.entry, found.slot is None, around)

    def _takes(self, asked: Work, moves: bool) -> bool:
        """Whether a name may be looked up: its stage is free, and no name before it that is not
        decided shares a row with it."""
        before = [stage for stage in (self._looked, self._decided) if stage is not None]
        return (
            not self._clears
            and (self._looked is None or moves)
            and not any(
                self.table.clash(asked.command.object, work.command.object) for work, _ in before
            )
        )

    def _job(self, decision: Decision) -> Job | None:
        """The job that begins in this clock."""
        if not decision.starts:
            return None
        assert self._decided is not None
        assert decision.takes is not None
        assert decision.entry is not None
        command = self._decided[0].command
        demand = command.operation == Operation.ACCESS
        number = self._numbers.head
        assert number is not None
        return Job(
            number=number,
            tenant=self.movement_tags[command.tenant],
            urgency=Urgency.DEMAND if demand else command.urgency,
            # A fill reads nothing.
            source=0 if decision.fills else self._address(decision.entry.at),
            target=self._address(decision.takes),
            beats=self.movement.frame_beats(self.fabric),
            fills=decision.fills,
            checks=not decision.fills,
        )

    def _aborted(self, decision: Decision) -> int | None:
        """The job that is aborted in this clock."""
        return decision.entry.job if decision.aborts and decision.entry is not None else None

    def _act(self, decision: Decision | None) -> Command | None:
        """What was decided takes effect; the command that parks."""
        work, found = self._decided or (None, None)
        settled = None
        if decision is not None:
            assert work is not None
            assert found is not None
            if work.end is not None:
                settled = work.end.number
                del self.under_way[settled]
            if decision.starts:
                assert self._numbers.head is not None
                assert decision.takes is not None
                self.under_way[self._numbers.head] = work.command, decision.takes
            if decision.writes:
                assert found.slot is not None
                self.table.store(found.slot, decision.entry)
            if decision.outcome is not None:
                self._completion = self._complete(work.command, decision)
        starts = decision is not None and decision.starts
        self._numbers.step(takes=starts, given=settled)
        self._step_frames(decision)
        return work.command if work is not None and decision and decision.parks else None

    def _step_frames(self, decision: Decision | None) -> None:
        """Frames that were taken, and given back. The taker is the owner of the entry."""
        for tier, frames in enumerate(self.frames):
            if frames is None:
                continue
            taker = given = None
            if decision is not None:
                if decision.takes is not None and decision.takes.tier == tier:
                    assert decision.entry is not None
                    taker = decision.entry.tenant
                here = [each for each in decision.given if each.tier == tier]
                assert len(here) <= 1, "frames that are given back in a clock are of two tiers"
                given = here[0] if here else None
            frames.step(taker=taker, given=given)

    def _complete(self, command: Command, decision: Decision) -> Completion:
        """The completion of a command that ends. It tells a place if there is one to tell."""
        assert decision.outcome is not None
        outcome, reason = decision.outcome
        completion = Completion(
            number=command.number, tenant=command.tenant, outcome=outcome, reason=reason
        )
        if outcome not in (Outcome.DONE, Outcome.CLIPPED):
            return completion
        entry = decision.entry
        if entry is None:
            # It was released: where it was last.
            assert self._decided is not None
            entry = self._decided[1].entry
            assert entry is not None
        return dataclasses.replace(
            completion,
            tier=entry.at.tier,
            address=self._address(entry.at),
            version=entry.version,
            term=entry.term,
        )

    def _count_waiting(self, decision: Decision | None, retried: bool) -> None:
        """All that is parked when a movement has settled is tried once more."""
        left = self._waiting - retried
        settles = decision is not None and self._decided and self._decided[0].end is not None
        if settles:
            self._retries = left
        elif retried:
            self._retries -= 1
        self._waiting = left + (decision is not None and decision.parks)

    def _end(self, end: End | None, taken: bool) -> None:
        """An end that came is looked up next, and stays until it is."""
        if self._ended is not None and not taken:
            return
        self._ended = None
        if end is not None:
            command, to = self.under_way[end.number]
            self._ended = Work(command, end, to)

    def _address(self, place: Place) -> int:
        """The address of a frame."""
        return self.bases[place.tier] + place.frame * self.movement.frame_bytes
