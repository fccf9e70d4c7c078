"""Software's side of the movement engines: commands about objects, one outcome each."""

import dataclasses
from collections.abc import Mapping

from mcos_hw.registers.movement_codes import Operation, Outcome, Reason, Urgency
from mcos_policy.client.error import ClientError
from mcos_policy.client.movement_page import MovementPage
from mcos_policy.client.transport import Transport

__all__ = [
    "Ended",
    "Movement",
    "MovementClient",
    "MovementError",
    "object_id",
]


_PATIENCE = 1_000_000
"""Reads of a register after which what is waited for is not to come."""

_NUMBERS = 1 << 16
"""Numbers that commands have."""


def object_id(name: str | int) -> int:
    """The 64-bit name of an object: the FNV-1a hash of a text in UTF-8; a number is its own.

    All who name an object the same mean the same one, whatever their language: begin a text with
    who owns it. https://datatracker.ietf.org/doc/draft-eastlake-fnv/ has the hash.

    Raises
    ------
    ClientError
        If a number has more than 64 bits.
    """
    if isinstance(name, int):
        if not 0 <= name < 1 << 64:
            raise ClientError(
                "a number that names an object must have 64 bits", str(name), "name it by a text"
            )
        return name
    value = 0xCBF29CE484222325
    for byte in name.encode():
        value = (value ^ byte) * 0x100000001B3 % (1 << 64)
    return value


_WIDTHS = {"version": 32, "tier": 3, "fallback": 3, "urgency": 3, "checksum": 32, "term": 16}
"""Bits of what a command says."""


def _require_fits(name: str, value: int) -> None:
    most = (1 << _WIDTHS[name]) - 1
    if not 0 <= value <= most:
        raise ClientError(f"{name} must be 0 to {most}", str(value), "correct it")


class MovementError(ClientError):
    """A command that did not do what it was to do.

    Parameters
    ----------
    operation : Operation
        What was wanted.
    name : str or int
        The object, as it was named.
    outcome : Outcome
        DEFERRED, REJECTED or MISSING.
    reason : Reason
        Why.
    """

    def __init__(
        self, operation: Operation, name: str | int, outcome: Outcome, reason: Reason
    ) -> None:
        super().__init__(
            f"{operation.name.lower()} of object {name!r} must succeed",
            f"be {outcome.name.lower()}, because {reason.meaning}",
            _WAYS_OUT.get(reason, "correct the command"),
        )
        self.operation = operation
        self.name = name
        self.outcome = outcome
        self.reason = reason


