"""Where every value of the model is in its array.

The state is one flat array of int64, with a value of each of 16 tenants side by side: compiled code
then finds everything at constant offsets from one pointer.
"""

LANES = 16
"""Places of a tenant array, however many tenants there are."""

NOBODY = -1

# Sizes, see mcos_hw.config.ChannelConfig.
(
    TENANTS,
    QUEUE_MASK,
    QUEUE_DEPTH,
    BEAT_BYTES,
    BEAT_BITS,
    LATENESS,
    TAG_WIDTH,
    TAG_MASK,
    STALE_AFTER,
    TAG_LEAD,
    PRICE_WIDENING,
    PRICE_FRACTION,
    COST_SHIFT,
    RATE_FRACTION,
    L_MAX,
    SLOTS,
    ROUND_BITS,
    OLDEST_AGE,
    KIND,
) = range(19)

# The live image: values of the channel.
CHANNEL_ROWS = 12
(
    PACER_ENABLE,
    OVERCOMMITTED,
    PACER_RATE,
    PORT_CREDIT,
    INVERSE_TOTAL_WEIGHT,
    DEPTH1_CLOCKS,
    PROMOTION_INTERVAL,
    EPOCH_CLOCKS,
    COLOUR_BIT_0,
    COLOUR_BIT_1,
    COLOUR_BIT_2,
    COLOUR_BIT_3,
) = range(20, 20 + CHANNEL_ROWS)

# The channel's own state at the beginning of a clock.
(
    CLOCK,
    FRESH_IMAGE,
    GRANT,  # tenant granted in this clock, or NOBODY
    GRANT_BEATS,
    GRANT_CLASS,
    PROMOTED,
    OPEN,
    TIME,  # virtual time
    TIME_BEFORE,
    TIME_LONG_BEFORE,
    STEP_TO,
    STEP_JUMPS,
    STEP_COST,
    ANCHOR,
    KEPT_INVERSE,
    TAGS_MOVED,
    APPROACH,  # tenant of the request one step before its queue, or NOBODY
    APPROACH_BEATS,
    APPROACH_RECENT,
    APPROACH_OUTSIDE,
    APPROACH_PRICE,
    ENTRY,  # tenant of the request that enters its queue, or NOBODY
    ENTRY_BEATS,
    ENTRY_OUTSIDE,
    ENTRY_COST,
    ENTRY_START,
    ENTRY_ANCHORED,
    DEBT,
    IN_FLIGHT,
    CREDIT_BEFORE,
    READY,  # bit i: the queue of tenant i takes a request
    QUEUED,  # requests taken and not granted, of all tenants
    FREE_SLOTS,
    UNUSED_SLOT,  # slots below it have been used since reset
    FIRST_FREE,
    LAST_FREE,
    LEFT,  # tenant of the request granted in the clock before, or NOBODY
    LEFT_CLASS,
    LEFT_PROMOTED,
    LEFT_BEATS,
    LEFT_OP,
    LEFT_ADDRESS,
    LEFT_ID,
    LEFT_OFFERED,
    OUTLET_COUNT,
    SERVED,
    SERVED_SLOT,
    SERVED_TENANT,
    SERVED_ID,
    SERVED_BEATS,
    SERVED_OFFERED,
    LAST_TURN,  # of round robin and fixed priority
    SETTLES,  # clock up to which a new image may still change classes of heads
) = range(32, 85)

# Age guard.
(
    VISITED,
    VISITED_AGE,
    VISITED_LIMIT,
    VISITED_GUARDED,
    VISITED_READY,
    COMPARED,
    COMPARED_AGE,
    COMPARED_OVER,
    COMPARED_READY,
    OLDEST,
    OLDEST_FOUND_AGE,
    RESTED,
    DUE,
    PROMOTE,
) = range(85, 99)

# Monitor. A latency counts three clocks after its response.
(
    EPOCH,
    ELAPSED,
    LATCH,
    BUSY,
    LATCHED_BUSY,
    STRAYED,  # tenant of a request outside its colours that approached a clock before, or NOBODY
    STALLS,  # whether a command waited in the clock before
    STALLED,
    LATCHED_STALLED,
    LOAD,
    STAMPED_TENANT,
    STAMPED_CLOCKS,
    COMPUTED_TENANT,
    COMPUTED_CLOCKS,
    COMPUTED_OBJECTIVE,
    MEASURED_TENANT,
    MEASURED_CLOCKS,
    MEASURED_LATE,
    LATENCY_STEPS,  # clocks in which one of these steps has something to do
    MAY_HOLD,  # whether the image lets a head wait for tokens
    HOLDS,  # whether a head may be waiting for them
) = range(100, 121)

# Tenants: the live image.
TENANT_ROWS = 12
(
    ENABLE,
    CONSERVES,
    PRIORITY,
    COMMITTED_RATE,
    COMMITTED_LIMIT,
    PEAK_RATE,
    PEAK_LIMIT,
    INVERSE_WEIGHT,
    AGE_LIMIT,
    LATENCY_SLO,
    REFUSES,
    COLOURS,
) = range(128, 128 + TENANT_ROWS * LANES, LANES)

# Tenants: state.
(
    KEPT_PRIORITY,
    SCAVENGES,
    KEPT_REFUSES,
    FILLS,
    COMMITTED,
    COMMITTED_FROM,
    COMMITTED_BEFORE,
    PEAK,
    PEAK_FROM,
    PEAK_BEFORE,
    START,
    FINISH,
    END_FINISH,
    STALE,  # bit 0 the head, 1 the second, 2 the third request
    COUNT,
    WAITING,
    HEAD,
    TAIL,
    ROUNDS,
    RESPONDED,  # clock of the last response
    PEAK_COUNT,
    LATCHED_PEAK,
    HELD,
    LATCHED_HELD,
    WAITS,
    COMMITTED_ENOUGH,  # clock from which the bucket covers the head
    PEAK_ENOUGH,
    UNCOVERED,  # class of the head where neither does
) = range(320, 320 + 28 * LANES, LANES)

# Queues: LANES x 64 requests each.
ROWS = 64
(
    QUEUE_BEATS,
    QUEUE_COST,
    QUEUE_OFFERED,
    QUEUE_ID,
    QUEUE_OP,
    QUEUE_ADDRESS,
    QUEUE_OUTSIDE,
) = range(768, 768 + 7 * LANES * ROWS, LANES * ROWS)

# Commands that wait for the port: slot, tenant, op, address, beats of each.
OUTLET = 7936
OUTLET_ROW = 5

# Counters of the running epoch, as the register map orders them, and then those of the latched one.
GRANT_REQUESTS = 7968
GRANT_BYTES = 8096
PROMOTIONS = 8224
RESPONSES = 8240
SLO_VIOLATIONS = 8256
COLOUR_FAULTS = 8272
LATENCY = 8288
COUNTERS = GRANT_REQUESTS
COUNTERS_LENGTH = 576
LATCHED = COUNTERS_LENGTH
"""From a counter to its latched value."""

# Slots: tenant, id, beats and clock of the offer of each, and a place in the ring of free slots.
SLOT_TABLE = 9216
SLOT_ROW = 5

LONG_AGO = -(1 << 40)
NEVER = 1 << 62
