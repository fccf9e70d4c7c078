"""Where everything of an environment is in its array.

An environment is one flat array of int64, so that the verilated engine can hand it to a C function,
the reference engine can go through it without an object, and the cocotb engine can hand it to
another process. A header of single values comes first, then a block for each requester; longer
arrays lie behind, at the places that the header names.

An environment of a fabric has *lanes*: rows of LANE words with the places of the header. Lane k has
what crosses port k, and what crosses channel k with the memory behind it. Lane 0 is the header.
"""

CLOCK = 0
"""Clock of the next step."""
DONE = 1
"""1 from the clock on in which every requester has its last response."""
FAULT = 2
"""A :class:`mcos_sim.environment.faults.Fault`; the environment stands still after one."""
FAULT_TENANT = 3
FAULT_FOUND = 4
SEED = 5
OFFER_PAUSE = 6
"""Probability, in 2**-32, that nothing is offered in a clock."""
COMMAND_PAUSE = 7
"""Probability, in 2**-32, that the memory port is not ready in a clock."""
ID_MASK = 8
BEAT_BYTES = 9
REQUESTERS = 10
"""How many requesters there are."""
WAKE = 11
"""First clock in which a requester does something that no response tells it to."""
WAITING = 12
"""Bit i: a request of tenant i was offered and not taken."""
ACTIVE = 13
"""Requesters that are not done."""
BLOCK_OF = 14
"""Place of a table with the place of each tenant's block, 0 for a tenant that asks nothing."""

# What crosses the ports in a clock: all of it is in one row of PORTS_LENGTH words.
PORTS = 16
PORTS_LENGTH = 26

# What the channel shows in a clock.
READY = 16
"""Bit i: the queue of tenant i takes a request."""
GRANTED = 17
"""Tenant granted in this clock, or -1."""
GRANTED_CLASS = 18
COMMAND_VALID = 19
COMMAND_SLOT = 20
COMMAND_TENANT = 21
COMMAND_OP = 22
COMMAND_ADDRESS = 23
COMMAND_BEATS = 24
RESPONSE_VALID = 25
RESPONSE_TENANT = 26
RESPONSE_ID = 27

# What the environment drives in the same clock.
REQUEST_VALID = 32
REQUEST_TENANT = 33
REQUEST_ID = 34
REQUEST_OP = 35
REQUEST_ADDRESS = 36
REQUEST_BEATS = 37
REQUEST_OFFERED = 38
"""Clock of the first offer less the stream's age, not yet cut to the width of a stamp."""
COMMAND_READY = 39
COMPLETION_VALID = 40
COMPLETION_SLOT = 41

LANE = 64
"""Words of a lane."""
AXI_PORTS = 42
"""Ports of a fabric; 0 in the environment of a single channel."""
CHANNELS = 43
FIRST_BLOCK = 44
"""Place of the first requester's block."""

# The memory port.
MEMORY_MODEL = 48
"""Number of the memory's model; :func:`mcos_sim.environment.environment.model_of`."""
MEMORY_CREDIT = 49
MEMORY_HELD = 50
"""Bytes that the memory holds."""
MEMORY_SIZES = 51
"""Place of the bytes of each slot."""
PORT_BYTES = 52
"""Bytes of the command that waits at the port, 0 where none does."""
PORT_SLOT = 53
MEMORY = 54
"""Place of the memory's state, and its end."""
MEMORY_END = 55


# AXI ports between requesters and channel.
REORDERED = 56
"""1 if requests of one tenant may reach the channel in another order than they were taken."""
READ_CLOCKS = 57
"""Clocks from a response of the channel to that of the port, beside two for each beat; 0 without a
modelled port."""
WRITE_CLOCKS = 58
"""The same of a write, beside one for each beat."""
ANSWERS = 59
"""Place of the responses on their way, (valid, tenant, id) for each clock of ANSWERS_LENGTH."""
ANSWERS_LENGTH = 256
ANSWERS_HELD = 60
"""How many there are."""

# Ports of a fabric that are only modelled; each value is in the lane of its port.
READ_FREE = 45
"""First clock in which its bus for read data is free; likewise for write data."""
WRITE_FREE = 46
BANKS = 47
"""Place of the beats that each of its banks holds: of reads for each channel, then of writes."""
BANK_BEATS = 61
"""Beats that a bank has room for; in the header, as the next one."""
FABRIC_ANSWERS = 62
"""Length of the row of responses on their way through a port, instead of ANSWERS_LENGTH."""

BLOCKS = 64
"""Place of the first requester's block where there is one lane."""

# A requester's block.
TAG = 0
WINDOW = 1
CLOSED = 2
UNTIL = 3
"""Clock from which on nothing new is asked for, or NEVER."""
COUNT = 4
"""Requests of the stream."""
STEPS = 5
OFFERED = 6
"""Requests offered so far."""
TAKEN = 7
"""Requests taken by the channel so far."""
GRANTS = 8
COMMANDS = 9
OUTSTANDING = 10
NEXT_STEP = 11
END = 12
"""Requests of started steps."""
NEXT_START = 13
"""Clock in which the next step may start, or NEVER while that is not known."""
STOPPED = 14
REQUEST_ROWS = 15
"""Place of (op, beats, address, step) of each request."""
STEP_ROWS = 16
"""Place of (first, count, ready, compute, responses missing) of each step."""
OFFERED_AT = 17
"""Place of the clock of each request's offer; likewise the next ones."""
GRANTED_AT = 18
CLASS_OF = 19
COMPLETED_AT = 20
STEP_STARTED = 21
STEP_ENDED = 22
TAKEN_AT = 23
"""Place of the clock in which the channel took each request."""
KEPT = 24
"""Mask of a request's place in the arrays of clocks: all of them are kept, or the last ones."""
ROUND_REQUESTS = 25
"""Requests of one repetition of the stream; likewise the next one."""
ROUND_STEPS = 26
GRANTED_BYTES = 27
STAMP_AGE = 28
"""Clocks that its requests are older than their offers."""
PORT_OF = 29
"""Place of the port of each request, in a fabric; likewise of its channel."""
CHANNEL_OF = 30
PORT_WAYS = 31
"""Place of a way for each port, in a fabric; likewise for each channel."""
CHANNEL_WAYS = 32
BLOCK = 33
"""Length of a block."""

# A way: those requests of a stream that pass one port, or one channel.
WAY_COUNT = 0
"""Requests of a repetition of the stream."""
WAY_LIST = 1
"""Place of their positions in the stream."""
WAY_PASSED = 2
"""How many have passed: were taken by the port, or granted in the channel."""
WAY_NEXT = 3
"""Position of the next one, or NEVER."""
WAY_COMMANDS = 4
"""Commands that the channel sent."""
WAY = 5
"""Length of a way."""

REQUEST_ROW = 4
STEP_ROW = 5

NEVER = 1 << 62