_WAYS_OUT: Mapping[Reason, str] = {
    Reason.UNKNOWN_OBJECT: "place it first",
    Reason.FOREIGN_TENANT: "let its owner publish it for this tenant, or do this itself",
    Reason.WRONG_VERSION: "ask for what is published, or publish a greater version",
    Reason.NOT_PUBLISHED: "wait until its owner has published it",
    Reason.OLD_TERM: "take the lease over with its next term, and write again",
    Reason.LEASE_HELD: "try again when the lease has expired",
    Reason.EXISTS: "release it first, or use what is there",
    Reason.TABLE_FULL: "release an object and try again",
    Reason.NO_FRAME: "evict an object from this tier and try again",
    Reason.OVER_QUOTA: "evict an object of this tenant, or raise its quota",
    Reason.NO_TIER: "name a tier that is up",
    Reason.PINNED: "unpin it first",
    Reason.BUSY: "try again",
    Reason.READ_ERROR: "place it again and write it, for its frame cannot be read",
    Reason.WRITE_ERROR: "try another tier",
    Reason.CHECKSUM: "write and publish it again",
    Reason.ABORTED: "try again if it is wanted",
    Reason.NOT_MOVING: "go on, for there is nothing to abort",
}
"""What to do about each reason."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Ended:
    """How a command ended.

    Parameters
    ----------
    outcome : Outcome
        What became of it.
    reason : Reason
        Why.
    tier : int
        Where its object is. This, and all below, is 0 unless it is done or clipped.
    address : int
        Address of its frame.
    version : int
        The version that is published; 0 if none is.
    term : int
        Number of its lease.
    """

    outcome: Outcome
    reason: Reason
    tier: int
    address: int
    version: int
    term: int

    @property
    def succeeded(self) -> bool:
        """Whether it is done, perhaps not quite as asked."""
        return self.outcome in (Outcome.DONE, Outcome.CLIPPED)


class Movement:
    """A command that was given: it ends later, with one outcome."""

    def __init__(
        self, client: "MovementClient", number: int, operation: Operation, name: str | int
    ) -> None:
        self.client = client
        self.number = number
        self.operation = operation
        self.name = name
        self.ended: Ended | None = None

    def done(self) -> bool:
        """Whether it has ended; looks once, and waits for nothing."""
        if self.ended is None:
            self.client.take_completions()
        return self.ended is not None

    def result(self) -> Ended:
        """How it ended; waits for that.

        Raises
        ------
        MovementError
            If it is deferred, rejected or missing.
        ClientError
            If it does not end.
        """
        for _ in range(self.client.patience):
            if self.done():
                break
        if self.ended is None:
            raise ClientError(
                f"{self.operation.name.lower()} of object {self.name!r} must end",
                f"go on for {self.client.patience} readings",
                "see that the tiers answer and that its movement tag has a guarantee",
            )
        if not self.ended.succeeded:
            raise MovementError(self.operation, self.name, self.ended.outcome, self.ended.reason)
        return self.ended


class MovementClient(MovementPage):
    """Gives commands for one tenant.

    A command returns at once what it will end as. Nothing is lost: a command that has no room waits
    until completions have made some. One process has a page; what another one left there under way
    is waited for and dropped.

    Terms of leases are remembered from what completions tell, so the owner of an object need not
    name them.

    Parameters
    ----------
    transport, page
        As in :class:`MovementPage`; ``page`` is ``client_page(tenant)``.
    patience : int
        Readings of a register after which something that is waited for is not to come.

    Raises
    ------
    ClientError
        If the page is not that of a client, or commands of another process do not end.
    """

    def __init__(self, transport: Transport, page: int = 0, *, patience: int = _PATIENCE) -> None:
        super().__init__(transport, page)
        self.patience = patience
        if self.tenant is None:
            raise ClientError(
                f"the page must be one of 1 to {self.tenants}, a client's",
                str(self.page),
                "map page 1 + t for tenant t",
            )
        self._under_way: dict[int, Movement] = {}
        self._next = 0
        self._terms: dict[int, int] = {}
        self._wait_for_room(self.commands)

    def place(self, name: str | int, *, tier: int, fallback: int | None = None) -> Movement:
        """A new object with a lease of term 1: in ``tier``, else in ``fallback`` (CLIPPED)."""
        return self._give(
            Operation.PLACE, name, tier=tier, fallback=tier if fallback is None else fallback
        )

    def access(self, name: str | int, *, tier: int, version: int = 0) -> Movement:
        """Its address in ``tier`` or a faster one; fetched there if it is in a slower one. Version
        0 is the one that is published last."""
        return self._give(
            Operation.ACCESS, name, tier=tier, version=version, urgency=Urgency.DEMAND
        )

    def prefetch(
        self, name: str | int, *, tier: int, version: int = 0, speculative: bool = False
    ) -> Movement:
        """As :meth:`access`, but nobody waits; a speculative one goes behind all others."""
        urgency = Urgency.SPECULATIVE if speculative else Urgency.DEADLINE
        return self._give(Operation.PREFETCH, name, tier=tier, version=version, urgency=urgency)

    def move(
        self,
        name: str | int,
        *,
        tier: int,
        urgency: int = Urgency.DEADLINE,
        term: int | None = None,
    ) -> Movement:
        """Into ``tier``, and out of where it was."""
        return self._give(Operation.MOVE, name, tier=tier, urgency=urgency, term=term)

    def evict(
        self,
        name: str | int,
        *,
        tier: int,
        urgency: int = Urgency.BACKGROUND,
        term: int | None = None,
    ) -> Movement:
        """Back to its clean copy if it has one, else a copy into ``tier``, a slower one."""
        return self._give(Operation.EVICT, name, tier=tier, urgency=urgency, term=term)

    def pin(self, name: str | int, *, term: int | None = None) -> Movement:
        """It stays where it is."""
        return self._give(Operation.PIN, name, term=term)

    def unpin(self, name: str | int, *, term: int | None = None) -> Movement:
        """It may go again."""
        return self._give(Operation.UNPIN, name, term=term)

    def publish(
        self,
        name: str | int,
        *,
        version: int,
        readers: tuple[int, ...] = (),
        checksum: int | None = None,
        term: int | None = None,
    ) -> Movement:
        """Its content is ``version``, for these tenants beside its owner; ``checksum`` is the
        CRC-32C of the frame. What was written has to be in memory before."""
        return self._give(
            Operation.PUBLISH,
            name,
            version=version,
            readers=self._readers(readers),
            checksum=checksum or 0,
            checks=int(checksum is not None),
            term=term,
        )

    def renew(
        self, name: str | int, *, take_over: bool = False, term: int | None = None
    ) -> Movement:
        """The lease goes on; or its next term takes over a lease that has expired."""
        current = self._term(name) if term is None else term
        return self._give(Operation.RENEW, name, term=(current + take_over) % (1 << 16))

    def release(self, name: str | int, *, term: int | None = None) -> Movement:
        """Nobody needs it any more."""
        return self._give(Operation.RELEASE, name, term=term)

    def abort(self, name: str | int, *, term: int | None = None) -> Movement:
        """Its movement that is under way is not wanted any more."""
        return self._give(Operation.ABORT, name, term=term)

    def interrupt(self, enabled: bool) -> None:
        """Whether a completion that waits interrupts."""
        self.write("INTERRUPT", enabled=int(enabled))

    def take_completions(self) -> int:
        """Take what has ended, and tell it to the commands; how many were taken."""
        taken = 0
        while (head := self.read("COMPLETION"))["valid"]:
            place = self.read("COMPLETION_PLACE")
            ended = Ended(
                outcome=Outcome(head["outcome"]),
                reason=Reason(head["reason"]),
                tier=place["tier"],
                address=self.read("COMPLETION_ADDRESS_LOW")["address"]
                | self.read("COMPLETION_ADDRESS_HIGH")["address"] << 32,
                version=self.read("COMPLETION_VERSION")["version"],
                term=place["term"],
            )
            self.write("COMPLETION_TAKE", take=1)
            taken += 1
            movement = self._under_way.pop(head["number"], None)
            if movement is None:
                continue
            movement.ended = ended
            if movement.operation is Operation.RELEASE and ended.succeeded:
                self._terms.pop(object_id(movement.name), None)
            elif ended.succeeded:
                self._terms[object_id(movement.name)] = ended.term
        return taken

    def _readers(self, tenants: tuple[int, ...]) -> int:
        """A bit for each tenant."""
        for tenant in tenants:
            if not 0 <= tenant < self.tenants:
                raise ClientError(
                    f"readers must be tenants, 0 to {self.tenants - 1}", str(tenant), "correct it"
                )
        return sum(1 << tenant for tenant in set(tenants))

    def _term(self, name: str | int) -> int:
        """The term of an object's lease as it was told last; 1 before it was."""
        return self._terms.get(object_id(name), 1)

    def _give(
        self,
        operation: Operation,
        name: str | int,
        *,
        version: int = 0,
        tier: int = 0,
        fallback: int = 0,
        urgency: int = 0,
        readers: int = 0,
        checksum: int = 0,
        checks: int = 0,
        term: int | None = None,
    ) -> Movement:
        given = {"version": version, "tier": tier, "fallback": fallback, "urgency": urgency}
        for field, value in (given | {"checksum": checksum, "term": term or 0}).items():
            _require_fits(field, value)
        self._wait_for_room(1)
        while self._next in self._under_way:
            self._next = (self._next + 1) % _NUMBERS
        number = self._next
        self._next = (self._next + 1) % _NUMBERS
        identity = object_id(name)
        self.write("OBJECT_LOW", bits=identity & 0xFFFFFFFF)
        self.write("OBJECT_HIGH", bits=identity >> 32)
        self.write("VERSION", version=version)
        self.write(
            "TERMS",
            term=self._term(name) if term is None else term,
            tier=tier,
            fallback=fallback,
            urgency=urgency,
            checks=checks,
        )
        if operation is Operation.PUBLISH:
            self.write("READERS", readers=readers)
            self.write("CHECKSUM", sum=checksum)
        movement = Movement(self, number, operation, name)
        self._under_way[number] = movement
        self.write("COMMAND", number=number, operation=operation)
        return movement

    def _wait_for_room(self, commands: int) -> None:
        for _ in range(self.patience):
            if self.read("QUEUE")["room"] >= commands:
                return
            self.take_completions()
        raise ClientError(
            f"there must be room for {commands} commands",
            f"none after {self.patience} readings",
            "see that the tiers answer and that the movement tag has a guarantee",
        )
