"""Where every value of the model is in its array.

The state is one flat array of int64, with a value of each of 16 tenants side by side: compiled code
then finds everything at constant offsets from one pointer. Values have their places in the order of
this file, one behind the other. Places of the live image and of the counters follow from the
register map; :mod:`mcos_sim.model.live` and :mod:`mcos_sim.model.counters` give them names.
"""

from mcos_hw.config import ChannelConfig
from mcos_hw.registers import channel_map
from mcos_hw.registers.image import SectionKind
from mcos_hw.registers.monitor import counter_registers

LANES = 16
"""Places of a tenant array, however many tenants there are."""

ROWS = 64
"""Places of a tenant's queue, however deep it is."""

OUTLET_DEPTH = 3
"""Commands that can wait for memory: the one at the port, and two that were granted already.

A number of the model's own: what both sides import from one place no comparison sees.
"""

_LINE = 8

NOBODY = -1
LONG_AGO = -(1 << 40)
NEVER = 1 << 62


class _Places:
    """Hands out places of the array, one behind the other; arrays begin with a cache line."""

    def __init__(self) -> None:
        self.next = 0

    def take(self, length: int) -> int:
        """The first of ``length`` places."""
        if length > 1:
            self.next = -(-self.next // _LINE) * _LINE
        place = self.next
        self.next += length
        return place

    def of_channel(self) -> int:
        """The place of a single value."""
        return self.take(1)

    def of_tenants(self) -> int:
        """The first of the places of a value that each tenant has; tenant ``i`` is at ``+ i``."""
        return self.take(LANES)

    def of_requests(self) -> int:
        """The first of the places of a value that each queued request has.

        Row ``k`` of tenant ``i``'s queue is at ``+ ROWS * i + k``.
        """
        return self.take(LANES * ROWS)


_place = _Places()

# Sizes, see mcos_hw.config.ChannelConfig.
TENANTS = _place.of_channel()
QUEUE_MASK = _place.of_channel()
QUEUE_DEPTH = _place.of_channel()
BEAT_BYTES = _place.of_channel()
BEAT_BITS = _place.of_channel()
LATENESS = _place.of_channel()
TAG_WIDTH = _place.of_channel()
TAG_MASK = _place.of_channel()
STALE_AFTER = _place.of_channel()
TAG_LEAD = _place.of_channel()
PRICE_WIDENING = _place.of_channel()
PRICE_FRACTION = _place.of_channel()
COST_SHIFT = _place.of_channel()
RATE_FRACTION = _place.of_channel()
L_MAX = _place.of_channel()
SLOTS = _place.of_channel()
ROUND_BITS = _place.of_channel()
OLDEST_AGE = _place.of_channel()
KIND = _place.of_channel()
GRANT_INTERVAL = _place.of_channel()
COMPACT = _place.of_channel()
"""Whether the arbiter is the compact one."""
STEPS = _place.of_channel()
"""Whether a request takes a clock for each step into its queue, and a class one, too."""
LOOK_CLOCKS = _place.of_channel()
TABLE = _place.of_channel()
"""Whether the buckets of all tenants are visited in turn."""

# The live image, in the order of the register map: the channel's fields, then those of the tenants.
_map = channel_map(ChannelConfig())
_of_channel = {
    field.name: _place.of_channel() for field in _map.section_fields(SectionKind.CHANNEL)
}
_of_tenants = {field.name: _place.of_tenants() for field in _map.section_fields(SectionKind.TENANT)}
LIVE = _of_channel | _of_tenants
"""The first place of each field."""
LIVE_CHANNEL, CHANNEL_FIELDS = min(_of_channel.values()), len(_of_channel)
LIVE_TENANTS, TENANT_FIELDS = min(_of_tenants.values()), len(_of_tenants)

# The channel's own state at the beginning of a clock.
CLOCK = _place.of_channel()
FRESH_IMAGE = _place.of_channel()
GRANT = _place.of_channel()
"""Tenant granted in this clock, or NOBODY."""
GRANT_BEATS = _place.of_channel()
GRANT_CLASS = _place.of_channel()
PROMOTED = _place.of_channel()
OPEN = _place.of_channel()
TIME = _place.of_channel()
"""Virtual time."""
TIME_BEFORE = _place.of_channel()
TIME_LONG_BEFORE = _place.of_channel()
STEP_TO = _place.of_channel()
STEP_JUMPS = _place.of_channel()
STEP_COST = _place.of_channel()
ANCHOR = _place.of_channel()
KEPT_INVERSE = _place.of_channel()
TAGS_MOVED = _place.of_channel()
APPROACH = _place.of_channel()
"""Tenant of the request one step before its queue, or NOBODY."""
APPROACH_BEATS = _place.of_channel()
APPROACH_RECENT = _place.of_channel()
APPROACH_OUTSIDE = _place.of_channel()
APPROACH_PRICE = _place.of_channel()
ENTRY = _place.of_channel()
"""Tenant of the request that enters its queue, or NOBODY."""
ENTRY_BEATS = _place.of_channel()
ENTRY_OUTSIDE = _place.of_channel()
ENTRY_COST = _place.of_channel()
ENTRY_START = _place.of_channel()
ENTRY_ANCHORED = _place.of_channel()
ENTRY_RECENT = _place.of_channel()
DEBT = _place.of_channel()
IN_FLIGHT = _place.of_channel()
CREDIT_BEFORE = _place.of_channel()
READY = _place.of_channel()
"""Bit i: the queue of tenant i takes a request."""
UNGATED = _place.of_channel()
"""Requests of a tenant that is not enabled are taken, as behind ports that refuse its bursts."""
QUEUED = _place.of_channel()
"""Requests taken and not granted, of all tenants."""
FREE_SLOTS = _place.of_channel()
UNUSED_SLOT = _place.of_channel()
"""Slots below it have been used since reset."""
FIRST_FREE = _place.of_channel()
LAST_FREE = _place.of_channel()
LEFT = _place.of_channel()
"""Tenant of the request granted in the clock before, or NOBODY."""
LEFT_CLASS = _place.of_channel()
LEFT_PROMOTED = _place.of_channel()
LEFT_BEATS = _place.of_channel()
LEFT_OP = _place.of_channel()
LEFT_ADDRESS = _place.of_channel()
LEFT_ID = _place.of_channel()
LEFT_OFFERED = _place.of_channel()
OUTLET_COUNT = _place.of_channel()
SERVED = _place.of_channel()
SERVED_SLOT = _place.of_channel()
SERVED_TENANT = _place.of_channel()
SERVED_ID = _place.of_channel()
SERVED_BEATS = _place.of_channel()
SERVED_OFFERED = _place.of_channel()
LAST_TURN = _place.of_channel()
"""Of round robin and fixed priority."""
NEXT_GRANT = _place.of_channel()
"""First clock in which the interval allows a grant."""
SETTLES = _place.of_channel()
"""Clock up to which a new image may still change classes of heads."""

# Compact arbiter: what is on its way to be tags and virtual time, a step a clock.
TAGGED = _place.of_channel()
"""Bit i: the head of tenant i has its tags."""
UNTAGGED = _place.of_channel()
"""Bit i: the head of tenant i entered an empty queue, and waits for its tags."""
FIRST = _place.of_channel()
"""Tenant of the head that has the F before it, or NOBODY."""
FIRST_FOLLOWS = _place.of_channel()
FIRST_STALE = _place.of_channel()
FIRST_FINISH = _place.of_channel()
FIRST_PRICE = _place.of_channel()
SECOND = _place.of_channel()
"""Tenant of the head that has its S, or NOBODY."""
SECOND_START = _place.of_channel()
SECOND_PRICE = _place.of_channel()
WITHDRAWN = _place.of_channel()
"""Whether this clock grants nothing because a promotion that its look saw is withdrawn."""
STEP_BEGINS = _place.of_channel()
"""Whether a grant was made in the clock before."""
STEP_START = _place.of_channel()
STEP_BEATS = _place.of_channel()
STEP_ENDS = _place.of_channel()
"""Whether virtual time moves with this clock."""
LOOKS = 8
LOOK_TENANT = _place.take(LOOKS)
"""Who goes first among the heads of a clock, by the clock modulo LOOKS."""
LOOK_CLASS = _place.take(LOOKS)
LOOK_PROMOTED = _place.take(LOOKS)

# Buckets that are visited in turn: those on their way, by the clock of their reading modulo
# TABLE_STEPS.
TABLE_STEPS = 4
STEP_TENANT = _place.take(TABLE_STEPS)
"""Whose buckets, or NOBODY."""
STEP_CHARGED = _place.take(TABLE_STEPS)
"""The same tenant if a grant charges them, or NOBODY."""
STEP_CLOCK = _place.take(TABLE_STEPS)
STEP_COMMITTED = _place.take(TABLE_STEPS)
STEP_PEAK = _place.take(TABLE_STEPS)
STEP_FULL_COMMITTED = _place.take(TABLE_STEPS)
"""What is left if they are filled first."""
STEP_FULL_PEAK = _place.take(TABLE_STEPS)
TABLE_TURN = _place.of_channel()
TABLE_VISITED = _place.of_channel()
"""Whether a visit began in the clock before."""
WAITING_TENANT = _place.of_channel()
"""Whose buckets made way for a grant in the clock before, or NOBODY."""
WAITING_COMMITTED = _place.of_channel()
WAITING_PEAK = _place.of_channel()
TO_FILL = _place.of_channel()
"""Bit i: tenant i was enabled, and its buckets are still to be filled."""

# Age guard.
VISITED = _place.of_channel()
VISITED_AGE = _place.of_channel()
VISITED_LIMIT = _place.of_channel()
VISITED_GUARDED = _place.of_channel()
VISITED_READY = _place.of_channel()
COMPARED = _place.of_channel()
COMPARED_AGE = _place.of_channel()
COMPARED_OVER = _place.of_channel()
COMPARED_READY = _place.of_channel()
OLDEST = _place.of_channel()
OLDEST_FOUND_AGE = _place.of_channel()
RESTED = _place.of_channel()
DUE = _place.of_channel()
PROMOTE = _place.of_channel()

# Monitor. A latency counts three clocks after its response.
EPOCH = _place.of_channel()
ELAPSED = _place.of_channel()
LATCH = _place.of_channel()
STRAYED = _place.of_channel()
"""Tenant of a request outside its colours that approached a clock before, or NOBODY."""
STALLS = _place.of_channel()
"""Whether a command waited in the clock before."""
LOAD = _place.of_channel()
STAMPED_TENANT = _place.of_channel()
STAMPED_CLOCKS = _place.of_channel()
COMPUTED_TENANT = _place.of_channel()
COMPUTED_CLOCKS = _place.of_channel()
COMPUTED_OBJECTIVE = _place.of_channel()
MEASURED_TENANT = _place.of_channel()
MEASURED_CLOCKS = _place.of_channel()
MEASURED_LATE = _place.of_channel()
LATENCY_STEPS = _place.of_channel()
"""Clocks in which one of these steps has something to do."""
MAY_HOLD = _place.of_channel()
"""Whether the image lets a head wait for tokens."""
HOLDS = _place.of_channel()
"""Whether a head may be waiting for them."""

# Tenants.
KEPT_PRIORITY = _place.of_tenants()
SCAVENGES = _place.of_tenants()
KEPT_REFUSES = _place.of_tenants()
COMMITTED_LIMIT = _place.of_tenants()
"""Depth of the bucket in units of its level."""
PEAK_LIMIT = _place.of_tenants()
GUARD_LIMIT = _place.of_tenants()
"""Age limit; of a disabled tenant the one at which its queue drains."""
FILLS = _place.of_tenants()
COMMITTED = _place.of_tenants()
COMMITTED_FROM = _place.of_tenants()
COMMITTED_BEFORE = _place.of_tenants()
PEAK = _place.of_tenants()
PEAK_FROM = _place.of_tenants()
PEAK_BEFORE = _place.of_tenants()
COMMITTED_SEEN = _place.of_tenants()
"""Level as classes see it, where buckets are visited in turn."""
PEAK_SEEN = _place.of_tenants()
SEEN_FROM = _place.of_tenants()
"""First clock in which they do; in the one before it was that of COMMITTED_BEFORE."""
HEAD_NEEDS = _place.of_tenants()
"""Level that covers the head, likewise."""
START = _place.of_tenants()
FINISH = _place.of_tenants()
END_FINISH = _place.of_tenants()
STALE = _place.of_tenants()
"""Bit 0 the head, 1 the second, 2 the third request."""
COUNT = _place.of_tenants()
WAITING = _place.of_tenants()
HEAD = _place.of_tenants()
TAIL = _place.of_tenants()
ROUNDS = _place.of_tenants()
RESPONDED = _place.of_tenants()
"""Clock of the last response."""
PEAK_COUNT = _place.of_tenants()
LATCHED_PEAK = _place.of_tenants()
WAITS = _place.of_tenants()
COMMITTED_ENOUGH = _place.of_tenants()
"""Clock from which the bucket covers the head."""
PEAK_ENOUGH = _place.of_tenants()
UNCOVERED = _place.of_tenants()
"""Class of the head where neither does."""
HEAD_SINCE = _place.of_tenants()
"""First clock of the head; of the compact arbiter only."""
RECENT = _place.of_tenants()
"""Whether the depth-1 rule applies to the head that entered last; likewise."""

# Requests in the queues.
QUEUE_BEATS = _place.of_requests()
QUEUE_COST = _place.of_requests()
QUEUE_OFFERED = _place.of_requests()
QUEUE_ID = _place.of_requests()
QUEUE_OP = _place.of_requests()
QUEUE_ADDRESS = _place.of_requests()
QUEUE_OUTSIDE = _place.of_requests()

# Counters of the running epoch in the order of the register map, then those of the latched one.
COUNTER = {
    register.name: _place.take(register.count // ChannelConfig().tenants * LANES or 1)
    for register in counter_registers(ChannelConfig())
}
"""The first place of each register's counts."""
COUNTERS = min(COUNTER.values())
COUNTERS_LENGTH = _place.next - COUNTERS
LATCHED = _place.take(COUNTERS_LENGTH) - COUNTERS
"""From a counter to its latched value."""

# Commands that wait for the port, a row each.
OUTLET_ROW = 5
OUTLET = _place.take(OUTLET_DEPTH * OUTLET_ROW)
OUTLET_SLOT, OUTLET_TENANT, OUTLET_OP, OUTLET_ADDRESS, OUTLET_BEATS = range(
    OUTLET, OUTLET + OUTLET_ROW
)

# Slots, a row each, and as many rows as there are slots.
SLOT_TABLE = _place.next
SLOT_ROW = 5
SLOT_TENANT, SLOT_ID, SLOT_BEATS, SLOT_OFFERED, SLOT_FREE = range(SLOT_TABLE, SLOT_TABLE + SLOT_ROW)
