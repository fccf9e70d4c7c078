"""What a command does, and what becomes of it: the rules, in their order."""

import dataclasses
from collections.abc import Sequence

from mcos_hw.link.job import End as HowEnded
from mcos_hw.link.job import Urgency
from mcos_hw.link.movement import (
    ANY_VERSION,
    LEASE_WIDTH,
    TERM_WIDTH,
    Operation,
    Outcome,
    Reason,
    State,
)
from mcos_sim.movement.frames import FreeFrame, GivenFrame
from mcos_sim.movement.words import Command, End, Entry, Place

__all__ = [
    "Decision",
    "Surroundings",
    "Work",
    "decide",
]


@dataclasses.dataclass(frozen=True, slots=True)
class Work:
    """A command, or the end of the movement that one began, and the frame that was written."""

    command: Command
    end: End | None = None
    to: Place | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Surroundings:
    """What a decision looks at besides its command and its entry."""

    free: Sequence[FreeFrame | None]
    """The frame of each tier that would be taken."""

    there: Sequence[bool]
    """Tiers that are and can be reached."""

    within: Sequence[bool]
    """Tiers of which the owner may have another frame."""

    job: int | None
    """The number of the job that may begin."""

    may_park: bool
    lease_clock: int
    lease: int

    def available(self, tier: int) -> bool:
        """Whether a frame of this tier may be taken."""
        return self._is(tier, self.there) and self.within[tier] and self.free[tier] is not None

    def refusal(self, tier: int) -> tuple[Outcome, Reason]:
        """Why none may be taken."""
        if not self._is(tier, self.there):
            return Outcome.REJECTED, Reason.NO_TIER
        if not self.within[tier]:
            return Outcome.DEFERRED, Reason.OVER_QUOTA
        return Outcome.DEFERRED, Reason.NO_FRAME

    @property
    def lease_ends(self) -> int:
        """When a lease that begins now is over."""
        return (self.lease_clock + self.lease) % (1 << LEASE_WIDTH)

    @staticmethod
    def _is(tier: int, bits: Sequence[bool]) -> bool:
        return tier < len(bits) and bits[tier]


@dataclasses.dataclass(slots=True)
class Decision:
    """What takes effect in one clock."""

    outcome: tuple[Outcome, Reason] | None = None
    """How the command ends, if it does."""

    parks: bool = False
    writes: bool = False
    """The entry is written; None removes it."""

    entry: Entry | None = None
    """The entry as it is afterwards."""

    takes: Place | None = None
    """A frame that is taken."""

    starts: bool = False
    """A job writes that frame."""

    fills: bool = False
    aborts: bool = False
    given: list[GivenFrame] = dataclasses.field(default_factory=list)

    def end(self, outcome: Outcome, reason: Reason = Reason.NONE) -> "Decision":
        self.outcome = outcome, reason
        return self

    def write(self, entry: Entry | None) -> "Decision":
        self.writes, self.entry = True, entry
        return self

    def give(self, place: Place, tenant: int, *, mixed: bool = False) -> "Decision":
        self.given.append(GivenFrame(*place, tenant, mixed))
        return self


def decide(work: Work, entry: Entry | None, full: bool, around: Surroundings) -> Decision:
    """The decision about a command whose object has this entry, or has none.

    Parameters
    ----------
    work : Work
        What is asked.
    entry : Entry | None
        What the table says of the object.
    full : bool
        It is not in the table, and has no place to go.
    around : Surroundings
        What else matters.
    """
    command = work.command
    if work.end is not None:
        assert entry is not None, "nothing removes an object that is being moved"
        return _settle(work, work.end, entry)
    if command.urgency > max(Urgency):
        return Decision().end(Outcome.REJECTED, Reason.MALFORMED)
    if command.operation == Operation.PLACE:
        return _place(command, entry, full, around)
    if entry is None:
        return Decision().end(Outcome.MISSING, Reason.UNKNOWN_OBJECT)
    if command.operation in (Operation.ACCESS, Operation.PREFETCH):
        return _access(command, entry, around)
    return _change(command, entry, around)


