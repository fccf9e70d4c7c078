"""What a command does to the entry of its object, and what becomes of it."""

from collections.abc import Sequence

from amaranth import *
from amaranth.hdl import Value
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from mcos_hw.config import FabricConfig, MovementConfig
from mcos_hw.link.job import End, Urgency
from mcos_hw.link.movement import (
    ANY_VERSION,
    LEASE_WIDTH,
    Operation,
    Outcome,
    Reason,
    State,
    entry_layout,
    place_layout,
    work_layout,
)
from mcos_hw.movement.frames import (
    FreeFrame,
    GivenFrame,
    free_frame_signature,
    given_frame_signature,
)

__all__ = ["Decision"]


_TIERS_NAMED = 8
"""Tiers that a command can name."""


class Decision(wiring.Component):
    """Decides one command, or the end of a movement, in one clock.

    It keeps nothing. Whoever asks lets its outputs take effect all at once, or not at all: a write
    of the table, frames that are taken and given back, a job, a completion. Rules, in their order:

    1. An object that is not there is MISSING. A new one finds its name unused.
    2. A tenant that neither owns the object nor is a reader gets FOREIGN_TENANT. What changes the
       object is its owner's, under the term of its lease.
    3. A version is checked before a place is told.
    4. While the object is being moved, the command is parked. So it is while all jobs are under
       way, if it needs one: it must not stand in front of the end of one.
    5. A frame that another tenant had is filled with zeros before its new owner learns its address.
    6. An object whose copy in a slower tier is clean goes back there without a movement.
    7. Nothing is told of, copied from or left in a tier that cannot be reached.

    Parameters
    ----------
    fabric : FabricConfig
        Sizes of the fabric.
    movement : MovementConfig
        Sizes of the engines.

    Members
    -------
    work : In(work_layout)
        What is asked.
    found : In(1), full : In(1), entry : In(entry_layout)
        What the table says of its object.
    free : In(FreeFrame), an array with one for each tier
        The frame that would be taken; ``take`` is set if it is.
    within, up : In(tiers)
        Bit t: the tenant may have a frame of tier t; tier t can be reached.
    may_park : In(1)
        There is room for a parked command.
    has_job : In(1), job : In(job_width)
        Whether there can be another job, and the number that it would have.
    lease_clock, lease : In(LEASE_WIDTH)
        The lease clock, and how long a lease holds.
    completes : Out(1), outcome : Out(3), reason : Out(5), tells : Out(1)
        The command ends in this clock, and how; ``tells`` if its completion says where it is.
    parks : Out(1)
        It is parked.
    writes, taken : Out(1), value : Out(entry_layout)
        The entry is written; ``taken`` unless it is removed.
    starts, fills : Out(1), to : Out(place_layout)
        A job begins: a copy from the entry's frame, or a fill, into this frame.
    aborts : Out(1)
        The job of the entry is aborted.
    given : Out(GivenFrame), an array with one for each tier
        Frames that are given back.
    """

    work: data.View
    found: Signal
    full: Signal
    entry: data.View
    free: Sequence[FreeFrame]
    within: Signal
    up: Signal
    may_park: Signal
    has_job: Signal
    job: Signal
    lease_clock: Signal
    lease: Signal
    completes: Signal
    outcome: Signal
    reason: Signal
    tells: Signal
    parks: Signal
    writes: Signal
    taken: Signal
    value: data.View
    starts: Signal
    fills: Signal
    to: data.View
    aborts: Signal
    given: Sequence[GivenFrame]

    def __init__(self, fabric: FabricConfig, movement: MovementConfig) -> None:
        self.fabric = fabric
        self.movement = movement
        tiers = len(movement.frames)
        super().__init__(
            {
                "work": In(work_layout(fabric, movement)),
                "found": In(1),
                "full": In(1),
                "entry": In(entry_layout(fabric, movement)),
                "free": In(free_frame_signature(fabric, movement)).array(tiers),
                "within": In(tiers),
                "up": In(tiers),
                "may_park": In(1),
                "has_job": In(1),
                "job": In(movement.job_width),
                "lease_clock": In(LEASE_WIDTH),
                "lease": In(LEASE_WIDTH),
                "completes": Out(1),
                "outcome": Out(Outcome),
                "reason": Out(Reason),
                "tells": Out(1),
                "parks": Out(1),
                "writes": Out(1),
                "taken": Out(1),
                "value": Out(entry_layout(fabric, movement)),
                "starts": Out(1),
                "fills": Out(1),
                "to": Out(place_layout(movement)),
                "aborts": Out(1),
                "given": Out(given_frame_signature(fabric, movement)).array(tiers),
            }
        )

    def elaborate(self, platform):
        m = Module()
        command, entry = self.work.command, self.entry
        # Bits of tiers that are none are 0: a command may name any of eight.
        there = Cat(self.up[t] if count else 0 for t, count in enumerate(self.movement.frames))
        self._there, self._within, self._available = (
            Signal(_TIERS_NAMED, name=name) for name in ("there", "within", "available")
        )
        m.d.comb += [
            self._there.eq(there),
            self._within.eq(self.within),
            self._available.eq(there & self.within & Cat(free.valid for free in self.free)),
            self.value.eq(entry),
            self.taken.eq(1),
            *(given.tenant.eq(entry.tenant) for given in self.given),
        ]
        with m.If(self.work.settles):
            self._settle(m)
        with m.Elif(command.urgency > max(Urgency)):
            # Its job would never be the most urgent one.
            self._end(m, Outcome.REJECTED, Reason.MALFORMED)
        with m.Elif(command.operation == Operation.PLACE):
            self._place(m)
        with m.Elif(~self.found):
            self._end(m, Outcome.MISSING, Reason.UNKNOWN_OBJECT)
        with m.Elif(
            (command.operation == Operation.ACCESS) | (command.operation == Operation.PREFETCH)
        ):
            self._access(m)
        with m.Else():
            self._change(m)
        return m

    def _place(self, m: Module) -> None:
        """A new object."""
        command, value = self.work.command, self.value
        tier = Signal(3)
        clean = Signal(self.fabric.channel.tenants)
        m.d.comb += tier.eq(
            Mux(self._available.bit_select(command.tier, 1), command.tier, command.fallback)
        )
        for t, free in enumerate(self.free):
            with m.If(tier == t):
                m.d.comb += clean.eq(free.clean)
        scrubs = ~clean.bit_select(command.tenant, 1)
        with m.If(self.found):
            self._end(m, Outcome.REJECTED, Reason.EXISTS)
        with m.Elif(self.full):
            self._end(m, Outcome.DEFERRED, Reason.TABLE_FULL)
        with m.Elif(~self._available.bit_select(tier, 1)):
            self._none_free(m, tier)
        with m.Elif(scrubs & ~self.has_job):
            self._park(m)
        with m.Else():
            self._take(m, tier)
            m.d.comb += [
                self.writes.eq(1),
                value.eq(0),
                value.object.eq(command.object),
                value.tenant.eq(command.tenant),
                value.term.eq(1),
                value.expires.eq(self.lease_clock + self.lease),
                value.at.eq(self.to),
            ]
            with m.If(scrubs):
                m.d.comb += [
                    self.starts.eq(1),
                    self.fills.eq(1),
                    value.state.eq(State.SCRUBBING),
                    value.job.eq(self.job),
                ]
            with m.Else():
                self._placed(m, tier)

    def _placed(self, m: Module, tier: Value) -> None:
        """A new object has its frame."""
        with m.If(tier == self.work.command.tier):
            self._end(m, Outcome.DONE)
        with m.Else():
            self._end(m, Outcome.CLIPPED, Reason.FALLBACK_TIER)

    def _access(self, m: Module) -> None:
        """Where a version is, for one who may read it."""
        command, entry = self.work.command, self.entry
        own = entry.tenant == command.tenant
        with m.If(~own & ~entry.readers.bit_select(command.tenant, 1)):
            self._end(m, Outcome.REJECTED, Reason.FOREIGN_TENANT)
        with m.Elif((entry.version == 0) & ~own):
            self._end(m, Outcome.REJECTED, Reason.NOT_PUBLISHED)
        with m.Elif((command.version != ANY_VERSION) & (command.version != entry.version)):
            self._end(m, Outcome.REJECTED, Reason.WRONG_VERSION)
        with m.Elif(entry.state != State.RESIDENT):
            self._park(m)
        with m.Elif(~self._reaches(entry.at)):
            self._end(m, Outcome.REJECTED, Reason.NO_TIER)
        with m.Elif(entry.at.tier <= command.tier):
            self._end(m, Outcome.DONE)
        with m.Elif(entry.pinned):
            self._end(m, Outcome.CLIPPED, Reason.PINNED)
        with m.Else():
            self._copy(m, State.STAGING)

    def _change(self, m: Module) -> None:
        """What only the owner may ask for."""
        command, entry, value = self.work.command, self.entry, self.value
        with m.If(entry.tenant != command.tenant):
            self._end(m, Outcome.REJECTED, Reason.FOREIGN_TENANT)
        with m.Elif(command.operation == Operation.RENEW):
            self._renew(m)
        with m.Elif(command.term != entry.term):
            self._end(m, Outcome.REJECTED, Reason.OLD_TERM)
        with m.Elif(command.operation == Operation.ABORT):
            with m.If(entry.state == State.RESIDENT):
                self._end(m, Outcome.MISSING, Reason.NOT_MOVING)
            with m.Else():
                m.d.comb += self.aborts.eq(1)
                self._end(m, Outcome.DONE)
        with m.Elif(entry.state != State.RESIDENT):
            self._park(m)
        with m.Else(), m.Switch(command.operation):
            with m.Case(Operation.MOVE, Operation.EVICT):
                self._move(m)
            with m.Case(Operation.PIN, Operation.UNPIN):
                m.d.comb += [
                    self.writes.eq(1),
                    value.pinned.eq(command.operation == Operation.PIN),
                ]
                self._end(m, Outcome.DONE)
            with m.Case(Operation.PUBLISH):
                self._publish(m)
            with m.Case(Operation.RELEASE):
                self._release(m)
            with m.Default():
                self._end(m, Outcome.REJECTED, Reason.MALFORMED)

    def _renew(self, m: Module) -> None:
        """A lease goes on, or the next term takes over one that has expired."""
        command, entry, value = self.work.command, self.entry, self.value
        expired = (self.lease_clock - entry.expires)[LEASE_WIDTH - 1] == 0
        renews = command.term == entry.term
        with m.If(renews | ((command.term == (entry.term + 1)[: len(entry.term)]) & expired)):
            m.d.comb += [
                self.writes.eq(1),
                value.term.eq(command.term),
                value.expires.eq(self.lease_clock + self.lease),
            ]
            self._end(m, Outcome.DONE)
        with m.Elif(command.term == (entry.term + 1)[: len(entry.term)]):
            self._end(m, Outcome.DEFERRED, Reason.LEASE_HELD)
        with m.Else():
            self._end(m, Outcome.REJECTED, Reason.OLD_TERM)

    def _move(self, m: Module) -> None:
        """Out of its frame: to where its clean copy is, or into another tier."""
        command, entry, value = self.work.command, self.entry, self.value
        evicts = command.operation == Operation.EVICT
        with m.If(entry.pinned):
            self._end(m, Outcome.REJECTED, Reason.PINNED)
        with m.Elif(entry.backed & (evicts | (command.tier == entry.backing.tier))):
            with m.If(self._reaches(entry.backing)):
                self._give(m, entry.at)
                m.d.comb += [self.writes.eq(1), value.at.eq(entry.backing), value.backed.eq(0)]
                self._end(m, Outcome.DONE)
            with m.Else():
                self._end(m, Outcome.REJECTED, Reason.NO_TIER)
        with m.Elif(~self._reaches(entry.at)):
            self._end(m, Outcome.REJECTED, Reason.NO_TIER)
        with m.Elif(~evicts & (command.tier == entry.at.tier)):
            self._end(m, Outcome.DONE)
        with m.Elif(evicts & (command.tier <= entry.at.tier)):
            self._end(m, Outcome.REJECTED, Reason.MALFORMED)
        with m.Else():
            self._copy(m, Mux(evicts, State.EVICTING, State.STAGING))

    def _publish(self, m: Module) -> None:
        """A version is there. Copies of the one before are worth nothing."""
        command, entry, value = self.work.command, self.entry, self.value
        with m.If(command.version <= entry.version):
            self._end(m, Outcome.REJECTED, Reason.WRONG_VERSION)
        with m.Else():
            with m.If(entry.backed):
                self._give(m, entry.backing)
            m.d.comb += [
                self.writes.eq(1),
                value.version.eq(command.version),
                value.readers.eq(command.readers),
                value.checksum.eq(command.checksum),
                value.checks.eq(command.checks),
                value.backed.eq(0),
            ]
            self._end(m, Outcome.DONE)

    def _release(self, m: Module) -> None:
        """The object is gone, and its frames are free."""
        entry = self.entry
        with m.If(entry.pinned):
            self._end(m, Outcome.REJECTED, Reason.PINNED)
        with m.Else():
            self._give(m, entry.at)
            with m.If(entry.backed):
                self._give(m, entry.backing)
            m.d.comb += [self.writes.eq(1), self.taken.eq(0)]
            self._end(m, Outcome.DONE)

    def _copy(self, m: Module, state: Value | State) -> None:
        """A job copies the object into the tier of the command."""
        tier, value = self.work.command.tier, self.value
        with m.If(~self._available.bit_select(tier, 1)):
            self._none_free(m, tier)
        with m.Elif(~self.has_job):
            self._park(m)
        with m.Else():
            self._take(m, tier)
            m.d.comb += [
                self.starts.eq(1),
                self.writes.eq(1),
                value.state.eq(state),
                value.job.eq(self.job),
            ]

    def _settle(self, m: Module) -> None:
        """A job has ended. Its object is there: nothing removes one that is being moved."""
        work, entry, value = self.work, self.entry, self.value
        operation = work.command.operation
        copied = ~entry.checks | (work.sum == entry.checksum)
        filled = entry.state == State.SCRUBBING
        m.d.comb += [self.writes.eq(1), value.state.eq(State.RESIDENT)]
        with m.If((work.end == End.DONE) & (filled | copied)):
            with m.If(filled):
                self._placed(m, entry.at.tier)
            with m.Else():
                keeps = (operation == Operation.ACCESS) | (operation == Operation.PREFETCH)
                m.d.comb += [value.at.eq(work.to), value.backed.eq(keeps)]
                with m.If(keeps):
                    m.d.comb += value.backing.eq(entry.at)
                with m.Else():
                    self._give(m, entry.at)
                with m.If(entry.backed):
                    self._give(m, entry.backing)
                self._end(m, Outcome.DONE)
        with m.Else():
            # What was there before is partly in the frame.
            self._give(m, work.to, mixed=1)
            m.d.comb += self.taken.eq(~filled)
            with m.Switch(work.end):
                with m.Case(End.DONE):
                    self._end(m, Outcome.REJECTED, Reason.CHECKSUM)
                with m.Case(End.ABORTED):
                    self._end(m, Outcome.DEFERRED, Reason.ABORTED)
                with m.Case(End.READ_ERROR):
                    self._end(m, Outcome.REJECTED, Reason.READ_ERROR)
                with m.Case(End.WRITE_ERROR):
                    self._end(m, Outcome.REJECTED, Reason.WRITE_ERROR)

    def _end(self, m: Module, outcome: Outcome, reason: Reason = Reason.NONE) -> None:
        """The command ends."""
        m.d.comb += [
            self.completes.eq(1),
            self.outcome.eq(outcome),
            self.reason.eq(reason),
            self.tells.eq(outcome in (Outcome.DONE, Outcome.CLIPPED)),
        ]

    def _park(self, m: Module) -> None:
        """The command waits for the movement of its object."""
        with m.If(self.may_park):
            m.d.comb += self.parks.eq(1)
        with m.Else():
            self._end(m, Outcome.DEFERRED, Reason.BUSY)

    def _take(self, m: Module, tier: Value) -> None:
        """A frame of a tier that has one is taken."""
        m.d.comb += self.to.tier.eq(tier)
        for t, free in enumerate(self.free):
            with m.If(tier == t):
                m.d.comb += [free.take.eq(1), self.to.frame.eq(free.frame)]

    def _give(self, m: Module, place: data.View, *, mixed: int = 0) -> None:
        """A frame is given back. Those of one clock are of different tiers."""
        for tier, given in enumerate(self.given):
            with m.If(place.tier == tier):
                m.d.comb += [given.stb.eq(1), given.frame.eq(place.frame), given.mixed.eq(mixed)]

    def _reaches(self, place: data.View) -> Value:
        """Whether a frame is in a tier that can be reached."""
        return self._there.bit_select(place.tier, 1)

    def _none_free(self, m: Module, tier: Value) -> None:
        """The command ends because a tier has no frame for its tenant."""
        with m.If(~self._there.bit_select(tier, 1)):
            self._end(m, Outcome.REJECTED, Reason.NO_TIER)
        with m.Elif(~self._within.bit_select(tier, 1)):
            self._end(m, Outcome.DEFERRED, Reason.OVER_QUOTA)
        with m.Else():
            self._end(m, Outcome.DEFERRED, Reason.NO_FRAME)
