"""Where the state of an HBM channel is in its array of int64.

One array with places that are known when it is compiled: what makes the model quick is that a step
loads and stores numbers and nothing else.
"""

BANKS = 64
"""Banks that there is room for: a set of banks is one word."""

NODES = 128
"""Parts of the channel, each with a place for every command: all levels of the tree."""

PSEUDO_CHANNELS = 1
STACK_IDS = 8
BANK_GROUPS = 24
BANK_NODES = 64
"""First part of each level below the channel itself, which is 0."""

BANK_GROUP_SHIFT = 2
STACK_ID_SHIFT = 4
"""Four banks in a group, and four groups to a stack id."""

COMMANDS = 7

NEVER = 1 << 60
NONE = -1

# Scalars: what is fixed.
PSEUDO_CHANNEL_SHIFT = 0
PSEUDO_CHANNEL_COUNT = 1
STACK_ID_COUNT = 2
IN_ORDER = 3
"""Whether only the first request of a buffer may go."""
CLOSED_PAGE = 4
REFRESH = 5
REFRESH_BLOCKS = 6
CAPACITY = 7
DRAIN_FROM = 8
DRAIN_TO = 9
READ_LATENCY = 10
REFRESH_INTERVAL = 11
FALLING_PRECHARGE = 12
ACT_LENGTH = 13
KEEPS = 14
"""-1: each request has the row of its number, and keeps it; 0: that of its entry, until another
request has the entry."""
KEEPS_HITS = 15
"""Whether no row is closed while an older request of the buffer hits it."""

# Scalars: what moves.
TICK = 16
WRITING = 17
NEXT_ID = 18
QUEUED = 19  # two: reads, writes
LEFT = 21
FREE = 22
SEQUENCE = 23
OPEN = 24
ACTIVE = 25
SERVED = 26
"""Row of the request that was read or written last."""
LAST_COMMAND = 27
LAST_BANK = 28
LAST_TICK = 29
REFRESHES = 30
REFRESH_FIRST = 31
REFRESH_ADDRESS = 32
BLOCKED = 33
LOGGED = 34
REFRESH_DUE = 35
ISSUED = 36  # COMMANDS counters
REFRESH_TURN = 44
PSEUDO_CHANNEL_BANKS = 45  # two sets of banks

# Scalars of each of the two queues, read and write.
SETS = 48
SET = 16
ANY = 0
HITS = 1
OPENS = 2
CLOSES = 3
HIT_WAKE = 4
OPEN_WAKE = 5
CLOSE_WAKE = 6
OPENED = 7
OPENED_WAKE = 8

REFRESH_RING = 80
REFRESH_PLACES = 32
"""Refreshes that wait: command and bank in a word."""

# Each command's rules: first and last row, and the rows.
RULE_FIRST = 128
RULES = 144
RULE = 3
RULE_PLACES = 64
SIBLING_FIRST = RULES + RULE * RULE_PLACES
SIBLINGS = SIBLING_FIRST + 16
SIBLING_PLACES = 8
WINDOW_TICKS = SIBLINGS + RULE * SIBLING_PLACES
WINDOW = WINDOW_TICKS + 1
WINDOW_PLACES = 4
"""The last four activations of each pseudo channel."""

ALLOWED = 512
"""Earliest tick of each command in each part."""

BANK = ALLOWED + COMMANDS * NODES
"""Rows of what is kept of a bank."""
OPEN_ROW = BANK
ACTIVE_ENTRY = OPEN_ROW + BANKS
HEAD = ACTIVE_ENTRY + BANKS
TAIL = HEAD + 2 * BANKS
HIT = TAIL + 2 * BANKS
CLOSE = HIT + 2 * BANKS

ENTRIES = CLOSE + 2 * BANKS
"""Requests that wait in a queue or for their column command."""
ENTRY = 8
ENTRY_PLACES = 256
ID = 0
ACCEPTED = 1
ROW = 2
BANK_OF = 3
WRITE = 4
NEXT = 5
ORDER = 6
STARTED = 7

LENGTH = ENTRIES + ENTRY * ENTRY_PLACES

# What is written of each request.
OUT_ACCEPTED = 0
OUT_FIRST = 1
OUT_COLUMN = 2
OUT_CLASS = 3
OUT = 4

LOG = 4
"""What is written of each command: tick, command, bank, request."""
