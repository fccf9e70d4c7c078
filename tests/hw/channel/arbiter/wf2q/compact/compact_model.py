"""WF2Q+ with looks some clocks before a grant, by the rules of docs/compact.md, tags unbounded."""

import dataclasses
from collections import Counter, defaultdict, deque

from mcos_hw.link.classes import NO_CLASS

__all__ = ["CompactModel"]

UPDATE = 3
"""Clocks from a grant, or from the turn of a head that enters, to its effect on tags."""


@dataclasses.dataclass
class Lane:
    """One tenant: what waits, and the tags of its head or of its last one."""

    queue: deque = dataclasses.field(default_factory=deque)
    start: int = 0
    finish: int = 0
    stale: bool = False
    tagged: bool = False


class CompactModel:
    """Queues and WF2Q+ of all tenants; :meth:`begin` and :meth:`end` are a clock."""

    def __init__(self, config):
        self.config = config
        self.lanes = [Lane() for _ in range(config.tenants)]
        self.clock = 0
        self.time = 0
        self.granted = None
        self.nominates = False
        self.last_grant = -100
        self.opens = False
        self.looks = {}
        # What happens at the end of a clock.
        self.due = defaultdict(list)
        self.turns = set()
        self.way = deque([None, None])
        self.priorities = [0] * config.tenants
        self.seen = Counter()

    def unit(self, size):
        """Bytes at w = 1 in tag units."""
        return size << self.config.tag_fraction

    def begin(self, *, codes, promote):
        """The clock's look and its grant, with classes and promotion as they are in it."""
        self.looks[self.clock] = self.look(codes, promote)
        best = self.looks.get(self.clock - self.config.look_clocks)
        self.granted = None
        self.nominates = self.opens and best is not None
        if self.nominates:
            tenant, promoted = best
            if promoted and promote != tenant:
                self.seen["withdrawn"] += 1
            else:
                self.granted = best

    def look(self, codes, promote):
        """Who goes first, and whether by age."""
        ranked = []
        for i, lane in enumerate(self.lanes):
            if not lane.tagged or codes[i] == NO_CLASS:
                continue
            if promote == i:
                ranked.append(((0,), i))
                continue
            candidate = lane.stale or lane.start <= self.time
            rank = 1 + 2 * codes[i] + (not candidate)
            if lane.stale:
                key = (rank, 0, i)
            elif candidate:
                key = (rank, 1, self.priorities[i], lane.finish, i)
            else:
                key = (rank, lane.start, self.priorities[i], lane.finish, i)
            ranked.append((key, i))
        ranked.sort()
        if not ranked:
            return None
        best = ranked[0][0]
        if len(ranked) > 1:
            other = ranked[1][0]
            self.seen["ineligible"] += best[0] % 2 == 1 and other[0] == best[0] + 1
            self.seen["tie"] += len(best) == 5 and best[:-1] == other[:-1]
        return ranked[0][1], best == (0,)

    def end(self, *, live, arrival, open_then):
        """What the clock changes."""
        config = self.config
        entry = self.way.popleft()
        self.way.append(arrival)

        busy = self.clock - self.last_grant <= 1 or self.nominates
        if self.turns and not busy:
            self.seen["waits"] += len(self.turns) > 1
            i = min(self.turns)
            self.turns.remove(i)
            self._enter(i)
        if self.granted is not None:
            self._grant(live, entry)
        if entry is not None:
            lane = self.lanes[entry.tenant]
            if not lane.queue and not (self.granted and self.granted[0] == entry.tenant):
                self.turns.add(entry.tenant)
            lane.queue.append(entry)
        if self.granted is not None:
            self.lanes[self.granted[0]].queue.popleft()
            self.last_grant = self.clock
        for lane in self.lanes:
            lane.stale |= self.unit(config.stale_after) <= self.time - lane.start
        for effect in self.due.pop(self.clock, ()):
            effect()

        over = live["channel"]["overcommitted"]
        self.priorities = [each.get("priority", 0) if over else 0 for each in live["tenants"]]
        self.clock += 1
        rested = self.clock - self.last_grant >= config.grant_interval
        self.opens = bool(open_then) and rested

    def _write(self, i, start, cost):
        lane = self.lanes[i]
        lane.start, lane.finish, lane.stale, lane.tagged = start, start + cost, False, True

    def _enter(self, i):
        """The turn of a head in a queue that was empty; its S is made in the next clock."""
        lane = self.lanes[i]
        stale, finish, head = lane.stale, lane.finish, lane.queue[0]

        def make_start():
            floor = self.time - (head.cost if head.recent else 0)
            self.seen["depth-1"] += head.recent and not stale and finish < self.time
            self.seen["stale idle"] += stale
            start = floor if stale else max(finish, floor)
            self.due[self.clock + 1].append(lambda: self._write(i, start, head.cost))

        self.due[self.clock + 1].insert(0, make_start)

    def _grant(self, live, entry):
        """The head leaves; V, and the tags of what is behind it, follow."""
        config, (i, promoted) = self.config, self.granted
        lane = self.lanes[i]
        lane.tagged = False
        target = self.time if lane.stale else lane.start
        if promoted:
            target -= self.unit(config.tag_lead)
            self.seen["lead"] += target > self.time
        self.seen["promoted"] += promoted
        self.seen["jump"] += target > self.time
        self.seen["stale"] += lane.stale
        inverse = live["channel"]["inverse_total_weight"]
        size = self.unit(lane.queue[0].beats * config.beat_bytes)
        time = max(self.time, target) + (size * inverse >> config.total_reciprocal_fraction)

        def move():
            self.time = time

        self.due[self.clock + UPDATE - 1].append(move)
        behind = [*lane.queue, entry] if entry and entry.tenant == i else [*lane.queue]
        if len(behind) > 1:
            start = lane.finish
            if lane.stale:
                start = self.time - self.unit(config.stale_after // 2)
                self.seen["anchor"] += 1
            self.seen["follows at once"] += len(lane.queue) == 1
            cost = behind[1].cost
            self.due[self.clock + UPDATE - 1].append(lambda: self._write(i, start, cost))
