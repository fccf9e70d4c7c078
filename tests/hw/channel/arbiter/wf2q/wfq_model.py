"""WF2Q+ with lateness by the rules of docs/channel.md, over tags that never wrap."""

import dataclasses
from collections import Counter, deque

from mcos_hw.link.classes import NO_CLASS

__all__ = ["Arrival", "Model"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Arrival:
    """A request as its queue takes it."""

    tenant: int
    beats: int
    recent: bool
    cost: int


@dataclasses.dataclass
class Lane:
    """One tenant: what waits, S and F of the head, F of the last request with tags.

    ``stale`` says which of the three are too old for the modular scale.
    """

    queue: deque = dataclasses.field(default_factory=deque)
    start: int = 0
    finish: int = 0
    end: int = 0
    stale: tuple = (False, False, False)


class Model:
    """Queues and WF2Q+ of all tenants; one call of :meth:`clock` a clock."""

    def __init__(self, config):
        self.config = config
        self.lanes = [Lane() for _ in range(config.tenants)]
        # V after each grant: the last entry is the newest.
        self.times = [0]
        self.granted = None
        self.pending = 0
        self.target = 0
        self.anchor = 0
        self.stages = deque([None] * (2 if config.lateness else 0))
        self.entering = (None, False)
        # Priorities and W count from the clock after their commit.
        self.priorities = [0] * config.tenants
        self.inverse_total = 0
        self.seen = Counter()

    def cost(self, beats, inverse, fraction):
        """s / w or s / W, rounded down to a tag unit."""
        return beats * self.config.beat_bytes * inverse * 2**self.config.tag_fraction >> fraction

    def unit(self, size):
        """Bytes at w = 1 in tag units."""
        return size << self.config.tag_fraction

    def after(self, grants):
        """V as the grant numbered ``grants`` from 1 left it; 0 before the first."""
        return self.times[max(grants, 0)]

    @property
    def grants(self):
        return len(self.times) - 1

    @property
    def virtual_time(self):
        """V for arrivals: what the register holds."""
        late = 1 if self.config.lateness >= 2 else 0
        return self.after(self.grants - late)

    def step(self):
        """V after the grant of this clock."""
        tenant, promoted = self.granted
        lane = self.lanes[tenant]
        V = self.times[-1]
        target = V if lane.stale[0] else lane.start
        if promoted:
            target -= self.unit(self.config.tag_lead)
            self.seen["lead"] += target > V
        self.seen["jump"] += target > V
        self.target = target
        fraction = self.config.total_reciprocal_fraction
        cost = self.cost(lane.queue[0].beats, self.inverse_total, fraction)
        return max(V, target) + cost

    def clock(self, *, live, arrival, codes, next_code, promote, open_then):
        """Goes on by a clock.

        ``codes[i]`` is the class of the head of i, or of the request that enters its empty queue;
        ``next_code`` of the one behind the head granted now.
        """
        config, lanes, L = self.config, self.lanes, self.config.lateness
        granted = self.granted[0] if self.granted else None
        V_old = self.virtual_time
        if self.granted:
            self.times.append(self.step())
        # The choice of the next grant sees V as it was L grants before the one that precedes it.
        seen = self.after(self.grants - L)
        V_arrival = self.times[-1] if L == 0 else V_old
        V_anchor = V_arrival
        if L >= 2:
            # The last grant's jump, not its step, is seen by what arrives.
            V_arrival = max(V_arrival, self.pending)
            if granted is not None:
                self.pending = self.target

        if L:
            self.stages.append(arrival)
            entry, approach = self.stages.popleft(), self.stages[0]
        else:
            entry = approach = arrival

        # Requests that enter.
        before = [len(lane.queue) for lane in lanes]
        entering = self.entering

        def quarter(start):
            return (seen - start) % (1 << config.tag_width) >> config.tag_width - 2

        def start_of_approach():
            """S of the request one step before its queue, and whether it is surely not stale."""
            lane = lanes[approach.tenant]
            if L and entry is not None and entry.tenant == approach.tenant:
                start, anchored = entering
                leads = before[entry.tenant] == (entry.tenant == granted)
                return start + entry.cost, anchored and leads and quarter(start) != 1
            if before[approach.tenant] == 0:
                floor = V_arrival - (approach.cost if approach.recent else 0)
                self.seen["depth-1"] += (
                    approach.recent and not lane.stale[0] and lane.end < V_arrival
                )
                self.seen["stale idle"] += lane.stale[0]
                return floor if lane.stale[0] else max(lane.end, floor), True
            end = self.anchor if lane.stale[2] else lane.end
            if approach.tenant == granted and before[approach.tenant] > 2:
                end += lane.queue[2].cost
            return end, lane.stale[2]

        entering_then = start_of_approach() if approach is not None else (0, False)
        if not L:
            entering = entering_then

        def grows_stale(lane):
            return quarter(lane.start) != 0 if lane.stale[0] else quarter(lane.start) == 1

        stale_now = [grows_stale(lane) for lane in lanes]
        heads_before = [lane.start for lane in lanes]
        stale_before = [lane.stale for lane in lanes]
        finish_before = [lane.finish for lane in lanes]

        # The grant.
        if granted is not None:
            lane = lanes[granted]
            lane.queue.popleft()
            end = self.anchor if lane.stale[2] else lane.end
            self.seen["anchor"] += lane.stale[2]
            cost = lane.queue[1].cost if len(lane.queue) > 1 else 0
            start = end if lane.stale[1] else lane.finish
            lane.start, lane.finish, lane.end = start, lane.end, end + cost
            lane.stale = (*lane.stale[1:], False)
        for i, lane in enumerate(lanes):
            if stale_now[i]:
                lane.stale = (True, True, True)

        # The choice: over heads present at the beginning of this clock, and what follows the
        # granted one.
        def rank(i):
            following = i == granted
            lane = lanes[i]
            code = next_code if following else codes[i]
            is_stale = stale_before[i][1] if following else stale_before[i][0]
            start = lane.start if following else heads_before[i]
            finish = lane.finish if following else finish_before[i]
            candidate = is_stale or start <= seen
            priority = self.priorities[i]
            if promote == i and not following:
                return (0,)
            group = 1 + 2 * code + (not candidate)
            if candidate:
                return (group, 0, i) if is_stale else (group, 1, priority, finish, i)
            return (group, start, priority, finish, i)

        present = []
        for i in range(config.tenants):
            if i == granted:
                if before[i] > 1 and next_code != NO_CLASS:
                    present.append(i)
            elif before[i] and codes[i] != NO_CLASS:
                present.append(i)
        ranked = sorted((rank(i), i) for i in present)

        over = live["channel"]["overcommitted"]
        self.inverse_total = live["channel"]["inverse_total_weight"]
        self.priorities = [each.get("priority", 0) if over else 0 for each in live["tenants"]]

        # The request that enters.
        alone = None
        if entry is not None:
            lane = lanes[entry.tenant]
            place = len(lane.queue)
            lane.queue.append(entry)
            start, anchored = entering
            is_stale = stale_before[entry.tenant][2] or stale_now[entry.tenant]
            if place == 0:
                lane.start = start
                lane.finish = lane.end = start + entry.cost
                lane.stale = (is_stale and not anchored,) * 3
                if entry.tenant != granted and codes[entry.tenant] != NO_CLASS:
                    alone = entry.tenant
            elif place == 1:
                lane.end = start + entry.cost
                lane.stale = (*lane.stale[:2], is_stale)
        self.entering = entering_then
        self.anchor = V_anchor - self.unit(config.stale_after // 2)

        self.granted = None
        if open_then:
            if ranked:
                best, chosen = ranked[0]
                self.granted = (chosen, best == (0,))
                self._note(ranked)
            elif alone is not None:
                self.granted = (alone, False)
                self.seen["alone"] += 1

    def _note(self, ranked):
        best = ranked[0][0]
        self.seen["promoted"] += best == (0,)
        if best != (0,):
            self.seen["class", (best[0] - 1) // 2] += 1
            self.seen["stale"] += best[1] == 0 and best[0] % 2 == 1
            self.seen["no candidate"] += best[0] % 2 == 0
        if len(ranked) > 1:
            other = ranked[1][0]
            self.seen["ineligible"] += best[0] != other[0]
            self.seen["tie"] += len(best) > 3 and best[:-1] == other[:-1]
            self.seen["same start"] += (
                len(best) > 3 and best[0] == other[0] and best[0] % 2 == 0 and best[1] == other[1]
            )