def _place(command: Command, entry: Entry | None, full: bool, around: Surroundings) -> Decision:
    if entry is not None:
        return Decision().end(Outcome.REJECTED, Reason.EXISTS)
    if full:
        return Decision().end(Outcome.DEFERRED, Reason.TABLE_FULL)
    tier = command.tier if around.available(command.tier) else command.fallback
    if not around.available(tier):
        return Decision().end(*around.refusal(tier))
    free = around.free[tier]
    assert free is not None
    scrubs = free.clean_for != command.tenant
    if scrubs and around.job is None:
        return _park(around)
    placed = Entry(
        object=command.object,
        tenant=command.tenant,
        at=Place(tier, free.frame),
        expires=around.lease_ends,
    )
    decision = Decision(takes=placed.at)
    if scrubs:
        assert around.job is not None
        decision.starts = decision.fills = True
        placed = dataclasses.replace(placed, state=State.SCRUBBING, job=around.job)
    else:
        _placed(decision, command, tier)
    return decision.write(placed)


def _placed(decision: Decision, command: Command, tier: int) -> None:
    if tier == command.tier:
        decision.end(Outcome.DONE)
    else:
        decision.end(Outcome.CLIPPED, Reason.FALLBACK_TIER)


def _access(command: Command, entry: Entry, around: Surroundings) -> Decision:
    owns = entry.tenant == command.tenant
    if not owns and not entry.readers >> command.tenant & 1:
        return Decision().end(Outcome.REJECTED, Reason.FOREIGN_TENANT)
    if not owns and entry.version == 0:
        return Decision().end(Outcome.REJECTED, Reason.NOT_PUBLISHED)
    if command.version not in (ANY_VERSION, entry.version):
        return Decision().end(Outcome.REJECTED, Reason.WRONG_VERSION)
    if entry.state != State.RESIDENT:
        return _park(around)
    if not around.there[entry.at.tier]:
        return Decision().end(Outcome.REJECTED, Reason.NO_TIER)
    if entry.at.tier <= command.tier:
        return Decision(entry=entry).end(Outcome.DONE)
    if entry.pinned:
        return Decision(entry=entry).end(Outcome.CLIPPED, Reason.PINNED)
    return _copy(command, entry, State.STAGING, around)


def _change(command: Command, entry: Entry, around: Surroundings) -> Decision:
    if entry.tenant != command.tenant:
        return Decision().end(Outcome.REJECTED, Reason.FOREIGN_TENANT)
    if command.operation == Operation.RENEW:
        return _renew(command, entry, around)
    if command.term != entry.term:
        return Decision().end(Outcome.REJECTED, Reason.OLD_TERM)
    moving = entry.state != State.RESIDENT
    if command.operation == Operation.ABORT:
        if not moving:
            return Decision().end(Outcome.MISSING, Reason.NOT_MOVING)
        return Decision(entry=entry, aborts=True).end(Outcome.DONE)
    if moving:
        return _park(around)
    match command.operation:
        case Operation.MOVE | Operation.EVICT:
            return _move(command, entry, around)
        case Operation.PIN | Operation.UNPIN:
            pinned = command.operation == Operation.PIN
            return Decision().write(dataclasses.replace(entry, pinned=pinned)).end(Outcome.DONE)
        case Operation.PUBLISH:
            return _publish(command, entry)
        case Operation.RELEASE:
            return _release(entry)
    return Decision().end(Outcome.REJECTED, Reason.MALFORMED)


def _renew(command: Command, entry: Entry, around: Surroundings) -> Decision:
    following = (entry.term + 1) % (1 << TERM_WIDTH)
    passed = (around.lease_clock - entry.expires) % (1 << LEASE_WIDTH)
    expired = passed < 1 << LEASE_WIDTH - 1
    if command.term == entry.term or (command.term == following and expired):
        renewed = dataclasses.replace(entry, term=command.term, expires=around.lease_ends)
        return Decision().write(renewed).end(Outcome.DONE)
    if command.term == following:
        return Decision().end(Outcome.DEFERRED, Reason.LEASE_HELD)
    return Decision().end(Outcome.REJECTED, Reason.OLD_TERM)


