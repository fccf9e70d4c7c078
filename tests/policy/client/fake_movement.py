"""Movement engines that are a program: their registers, and objects that are only names."""

from collections import deque

from mcos_hw.registers.movement import (
    MOVEMENT_MAGIC,
    MOVEMENT_PAGE_BYTES,
    SETTINGS_PAGE,
    client_page,
    movement_map,
)
from mcos_hw.registers.movement_codes import Operation, Outcome, Reason

__all__ = ["FakeMovement"]

_OF_READERS = (Operation.ACCESS, Operation.PREFETCH)

TENANTS, TIERS, ROOM, FRAMES = 4, 3, 4, 8


class FakeMovement:
    """Registers of engines, as a transport that reaches all pages.

    A command ends a number of reads after it was given; the one that was given last ends first if
    ``last_first`` is set. A write that the hardware would refuse fails the test: a client has to
    look before.
    """

    def __init__(self, *, reads=3, last_first=False):
        self.map = movement_map()
        self.places = {
            register.offset + 4 * k: (register, k)
            for register in self.map.registers
            for k in range(register.count)
        }
        self.reads = reads
        self.last_first = last_first
        self.stuck = set()
        """Objects whose commands do not end."""
        self.now = 0
        self.held = {}
        self.commands = []
        self.under_way = {tenant: [] for tenant in range(TENANTS)}
        self.completions = {tenant: deque() for tenant in range(TENANTS)}
        self.ended = []
        self.objects = {}
        self.settings = []
        self.words = {"MOVEMENT": MOVEMENT_MAGIC, "MAP_HASH": self.map.hash, "FRAME": 1024}

    def read32(self, address):
        page, offset = divmod(address, MOVEMENT_PAGE_BYTES)
        register, index = self.places[offset]
        self.now += 1
        self._end()
        tenant = page - client_page(0)
        client = 0 <= tenant < TENANTS
        values = {}
        match register.name:
            case "SIZES":
                values = {"tenants": TENANTS, "tiers": TIERS, "commands": ROOM}
            case "PAGE":
                values = {"page": page, "client": client, "tenant": tenant if client else 0}
            case "QUEUE" if client:
                waiting = len(self.completions[tenant])
                room = ROOM - waiting - len(self.under_way[tenant])
                values = {"room": room, "completions": waiting}
            case "TIER_FRAMES":
                values = {"frames": FRAMES if index < TIERS else 0}
            case "TIER_FREE":
                used = sum(each["tier"] == index for each in self.objects.values())
                values = {"frames": FRAMES - used}
            case "OUTCOMES":
                values = {"count": self.ended.count(index)}
            case name if name.startswith("COMPLETION") and client and self.completions[tenant]:
                values = self._of_completion(name, self.completions[tenant][0])
            case name:
                return self.words.get(name, 0)
        return register.pack(**values)

    def write32(self, address, word):
        page, offset = divmod(address, MOVEMENT_PAGE_BYTES)
        register, _ = self.places[offset]
        fields = register.unpack(word)
        if register.name.startswith("SET_"):
            assert page == SETTINGS_PAGE
            self.settings.append((register.name, fields))
            return
        tenant = page - client_page(0)
        assert 0 <= tenant < TENANTS
        match register.name:
            case "COMMAND":
                under_way = self.under_way[tenant]
                assert len(under_way) + len(self.completions[tenant]) < ROOM
                held = self.held[tenant]
                command = held["TERMS"] | fields | {"tenant": tenant}
                command["object"] = held["OBJECT_HIGH"]["bits"] << 32 | held["OBJECT_LOW"]["bits"]
                command["version"] = held["VERSION"]["version"]
                command |= held.get("READERS", {}) | held.get("CHECKSUM", {})
                self.commands.append(command)
                under_way.append((self.now, command))
            case "COMPLETION_TAKE":
                self.completions[tenant].popleft()
            case name:
                self.held.setdefault(tenant, {})[name] = fields

    def _end(self):
        for tenant, under_way in self.under_way.items():
            ripe = [
                (given, command)
                for given, command in under_way
                if given + self.reads <= self.now and command["object"] not in self.stuck
            ]
            for each in reversed(ripe) if self.last_first else ripe:
                under_way.remove(each)
                completion = {"number": each[1]["number"]} | self._outcome(each[1])
                self.completions[tenant].append(completion)
                self.ended.append(completion["outcome"])

    def _outcome(self, command):
        """Some of the rules: enough for each outcome."""
        name, operation = command["object"], Operation(command["operation"])
        if operation is Operation.PLACE:
            if name in self.objects:
                return {"outcome": Outcome.REJECTED, "reason": Reason.EXISTS}
            clipped = command["tier"] == 0
            tier = command["fallback"] if clipped else command["tier"]
            self.objects[name] = {"tier": tier, "version": 0, "term": 1}
            if clipped:
                return self._there(name, Outcome.CLIPPED, Reason.FALLBACK_TIER)
            return self._there(name)
        if name not in self.objects:
            return {"outcome": Outcome.MISSING, "reason": Reason.UNKNOWN_OBJECT}
        found = self.objects[name]
        if operation is Operation.RENEW:
            found["term"] = command["term"]
        elif operation not in _OF_READERS and command["term"] != found["term"]:
            return {"outcome": Outcome.REJECTED, "reason": Reason.OLD_TERM}
        if operation in (Operation.MOVE, Operation.EVICT, Operation.PREFETCH, Operation.ACCESS):
            if not command["tier"]:
                return {"outcome": Outcome.DEFERRED, "reason": Reason.NO_FRAME}
            found["tier"] = command["tier"]
        if operation is Operation.PUBLISH:
            found["version"] = command["version"]
        told = self._there(name)
        if operation is Operation.RELEASE:
            del self.objects[name]
        return told

    def _there(self, name, outcome=Outcome.DONE, reason=Reason.NONE):
        address = 0x1_8000_0000 + (name % FRAMES) * 1024
        return {"outcome": outcome, "reason": reason, "address": address} | self.objects[name]

    def _of_completion(self, name, completion):
        completion = {"address": 0, "version": 0, "term": 0, "tier": 0} | completion
        match name:
            case "COMPLETION":
                names = ("number", "outcome", "reason")
                return {each: completion[each] for each in names} | {"valid": 1}
            case "COMPLETION_PLACE":
                return {"term": completion["term"], "tier": completion["tier"]}
            case "COMPLETION_VERSION":
                return {"version": completion["version"]}
            case "COMPLETION_ADDRESS_LOW":
                return {"address": completion["address"] & 0xFFFFFFFF}
            case _:
                return {"address": completion["address"] >> 32}
