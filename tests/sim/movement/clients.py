"""Clients of the movement engines that ask at random, and check what they are told.

They keep to one rule: whoever writes an object pins it first, writes where PIN said, publishes and
only then gives UNPIN or RELEASE. So what a version holds is known, whatever else goes on.
"""

import dataclasses
import random

from mcos_hw.link.movement import Operation, Outcome
from tests.hw.movement.test_dma import content, crc32c

__all__ = ["FOREIGN", "Clients"]


FOREIGN = 0xF
"""Marks what was in memory before anybody wrote."""

_TELLING = (Outcome.DONE, Outcome.CLIPPED)
_UNSETTLING = (Operation.UNPIN, Operation.RELEASE, Operation.PUBLISH, Operation.PLACE)
"""What may change an object that is pinned."""


@dataclasses.dataclass
class Known:
    """What is known of an object: from what was told, in the order in which it was."""

    owner: int
    term: int = 1
    version: int = 0
    pinned: int | None = None
    """The address at which it is pinned, if it is."""

    writes: bool = False
    """From the PIN before a write to its publication."""

    pending: int = 0
    """The version that was written and is not published."""


class Clients:
    """Commands, one after the other, and a check of each outcome.

    Parameters
    ----------
    rng : random.Random
        What they ask.
    tenants : int
        How many there are.
    names : list
        Of objects.
    frame_bytes : int
        Bytes of an object.
    memory : InnerMemory | None
        What the frames hold; None where nothing is moved.
    """

    def __init__(self, rng: random.Random, *, tenants, names, frame_bytes, memory=None):
        self.rng = rng
        self.tenants = tenants
        self.names = names
        self.frame_bytes = frame_bytes
        self.memory = memory
        self.outstanding = {}
        self.known: dict[int, Known] = {}
        self.given = 0
        self.told = {}
        """How many ended, by outcome and reason."""

    # What is asked.

    def command(self):
        """The next command."""
        few = self.rng.random() < 0.4
        name = self.rng.choice(self.names[:3] if few else self.names)
        known = self.known.get(name)
        roll = self.rng.random()
        if roll < 0.4:
            command = self._access(name)
        elif roll < 0.92:
            command = self._owner(name, known)
        else:
            command = self._mistake(name, known)
        self.given += 1
        number = self.given & 0xFFFF
        assert number not in self.outstanding
        defaults = {
            "number": number,
            "object": name,
            "version": 0,
            "term": known.term if known else 1,
            "tier": self._tier(),
            "fallback": self._tier(),
            "urgency": self.rng.randrange(5),
            "readers": self.rng.getrandbits(self.tenants) | self.rng.getrandbits(self.tenants),
            "checksum": 0,
            "checks": 0,
        }
        return defaults | command

    def _tier(self):
        return self.rng.choice((0, 0, 1, 1, 2, 2))

    def _access(self, name):
        known = self.known.get(name)
        version = known.version if known and self.rng.random() < 0.3 else 0
        operation = self.rng.choice((Operation.ACCESS, Operation.PREFETCH))
        return {
            "operation": operation,
            "tenant": self.rng.randrange(self.tenants),
            "version": version,
        }

    def _owner(self, name, known):
        """What an owner does that keeps to the rule."""
        rng = self.rng
        if known is None:
            return {"operation": Operation.PLACE, "tenant": rng.randrange(self.tenants)}
        mine = {"tenant": known.owner}
        unsettled = any(
            each["object"] == name and each["operation"] in _UNSETTLING
            for each in self.outstanding.values()
        )
        if known.writes:
            if known.pending and not unsettled:
                return mine | self._publication(name, known)
            return mine | {"operation": rng.choice((Operation.RENEW, Operation.ACCESS))}
        if not unsettled and rng.random() < 0.1 + 0.8 * (known.version == 0):
            known.writes = True
            return mine | {"operation": Operation.PIN}
        if known.pinned is not None and rng.random() < 0.7:
            return mine | {"operation": Operation.UNPIN}
        operation = rng.choice(
            (
                Operation.MOVE,
                Operation.MOVE,
                Operation.EVICT,
                Operation.EVICT,
                Operation.UNPIN,
                Operation.ABORT,
                Operation.ABORT,
                Operation.RENEW,
                Operation.RELEASE,
            )
        )
        return mine | {"operation": operation}

    def _publication(self, name, known):
        checks = self.rng.random() < 0.7
        checksum = 0
        if checks and self.memory is not None:
            checksum = crc32c(self._bytes(name, known.owner, known.pending))
        if self.rng.random() < 0.1:
            checksum ^= 1
        return {
            "operation": Operation.PUBLISH,
            "version": known.pending,
            "checksum": checksum,
            "checks": int(checks),
        }

    def _mistake(self, name, known):
        """What is refused, unless somebody else was quicker."""
        rng = self.rng
        tenant = rng.randrange(self.tenants)
        kind = rng.randrange(6)
        if kind == 0:
            return {"operation": rng.randrange(11, 16), "tenant": known.owner if known else tenant}
        if kind == 1:
            return {"operation": Operation.PLACE, "tenant": tenant, "tier": rng.randrange(8)}
        if kind == 2:
            return {
                "operation": rng.choice((Operation.MOVE, Operation.EVICT, Operation.PREFETCH)),
                "tenant": known.owner if known else tenant,
                "tier": rng.randrange(8),
                "urgency": rng.randrange(8),
            }
        if kind == 3 and known:
            return {
                "operation": Operation.RENEW,
                "tenant": known.owner,
                "term": known.term + rng.choice((-1, 1, 1, 1, 2)) & 0xFFFF,
            }
        if kind == 4 and known:
            # Of another tenant, or of another term.
            term = known.term + rng.choice((-1, 0, 2)) & 0xFFFF
            others = [each for each in range(self.tenants) if each != known.owner]
            return {
                "operation": rng.randrange(3, 11),
                "tenant": known.owner if term != known.term else rng.choice(others),
                "term": term,
                "version": rng.randrange(8),
            }
        return {
            "operation": rng.choice((Operation.ACCESS, Operation.PREFETCH)),
            "tenant": tenant,
            "version": rng.randrange(8),
        }

    def took(self, command):
        """The command was taken."""
        self.outstanding[command["number"]] = command

    # What is told.

    def seen(self, completion):
        """An outcome is offered for the first time: what it tells is true in this clock."""
        if completion["outcome"] not in _TELLING or self.memory is None:
            return
        command = self.outstanding[completion["number"]]
        name, version = command["object"], completion["version"]
        known = self.known.get(name)
        there = content(self.memory, completion["address"], self.frame_bytes)
        if version == 0:
            owners = {each >> 60 for each in _beats(there)}
            mine = {0, command["tenant"] + 1}
            assert owners <= mine, f"{completion} tells of a frame with data of {owners - mine}"
            return
        owner = command["tenant"] if command["operation"] == Operation.PUBLISH else known.owner
        may = [self._bytes(name, owner, version)]
        if known.writes and known.pending:
            may.append(self._bytes(name, owner, known.pending))
        assert there in may, f"{completion} of {command} tells of a frame with other content"

    def ended(self, completion):
        """An outcome was taken."""
        assert completion["number"] in self.outstanding, f"one outcome each, not {completion}"
        command = self.outstanding.pop(completion["number"])
        assert command["tenant"] == completion["tenant"]
        key = Outcome(completion["outcome"]).name, completion["reason"]
        self.told[key] = self.told.get(key, 0) + 1
        self._learn(command, completion, completion["outcome"] in _TELLING)

    def _learn(self, command, completion, done):
        name, operation = command["object"], command["operation"]
        known = self.known.get(name)
        if done and operation == Operation.PLACE:
            assert known is None, "an object is placed once"
            self.known[name] = Known(owner=command["tenant"])
            return
        if completion["outcome"] == Outcome.MISSING and operation != Operation.ABORT:
            assert known is None, f"{command}: the object is there"
        if known is None:
            assert not done, f"{command} of an object that is not there: {completion}"
            return
        if done:
            assert command["tenant"] == known.owner or operation in (
                Operation.ACCESS,
                Operation.PREFETCH,
            )
        if operation == Operation.PIN and known.writes and not known.pending:
            if done:
                self._write(name, known, completion["address"])
            else:
                known.writes = False
        if not done:
            return
        if operation == Operation.RELEASE:
            del self.known[name]
        elif operation == Operation.PUBLISH:
            assert command["term"] == known.term, "an old term is fenced"
            known.version, known.pending, known.writes = command["version"], 0, False
        elif operation == Operation.RENEW:
            known.term = completion["term"]
        elif operation == Operation.PIN:
            known.pinned = completion["address"]
        elif operation == Operation.UNPIN:
            known.pinned = None
        if known.pinned is not None:
            assert completion["address"] == known.pinned, "what is pinned stays"
        if operation != Operation.RELEASE:
            assert completion["version"] == known.version, "the version told is the published one"

    def _write(self, name, known, address):
        known.pending = known.version + self.rng.choice((1, 1, 3))
        if self.memory is None:
            return
        for k, value in enumerate(_beats(self._bytes(name, known.owner, known.pending))):
            self.memory.bytes[address + 8 * k] = value

    def _bytes(self, name, owner, version):
        """What a version of an object holds."""
        return b"".join(
            (owner + 1 << 60 | (name & 0xFFFFFF) << 32 | version << 8 | k).to_bytes(8, "little")
            for k in range(self.frame_bytes // 8)
        )


def _beats(content):
    return [int.from_bytes(content[k : k + 8], "little") for k in range(0, len(content), 8)]