def _move(command: Command, entry: Entry, around: Surroundings) -> Decision:
    evicts = command.operation == Operation.EVICT
    if entry.pinned:
        return Decision().end(Outcome.REJECTED, Reason.PINNED)
    if entry.backing is not None and (evicts or command.tier == entry.backing.tier):
        if not around.there[entry.backing.tier]:
            return Decision().end(Outcome.REJECTED, Reason.NO_TIER)
        gone = dataclasses.replace(entry, at=entry.backing, backing=None)
        return Decision().write(gone).give(entry.at, entry.tenant).end(Outcome.DONE)
    if not around.there[entry.at.tier]:
        return Decision().end(Outcome.REJECTED, Reason.NO_TIER)
    if not evicts and command.tier == entry.at.tier:
        return Decision(entry=entry).end(Outcome.DONE)
    if evicts and command.tier <= entry.at.tier:
        return Decision().end(Outcome.REJECTED, Reason.MALFORMED)
    return _copy(command, entry, State.EVICTING if evicts else State.STAGING, around)


def _publish(command: Command, entry: Entry) -> Decision:
    if command.version <= entry.version:
        return Decision().end(Outcome.REJECTED, Reason.WRONG_VERSION)
    decision = Decision()
    if entry.backing is not None:
        decision.give(entry.backing, entry.tenant)
    published = dataclasses.replace(
        entry,
        version=command.version,
        readers=command.readers,
        checksum=command.checksum,
        checks=command.checks,
        backing=None,
    )
    return decision.write(published).end(Outcome.DONE)


def _release(entry: Entry) -> Decision:
    if entry.pinned:
        return Decision().end(Outcome.REJECTED, Reason.PINNED)
    decision = Decision().write(None).give(entry.at, entry.tenant)
    if entry.backing is not None:
        decision.give(entry.backing, entry.tenant)
    return decision.end(Outcome.DONE)


def _copy(command: Command, entry: Entry, state: State, around: Surroundings) -> Decision:
    tier = command.tier
    if not around.available(tier):
        return Decision().end(*around.refusal(tier))
    if around.job is None:
        return _park(around)
    free = around.free[tier]
    assert free is not None
    decision = Decision(takes=Place(tier, free.frame), starts=True)
    return decision.write(dataclasses.replace(entry, state=state, job=around.job))


def _park(around: Surroundings) -> Decision:
    """The command waits, if there is room for it."""
    if around.may_park:
        return Decision(parks=True)
    return Decision().end(Outcome.DEFERRED, Reason.BUSY)


_FAILURES = {
    HowEnded.DONE: (Outcome.REJECTED, Reason.CHECKSUM),
    HowEnded.ABORTED: (Outcome.DEFERRED, Reason.ABORTED),
    HowEnded.READ_ERROR: (Outcome.REJECTED, Reason.READ_ERROR),
    HowEnded.WRITE_ERROR: (Outcome.REJECTED, Reason.WRITE_ERROR),
}
"""What becomes of the command of a movement that failed. One that is done failed its checksum."""


def _settle(work: Work, end: End, entry: Entry) -> Decision:
    """A job has ended."""
    command = work.command
    assert work.to is not None
    fills = entry.state == State.SCRUBBING
    resident = dataclasses.replace(entry, state=State.RESIDENT)
    good = fills or not entry.checks or end.checksum == entry.checksum
    if end.end != HowEnded.DONE or not good:
        # A new object whose frame could not be cleaned is not there.
        decision = Decision().write(None if fills else resident)
        return decision.give(work.to, entry.tenant, mixed=True).end(*_FAILURES[HowEnded(end.end)])
    decision = Decision()
    if fills:
        _placed(decision, command, entry.at.tier)
        return decision.write(resident)
    if entry.backing is not None:
        decision.give(entry.backing, entry.tenant)
    keeps = command.operation in (Operation.ACCESS, Operation.PREFETCH)
    if not keeps:
        decision.give(entry.at, entry.tenant)
    moved = dataclasses.replace(resident, at=work.to, backing=entry.at if keeps else None)
    return decision.write(moved).end(Outcome.DONE)
